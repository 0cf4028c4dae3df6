/*
 * libFuzzer target: one packet between two roles, as the kernel would deliver
 * it.  The first two bytes choose who receives and who is said to send; the
 * rest is header and body.  What passes the message table is read member by
 * member in ways that the body does not choose, FACTS as what it is.
 */
#include <sys/socket.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/ipc.h"
#include "lib/log.h"
#include "lib/startup.h"
#include "lib/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
quiet(enum log_level level, const char *event, const char *message)
{
	(void)level;
	(void)event;
	(void)message;
}

static void
expect(int condition)
{
	if (!condition)
		abort();
}

/* Every getter, until the body is at its end or bad. */
static void
read_members(struct wire_in *in, unsigned int how)
{
	const void *bytes;
	size_t len, before;
	char *text;

	for (; in->at < in->len && !in->bad; how = how * 31 + 7) {
		before = in->at;
		switch (how % 5) {
		case 0:
			wire_get_u8(in);
			break;
		case 1:
			wire_get_u32(in);
			break;
		case 2:
			wire_get_u64(in);
			break;
		case 3:
			bytes = wire_get_bytes(in, &len);
			expect((bytes == NULL) == in->bad);
			expect(bytes != NULL || len == 0);
			break;
		default:
			text = wire_get_str(in, 64);
			expect((text == NULL) == in->bad);
			free(text);
		}
		expect(in->bad || in->at > before);
	}
	expect(in->at <= in->len);
	expect((wire_end(in) == 0) == (!in->bad && in->at == in->len));
}

static void
read_message(struct ipc_msg *msg, enum role self, enum role peer)
{
	const struct message_info *info = message_info(msg->type);
	struct facts facts;

	expect(info != NULL);
	expect(info->from & ROLE_BIT(peer) && info->to & ROLE_BIT(self));
	expect(msg->body.len >= info->min && msg->body.len <= info->max);
	expect(msg->nfds >= info->nfds_min && msg->nfds <= info->nfds_max);
	if (msg->type == MSG_FACTS) {
		(void)facts_get(&msg->body, &facts);
		facts_free(&facts);
	} else
		read_members(&msg->body, msg->id);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum role self, peer;
	struct ipc_msg msg;
	void *to_free = NULL;
	int fds[2];

	log_set_sink(quiet);
	if (size < 2)
		return 0;
	self = (enum role)(data[0] % ROLE_COUNT);
	peer = (enum role)(data[1] % ROLE_COUNT);
	expect(ipc_pair(fds) == 0);
	if (send(fds[0], data + 2, size - 2, MSG_DONTWAIT) != -1 &&
	    shutdown(fds[0], SHUT_WR) == 0 &&
	    ipc_recv_blocking(fds[1], self, peer, &msg, &to_free) == 0) {
		read_message(&msg, self, peer);
		freezero(to_free, msg.body.len);
	}
	close(fds[0]);
	close(fds[1]);
	return 0;
}
