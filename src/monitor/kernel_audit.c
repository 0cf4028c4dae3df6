/*
 * The kernel's audit: see kernel_audit.h.  What is asked of it: audit(7) of
 * netlink, linux/audit.h, through libaudit.
 */
#include "monitor/kernel_audit.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/xalloc.h"
#include "monitor/kernel_rules.h"
#include "monitor/proc.h"

#define NOTE KERNEL_RULES_KEY "owner "
#define NOTE_FORM                                                              \
	NOTE "pid=%d start=%llu keep=%u enabled=%u failure=%u backlog=%u"
#define BACKLOG 8192 /* records that may wait in the kernel */
#define RECEIVE (8 * 1024 * 1024) /* bytes that may wait for us */
#define LOCKED 2 /* enabled, and for ever so */
#define WATCH_MS 10000

/* What was before, and who changed it. */
struct note {
	pid_t pid;
	unsigned long long start;
	unsigned int keep; /* of a machine: stays without its monitor */
	unsigned int enabled, failure, backlog;
	struct audit_rule_data *rule;
};

struct kernel {
	int fd;
	struct audit_status status;
	struct audit_rule_data **rules; /* ours, but for the note */
	size_t count;
	struct note note; /* the first; rule NULL: there is none */
	struct kernel_audit_report *report;
};

static bool permitted, machine;
static char unheard[128]; /* why no records can be read */

void
kernel_audit_permit(bool of_machine)
{
	permitted = true;
	machine = of_machine;
}

bool
kernel_audit_permitted(void)
{
	return permitted;
}

bool
kernel_audit_of_machine(void)
{
	return permitted && machine;
}

/* --- The socket for records -------------------------------------------------- */

/*
 * The kernel sends them into the network namespace that it began with: that of
 * process 1, unless it may not be looked at.
 */
static bool
other_network(void)
{
	char own[64], first[64];
	ssize_t n, m;

	n = readlink("/proc/self/ns/net", own, sizeof(own));
	m = readlink("/proc/1/ns/net", first, sizeof(first));
	return n > 0 && m > 0 && (n != m || memcmp(own, first, (size_t)n) != 0);
}

int
kernel_audit_socket(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int group = AUDIT_NLGRP_READLOG, size = RECEIVE, fd;

	fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);
	if (fd != -1 &&
	    (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
		setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
		    sizeof(group)) == -1)) {
		snprintf(unheard, sizeof(unheard),
		    "its records can not be read: %s", strerror(errno));
		close(fd);
		return -1;
	}
	if (fd == -1) {
		snprintf(unheard, sizeof(unheard), "this kernel has none: %s",
		    strerror(errno));
	} else if (other_network()) {
		snprintf(unheard, sizeof(unheard),
		    "its records do not come into another network namespace");
		close(fd);
		return -1;
	} else if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) == -1)
		log_warn("kernel.audit", "buffer: %s", strerror(errno));
	return fd;
}

/* --- Asking ------------------------------------------------------------------ */

/* -1, for return. */
static int __attribute__((format(printf, 3, 4)))
refused(struct kernel *k, enum kernel_audit_state state, const char *fmt, ...)
{
	va_list ap;

	k->report->state = state;
	va_start(ap, fmt);
	vsnprintf(k->report->why, sizeof(k->report->why), fmt, ap);
	va_end(ap);
	return -1;
}

static bool
owner_lives(const struct note *note)
{
	struct proc proc;
	bool lives;

	if (proc_open(note->pid, &proc) == -1)
		return false;
	lives = proc.start == note->start;
	proc_close(&proc);
	return lives;
}

static struct audit_rule_data *
copy_rule(const struct audit_rule_data *rule)
{
	return xmemdup(rule, sizeof(*rule) + rule->buflen);
}

static void
forget(struct kernel *k)
{
	size_t i;

	for (i = 0; i < k->count; i++)
		free(k->rules[i]);
	free(k->rules);
	free(k->note.rule);
	k->rules = NULL;
	k->count = 0;
	memset(&k->note, 0, sizeof(k->note));
}

static void
take_rule(struct kernel *k, const struct audit_rule_data *rule)
{
	char *key = kernel_rule_key(rule);
	struct note n = { 0 };

	/* NOLINTNEXTLINE(cert-err34-c): what does not fit is no note. */
	if (sscanf(key, NOTE_FORM, &n.pid, &n.start, &n.keep, &n.enabled,
		&n.failure, &n.backlog) == 6) {
		if (k->note.rule == NULL) {
			n.rule = copy_rule(rule);
			k->note = n;
		}
	} else if (strncmp(key, KERNEL_RULES_KEY, strlen(KERNEL_RULES_KEY)) ==
	    0) {
		k->rules =
		    xreallocarray(k->rules, k->count + 1, sizeof(void *));
		k->rules[k->count++] = copy_rule(rule);
	}
	free(key);
}

/* Replies until one of that type, which ends it.  0, or -1 with errno. */
static int
replies(struct kernel *k, int last)
{
	struct audit_reply reply;
	int rc;

	for (;;) {
		rc = audit_get_reply(k->fd, &reply, GET_REPLY_BLOCKING, 0);
		if (rc <= 0) {
			errno = rc == 0 ? EIO : -rc;
			return -1;
		}
		if (reply.type == NLMSG_ERROR && reply.error->error != 0) {
			errno = -reply.error->error;
			return -1;
		}
		if (reply.type == AUDIT_GET)
			k->status = *reply.status;
		else if (reply.type == AUDIT_LIST_RULES)
			take_rule(k, reply.ruledata);
		if (reply.type == last)
			return 0;
	}
}

/* Its state and its rules, ours of them.  0, or -1 with the report. */
static int
look(struct kernel *k)
{
	int rc;

	forget(k);
	rc = audit_request_status(k->fd);
	if (rc <= 0 || replies(k, AUDIT_GET) == -1)
		return refused(k, KERNEL_AUDIT_ABSENT, "%s",
		    rc < 0 ? strerror(-rc) : strerror(errno));
	rc = audit_request_rules_list_data(k->fd);
	if (rc <= 0 || replies(k, NLMSG_DONE) == -1)
		return refused(k, KERNEL_AUDIT_ABSENT, "its rules: %s",
		    rc < 0 ? strerror(-rc) : strerror(errno));
	return 0;
}

static int
begin(struct kernel *k, struct kernel_audit_report *report)
{
	const struct timeval patience = { .tv_sec = 2 };

	memset(k, 0, sizeof(*k));
	memset(report, 0, sizeof(*report));
	k->report = report;
	set_aumessage_mode(MSG_QUIET, DBG_NO);
	if ((k->fd = audit_open()) == -1)
		return refused(k, KERNEL_AUDIT_ABSENT,
		    "this kernel has none: %s", strerror(errno));
	(void)setsockopt(
	    k->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return look(k);
}

static void
end(struct kernel *k)
{
	forget(k);
	if (k->fd != -1)
		audit_close(k->fd);
}

/* --- Changing ---------------------------------------------------------------- */

static int
delete_rule(struct kernel *k, struct audit_rule_data *rule)
{
	int rc = audit_delete_rule_data(
	    k->fd, rule, (int)rule->flags, (int)rule->action);

	return rc > 0 || rc == -ENOENT ? 0 : rc;
}

/* As it was before; the note goes last. */
static int
undo(struct kernel *k)
{
	const struct note *note = &k->note;
	size_t i;
	int rc = 0;

	for (i = 0; i < k->count && rc == 0; i++)
		rc = delete_rule(k, k->rules[i]);
	if (rc == 0 &&
	    (audit_set_backlog_limit(k->fd, note->backlog) <= 0 ||
		audit_set_failure(k->fd, note->failure) <= 0 ||
		audit_set_enabled(k->fd, note->enabled) <= 0))
		rc = -EIO;
	if (rc == 0)
		rc = delete_rule(k, note->rule);
	if (rc != 0)
		return refused(k, KERNEL_AUDIT_FAILED,
		    "its former state can not be restored: %s", strerror(-rc));
	return look(k);
}

/* Ours is the first note in the list, or somebody else was faster. */
static int
claim(struct kernel *k, pid_t owner)
{
	struct note n = { .pid = owner,
		.keep = machine,
		.enabled = k->status.enabled,
		.failure = k->status.failure,
		.backlog = k->status.backlog_limit };
	struct audit_rule_data *before = k->note.rule, *rule;
	struct proc proc;
	char *text;
	int rc;

	if (before != NULL) { /* of this machine's earlier monitor */
		n.enabled = k->note.enabled;
		n.failure = k->note.failure;
		n.backlog = k->note.backlog;
		(void)delete_rule(k, before);
	}
	if (proc_open(owner, &proc) == 0) {
		n.start = proc.start;
		proc_close(&proc);
	}
	text = xasprintf(
	    NOTE_FORM, n.pid, n.start, n.keep, n.enabled, n.failure, n.backlog);
	rule = kernel_rule_note(text);
	rc = audit_add_rule_data(
	    k->fd, rule, (int)rule->flags, (int)rule->action);
	if (rc <= 0)
		rc = refused(
		    k, KERNEL_AUDIT_FAILED, "a rule: %s", strerror(-rc));
	else
		rc = look(k);
	if (rc == 0 && k->note.pid != owner) {
		(void)delete_rule(k, rule);
		rc = refused(k, KERNEL_AUDIT_TAKEN,
		    "another Holdfast, process %d, has it", (int)k->note.pid);
	}
	audit_rule_free_data(rule);
	free(text);
	return rc;
}

/* A folder that is not there needs no rule; a rule that is there, none twice. */
static void
add_rule(struct audit_rule_data *rule, void *arg)
{
	struct kernel *k = arg;
	int rc = audit_add_rule_data(
	    k->fd, rule, (int)rule->flags, (int)rule->action);
	char *key;

	if (rc > 0 || rc == -EEXIST)
		k->report->rules++;
	if (rc > 0 || rc == -EEXIST || rc == -ENOENT || rc == -ENOTDIR)
		return;
	key = kernel_rule_key(rule);
	(void)refused(k, KERNEL_AUDIT_FAILED, "a rule of %s is refused: %s",
	    key, strerror(-rc));
	free(key);
}

static int
load(struct kernel *k, const struct kernel_audit_wish *wish)
{
	char why[256];
	unsigned int backlog = k->note.backlog, failure = k->note.failure;

	k->report->state = KERNEL_AUDIT_ON;
	if (kernel_rules_each(kernel_rules_text, kernel_rules_size, add_rule, k,
		why, sizeof(why)) == -1)
		return refused(k, KERNEL_AUDIT_FAILED, "%s", why);
	if (backlog < BACKLOG)
		backlog = BACKLOG;
	if (wish->panic)
		failure = AUDIT_FAIL_PANIC;
	if (audit_set_backlog_limit(k->fd, backlog) <= 0 ||
	    audit_set_failure(k->fd, failure) <= 0 ||
	    audit_set_enabled(k->fd, wish->lock ? LOCKED : 1) <= 0)
		return refused(k, KERNEL_AUDIT_FAILED,
		    "it can not be switched on: %s", strerror(errno));
	return k->report->state == KERNEL_AUDIT_ON ? 0 : -1;
}

/* Locked: what is there stays, whatever is asked for. */
static int
locked(struct kernel *k, const struct kernel_audit_wish *wish)
{
	k->report->rules = (uint32_t)k->count;
	if (k->count > 0 && wish->rules) {
		k->report->state = KERNEL_AUDIT_ON;
		return 0;
	}
	return refused(k, KERNEL_AUDIT_LOCKED,
	    "it is locked: nothing can be changed until the machine starts "
	    "anew");
}

/* Is it ours to change?  0; -1 with the report. */
static int
settle_owner(struct kernel *k, pid_t owner)
{
	const struct note *note = &k->note;

	if (note->rule == NULL || note->pid == owner)
		return 0;
	if (owner_lives(note))
		return refused(k, KERNEL_AUDIT_TAKEN,
		    "another Holdfast, process %d, has it", (int)note->pid);
	if (!note->keep)
		return undo(k);
	if (!machine)
		return refused(k, KERNEL_AUDIT_TAKEN,
		    "the Holdfast of this machine has it");
	return 0;
}

static int
apply(struct kernel *k, pid_t owner, const struct kernel_audit_wish *wish)
{
	if (k->status.enabled == LOCKED)
		return locked(k, wish);
	if (settle_owner(k, owner) == -1)
		return -1;
	if (!wish->rules)
		return k->note.rule != NULL ? undo(k) : 0;
	if (unheard[0] != '\0')
		return refused(k, KERNEL_AUDIT_ABSENT, "%s", unheard);
	if ((k->note.rule == NULL || k->note.pid != owner) &&
	    claim(k, owner) == -1)
		return -1;
	return load(k, wish);
}

void
kernel_audit_apply(pid_t owner, const struct kernel_audit_wish *wish,
    struct kernel_audit_report *report)
{
	struct kernel k;

	report->state = KERNEL_AUDIT_OFF;
	if (begin(&k, report) == 0)
		(void)apply(&k, owner, wish);
	end(&k);
}

void
kernel_audit_recover(void)
{
	struct kernel_audit_report report;
	struct kernel k;
	pid_t owner;

	if (begin(&k, &report) == 0 && k.note.rule != NULL && !k.note.keep &&
	    k.status.enabled != LOCKED && !owner_lives(&k.note)) {
		owner = k.note.pid;
		if (undo(&k) == 0)
			log_warn("kernel.audit",
			    "The kernel's audit is as it was before process "
			    "%d, which is gone",
			    (int)owner);
		else
			log_error("kernel.audit", "%s", report.why);
	}
	end(&k);
}

void
kernel_audit_release(void)
{
	struct kernel_audit_report report;
	struct kernel k;

	if (!permitted || machine)
		return;
	if (begin(&k, &report) == 0 && k.note.rule != NULL &&
	    k.note.pid == getpid() && undo(&k) == -1)
		log_error("kernel.audit", "%s", report.why);
	end(&k);
}

/* --- What the kernel lost ---------------------------------------------------- */

uint32_t
kernel_audit_more_lost(uint32_t before, uint32_t now)
{
	return now >= before ? now - before : now;
}

static struct {
	int fd;
	void (*lost)(uint32_t);
	uv_poll_t poll;
	uv_timer_t timer;
	bool runs;
} watch = { .fd = -1 };

static void
watch_asks(uv_timer_t *timer)
{
	(void)timer;
	(void)audit_request_status(watch.fd);
}

static void
watch_reads(uv_poll_t *poll, int status, int events)
{
	struct audit_reply reply;

	(void)poll;
	(void)events;
	while (status >= 0 &&
	    audit_get_reply(watch.fd, &reply, GET_REPLY_NONBLOCKING, 0) > 0)
		if (reply.type == AUDIT_GET)
			watch.lost(reply.status->lost);
}

void
kernel_audit_watch(uv_loop_t *loop, void (*lost)(uint32_t))
{
	if (!permitted || (watch.fd = audit_open()) == -1)
		return;
	watch.lost = lost;
	uv_timer_init(loop, &watch.timer);
	uv_poll_init(loop, &watch.poll, watch.fd);
	uv_timer_start(&watch.timer, watch_asks, 0, WATCH_MS);
	uv_poll_start(&watch.poll, UV_READABLE, watch_reads);
	watch.runs = true;
}

void
kernel_audit_unwatch(void)
{
	if (!watch.runs)
		return;
	watch.runs = false;
	uv_close((uv_handle_t *)&watch.timer, NULL);
	uv_close((uv_handle_t *)&watch.poll, NULL);
	audit_close(watch.fd);
}
