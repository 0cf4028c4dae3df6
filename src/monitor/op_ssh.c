/*
 * MSG_OP_SSH_SESSIONS, MSG_OP_END_SSH: who is here by SSH, as the kernel knows
 * it.
 *
 * pam_loginuid gives each login a number of its own, which all that the login
 * starts inherits and nothing unprivileged gets rid of, in whatever namespace.
 * A session is such a login whose first process is root's sshd in this
 * instance: also one that a stopped or restarted sshd left.  A connection that
 * has not logged in has the number of who started sshd, or none.
 */
#include <sys/sysmacros.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "monitor/listeners.h"
#include "monitor/monitor.h"
#include "monitor/operations.h"
#include "monitor/proc.h"

#define PTS_MAJOR                                                              \
	136 /* and the 7 after it: Documentation/admin-guide/devices */
#define PTS_MAJORS 8

/* One process of a login. */
struct member {
	struct proc proc; /* its folder is closed */
	bool sshd; /* its program */
	bool serves; /* and it is root's, here */
};

struct members {
	uint32_t own; /* the login that we are part of */
	struct member *list;
	size_t n;
};

/* Since OpenSSH 9.8 sessions have a program of their own. */
static bool
is_sshd(const struct proc *p)
{
	return proc_runs(p, "/usr/sbin/sshd") ||
	    proc_runs(p, "/usr/lib/openssh/sshd-session");
}

static bool
is_roots_here(const struct proc *p)
{
	const struct namespace_id *ours = monitor_namespace();
	struct namespace_id its;

	return proc_uid(p) == 0 && instance_namespace(p->fd, &its) == 0 &&
	    its.device == ours->device && its.inode == ours->inode;
}

static void
gather_one(const struct proc *p, void *arg)
{
	struct members *all = arg;
	struct member m = { .proc = *p };

	if (p->login == PROC_NONE || p->login == all->own)
		return;
	m.sshd = is_sshd(p);
	m.serves = m.sshd && is_roots_here(p);
	all->list = xreallocarray(all->list, all->n + 1, sizeof(*all->list));
	all->list[all->n++] = m;
}

static int
by_login_and_age(const void *a, const void *b)
{
	const struct proc *one = &((const struct member *)a)->proc;
	const struct proc *other = &((const struct member *)b)->proc;

	if (one->login != other->login)
		return one->login < other->login ? -1 : 1;
	if (one->start != other->start)
		return one->start < other->start ? -1 : 1;
	return one->pid < other->pid ? -1 : one->pid > other->pid;
}

/* All that belong to logins but ours, each login's together, oldest first. */
static int
gather(struct members *all)
{
	struct proc self;

	memset(all, 0, sizeof(*all));
	if (proc_open(getpid(), &self) == -1)
		return -1;
	all->own = self.login;
	proc_close(&self);
	if (proc_each(gather_one, all) == -1)
		return -1;
	if (all->n > 0)
		qsort(all->list, all->n, sizeof(*all->list), by_login_and_age);
	return 0;
}

/* The next session's first process from there; *endp: behind its last. */
static const struct member *
next_session(const struct members *all, const struct member *from,
    const struct member **endp)
{
	const struct member *end = all->list + all->n, *m;

	for (; from != end; from = m) {
		for (m = from; m != end && m->proc.login == from->proc.login;)
			m++;
		*endp = m;
		if (from->serves)
			return from;
	}
	return NULL;
}

/*
 * What runs: in the foreground of its terminal; without one, what sshd started
 * first.
 */
static const struct proc *
at_work(const struct member *first, const struct member *end,
    const struct proc **ttyp)
{
	const struct proc *oldest = NULL;
	const struct member *m;

	*ttyp = NULL;
	for (m = first; m != end; m++) {
		if (oldest == NULL && !m->sshd)
			oldest = &m->proc;
		if (*ttyp == NULL && m->proc.tty != 0)
			*ttyp = &m->proc;
	}
	if (*ttyp == NULL)
		return oldest;
	for (m = first; m != end; m++)
		if (m->proc.pid == (*ttyp)->foreground)
			return &m->proc;
	return *ttyp;
}

static void
put_tty(struct wire_out *out, const struct proc *p)
{
	char text[32] = "";
	unsigned int number;

	if (p != NULL && major((dev_t)p->tty) >= PTS_MAJOR &&
	    major((dev_t)p->tty) < PTS_MAJOR + PTS_MAJORS) {
		number = (major((dev_t)p->tty) - PTS_MAJOR) * 256 +
		    minor((dev_t)p->tty);
		snprintf(text, sizeof(text), "pts/%u", number);
	}
	wire_put_str(out, text);
}

/* A program's name may be any bytes: those that are no text are blotted out. */
static void
put_name(struct wire_out *out, const struct proc *p)
{
	char text[PROC_NAME_MAX] = "", *c;

	if (p != NULL)
		memcpy(text, p->name, sizeof(text));
	for (c = text; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	wire_put_str(out, text);
}

static void
put_session(
    struct wire_out *out, const struct member *first, const struct member *end)
{
	const struct proc *leader = &first->proc, *work, *tty;
	const struct passwd *user = getpwuid(leader->login_uid);
	struct listening peer = { .address = "" };
	struct timespec now, up;
	time_t age;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	age = up.tv_sec -
	    (time_t)(leader->start / (uint64_t)sysconf(_SC_CLK_TCK));
	listeners_peer(leader->pid, &peer);
	work = at_work(first, end, &tty);
	wire_put_u32(out, (uint32_t)leader->pid);
	wire_put_u64(out, leader->start);
	wire_put_u64(out, (uint64_t)(now.tv_sec - age));
	wire_put_u32(out, leader->login_uid);
	wire_put_str(out, user != NULL ? user->pw_name : "");
	wire_put_str(out, peer.address);
	wire_put_u16(out, peer.port);
	put_tty(out, tty);
	put_name(out, work);
}

int
op_ssh_sessions(struct operation_call *call)
{
	const struct member *first, *end;
	struct wire_out sessions = { 0 };
	struct members all;
	uint32_t n = 0;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (gather(&all) == -1)
		return operation_fail(
		    call, errno, "/proc: %s", strerror(errno));
	for (end = all.list; (first = next_session(&all, end, &end)) != NULL;
	     n++)
		put_session(&sessions, first, end);
	wire_put_u32(&call->reply, n);
	wire_put_raw(&call->reply, sessions.data, sessions.len);
	wire_free(&sessions);
	free(all.list);
	return 0;
}

struct logins {
	uint32_t *numbers;
	size_t n;
};

static bool
is_of_logins(const struct proc *p, const void *arg)
{
	const struct logins *logins = arg;
	size_t i;

	for (i = 0; i < logins->n; i++)
		if (p->login == logins->numbers[i])
			return true;
	return false;
}

/* Whose number was reused is another one: its start tells. */
int
op_end_ssh(struct operation_call *call)
{
	uint32_t uid = wire_get_u32(&call->body);
	uint32_t pid = wire_get_u32(&call->body);
	uint64_t start = wire_get_u64(&call->body);
	const struct member *first, *end;
	struct logins logins = { 0 };
	struct members all;
	int rc = 0;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (gather(&all) == -1)
		return operation_fail(
		    call, errno, "/proc: %s", strerror(errno));
	logins.numbers = xcalloc(all.n + 1, sizeof(*logins.numbers));
	for (end = all.list; (first = next_session(&all, end, &end)) != NULL;)
		if (uid != PROC_NONE ? first->proc.login_uid == uid :
				       first->proc.pid == (pid_t)pid &&
			    first->proc.start == start)
			logins.numbers[logins.n++] = first->proc.login;
	if (logins.n > 0 && proc_end(is_of_logins, &logins) == -1)
		rc = operation_fail(
		    call, errno, "ending processes: %s", strerror(errno));
	wire_put_u32(&call->reply, (uint32_t)logins.n);
	free(logins.numbers);
	free(all.list);
	return rc;
}
