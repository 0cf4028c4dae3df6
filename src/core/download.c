/*
 * Downloads that wait to be fetched: see download.h.
 */
#include "core/download.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/call.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/dispatch.h"
#include "core/error.h"
#include "core/job.h"
#include "core/limits.h"
#include "core/pipe.h"
#include "core/resource.h"
#include "core/token.h"
#include "core/transfer.h"
#include "lib/xalloc.h"

/* How far it is: an unbuffered one is fetched while its job writes. */
enum state { RUNNING, DONE, FAILED };

struct download {
	struct download *next;
	json_int_t job;
	char *username, *filename;
	struct call *call; /* core.download's, until it is answered */
	struct pipe *pipe; /* of a job's output */
	int fd; /* what to read it from; -1: none yet, or no more */
	bool buffered, file;
	enum state state;
	bool late; /* nobody came in time */
	struct connection *client; /* who fetches it */
	bool sent; /* the client has fd */
	unsigned int timers; /* that will look at it */
	bool over; /* only its timers are left */
};

static struct download *downloads;

static unsigned int
start_within(const struct download *d)
{
	return d->buffered ? LIMIT_DOWNLOAD_BUFFERED_S : LIMIT_DOWNLOAD_S;
}

static void
destroy(struct download *d)
{
	struct download **at = &downloads;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	free(d->username);
	free(d->filename);
	free(d);
}

/* Nothing of it is wanted any more; its job learns it by the pipe. */
static void
drop(struct download *d)
{
	if (d->fd != -1)
		close(d->fd);
	d->fd = -1;
	pipe_release(d->pipe);
	d->pipe = NULL;
}

static void
finish(struct download *d)
{
	drop(d);
	d->client = NULL;
	d->over = true;
	if (d->timers == 0 && (d->state != RUNNING || d->file))
		destroy(d);
}

/* The token is not good any longer. */
static void
forget(void *arg)
{
	struct download *d = arg;

	d->timers--;
	if (d->client == NULL)
		finish(d);
}

static void
not_fetched(void *arg)
{
	struct download *d = arg;

	d->timers--;
	if (d->over) {
		finish(d);
		return;
	}
	if (d->client == NULL) {
		d->late = true;
		drop(d);
	}
}

static struct download *
download_new(const struct call *call, const char *filename, bool buffered)
{
	struct download *d;
	unsigned int n = 0, all = 0;

	for (d = downloads; d != NULL; d = d->next, all++)
		n += !d->over && !d->late && d->state != FAILED &&
		    strcmp(d->username, call_user(call)) == 0;
	if (n >= LIMIT_DOWNLOADS_USER || all >= LIMIT_DOWNLOADS)
		return NULL;
	d = xcalloc(1, sizeof(*d));
	d->username = xstrdup(call_user(call));
	d->filename = xstrdup(filename);
	d->buffered = buffered;
	d->fd = -1;
	d->next = downloads;
	downloads = d;
	return d;
}

/* What its token is for, and no other. */
static json_t *
attributes(const struct download *d)
{
	return json_pack("{s:s, s:I}", "filename", d->filename, "job", d->job);
}

/* The URL, and from now on the time runs. */
static char *
url(struct download *d, const struct call *call)
{
	json_t *what = attributes(d);
	struct token_origin origin = { .address = call->session->address,
		.uid = call->session->uid };
	int64_t ttl = start_within(d) > LIMIT_DOWNLOAD_TOKEN_S ?
	    start_within(d) :
	    LIMIT_DOWNLOAD_TOKEN_S;
	const struct token_options options = { .ttl = ttl,
		.single_use = true,
		.attributes = what,
		.origin = call->session->address == NULL ? NULL : &origin };
	char *token = token_new(call->session, &options), *text;

	json_decref(what);
	if (token == NULL)
		return NULL;
	text = xasprintf(
	    "/_download/%lld?auth_token=%s", (long long)d->job, token);
	freezero_str(token);
	d->timers = 2;
	core_after(start_within(d) * 1000, not_fetched, d);
	core_after((unsigned int)ttl * 1000, forget, d);
	return text;
}

char *
download_file(struct call *call, json_int_t job, const char *filename,
    bool buffered, int fd)
{
	struct download *d = download_new(call, filename, buffered);
	char *text;

	if (d == NULL) {
		close(fd);
		return NULL;
	}
	d->job = job;
	d->fd = fd;
	d->file = true;
	d->state = DONE;
	if ((text = url(d, call)) == NULL)
		finish(d);
	return text;
}

/*
 * core.download.
 */

/* The client has, or gets, all that there is. */
static void
deliver(struct download *d)
{
	struct connection *c = d->client;

	if (!d->sent && d->state == DONE && d->buffered && !d->file) {
		d->fd = pipe_buffer(d->pipe);
		if (d->fd == -1)
			d->state = FAILED;
	}
	if (d->state == FAILED && !d->sent)
		transfer_status(c, 500, "The job failed");
	else if (d->state == FAILED)
		transfer_status(c, 500, NULL);
	else if (d->sent)
		transfer_status(c, 200, NULL);
	else
		transfer_file(c, d->filename, true, d->fd);
	finish(d);
}

static void
job_ended(const struct job_end *end, void *arg)
{
	struct download *d = arg;

	d->state = end->state == JOB_SUCCESS ? DONE : FAILED;
	if (d->client != NULL)
		deliver(d);
	else if (d->over)
		finish(d);
	else if (d->state == FAILED)
		drop(d); /* what was written is of no use */
}

/* Whether the job began, and what the client is told. */
static void
job_began(json_t *answer, bool success, void *arg)
{
	struct download *d = arg;
	struct call *call = d->call;
	char *text;

	d->call = NULL;
	if (!success) {
		d->state = FAILED;
		finish(d);
		call_refuse(call, answer);
		return;
	}
	d->job = json_integer_value(answer);
	json_decref(answer);
	text = url(d, call);
	job_wait(call, d->job, job_ended, d);
	if (text == NULL) {
		finish(d);
		call_fail(call, EBUSY, "Too many tokens of this user");
		return;
	}
	call_reply(call, json_pack("[I, s]", d->job, text));
	freezero_str(text);
}

void
download_run(struct call *call)
{
	const char *name = json_string_value(call_param(call, 0));
	const struct method *method = method_find(name);
	bool buffered = json_is_true(call_param(call, 3));
	struct download *d;

	if (method == NULL) {
		call_fail(call, ENOMETHOD, "Method %s not found", name);
		return;
	}
	if (method->pipe != PIPE_OUTPUT) {
		call_fail(call, EINVAL, "%s gives no file", name);
		return;
	}
	d = download_new(
	    call, json_string_value(call_param(call, 2)), buffered);
	if (d == NULL) {
		call_fail(call, EBUSY, "You have too many downloads waiting");
		return;
	}
	d->pipe = pipe_output(buffered, &d->fd);
	if (d->pipe == NULL) {
		d->state = FAILED;
		call_fail(call, errno, "There is no room for a download");
		finish(d);
		return;
	}
	d->call = call;
	dispatch_piped(
	    call, method, call_param(call, 1), d->pipe, job_began, d);
}

/*
 * Fetching.
 */
static struct download *
find(struct connection *c, json_int_t job, const char *token)
{
	struct token_origin origin = connection_token_origin(c);
	struct session *maker;
	struct download *d;
	json_t *what;

	for (d = downloads; d != NULL; d = d->next) {
		if (d->job != job || d->call != NULL || d->over)
			continue;
		what = attributes(d);
		maker = token_use(token, &origin, what, NULL);
		json_decref(what);
		session_release(maker);
		if (maker != NULL)
			return d;
	}
	return NULL;
}

unsigned int
download_fetch(struct connection *c, json_int_t job, const char *token)
{
	struct download *d = find(c, job, token);

	if (d == NULL)
		return 401;
	if (d->late || d->client != NULL)
		return 410;
	d->client = c;
	if (d->state != RUNNING) {
		deliver(d);
	} else if (!d->buffered) {
		transfer_file(c, d->filename, false, d->fd);
		close(d->fd);
		d->fd = -1;
		d->sent = true;
	}
	return 0;
}

void
download_forget(struct connection *c)
{
	struct download *d, *next;

	for (d = downloads; d != NULL; d = next) {
		next = d->next;
		if (d->client == c)
			finish(d);
	}
}
