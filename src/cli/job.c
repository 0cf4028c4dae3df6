/*
 * Waiting for a job of the server: see job.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/bar.h"
#include "cli/job.h"
#include "cli/output.h"
#include "cli/text.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define POLL_FIRST_MS 50
#define POLL_LAST_MS 500

static volatile sig_atomic_t interrupted;

static void
interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

struct shown {
	enum job_progress how;
	char *description; /* the last one, cleaned */
};

static void
progress_show(struct shown *shown, const json_t *job)
{
	const json_t *progress = json_object_get(job, "progress");
	double percent =
	    json_number_value(json_object_get(progress, "percent"));
	char *text = text_clean(json_str(progress, "description", ""), false);
	bool changed =
	    shown->description == NULL || strcmp(shown->description, text) != 0;

	free(shown->description);
	shown->description = text;
	if (shown->how == JOB_DESCRIPTIONS && changed && *text != '\0')
		fprintf(stderr, "%s\n", text);
	if (shown->how == JOB_BAR)
		bar_draw(percent < 0  ? 0 :
			percent > 100 ? 100 :
					(int)percent,
		    text);
}

/* A failed job's error in the form of a call's. */
static json_t *
job_error(const json_t *job)
{
	const json_t *info = json_object_get(job, "exc_info");
	const char *state = json_str(job, "state", "");
	const char *reason = json_str(job, "error", NULL);
	bool validation;
	json_t *extra;

	validation = strcmp(json_str(info, "type", ""), "VALIDATION") == 0;
	if (reason == NULL && strcmp(state, "ABORTED") == 0)
		reason = "The job was aborted";
	else if (reason == NULL)
		reason = "The job failed";
	extra = json_object_get(info, "extra");
	return json_pack("{s:i, s:s, s:{s:I, s:s, s:O?}}", "code",
	    validation ? -32602 : -32001, "message",
	    validation ? "Invalid params" : "Method call error", "data",
	    "error", json_int(info, "errno", EFAULT), "reason", reason, "extra",
	    extra);
}

static void
wait_a_little(long milliseconds)
{
	struct timespec time = { .tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000 };

	(void)nanosleep(&time, NULL);
}

/* Like the shell's own programs that are interrupted: by the signal. */
static void
leave(json_int_t id)
{
	complain("job %" JSON_INTEGER_FORMAT " goes on; its end is told by "
		 "core.job_wait %" JSON_INTEGER_FORMAT,
	    id, id);
	signal(SIGINT, SIG_DFL);
	raise(SIGINT);
}

/* 1: it ended, with *answerp and *kindp; 0: it goes on. */
static int
job_ask(struct client *client, json_int_t id, struct shown *shown,
    enum client_answer *kindp, json_t **answerp)
{
	const char *state;
	json_t *job;
	int ended = 1;

	*kindp = client_call(client, "core.get_jobs",
	    json_pack("[[[s, s, I]], {s:b, s:{s:b}}]", "id", "=", id, "get", 1,
		"extra", "raw_result", 1),
	    &job);
	if (*kindp != ANSWER_RESULT) {
		*answerp = job;
		return 1;
	}
	state = json_str(job, "state", "");
	if (strcmp(state, "SUCCESS") == 0) {
		*answerp = json_incref(json_object_get(job, "result"));
		if (*answerp == NULL)
			*answerp = json_null();
	} else if (strcmp(state, "FAILED") == 0 ||
	    strcmp(state, "ABORTED") == 0) {
		*answerp = job_error(job);
		*kindp = ANSWER_ERROR;
	} else {
		ended = 0;
	}
	/* A short one is over before it was ever shown. */
	if (!ended || shown->how == JOB_DESCRIPTIONS)
		progress_show(shown, job);
	json_decref(job);
	return ended;
}

enum client_answer
job_await(struct client *client, json_int_t id, enum job_progress how,
    json_t **answerp)
{
	struct sigaction action = { .sa_handler = interrupt }, before;
	struct shown shown = { .how = how };
	enum client_answer kind;
	long pause = POLL_FIRST_MS;

	/* A second one ends it at once, whatever it waits for. */
	action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, &before);
	while (!job_ask(client, id, &shown, &kind, answerp)) {
		if (!interrupted)
			wait_a_little(pause);
		if (interrupted) {
			bar_clear();
			leave(id);
		}
		pause =
		    pause * 3 / 2 > POLL_LAST_MS ? POLL_LAST_MS : pause * 3 / 2;
	}
	bar_clear();
	sigaction(SIGINT, &before, NULL);
	free(shown.description);
	return kind;
}
