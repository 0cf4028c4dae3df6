/*
 * Records of what failed before a login: see audit_failures.h.
 */
#include "core/audit_failures.h"

#include <stdbool.h>
#include <string.h>

#include "core/audit.h"
#include "core/core.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/tally.h"

#define TURN_MS 5000
#define CALL "METHOD_CALL"

static struct tally *tally;
static bool watching;

static json_t *
event_of_login(const struct tally_sum *sum)
{
	return json_pack("{s:{s:s, s:{s:s}}, s:s, s:{s:i, s:i}}", "credentials",
	    "credentials", sum->what, "credentials_data", "username",
	    sum->account, "error", "Further failed logins", "vers", "major", 0,
	    "minor", 1);
}

static json_t *
event_of_call(const struct tally_sum *sum)
{
	return json_pack("{s:s, s:[], s:s, s:b, s:b, s:{s:i, s:i}}", "method",
	    sum->account, "params", "description", "Further refused calls",
	    "authenticated", 0, "authorized", 0, "vers", "major", 0, "minor",
	    1);
}

static void
tell_sum(const struct tally_sum *sum, void *arg)
{
	bool call = strcmp(sum->what, CALL) == 0;
	json_t *event = call ? event_of_call(sum) : event_of_login(sum);
	int64_t seconds = (sum->until - sum->from + 999) / 1000;
	json_t *record;

	(void)arg;
	json_object_set_new(
	    event, "count", json_integer((json_int_t)sum->count));
	json_object_set_new(
	    event, "seconds", json_integer((json_int_t)seconds));
	record = audit_record(
	    NULL, NULL, call ? CALL : "AUTHENTICATION", event, false);
	json_object_set_new(record, "address", json_string(sum->source));
	audit_send(record, NULL, NULL);
}

static void
turn(void *arg)
{
	(void)arg;
	watching = tally_turn(tally, boottime_ms());
	if (watching)
		core_after(TURN_MS, turn, NULL);
}

/* Is it one of the first? */
static bool
singly(const json_t *record)
{
	const json_t *event = json_object_get(record, "event_data");
	const json_t *credentials = json_object_get(event, "credentials");
	const char *what = json_str(credentials, "credentials", CALL);
	const char *account = json_str(event, "method", "");

	if (credentials != NULL)
		account =
		    json_str(json_object_get(credentials, "credentials_data"),
			"username", "");
	return tally_one(tally, boottime_ms(), what, account,
	    json_str(record, "address", ""));
}

void
audit_failure(json_t *record, void (*done)(int, void *), void *arg)
{
	if (tally == NULL)
		tally = tally_new(TALLY_SINGLY, tell_sum, NULL);
	if (!watching) {
		watching = true;
		core_after(TURN_MS, turn, NULL);
	}
	if (singly(record)) {
		audit_send(record, done, arg);
		return;
	}
	json_decref(record);
	if (done != NULL)
		done(0, arg);
}

void
audit_failures_flush(void)
{
	if (tally != NULL)
		tally_flush(tally);
}
