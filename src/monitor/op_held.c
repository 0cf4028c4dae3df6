/*
 * What is done about a held change in a child: MSG_OP_HOLD, _HOLD_RUN,
 * _RELEASE, and putting it back.  Each holds the lock from its look at the
 * file to the end: a change is either confirmed or taken back.
 */
#include <sys/capability.h>
#include <cap-ng.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/boottime.h"
#include "lib/xalloc.h"
#include "monitor/child.h"
#include "monitor/held.h"
#include "monitor/held_file.h"
#include "monitor/operations.h"

#define APPLY_SECONDS 120 /* that a change may take until it runs */
#define WHAT_MAX (8 * 1024 * 1024)

/* --- Keeping -------------------------------------------------------------- */

/* The output as it is installed. */
static int
keep_output(struct operation_call *call, struct held *held, uint32_t index)
{
	struct operation_call read = { .fd = -1 };
	struct held_output *o = &held->outputs[held->noutputs];
	struct wire_out body = { 0 };
	struct wire_in reply;
	char digest[DIGEST_TEXT];
	const void *content;
	int error;

	wire_put_u32(&body, index);
	wire_in_init(&read.body, body.data, body.len);
	error = op_read_output(&read);
	wire_in_init(&reply, read.reply.data, read.reply.len);
	if (error == 0 && wire_get_u8(&reply) == 0)
		error = ENOENT;
	content = wire_get_bytes(&reply, &o->len);
	if (error == 0) {
		o->output = (int)index;
		o->content = xmemdup(content, o->len);
		if (outputs[index].shared) {
			digest_text(content, o->len, digest);
			output_ours_add(&o->ours, digest);
		}
		held->noutputs++;
	} else
		operation_fail(call, error, "%s",
		    read.why[0] != '\0' ? read.why : "a file is not there yet");
	wire_free(&read.reply);
	wire_free(&body);
	return error;
}

static int
keep_outputs(struct operation_call *call, struct held *held)
{
	uint32_t n = wire_get_u32(&call->body);
	int error = 0;

	if (n > (uint32_t)output_count)
		return operation_fail(call, EINVAL, "malformed request");
	for (; n > 0 && error == 0; n--)
		error = keep_output(call, held, wire_get_u32(&call->body));
	return error;
}

static int
keep_daemons(struct operation_call *call, struct held *held)
{
	uint32_t n = wire_get_u32(&call->body), daemon;
	uint8_t verb;

	if (n > (uint32_t)daemon_count)
		return operation_fail(call, EINVAL, "malformed request");
	for (; n > 0; n--) {
		daemon = wire_get_u32(&call->body);
		verb = wire_get_u8(&call->body);
		if (call->body.bad || daemon >= (uint32_t)daemon_count ||
		    verb >= VERB_COUNT)
			return operation_fail(
			    call, EINVAL, "malformed request");
		held->daemons[held->ndaemons++] =
		    (struct held_daemon){ .daemon = (int)daemon,
			    .verb = (enum service_verb)verb };
	}
	return 0;
}

static int
get_id(struct operation_call *call, char id[static UUID_LEN])
{
	char *text = wire_get_str(&call->body, UUID_LEN - 1);

	if (text == NULL || strlen(text) != UUID_LEN - 1) {
		free(text);
		return operation_fail(call, EINVAL, "malformed request");
	}
	memcpy(id, text, UUID_LEN);
	free(text);
	return 0;
}

static int
keep(struct operation_call *call, struct held *held)
{
	const void *what;
	int error = get_id(call, held->id);

	if (error != 0)
		return error;
	held->state = HELD_APPLYING;
	held->seconds = wire_get_u32(&call->body);
	held->since = boottime_ms();
	held->deadline =
	    held->since + ((int64_t)held->seconds + APPLY_SECONDS) * 1000;
	held->boot = xstrdup(held_boot_id());
	what = wire_get_bytes(&call->body, &held->what_len);
	if (what == NULL || held->what_len > WHAT_MAX) {
		held->what_len = 0;
		return operation_fail(call, EINVAL, "malformed request");
	}
	held->what = xmemdup(what, held->what_len);
	error = keep_outputs(call, held);
	if (error == 0)
		error = keep_daemons(call, held);
	if (error == 0 && wire_end(&call->body) == -1)
		error = operation_fail(call, EINVAL, "malformed request");
	return error;
}

/* The lock, and what is there; -1: told why. */
static int
lock_and_read(struct operation_call *call, struct held *held)
{
	int lock = held_lock();

	memset(held, 0, sizeof(*held));
	if (lock == -1 || held_read(held) == -1) {
		operation_fail(
		    call, errno, "what is held: %s", strerror(errno));
		if (lock != -1)
			close(lock);
		return -1;
	}
	return lock;
}

int
op_hold(struct operation_call *call)
{
	struct held there, held = { 0 };
	int lock, error;

	if ((lock = lock_and_read(call, &there)) == -1)
		return EIO;
	if (there.state != HELD_NONE)
		error = operation_fail(
		    call, EBUSY, "another change waits for its confirmation");
	else
		error = keep(call, &held);
	if (error == 0 && held_write(&held) == -1)
		error = operation_fail(
		    call, errno, "it cannot be kept: %s", strerror(errno));
	held_free(&there);
	held_free(&held);
	close(lock);
	return error;
}

/* --- Its end -------------------------------------------------------------- */

/* The held change of that id, locked; -1 when there is none, told why. */
static int
find(struct operation_call *call, struct held *held)
{
	char id[UUID_LEN];
	int lock;

	if (get_id(call, id) != 0 || (lock = lock_and_read(call, held)) == -1)
		return -1;
	if (held->state != HELD_NONE && strcmp(held->id, id) == 0)
		return lock;
	operation_fail(call, ESTALE, "that change does not wait any more");
	held_free(held);
	close(lock);
	return -1;
}

int
op_hold_run(struct operation_call *call)
{
	struct held held;
	int lock = find(call, &held), error = 0;

	if (lock == -1)
		return ESTALE;
	if (wire_end(&call->body) == -1)
		error = operation_fail(call, EINVAL, "malformed request");
	else if (held.state != HELD_APPLYING)
		error = operation_fail(
		    call, ESTALE, "its files were put back already");
	else {
		held.state = HELD_WAITING;
		held.since = boottime_ms();
		held.deadline = held.since + (int64_t)held.seconds * 1000;
		if (held_write(&held) == -1)
			error = operation_fail(call, errno,
			    "it cannot be kept: %s", strerror(errno));
	}
	wire_put_u64(&call->reply, (uint64_t)held.since);
	wire_put_u64(&call->reply, (uint64_t)held.deadline);
	held_free(&held);
	close(lock);
	return error;
}

int
op_release(struct operation_call *call)
{
	struct held held;
	int lock = find(call, &held), error = 0;
	uint8_t restored = wire_get_u8(&call->body);

	if (lock == -1)
		return ESTALE;
	if (wire_end(&call->body) == -1)
		error = operation_fail(call, EINVAL, "malformed request");
	else if ((held.state == HELD_RESTORED) != (restored != 0))
		error = operation_fail(call, ESTALE,
		    restored != 0 ? "it was not put back" :
				    "it was taken back already");
	else if (held_remove() == -1)
		error = operation_fail(
		    call, errno, "it cannot be let go: %s", strerror(errno));
	held_free(&held);
	close(lock);
	return error;
}

/* --- Putting it back ------------------------------------------------------ */

static int
put_accounts(struct operation_call *call, const struct held_output *o)
{
	struct wire_out body = { 0 };
	int error;

	wire_put_u32(&body, (uint32_t)o->output);
	wire_put_bytes(&body, o->content, o->len);
	wire_in_init(&call->body, body.data, body.len);
	error = op_install_accounts(call);
	wire_free(&body);
	return error;
}

/* What somebody else wrote meanwhile is kept, and keeps nobody out. */
static int
put_back(struct held_output *o, char *why, size_t size)
{
	const struct output *output = &outputs[o->output];
	struct operation_call call = { .fd = -1 };
	bool aside = false;
	int error;

	error = output->accounts ?
	    put_accounts(&call, o) :
	    output_put(&call, output, o->content, o->len, &o->ours, &aside);
	if (error != 0)
		snprintf(why, size, "%s: %s", output->name, call.why);
	o->edited = o->edited || aside;
	wire_free(&call.reply);
	return error == 0 ? 0 : -1;
}

/* The last first, as any change is undone. */
static int
put_all_back(struct held *held, char *why, size_t size)
{
	int i;

	for (i = held->noutputs - 1; i >= 0; i--)
		if (put_back(&held->outputs[i], why, size) == -1)
			return -1;
	held->state = HELD_RESTORED;
	if (held_write(held) == -1) {
		snprintf(why, size, "%s", strerror(errno));
		return -1;
	}
	return 0;
}

int
held_restore(void *arg, char *why, size_t size)
{
	/* Group shadow for the new file. */
	static const int kept[] = { CAP_CHOWN, CAP_FOWNER, -1 };
	struct held held;
	int lock, rc = 0;

	(void)arg;
	if (child_drop_capabilities(kept) == -1 || (lock = held_lock()) == -1 ||
	    held_read(&held) == -1) {
		snprintf(why, size, "%s", strerror(errno));
		return -1;
	}
	if (held.state == HELD_APPLYING || held.state == HELD_WAITING)
		rc = put_all_back(&held, why, size);
	held_free(&held);
	close(lock);
	return rc;
}
