/*
 * What systemd says of a unit (org.freedesktop.systemd1(5)), and what that
 * means for a service, in our states and in words.
 */
#include "monitor/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
static const struct {
	const char *name, *type;
	size_t offset, size;
} properties[] = {
#define ROW(name, type, member)						\
	{ name, type, offsetof(struct unit, member),			\
	  sizeof(((struct unit *)NULL)->member) }
	ROW("LoadState", "s", load),
	ROW("ActiveState", "s", active),
	ROW("Result", "s", result),
	ROW("MainPID", "u", main_pid),
	ROW("ExecMainPID", "u", exec_pid),
	ROW("ExecMainCode", "i", exec_code),
	ROW("ExecMainStatus", "i", exec_status),
	ROW("ConditionResult", "b", condition),
	ROW("InvocationID", "ay", invocation),
#undef ROW
};

static const struct {
	const char *active;
	enum service_state state;
} states[] = {
	{ "active", STATE_RUNNING },
	{ "reloading", STATE_RUNNING },
	{ "refreshing", STATE_RUNNING },
	{ "activating", STATE_STARTING },
	{ "deactivating", STATE_STOPPING },
	{ "failed", STATE_FAILED },
};

/* systemd.service(5), $SERVICE_RESULT in systemd.exec(5) */
static const struct {
	const char *result, *text;
} results[] = {
	{ "timeout", "did not start or stop within the time that its unit "
	  "gives it" },
	{ "watchdog", "no longer told systemd that it is alive" },
	{ "protocol", "did not tell systemd that it is ready" },
	{ "resources", "could not be started for lack of resources, or "
	  "because of a file or user that its unit names" },
	{ "oom-kill", "was killed because memory ran out" },
	{ "start-limit-hit", "was started too often within a short time; "
	  "systemd gave up" },
	{ "exec-condition", "was not started: the command that its unit "
	  "asks first said no" },
};

static const struct {
	const char *result, *text;
} job_results[] = {
	{ "canceled", "was left as it is: something else was asked of systemd "
	  "meanwhile" },
	{ "timeout", "did not start or stop within the time that systemd "
	  "gives it" },
	{ "dependency", "was not started: a unit that it needs failed" },
	{ "skipped", "was left as it is: that cannot be done with its unit "
	  "now" },
	{ "invalid", "was left as it is: that cannot be done with its unit" },
	{ "assert", "was not started: an assertion of its unit is not met" },
	{ "unsupported", "was not started: this machine does not support its "
	  "unit" },
	{ "once", "was not started: its unit starts once only" },
};
/* clang-format on */
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int
read_invocation(sd_bus_message *m, char *hex)
{
	const unsigned char *bytes;
	const void *data;
	size_t len, i;
	int r;

	if ((r = sd_bus_message_read_array(m, 'y', &data, &len)) < 0)
		return r;
	bytes = data;
	for (i = 0; len == 16 && i < len; i++)
		snprintf(hex + i * 2, 3, "%02x", bytes[i]);
	return 0;
}

/* The variant of one property, read or skipped. */
static int
read_value(sd_bus_message *m, const char *name, struct unit *unit)
{
	const char *contents, *text;
	size_t i;
	char *to;
	int r, flag;

	for (i = 0; i < COUNT(properties); i++)
		if (strcmp(properties[i].name, name) == 0)
			break;
	if ((r = sd_bus_message_peek_type(m, NULL, &contents)) < 0)
		return r;
	if (i == COUNT(properties) || strcmp(contents, properties[i].type) != 0)
		return sd_bus_message_skip(m, "v");
	if ((r = sd_bus_message_enter_container(m, 'v', contents)) < 0)
		return r;
	to = (char *)unit + properties[i].offset;
	if (contents[0] == 's') {
		if ((r = sd_bus_message_read_basic(m, 's', &text)) >= 0)
			snprintf(to, properties[i].size, "%s", text);
	} else if (contents[0] == 'a') {
		r = read_invocation(m, to);
	} else if (contents[0] == 'b') {
		if ((r = sd_bus_message_read_basic(m, 'b', &flag)) >= 0)
			*(bool *)(void *)to = flag != 0;
	} else {
		r = sd_bus_message_read_basic(m, contents[0], to);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

int
unit_parse(sd_bus_message *m, struct unit *unit)
{
	const char *name;
	int r;

	memset(unit, 0, sizeof(*unit));
	if ((r = sd_bus_message_enter_container(m, 'a', "{sv}")) < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0)
		if ((r = sd_bus_message_read_basic(m, 's', &name)) < 0 ||
		    (r = read_value(m, name, unit)) < 0 ||
		    (r = sd_bus_message_exit_container(m)) < 0)
			return r;
	/* Without these it was not a unit. */
	if (r == 0 && (unit->load[0] == '\0' || unit->active[0] == '\0'))
		r = -EPROTO;
	return r;
}

enum service_state
unit_state(const struct unit *unit)
{
	size_t i;

	for (i = 0; i < COUNT(states); i++)
		if (strcmp(states[i].active, unit->active) == 0)
			return states[i].state;
	return STATE_STOPPED;
}

static void
exec_why(const struct unit *unit, char *text, size_t size)
{
	if (unit->exec_code == CLD_EXITED && unit->exec_status != 0)
		snprintf(
		    text, size, "exited with code %d", (int)unit->exec_status);
	else if (unit->exec_code == CLD_KILLED || unit->exec_code == CLD_DUMPED)
		snprintf(text, size, "was killed by signal %d (%s)",
		    (int)unit->exec_status, strsignal(unit->exec_status));
	else
		snprintf(text, size, "failed in a command of its unit");
}

void
unit_why(const struct unit *unit, const char *name, char *text, size_t size)
{
	size_t i;

	text[0] = '\0';
	for (i = 0; i < COUNT(results); i++)
		if (strcmp(results[i].result, unit->result) == 0) {
			snprintf(text, size, "%s", results[i].text);
			return;
		}
	if (strcmp(unit->load, "not-found") == 0)
		snprintf(text, size,
		    "has no unit %s on this machine: its package is not "
		    "installed",
		    name);
	else if (strcmp(unit->load, "masked") == 0)
		snprintf(text, size,
		    "is masked: `systemctl unmask %s` allows it to start",
		    name);
	else if (strcmp(unit->load, "loaded") != 0)
		snprintf(text, size,
		    "has a unit %s that systemd cannot load (%s)", name,
		    unit->load);
	else if (strcmp(unit->result, "success") != 0 &&
	    unit->result[0] != '\0')
		exec_why(unit, text, size);
}

const char *
unit_job_result(const char *result)
{
	size_t i;

	for (i = 0; i < COUNT(job_results); i++)
		if (strcmp(job_results[i].result, result) == 0)
			return job_results[i].text;
	return NULL;
}
