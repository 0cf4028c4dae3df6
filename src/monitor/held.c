/*
 * The time of a change that waits for its confirmation, and what follows when
 * it is over: see held.h.
 */
#include "monitor/held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/boottime.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "monitor/child.h"
#include "monitor/held_file.h"
#include "monitor/manager.h"
#include "monitor/operations.h"
#include "monitor/processes.h"

#define LOOK_MS 200 /* at the clock that suspending does not stop */
#define RETRY_MS 1000
#define RESTORE_SECONDS 60

static struct {
	struct held now;
	char *boot_id;
	uv_loop_t *loop;
	uv_timer_t timer;
	bool over; /* its time, whatever the clock says */
	bool restoring; /* a child is at it */
	bool failed; /* and it was told */
	int64_t again; /* not before */
} held;

const char *
held_boot_id(void)
{
	return held.boot_id;
}

static bool
is_waiting(void)
{
	return held.now.state == HELD_APPLYING ||
	    held.now.state == HELD_WAITING;
}

/*
 * A file that is damaged is written again as we know it.  At a start nobody
 * does: then nothing can be put back out of it.
 */
static void
read_it(void)
{
	struct held now;
	int error;

	if (held_read(&now) == 0) {
		held_free(&held.now);
		held.now = now;
		return;
	}
	error = errno;
	log_error("held.read", "%s", strerror(error));
	if (error == EBADMSG &&
	    (held.now.state != HELD_NONE ? held_write(&held.now) :
					   held_remove()) == -1)
		log_error("held.read", "%s", strerror(errno));
}

static void
not_restored(const char *why)
{
	if (!held.failed)
		log_error("held.restore", "%s", why);
	held.failed = true;
}

int
held_boot(bool instance, const char *boot_id)
{
	char why[512];

	held.boot_id = xstrdup(boot_id);
	read_it();
	if (!is_waiting() || (!instance && strcmp(held.now.boot, boot_id) == 0))
		return 0;
	if (child_run(held_restore, NULL, NULL, 0, RESTORE_SECONDS, why,
		sizeof(why)) == -1) {
		not_restored(why);
		held.over = true;
		return -1;
	}
	log_warn("held.restored",
	    "a change that nobody confirmed before the start was taken back");
	read_it();
	return 0;
}

/* --- In the loop ---------------------------------------------------------- */

static void
follow(const struct held_daemon *d)
{
	enum daemon_id daemon = (enum daemon_id)d->daemon;
	enum service_state state = manager_state(daemon);

	if (d->verb == VERB_ENABLE || d->verb == VERB_DISABLE)
		manager_run(daemon, d->verb);
	else if (d->verb == VERB_START || state == STATE_FAILED)
		manager_run(daemon, VERB_START);
	else if (state == STATE_RUNNING || state == STATE_STARTING)
		manager_run(daemon, d->verb);
}

static void
tell_core(void)
{
	struct wire_out out = { 0 };

	wire_put_str(&out, held.now.id);
	processes_send(ROLE_CORE, MSG_HELD_OVER, 0, &out, NULL, 0);
	wire_free(&out);
}

static void
restored(const char *why, void *arg)
{
	int i;

	(void)arg;
	held.restoring = false;
	held_look();
	if (is_waiting()) {
		not_restored(why[0] != '\0' ? why : "it took too long");
		held.again = boottime_ms() + RETRY_MS;
		return;
	}
	held.failed = held.over = false;
	if (held.now.state != HELD_RESTORED)
		return;
	log_warn("held.restored",
	    "a change that nobody confirmed in time was taken back");
	for (i = 0; i < held.now.ndaemons; i++)
		follow(&held.now.daemons[i]);
	tell_core();
}

static void
on_time(uv_timer_t *timer)
{
	int64_t now = boottime_ms();

	(void)timer;
	if (held.restoring || now < held.again ||
	    (!held.over && now < held.now.deadline))
		return;
	held.restoring = true;
	read_it();
	child_ask(
	    held.loop, held_restore, NULL, RESTORE_SECONDS, restored, NULL);
}

void
held_look(void)
{
	read_it();
	if (is_waiting())
		uv_timer_start(&held.timer, on_time, LOOK_MS, LOOK_MS);
	else {
		uv_timer_stop(&held.timer);
		held.over = false;
	}
}

void
held_start(uv_loop_t *loop)
{
	bool over = held.over;

	held.loop = loop;
	uv_timer_init(loop, &held.timer);
	held_look();
	held.over = over && is_waiting();
}

/* --- What core asks ------------------------------------------------------- */

int
op_held(struct operation_call *call)
{
	char digest[DIGEST_TEXT];
	int i;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	wire_put_u8(&call->reply, (uint8_t)held.now.state);
	wire_put_str(&call->reply, held.now.id);
	wire_put_u64(&call->reply, (uint64_t)held.now.since);
	wire_put_u64(&call->reply, (uint64_t)held.now.deadline);
	wire_put_bytes(&call->reply, held.now.what != NULL ? held.now.what : "",
	    held.now.what_len);
	wire_put_u32(&call->reply, (uint32_t)held.now.noutputs);
	for (i = 0; i < held.now.noutputs; i++) {
		wire_put_u32(
		    &call->reply, (uint32_t)held.now.outputs[i].output);
		digest_text(held.now.outputs[i].content,
		    held.now.outputs[i].len, digest);
		wire_put_str(&call->reply, digest);
		wire_put_u8(&call->reply, held.now.outputs[i].edited);
	}
	return 0;
}

int
op_take_back(struct operation_call *call)
{
	char *id = wire_get_str(&call->body, UUID_LEN - 1);
	bool right = id != NULL && is_waiting() && strcmp(id, held.now.id) == 0;

	free(id);
	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (!right)
		return operation_fail(
		    call, ESTALE, "that change does not wait any more");
	held.over = true;
	return 0;
}
