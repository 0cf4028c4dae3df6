/*
 * What the PAM module asks: see second_factor.h.
 *
 * One packet, one answer.  That a code is wrong is told a second or two later,
 * as of a login; either is told after its audit record is on disk.
 */
#include "core/second_factor.h"

#include <sys/socket.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "core/account.h"
#include "core/audit.h"
#include "core/audit_failures.h"
#include "core/core.h"
#include "core/limits.h"
#include "core/logins.h"
#include "core/ssh_list.h"
#include "core/twofactor.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/second_factor.h"
#include "lib/xalloc.h"

#define ASKERS_MAX 64 /* at the same time; the others wait to be accepted */
#define DELAYED_MAX 16 /* of these, those who are told to wait */
#define PACKET_SECONDS 5

/* One connection. */
struct asker {
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	pid_t pid; /* who asks */
	int handles; /* still open */
	char answer;
};

static uv_poll_t listening;
static int listening_fd = -1;
static unsigned int askers, delayed_count;

static void serve(uv_poll_t *, int, int);

static void
handle_closed(uv_handle_t *handle)
{
	struct asker *a = handle->data;

	if (--a->handles > 0)
		return;
	close(a->fd);
	free(a);
	if (askers-- == ASKERS_MAX)
		uv_poll_start(&listening, UV_READABLE, serve);
}

static void
end(struct asker *a)
{
	uv_close((uv_handle_t *)&a->poll, handle_closed);
	uv_close((uv_handle_t *)&a->timer, handle_closed);
}

static void
timed_out(uv_timer_t *timer)
{
	end(timer->data);
}

static void
tell(void *arg)
{
	struct asker *a = arg;

	/* Whoever has gone meanwhile was not let in. */
	if (write(a->fd, &a->answer, 1) == -1)
		log_info("second_factor.gone", "%s", strerror(errno));
	end(a);
}

static void
recorded(int error, void *arg)
{
	struct asker *a = arg;

	(void)error; /* as of a login: it goes on */
	if (a->answer == SECOND_FACTOR_RIGHT)
		tell(a);
	else
		core_after(
		    LIMIT_LOGIN_DELAY_MS + core_random(LIMIT_LOGIN_DELAY_MS),
		    tell, a);
}

static json_t *
record(const char *user, const char *address, bool right)
{
	json_t *event, *record;

	event = json_pack("{s:{s:s, s:{s:s}}, s:s?, s:{s:i, s:i}}",
	    "credentials", "credentials", "LOGIN_TWOFACTOR", "credentials_data",
	    "username", user, "error",
	    right ? NULL : "Bad two-factor code of an SSH login", "vers",
	    "major", 0, "minor", 1);
	record = audit_record(NULL, NULL, "AUTHENTICATION", event, right);
	if (*address != '\0')
		json_object_set_new(record, "address", json_string(address));
	return record;
}

static void
judge_code(
    struct asker *a, const char *user, const char *code, const char *address)
{
	const json_t *account = account_by_name(user);
	bool right = account != NULL && !json_bool(account, "locked", false) &&
	    twofactor_check(account, code);

	a->answer = right ? SECOND_FACTOR_RIGHT : SECOND_FACTOR_WRONG;
	log_info("second_factor", "%s by SSH from %s: %s", user,
	    *address != '\0' ? address : "here", right ? "right" : "wrong");
	if (right)
		audit_send(record(user, address, right), recorded, a);
	else
		audit_failure(record(user, address, right), recorded, a);
}

static void
delayed(void *arg)
{
	delayed_count--;
	tell(arg);
}

/* May a password be tried?  The last administrator waits, and is let. */
static void
judge_password(struct asker *a, const struct second_factor_question *q)
{
	enum lockout lockout = logins_try(q->user, q->address);

	if (lockout == LOCKOUT_DELAYED && delayed_count >= DELAYED_MAX)
		lockout = LOCKOUT_CLOSED;
	a->answer = lockout == LOCKOUT_CLOSED ? SECOND_FACTOR_WRONG :
						SECOND_FACTOR_RIGHT;
	if (lockout == LOCKOUT_DELAYED) {
		delayed_count++;
		core_after(LIMIT_LOCKOUT_DELAY_MS, delayed, a);
		return;
	}
	if (lockout == LOCKOUT_CLOSED)
		log_warn("login.refused", "%s by SSH from %s: locked out",
		    q->user, q->address);
	tell(a);
}

static void
opened(bool may, void *arg)
{
	struct asker *a = arg;

	a->answer = may ? SECOND_FACTOR_RIGHT : SECOND_FACTOR_WRONG;
	tell(a);
}

static void
judge(struct asker *a, const struct second_factor_question *q)
{
	switch (q->about) {
	case SECOND_FACTOR_CODE:
		judge_code(a, q->user, q->code, q->address);
		break;
	case SECOND_FACTOR_PASSWORD:
		judge_password(a, q);
		break;
	case SECOND_FACTOR_MATCHED:
		logins_right(q->user, q->address);
		a->answer = SECOND_FACTOR_RIGHT;
		tell(a);
		break;
	case SECOND_FACTOR_LOGIN:
		logins_by_ssh(q->user, q->code, q->address);
		end(a);
		break;
	case SECOND_FACTOR_OPEN:
		ssh_list_opened(a->pid, q->user, opened, a);
		break;
	case SECOND_FACTOR_END:
		ssh_list_closed(a->pid);
		end(a);
		break;
	default:
		end(a);
	}
}

static void
readable(uv_poll_t *poll, int status, int events)
{
	struct asker *a = poll->data;
	char packet[SECOND_FACTOR_PACKET + 1];
	struct second_factor_question q;
	ssize_t n;

	(void)events;
	n = status < 0 ? -1 : read(a->fd, packet, sizeof(packet));
	if (n == -1 && status >= 0 && (errno == EAGAIN || errno == EINTR))
		return;
	uv_poll_stop(poll);
	uv_timer_stop(&a->timer);
	if (n < 1 || second_factor_parse(packet, (size_t)n, &q) == -1)
		end(a);
	else
		judge(a, &q);
	explicit_bzero(packet, sizeof(packet));
}

/* Root's process at the other end; -1: it is not root's. */
static pid_t
roots_process(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1 ||
	    peer.uid != 0)
		return -1;
	return peer.pid;
}

static void
begin(int fd, pid_t pid)
{
	struct asker *a = xcalloc(1, sizeof(*a));

	a->fd = fd;
	a->pid = pid;
	a->handles = 2;
	a->poll.data = a->timer.data = a;
	uv_timer_init(core_loop(), &a->timer);
	if (uv_poll_init(core_loop(), &a->poll, fd) != 0)
		fatal("a connection of the second factor's cannot be watched");
	uv_poll_start(&a->poll, UV_READABLE, readable);
	uv_timer_start(&a->timer, timed_out, PACKET_SECONDS * 1000, 0);
	askers++;
}

static void
serve(uv_poll_t *poll, int status, int events)
{
	pid_t pid;
	int fd;

	(void)poll;
	(void)events;
	if (status < 0)
		return;
	fd = accept4(listening_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1)
		return;
	pid = roots_process(fd);
	if (pid == -1) {
		close(fd);
		return;
	}
	begin(fd, pid);
	if (askers == ASKERS_MAX)
		uv_poll_stop(&listening);
}

void
second_factor_serve(int fd)
{
	listening_fd = fd;
	if (uv_poll_init(core_loop(), &listening, fd) != 0)
		fatal("the second factor's socket cannot be watched");
	uv_poll_start(&listening, UV_READABLE, serve);
}
