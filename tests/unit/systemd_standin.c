/*
 * What the tests of monitor/systemd.c have in systemd's place: a manager with
 * the one unit ssh.service on a bus whose address is the argument.  How its
 * next jobs end is set over the object /standin.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define OBJECT "/org/freedesktop/systemd1"
#define UNIT OBJECT "/unit/ssh_2eservice"
#define UNIT_FACE "org.freedesktop.systemd1.Unit"
#define SERVICE_FACE "org.freedesktop.systemd1.Service"

static sd_bus *bus;
static char mode[32] = "ok", calls[1024];
static uint32_t job_number;
static struct {
	const char *id, *load, *active, *result;
	uint32_t main_pid, exec_pid;
	int exec_code, exec_status, condition;
} unit = { .id = "ssh.service",
	.load = "loaded",
	.active = "inactive",
	.result = "success",
	.condition = 1 };

static int
get_text(sd_bus *from, const char *path, const char *face, const char *property,
    sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	(void)from;
	(void)path;
	(void)face;
	(void)property;
	(void)error;
	return sd_bus_message_append(reply, "s", *(const char **)arg);
}

static int
get_invocation(sd_bus *from, const char *path, const char *face,
    const char *property, sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	static const unsigned char id[16] = { 0xab, 0xcd };

	(void)from;
	(void)path;
	(void)face;
	(void)property;
	(void)arg;
	(void)error;
	return sd_bus_message_append_array(reply, 'y', id, sizeof(id));
}

static void
changed(void)
{
	sd_bus_emit_properties_changed(bus, UNIT, UNIT_FACE, "ActiveState",
	    "LoadState", "ConditionResult", NULL);
	sd_bus_emit_properties_changed(bus, UNIT, SERVICE_FACE, "MainPID",
	    "Result", "ExecMainStatus", NULL);
}

static void
become(const char *active, const char *result, int code, int status)
{
	unit.active = active;
	unit.result = result;
	unit.exec_code = code;
	unit.exec_status = status;
	unit.main_pid = strcmp(active, "active") == 0 ? (uint32_t)getpid() : 0;
	changed();
}

static void
job_removed(const char *job, const char *result)
{
	sd_bus_emit_signal(bus, OBJECT, "org.freedesktop.systemd1.Manager",
	    "JobRemoved", "uoss", job_number, job, "ssh.service", result);
}

static void
start_in_mode(const char *job)
{
	unit.condition = strcmp(mode, "condition") != 0;
	if (strcmp(mode, "ok") == 0) {
		become("activating", "success", 0, 0);
		become("active", "success", 0, 0);
		job_removed(job, "done");
	} else if (strcmp(mode, "exit") == 0) {
		become("failed", "exit-code", CLD_EXITED, 255);
		job_removed(job, "failed");
	} else if (strcmp(mode, "killed") == 0) {
		become("failed", "signal", CLD_KILLED, SIGSEGV);
		job_removed(job, "failed");
	} else if (strcmp(mode, "command") == 0) {
		become("failed", "exit-code", 0, 0);
		job_removed(job, "failed");
	} else if (strcmp(mode, "at once") == 0) {
		become("failed", "exit-code", CLD_EXITED, 1);
		job_removed(job, "done");
	} else if (strcmp(mode, "condition") == 0) {
		become("inactive", "success", 0, 0);
		job_removed(job, "done");
	} else if (strcmp(mode, "start-limit-hit") == 0) {
		become("failed", mode, CLD_EXITED, 255);
		job_removed(job, "failed");
	} else if (strcmp(mode, "hang") == 0) {
		become("activating", "success", 0, 0);
	} else {
		job_removed(job, mode); /* canceled, dependency, ... */
	}
}

static void
job_run(const char *method, const char *job)
{
	if (strcmp(method, "StartUnit") == 0 ||
	    strcmp(method, "RestartUnit") == 0) {
		start_in_mode(job);
	} else if (strcmp(mode, "hang") != 0) {
		if (strcmp(method, "StopUnit") == 0)
			become("inactive", "success", CLD_EXITED, 0);
		job_removed(job, strcmp(mode, "ok") == 0 ? "done" : mode);
	}
}

static int
on_verb(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *name, *how, *method = sd_bus_message_get_member(m);
	char job[64];

	(void)arg;
	snprintf(calls + strlen(calls), sizeof(calls) - strlen(calls), "%s ",
	    method);
	if (sd_bus_message_read(m, "ss", &name, &how) < 0 ||
	    strcmp(name, "ssh.service") != 0 || strcmp(how, "replace") != 0)
		return sd_bus_error_set(error,
		    "org.freedesktop.systemd1.NoSuchUnit", "Not ssh.service.");
	if (strcmp(mode, "silent") == 0)
		return 1;
	if (strcmp(mode, "NoSuchUnit") == 0 ||
	    strcmp(mode, "UnitMasked") == 0 ||
	    strcmp(mode, "ShuttingDown") == 0) {
		snprintf(job, sizeof(job), "org.freedesktop.systemd1.%s", mode);
		return sd_bus_error_set(
		    error, job, "Unit ssh.service:\n\x1b[31mno.");
	}
	snprintf(job, sizeof(job), OBJECT "/job/%u", ++job_number);
	if (sd_bus_reply_method_return(m, "o", job) < 0)
		return -1;
	job_run(method, job);
	return 1;
}

static int
on_reset(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)arg;
	(void)error;
	strncat(calls, "ResetFailedUnit ", sizeof(calls) - strlen(calls) - 1);
	unit.active = "inactive";
	return sd_bus_reply_method_return(m, NULL);
}

/* Of unit files: "EnableUnitFiles ssh.service" among the calls. */
static int
on_unit_files(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *method = sd_bus_message_get_member(m), *name;
	bool enable = strcmp(method, "EnableUnitFiles") == 0;
	int runtime, force = 0, r;

	(void)arg;
	if ((r = sd_bus_message_enter_container(m, 'a', "s")) < 0 ||
	    (r = sd_bus_message_read(m, "s", &name)) < 0 ||
	    (r = sd_bus_message_exit_container(m)) < 0 ||
	    (r = sd_bus_message_read(m, "b", &runtime)) < 0 ||
	    (enable && (r = sd_bus_message_read(m, "b", &force)) < 0))
		return r;
	snprintf(calls + strlen(calls), sizeof(calls) - strlen(calls),
	    "%s %s%s ", method, name, runtime ? " --runtime" : "");
	if (strcmp(name, "ssh.service") != 0 || strcmp(mode, "masked") == 0)
		return sd_bus_error_set(error,
		    "org.freedesktop.systemd1.UnitMasked",
		    "Unit file is masked.");
	if (enable)
		return sd_bus_reply_method_return(m, "ba(sss)", true, 0);
	return sd_bus_reply_method_return(m, "a(sss)", 0);
}

static int
on_reload(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)arg;
	(void)error;
	strncat(calls, "Reload ", sizeof(calls) - strlen(calls) - 1);
	return sd_bus_reply_method_return(m, NULL);
}

static int
on_nothing(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)arg;
	(void)error;
	return sd_bus_reply_method_return(m, NULL);
}

static int
on_cancel(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	char job[64];

	(void)arg;
	(void)error;
	strncat(calls, "Cancel ", sizeof(calls) - strlen(calls) - 1);
	snprintf(job, sizeof(job), "%s", sd_bus_message_get_path(m));
	become("inactive", "success", 0, 0);
	job_removed(job, "canceled");
	return sd_bus_reply_method_return(m, NULL);
}

static int
on_mode(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *text;

	(void)arg;
	(void)error;
	if (sd_bus_message_read(m, "s", &text) < 0)
		return -1;
	snprintf(mode, sizeof(mode), "%s", text);
	calls[0] = '\0';
	return sd_bus_reply_method_return(m, NULL);
}

/* The service ends, or comes back, without anybody having asked. */
static int
on_become(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	static char load[32], active[32], result[32];
	const char *texts[3];
	int code, status;

	(void)arg;
	(void)error;
	if (sd_bus_message_read(m, "sssii", &texts[0], &texts[1], &texts[2],
		&code, &status) < 0)
		return -1;
	snprintf(load, sizeof(load), "%s", texts[0]);
	snprintf(active, sizeof(active), "%s", texts[1]);
	snprintf(result, sizeof(result), "%s", texts[2]);
	unit.load = load;
	become(active, result, code, status);
	return sd_bus_reply_method_return(m, NULL);
}

static int
on_calls(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)arg;
	(void)error;
	return sd_bus_reply_method_return(m, "s", calls);
}

/* clang-format off */
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define ANYBODY SD_BUS_VTABLE_UNPRIVILEGED
#define AT(member) ((char *)&unit.member - (char *)&unit)
static const sd_bus_vtable manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Subscribe", NULL, NULL, on_nothing, ANYBODY),
	SD_BUS_METHOD("StartUnit", "ss", "o", on_verb, ANYBODY),
	SD_BUS_METHOD("StopUnit", "ss", "o", on_verb, ANYBODY),
	SD_BUS_METHOD("RestartUnit", "ss", "o", on_verb, ANYBODY),
	SD_BUS_METHOD("ReloadUnit", "ss", "o", on_verb, ANYBODY),
	SD_BUS_METHOD("EnableUnitFiles", "asbb", "ba(sss)", on_unit_files,
	    ANYBODY),
	SD_BUS_METHOD("DisableUnitFiles", "asb", "a(sss)", on_unit_files,
	    ANYBODY),
	SD_BUS_METHOD("Reload", NULL, NULL, on_reload, ANYBODY),
	SD_BUS_METHOD("ResetFailedUnit", "s", NULL, on_reset, ANYBODY),
	SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
	SD_BUS_VTABLE_END
};
static const sd_bus_vtable unit_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Id", "s", get_text, AT(id), 0),
	SD_BUS_PROPERTY("LoadState", "s", get_text, AT(load), CHANGES),
	SD_BUS_PROPERTY("ActiveState", "s", get_text, AT(active), CHANGES),
	SD_BUS_PROPERTY("ConditionResult", "b", NULL, AT(condition), CHANGES),
	SD_BUS_PROPERTY("InvocationID", "ay", get_invocation, 0, 0),
	SD_BUS_VTABLE_END
};
static const sd_bus_vtable service_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Result", "s", get_text, AT(result), CHANGES),
	SD_BUS_PROPERTY("MainPID", "u", NULL, AT(main_pid), CHANGES),
	SD_BUS_PROPERTY("ExecMainPID", "u", NULL, AT(exec_pid), 0),
	SD_BUS_PROPERTY("ExecMainCode", "i", NULL, AT(exec_code), 0),
	SD_BUS_PROPERTY("ExecMainStatus", "i", NULL, AT(exec_status), CHANGES),
	SD_BUS_VTABLE_END
};
static const sd_bus_vtable job_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Cancel", NULL, NULL, on_cancel, ANYBODY),
	SD_BUS_VTABLE_END
};
static const sd_bus_vtable standin_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Mode", "s", NULL, on_mode, ANYBODY),
	SD_BUS_METHOD("Become", "sssii", NULL, on_become, ANYBODY),
	SD_BUS_METHOD("Calls", NULL, "s", on_calls, ANYBODY),
	SD_BUS_VTABLE_END
};
/* clang-format on */

static int
offer(void)
{
	int r;

	if ((r = sd_bus_add_object_vtable(bus, NULL, OBJECT,
		 "org.freedesktop.systemd1.Manager", manager_vtable, NULL)) <
		0 ||
	    (r = sd_bus_add_object_vtable(
		 bus, NULL, UNIT, UNIT_FACE, unit_vtable, &unit)) < 0 ||
	    (r = sd_bus_add_object_vtable(
		 bus, NULL, UNIT, SERVICE_FACE, service_vtable, &unit)) < 0 ||
	    (r = sd_bus_add_fallback_vtable(bus, NULL, OBJECT "/job",
		 "org.freedesktop.systemd1.Job", job_vtable, NULL, NULL)) < 0 ||
	    (r = sd_bus_add_object_vtable(bus, NULL, "/standin",
		 "holdfast.Standin", standin_vtable, NULL)) < 0)
		return r;
	return sd_bus_request_name(bus, "org.freedesktop.systemd1", 0);
}

int
main(int argc, char **argv)
{
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc != 2 || sd_bus_new(&bus) < 0 ||
	    sd_bus_set_address(bus, argv[1]) < 0 ||
	    sd_bus_set_bus_client(bus, 1) < 0 || (r = sd_bus_start(bus)) < 0 ||
	    (r = offer()) < 0)
		return 1;
	do {
		while ((r = sd_bus_process(bus, NULL)) > 0)
			;
	} while (r == 0 && sd_bus_wait(bus, UINT64_MAX) >= 0);
	return 0;
}
