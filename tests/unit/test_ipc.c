/*
 * Channels: what is sent arrives whole and in order, what the table forbids
 * never reaches the handler, and every end is told exactly once.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "lib/file.h"
#include "lib/ipc.h"
#include "lib/ipc_packet.h"
#include "lib/xalloc.h"

#define BIG (MESSAGE_INLINE_MAX + 1)

/* One end on the loop (core), the other a plain socket (the peer). */
struct fixture {
	uv_loop_t loop;
	uv_timer_t limit;
	struct ipc *ipc;
	int other;
	unsigned int messages, closed;
	char reason[200];
	bool had_reason;
	/* Of the last message. */
	uint16_t type;
	uint32_t id;
	unsigned int nfds;
	int kept_fd;
	uint8_t *body;
	size_t len;
	/* What to do when one comes or the end. */
	bool free_in_message, free_in_closed, answer;
	unsigned int stop_after;
};

static void
on_message(struct ipc *ipc, struct ipc_msg *msg, void *arg)
{
	struct fixture *f = arg;
	const void *data;
	struct wire_out out = { 0 };

	f->messages++;
	f->type = msg->type;
	f->id = msg->id;
	f->nfds = msg->nfds;
	if (msg->nfds > 0) {
		f->kept_fd = msg->fds[0];
		msg->fds[0] = -1;
	}
	free(f->body);
	f->len = msg->body.len;
	data = msg->body.data;
	f->body = xmemdup(data, f->len);
	if (f->answer) {
		wire_put_u32(&out, 0);
		(void)ipc_send(
		    ipc, MSG_OP_RESTORE_OUTPUT, msg->id, &out, NULL, 0);
		wire_free(&out);
	}
	if (f->free_in_message) {
		ipc_free(ipc);
		f->ipc = NULL;
	}
	if (f->messages == f->stop_after)
		uv_stop(&f->loop);
}

static void
on_closed(struct ipc *ipc, const char *reason, void *arg)
{
	struct fixture *f = arg;

	f->closed++;
	f->had_reason = reason != NULL;
	snprintf(f->reason, sizeof(f->reason), "%s", reason ? reason : "");
	if (f->free_in_closed) {
		ipc_free(ipc);
		f->ipc = NULL;
	}
	uv_stop(&f->loop);
}

static void
out_of_time(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("nothing happened for 20 seconds");
}

static int
descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static int before;

static int
setup_peer(void **state, enum role peer)
{
	static const struct ipc_callbacks callbacks = { on_message, on_closed };
	struct fixture *f = xcalloc(1, sizeof(*f));
	int fds[2];

	before = descriptors();
	assert_int_equal(ipc_pair(fds), 0);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	uv_timer_init(&f->loop, &f->limit);
	uv_timer_start(&f->limit, out_of_time, 20000, 0);
	f->ipc = ipc_new(&f->loop, fds[0], ROLE_CORE, peer, &callbacks, f);
	f->other = fds[1];
	f->kept_fd = -1;
	*state = f;
	return 0;
}

static int
setup(void **state)
{
	return setup_peer(state, ROLE_MONITOR);
}

static int
setup_web(void **state)
{
	return setup_peer(state, ROLE_WEB);
}

/* Whatever a test did, no descriptor may be left and no call may come. */
static int
teardown(void **state)
{
	struct fixture *f = *state;
	unsigned int closed = f->closed;

	ipc_free(f->ipc);
	if (f->other != -1)
		close(f->other);
	if (f->kept_fd != -1)
		close(f->kept_fd);
	uv_close((uv_handle_t *)&f->limit, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->closed, closed);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	free(f->body);
	free(f);
	assert_int_equal(descriptors(), before);
	return 0;
}

/* Until stop_after messages or the end. */
static void
run_until(struct fixture *f, unsigned int messages)
{
	f->stop_after = messages;
	uv_run(&f->loop, UV_RUN_DEFAULT);
}

/* Some turns, for what should not happen. */
static void
run_some(struct fixture *f)
{
	int i;

	for (i = 0; i < 20; i++)
		uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* A raw datagram from the peer. */
static void
raw(struct fixture *f, unsigned int type, unsigned int flags, uint32_t len,
    const void *body, size_t body_len, const int *fds, unsigned int nfds)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(16 * sizeof(int))];
	} control;
	struct wire_out out = { 0 };
	struct iovec part;
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };

	wire_put_u16(&out, (uint16_t)type);
	wire_put_u16(&out, (uint16_t)flags);
	wire_put_u32(&out, 77);
	wire_put_u32(&out, len);
	wire_put_raw(&out, body, body_len);
	part.iov_base = out.data;
	part.iov_len = out.len;
	if (nfds > 0) {
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, nfds * sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
	}
	assert_int_equal(sendmsg(f->other, &msg, MSG_NOSIGNAL), out.len);
	wire_free(&out);
}

/* The channel must end, with a reason of that kind, and no message. */
static void
breaks(struct fixture *f, const char *reason)
{
	run_until(f, 1);
	assert_int_equal(f->messages, 0);
	assert_int_equal(f->closed, 1);
	assert_true(f->had_reason);
	if (strstr(f->reason, reason) == NULL)
		fail_msg("reason \"%s\" lacks \"%s\"", f->reason, reason);
	run_some(f);
	assert_int_equal(f->closed, 1);
	if (ipc_peer(f->ipc) == ROLE_MONITOR)
		assert_int_equal(
		    ipc_send(f->ipc, MSG_OP_STATUS, 0, NULL, NULL, 0), -1);
}

static uint8_t op_done[8];

static void
test_message(void **state)
{
	struct fixture *f = *state;

	raw(f, MSG_OP_DONE, 0, 8, op_done, 8, NULL, 0);
	run_until(f, 1);
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->type, MSG_OP_DONE);
	assert_int_equal(f->id, 77);
	assert_int_equal(f->len, 8);
	raw(f, MSG_STOP, 0, 0, NULL, 0, NULL, 0);
	run_until(f, 2);
	assert_int_equal(f->type, MSG_STOP);
	assert_int_equal(f->closed, 0);
}

static void
test_unknown_type(void **state)
{
	raw(*state, 9999, 0, 0, NULL, 0, NULL, 0);
	breaks(*state, "type 9999 is unknown");
}

/* A gap between the groups of the enum. */
static void
test_gap_type(void **state)
{
	raw(*state, MSG_CLIENT_OPEN - 1, 0, 0, NULL, 0, NULL, 0);
	breaks(*state, "is unknown");
}

/* The web role may not say what only the monitor may. */
static void
test_wrong_sender(void **state)
{
	raw(*state, MSG_OP_DONE, 0, 8, op_done, 8, NULL, 0);
	breaks(*state, "OP_DONE is not web's to send to core");
}

/* Nor may the monitor say what core says to it. */
static void
test_wrong_direction(void **state)
{
	raw(*state, MSG_OP_STATUS, 0, 0, NULL, 0, NULL, 0);
	breaks(*state, "OP_STATUS is not monitor's");
}

static void
test_oversized(void **state)
{
	static uint8_t body[BIG];
	struct fixture *f = *state;

	raw(f, MSG_OP_DONE, 0, BIG, body, BIG, NULL, 0);
	breaks(f, "longer than");
}

static void
test_too_long_for_type(void **state)
{
	static uint8_t body[100];

	raw(*state, MSG_PEER, 0, 100, body, 100, NULL, 0);
	breaks(*state, "PEER of 100 bytes");
}

static void
test_too_short_for_type(void **state)
{
	raw(*state, MSG_OP_DONE, 0, 7, op_done, 7, NULL, 0);
	breaks(*state, "OP_DONE of 7 bytes");
}

static void
test_short_header(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send(f->other, "\5\0\0\0\0\0\0\0\0\0\0", 11, 0), 11);
	breaks(f, "11 bytes");
}

static void
test_length_mismatch(void **state)
{
	raw(*state, MSG_OP_DONE, 0, 9, op_done, 8, NULL, 0);
	breaks(*state, "9 bytes announced, 8 sent");
}

static void
test_length_mismatch_less(void **state)
{
	raw(*state, MSG_OP_DONE, 0, 8, "123456789", 9, NULL, 0);
	breaks(*state, "8 bytes announced, 9 sent");
}

static void
test_huge_length(void **state)
{
	raw(*state, MSG_OP_DONE, 0, UINT32_MAX, op_done, 8, NULL, 0);
	breaks(*state, "OP_DONE of 4294967295 bytes");
}

static void
test_unknown_flag(void **state)
{
	raw(*state, MSG_OP_DONE, 2, 8, op_done, 8, NULL, 0);
	breaks(*state, "flags");
}

/* A memory file of that size with these seals. */
static int
memory(size_t size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	if (seals != 0)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

#define ALL_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static void
send_memory(struct fixture *f, size_t announced, size_t size, int seals)
{
	int fd = memory(size, seals);

	raw(f, MSG_OP_DONE, 1, (uint32_t)announced, NULL, 0, &fd, 1);
	close(fd);
}

static void
test_memfd(void **state)
{
	struct fixture *f = *state;

	send_memory(f, BIG, BIG, ALL_SEALS);
	run_until(f, 1);
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->len, BIG);
	assert_int_equal(f->nfds, 0);
}

static void
test_memfd_unsealed(void **state)
{
	send_memory(*state, BIG, BIG, 0);
	breaks(*state, "body refused");
}

static void
test_memfd_half_sealed(void **state)
{
	send_memory(*state, BIG, BIG, ALL_SEALS & ~F_SEAL_SHRINK);
	breaks(*state, "body refused");
}

static void
test_memfd_other_size(void **state)
{
	send_memory(*state, BIG, BIG + 1, ALL_SEALS);
	breaks(*state, "65536 bytes announced, 65537 in its memory file");
}

static void
test_memfd_too_large(void **state)
{
	send_memory(*state, BIG, MESSAGE_BODY_MAX + 1, ALL_SEALS);
	breaks(*state, "body refused");
}

/* What fits into a message has to come in it. */
static void
test_memfd_needless(void **state)
{
	send_memory(*state, 100, 100, ALL_SEALS);
	breaks(*state, "100 bytes announced, 0 sent");
}

static void
test_memfd_missing(void **state)
{
	raw(*state, MSG_OP_DONE, 1, BIG, NULL, 0, NULL, 0);
	breaks(*state, "without its body");
}

/* An ordinary file instead, which could change under us. */
static void
test_memfd_other_file(void **state)
{
	struct fixture *f = *state;
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	fd = fileno(file);
	assert_int_equal(ftruncate(fd, BIG), 0);
	raw(f, MSG_OP_DONE, 1, BIG, NULL, 0, &fd, 1);
	breaks(f, "body refused");
	fclose(file);
}

static void
test_descriptor(void **state)
{
	struct fixture *f = *state;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	raw(f, MSG_OP_DONE, 0, 8, op_done, 8, fds, 1);
	run_until(f, 1);
	assert_int_equal(f->nfds, 1);
	assert_int_equal(fcntl(f->kept_fd, F_GETFD), FD_CLOEXEC);
	close(fds[0]);
	close(fds[1]);
}

static void
send_fds(struct fixture *f, unsigned int type, unsigned int n)
{
	int fds[16], i;

	for (i = 0; i < 16; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	raw(f, type, 0, type == MSG_OP_DONE ? 8 : 1, op_done,
	    type == MSG_OP_DONE ? 8 : 1, fds, n);
	for (i = 0; i < 16; i++)
		close(fds[i]);
}

static void
test_too_many_fds(void **state)
{
	send_fds(*state, MSG_OP_DONE, 2);
	breaks(*state, "OP_DONE with 2 descriptors");
}

static void
test_surplus_fds(void **state)
{
	send_fds(*state, MSG_OP_DONE, 6);
	breaks(*state, "control data");
}

static void
test_truncated_fds(void **state)
{
	send_fds(*state, MSG_OP_DONE, 16);
	breaks(*state, "control data");
}

static void
test_missing_fd(void **state)
{
	raw(*state, MSG_PEER, 0, 1, "\1", 1, NULL, 0);
	breaks(*state, "PEER with 0 descriptors");
}

static void
test_peer_gone(void **state)
{
	struct fixture *f = *state;

	raw(f, MSG_STOP, 0, 0, NULL, 0, NULL, 0);
	raw(f, MSG_STOP, 0, 0, NULL, 0, NULL, 0);
	close(f->other);
	f->other = -1;
	run_until(f, 0);
	/* Its last words come first. */
	assert_int_equal(f->messages, 2);
	assert_int_equal(f->closed, 1);
	assert_false(f->had_reason);
	run_some(f);
	assert_int_equal(f->closed, 1);
}

/* It left messages of ours unread: ECONNRESET, yet its last words count. */
static void
test_peer_gone_unread(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	assert_int_equal(ipc_send(f->ipc, MSG_OP_STATUS, 0, NULL, NULL, 0), 0);
	for (i = 0; i < 100; i++)
		raw(f, MSG_STOP, 0, 0, NULL, 0, NULL, 0);
	close(f->other);
	f->other = -1;
	run_until(f, 0);
	assert_int_equal(f->messages, 100);
	assert_int_equal(f->closed, 1);
	assert_false(f->had_reason);
}

/* Sending to the dead fails; the end is told later, from the loop. */
static void
test_send_to_dead(void **state)
{
	struct fixture *f = *state;

	raw(f, MSG_STOP, 0, 0, NULL, 0, NULL, 0);
	close(f->other);
	f->other = -1;
	assert_int_equal(ipc_send(f->ipc, MSG_OP_STATUS, 0, NULL, NULL, 0), -1);
	assert_int_equal(f->closed, 0);
	run_until(f, 0);
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->closed, 1);
}

/* A peer that takes nothing any more but stays. */
static void
test_peer_deaf(void **state)
{
	struct fixture *f = *state;

	shutdown(f->other, SHUT_RD);
	assert_int_equal(ipc_send(f->ipc, MSG_OP_STATUS, 0, NULL, NULL, 0), -1);
	assert_int_equal(f->closed, 0);
	run_until(f, 0);
	assert_int_equal(f->closed, 1);
}

static void
test_free_in_message(void **state)
{
	struct fixture *f = *state;
	int i;

	f->free_in_message = true;
	for (i = 0; i < 3; i++)
		send_memory(f, BIG, BIG, ALL_SEALS);
	run_until(f, 1);
	run_some(f);
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->closed, 0);
}

static void
test_free_in_closed(void **state)
{
	struct fixture *f = *state;

	f->free_in_closed = true;
	raw(f, 9999, 0, 0, NULL, 0, NULL, 0);
	run_until(f, 1);
	run_some(f);
	assert_int_equal(f->closed, 1);
}

static void
test_free_null(void **state)
{
	(void)state;
	ipc_free(NULL);
}

/* An answer that fails in the handler, in the same turn as the end. */
static void
test_answer_to_dead(void **state)
{
	struct fixture *f = *state;
	int i;

	f->answer = true;
	for (i = 0; i < 200; i++)
		raw(f, MSG_STOP, 0, 0, NULL, 0, NULL, 0);
	close(f->other);
	f->other = -1;
	run_until(f, 0);
	assert_int_equal(f->messages, 200);
	assert_int_equal(f->closed, 1);
}

/* Messages that arrive together with a wrong one: those before it count. */
static void
test_breach_between(void **state)
{
	struct fixture *f = *state;

	raw(f, MSG_STOP, 0, 0, NULL, 0, NULL, 0);
	raw(f, 9999, 0, 0, NULL, 0, NULL, 0);
	send_memory(f, BIG, BIG, ALL_SEALS);
	run_until(f, 0);
	assert_int_equal(f->messages, 1);
	assert_int_equal(f->closed, 1);
	assert_true(f->had_reason);
}

/* A flood gives others a turn: not all of it is handled in one go. */
static void
test_turns(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i < 200; i++)
		raw(f, MSG_STOP, 0, 0, NULL, 0, NULL, 0);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	assert_in_range(f->messages, 1, 199);
	run_until(f, 200);
	assert_int_equal(f->messages, 200);
}

static void
body_of(struct wire_out *out, uint32_t seed, size_t len)
{
	uint8_t block[1000];
	size_t n;

	wire_put_u32(out, seed);
	wire_put_u32(out, (uint32_t)(len - 8));
	for (len -= 8; len > 0; len -= n) {
		memset(block, (int)(seed % 251), sizeof(block));
		n = len < sizeof(block) ? len : sizeof(block);
		wire_put_raw(out, block, n);
	}
}

/* The peer's reader: takes count messages and checks each. */
static void
reader(int fd, unsigned int count, size_t big)
{
	struct ipc_msg msg;
	unsigned int i;
	size_t j, len;
	const uint8_t *data;
	void *body;

	for (i = 0; i < count; i++) {
		if (ipc_recv_blocking(
			fd, ROLE_MONITOR, ROLE_CORE, &msg, &body) == -1)
			_exit(10);
		if (msg.id != i || wire_get_u32(&msg.body) != i)
			_exit(11);
		data = wire_get_bytes(&msg.body, &len);
		if (wire_end(&msg.body) == -1 ||
		    len != (i % 3 == 0 ? big : 200) - 8)
			_exit(12);
		for (j = 0; j < len; j++)
			if (data[j] != i % 251)
				_exit(13);
		free(body);
	}
	_exit(0);
}

static void
check_drained(uv_timer_t *timer)
{
	struct fixture *f = timer->data;

	if (ipc_queued(f->ipc) == 0) {
		uv_close((uv_handle_t *)timer, NULL);
		uv_stop(&f->loop);
	}
}

/*
 * 1000 messages, a third of them big, to a peer that does not read yet: all
 * are queued, none is lost or out of order, and the queue ends empty.
 */
static void
backpressure(struct fixture *f, size_t big)
{
	uv_timer_t timer;
	struct wire_out out;
	unsigned int i;
	int status;
	pid_t pid;

	for (i = 0; i < 1000; i++) {
		memset(&out, 0, sizeof(out));
		body_of(&out, i, i % 3 == 0 ? big : 200);
		assert_int_equal(
		    ipc_send(f->ipc, MSG_OP_INSTALL_OUTPUT, i, &out, NULL, 0),
		    0);
		wire_free(&out);
	}
	assert_true(ipc_queued(f->ipc) > 0);
	if ((pid = fork()) == 0) {
		alarm(60);
		reader(f->other, 1000, big);
	}
	uv_timer_init(&f->loop, &timer);
	timer.data = f;
	uv_timer_start(&timer, check_drained, 1, 1);
	uv_timer_start(&f->limit, out_of_time, 60000, 0);
	run_until(f, 0);
	assert_int_equal(ipc_queued(f->ipc), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(f->closed, 0);
}

static void
test_backpressure_memfd(void **state)
{
	backpressure(*state, 100000);
}

static void
test_backpressure_inline(void **state)
{
	backpressure(*state, 60000);
}

/* Freed with a full queue: nothing leaks (teardown, sanitizers). */
static void
test_free_queued(void **state)
{
	struct fixture *f = *state;
	struct wire_out out = { 0 };
	int i;

	for (i = 0; i < 2000; i++) {
		memset(&out, 0, sizeof(out));
		body_of(&out, 1, 30000);
		assert_int_equal(
		    ipc_send(f->ipc, MSG_OP_INSTALL_OUTPUT, 1, &out, NULL, 0),
		    0);
		wire_free(&out);
	}
	assert_int_equal(
	    ipc_send(f->ipc, MSG_OP_PEER_IDENTITY, 1, NULL, (int[]){ 0 }, 1),
	    0);
	assert_true(ipc_queued(f->ipc) > 0);
}

static void
ask(struct fixture *f, uint32_t id)
{
	assert_int_equal(ipc_send(f->ipc, MSG_OP_STATUS, id, NULL, NULL, 0), 0);
}

/* How many messages the peer finds; their ids go on from the last ones. */
static unsigned int
arrived(struct fixture *f)
{
	uint8_t packet[64];
	unsigned int n;

	for (n = 0; recv(f->other, packet, sizeof(packet), MSG_DONTWAIT) > 0;)
		assert_int_equal(packet[4], f->id + n++);
	f->id += n;
	return n;
}

/* Gathered messages go at the turn's end, or when a batch is together. */
static void
test_gather(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	ipc_gather(f->ipc);
	for (id = 0; id < 3; id++)
		ask(f, id);
	assert_int_equal(arrived(f), 0);
	assert_true(ipc_queued(f->ipc) > 0);
	run_some(f);
	assert_int_equal(arrived(f), 3);
	assert_int_equal(ipc_queued(f->ipc), 0);
	for (; id < 3 + PACKET_BATCH + 1; id++)
		ask(f, id);
	assert_int_equal(arrived(f), PACKET_BATCH);
	run_some(f);
	assert_int_equal(arrived(f), 1);
}

/* What was said before the end is said. */
static void
test_gather_free(void **state)
{
	struct fixture *f = *state;
	uint8_t first[64], second[64], end[64];

	ipc_gather(f->ipc);
	ask(f, 0);
	ask(f, 1);
	ipc_free(f->ipc);
	f->ipc = NULL;
	assert_int_equal(recv(f->other, &first, sizeof(first), 0), 12);
	assert_int_equal(recv(f->other, &second, sizeof(second), 0), 12);
	assert_int_equal(recv(f->other, &end, sizeof(end), 0), 0);
}

static void
test_gather_dead(void **state)
{
	struct fixture *f = *state;

	ipc_gather(f->ipc);
	close(f->other);
	f->other = -1;
	ask(f, 0);
	assert_int_equal(f->closed, 0);
	run_until(f, 0);
	assert_int_equal(f->closed, 1);
	assert_int_equal(ipc_send(f->ipc, MSG_OP_STATUS, 1, NULL, NULL, 0), -1);
}

static void
test_gather_backpressure(void **state)
{
	struct fixture *f = *state;

	ipc_gather(f->ipc);
	backpressure(f, 100000);
}

/* The descriptor's copy is sent, ours stays open. */
static void
test_send_fd(void **state)
{
	struct fixture *f = *state;
	struct ipc_msg msg;
	struct stat ours, theirs;
	void *body;
	int fd = memory(5, 0);

	assert_int_equal(
	    ipc_send(f->ipc, MSG_OP_PEER_IDENTITY, 9, NULL, &fd, 1), 0);
	assert_int_equal(
	    ipc_recv_blocking(f->other, ROLE_MONITOR, ROLE_CORE, &msg, &body),
	    0);
	assert_int_equal(msg.nfds, 1);
	assert_int_equal(msg.id, 9);
	assert_int_equal(fstat(fd, &ours), 0);
	assert_int_equal(fstat(msg.fds[0], &theirs), 0);
	assert_true(ours.st_ino == theirs.st_ino);
	free(body);
	close(fd);
	close(msg.fds[0]);
}

static void
test_blocking(void **state)
{
	struct wire_out out = { 0 };
	struct ipc_msg msg;
	void *body;
	int fds[2];
	size_t size;

	(void)state;
	assert_int_equal(ipc_pair(fds), 0);
	for (size = 8; size < 300000; size = size * 3) {
		body_of(&out, 5, size);
		assert_int_equal(ipc_send_blocking(fds[0], ROLE_CORE,
				     ROLE_WORKER, MSG_TASK, 4, &out, NULL, 0),
		    0);
		assert_int_equal(ipc_recv_blocking(fds[1], ROLE_WORKER,
				     ROLE_CORE, &msg, &body),
		    0);
		assert_int_equal(msg.body.len, size);
		assert_memory_equal(body, out.data, size);
		free(body);
		wire_free(&out);
	}
	/* What the table forbids. */
	assert_int_equal(ipc_send_blocking(fds[0], ROLE_MONITOR, ROLE_CORE,
			     MSG_STOP, 0, NULL, NULL, 0),
	    0);
	assert_int_equal(
	    ipc_recv_blocking(fds[1], ROLE_WORKER, ROLE_CORE, &msg, &body), -1);
	assert_int_equal(errno, EPROTO);
	assert_null(body);
	close(fds[0]);
	assert_int_equal(
	    ipc_recv_blocking(fds[1], ROLE_WORKER, ROLE_CORE, &msg, &body), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(
	    ipc_send_blocking(fds[1], ROLE_WORKER, ROLE_CORE, MSG_TASK_DONE, 0,
		&(struct wire_out){ op_done, 8, 8 }, NULL, 0),
	    -1);
	close(fds[1]);
}

/* Sending what we may not is our bug: the process ends. */
static void
test_forbidden_send(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		close(2);
		(void)ipc_send(f->ipc, MSG_OP_DONE, 0, NULL, NULL, 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(test_message),
		WITH(test_unknown_type),
		WITH(test_gap_type),
		cmocka_unit_test_setup_teardown(
		    test_wrong_sender, setup_web, teardown),
		WITH(test_wrong_direction),
		WITH(test_oversized),
		WITH(test_too_long_for_type),
		WITH(test_too_short_for_type),
		WITH(test_short_header),
		WITH(test_length_mismatch),
		WITH(test_length_mismatch_less),
		WITH(test_huge_length),
		WITH(test_unknown_flag),
		WITH(test_memfd),
		WITH(test_memfd_unsealed),
		WITH(test_memfd_half_sealed),
		WITH(test_memfd_other_size),
		WITH(test_memfd_too_large),
		WITH(test_memfd_needless),
		WITH(test_memfd_missing),
		WITH(test_memfd_other_file),
		WITH(test_descriptor),
		WITH(test_too_many_fds),
		WITH(test_surplus_fds),
		WITH(test_truncated_fds),
		WITH(test_missing_fd),
		WITH(test_peer_gone),
		WITH(test_peer_gone_unread),
		WITH(test_send_to_dead),
		WITH(test_peer_deaf),
		WITH(test_free_in_message),
		WITH(test_free_in_closed),
		WITH(test_free_null),
		WITH(test_answer_to_dead),
		WITH(test_breach_between),
		WITH(test_turns),
		WITH(test_backpressure_memfd),
		WITH(test_backpressure_inline),
		WITH(test_free_queued),
		WITH(test_gather),
		WITH(test_gather_free),
		WITH(test_gather_dead),
		WITH(test_gather_backpressure),
		WITH(test_send_fd),
		WITH(test_forbidden_send),
		cmocka_unit_test(test_blocking),
	};
	uv_loop_t loop;

	/* The first loop opens descriptors that stay; before they count. */
	if (uv_loop_init(&loop) != 0 || uv_loop_close(&loop) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
