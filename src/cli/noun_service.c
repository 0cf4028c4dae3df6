/*
 * holdfast service: starting and stopping services, now and with the machine.
 * What may end somebody's own access takes itself back after a minute unless
 * it is confirmed, but for who says that it is final.
 */
#include <stdio.h>

#include "cli/job.h"
#include "cli/noun.h"
#include "lib/json.h"

/* After the call that changed it ended with code; steals changed. */
static enum exit_code
awaited(struct errand *e, enum exit_code code, json_t *changed)
{
	struct waiting_for what = { .method = "service.query",
		.params =
		    json_pack("[[[s, s, s]]]", "service", "=", e->arguments[0]),
		.changed = changed };

	if (code == EXIT_DONE)
		code = noun_await(e, &what);
	json_decref(what.params);
	json_decref(changed);
	return code;
}

static enum exit_code
update(struct errand *e, bool enable)
{
	json_t *data = json_pack("{s:b}", "enable", enable);
	json_t *changed = json_copy(data);

	if (enable)
		noun_take_word(e->arguments, "--no-confirm");
	else
		noun_confirmed(e->arguments, data);
	return awaited(e,
	    errand_call(e, "service.update",
		json_pack("[s, o]", e->arguments[0], data), NULL),
	    changed);
}

enum exit_code
noun_service_enable(struct errand *e)
{
	return update(e, true);
}

enum exit_code
noun_service_disable(struct errand *e)
{
	return update(e, false);
}

/* The job's end; options is stolen. */
static enum exit_code
control(struct errand *e, const char *verb, json_t *options)
{
	json_t *answer = NULL;
	enum client_answer got;
	enum exit_code code;

	json_object_set_new(options, "silent", json_false());
	code = errand_call(e, "service.control",
	    json_pack("[s, s, o]", verb, e->arguments[0], options), &answer);
	if (code == EXIT_DONE) {
		got = job_await(
		    e->client, json_integer_value(answer), JOB_BAR, &answer);
		code = client_outcome(got, answer, e->invocation->json);
	}
	json_decref(answer);
	return code;
}

enum exit_code
noun_service_stop(struct errand *e)
{
	json_t *options = json_object();

	noun_confirmed(e->arguments, options);
	return awaited(e, control(e, "STOP", options),
	    json_pack("{s:s}", "state", "STOPPED"));
}

enum exit_code
noun_service_start(struct errand *e)
{
	return control(e, "START", json_object());
}

enum exit_code
noun_service_restart(struct errand *e)
{
	return control(e, "RESTART", json_object());
}

enum exit_code
noun_service_reload(struct errand *e)
{
	return control(e, "RELOAD", json_object());
}
