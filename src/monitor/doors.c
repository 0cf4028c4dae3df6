/*
 * Where the web role listens: see doors.h.
 */
#include "monitor/doors.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/xalloc.h"
#include "monitor/processes.h"

#define DOORS_MAX 32 /* as a role takes at its start */
#define TEXT_MAX 128
#define BACKLOG 128

struct door {
	struct listen_address address;
	char *text;
	bool plain; /* LISTEN_PLAIN stands before its address */
	int fd; /* -1: not open */
	bool wanted;
	bool shut; /* does not listen meanwhile */
};

static struct door doors[DOORS_MAX];
static size_t ndoors;

void
doors_start(const struct listen_address *address, const char *text, int fd)
{
	doors[0].address = *address;
	doors[0].text = xstrdup(text);
	doors[0].fd = fd;
	ndoors = 1;
}

void
doors_each(void (*each)(const char *, int, void *), void *arg)
{
	size_t i;

	for (i = 0; i < ndoors; i++)
		each(doors[i].text, doors[i].fd, arg);
}

static bool
is_same(const struct door *a, const struct door *b)
{
	return a->plain == b->plain && a->address.len == b->address.len &&
	    memcmp(&a->address.sockaddr, &b->address.sockaddr,
		a->address.len) == 0;
}

/* Of its text, which is taken; -1: it is no address. */
static int
door_read(struct door *door, char *text)
{
	size_t len = strlen(LISTEN_PLAIN);

	door->text = text;
	door->fd = -1;
	if (text == NULL)
		return -1;
	door->plain = strncmp(text, LISTEN_PLAIN, len) == 0;
	return listen_parse(text + (door->plain ? len : 0), &door->address);
}

/* One of ours that is to go keeps another one's port: it may be had again. */
static bool
shut_others(const struct door *door)
{
	bool any = false;
	size_t i;

	for (i = 0; i < ndoors; i++) {
		if (doors[i].wanted || doors[i].shut ||
		    doors[i].address.port != door->address.port)
			continue;
		doors[i].shut = shutdown(doors[i].fd, SHUT_RDWR) == 0;
		any |= doors[i].shut;
	}
	return any;
}

static int
door_open(struct door *door, char *why, size_t size)
{
	door->fd = listen_open(&door->address, why, size);
	if (door->fd == -1 && shut_others(door))
		door->fd = listen_open(&door->address, why, size);
	return door->fd == -1 ? -1 : 0;
}

static void
door_close(struct door *door)
{
	if (door->fd != -1)
		close(door->fd);
	free(door->text);
}

static void
tell_web(enum message_type type, const struct door *door)
{
	struct wire_out body = { 0 };

	wire_put_str(&body, door->text);
	processes_send(
	    ROLE_WEB, type, 0, &body, &door->fd, type == MSG_LISTEN ? 1 : 0);
	wire_free(&body);
}

/* Those that are there already are found among ours; -1: a wrong request. */
static int
read_wanted(struct wire_in *body, struct door *wanted, size_t *np)
{
	uint32_t n = wire_get_u32(body), i;
	size_t k;

	if (body->bad || n == 0 || n > DOORS_MAX)
		return -1;
	for (i = 0; i < n; i++) {
		struct door *door = &wanted[*np];

		if (door_read(door, wire_get_str(body, TEXT_MAX)) == -1) {
			free(door->text);
			return -1;
		}
		for (k = 0; k < ndoors; k++)
			if (is_same(&doors[k], door))
				break;
		if (k == ndoors) {
			(*np)++;
			continue;
		}
		doors[k].wanted = true;
		free(door->text);
	}
	return wire_end(body);
}

/* The new ones are open: they are ours now, and those not wanted go. */
static void
settle(struct door *new, size_t n)
{
	struct door kept[DOORS_MAX];
	size_t i, nkept = 0;

	for (i = 0; i < ndoors; i++) {
		if (doors[i].wanted) {
			kept[nkept++] = doors[i];
			continue;
		}
		log_info("listen.closed", "%s", doors[i].text);
		tell_web(MSG_UNLISTEN, &doors[i]);
		door_close(&doors[i]);
	}
	for (i = 0; i < n; i++) {
		log_info("listen.opened", "%s", new[i].text);
		tell_web(MSG_LISTEN, &new[i]);
		kept[nkept++] = new[i];
	}
	memcpy(doors, kept, nkept * sizeof(kept[0]));
	ndoors = nkept;
}

static void
give_up(struct door *new, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		door_close(&new[i]);
	for (i = 0; i < ndoors; i++)
		if (doors[i].shut && listen(doors[i].fd, BACKLOG) == -1)
			log_error("listen.again", "%s: %s", doors[i].text,
			    strerror(errno));
}

int
op_listen(struct operation_call *call)
{
	struct door wanted[DOORS_MAX] = { 0 };
	size_t i, n = 0;
	int rc;

	for (i = 0; i < ndoors; i++)
		doors[i].wanted = doors[i].shut = false;
	rc = read_wanted(&call->body, wanted, &n);
	if (rc == -1) {
		give_up(wanted, n);
		return operation_fail(call, EINVAL, "malformed request");
	}
	for (i = 0; i < n && rc == 0; i++)
		rc = door_open(&wanted[i], call->why, sizeof(call->why));
	if (rc == -1) {
		give_up(wanted, n);
		return EADDRINUSE;
	}
	settle(wanted, n);
	return 0;
}
