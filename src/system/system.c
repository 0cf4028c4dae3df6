/*
 * system.*: what machine this is and in what state.
 */
#include "system/system.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>

#include <build_time.h>
#include "core/call.h"
#include "core/core.h"
#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/xalloc.h"

/* The level of the API that clients compare, with our own version behind. */
#define API_LEVEL "26.0.0"
#define VERSION_SHORT API_LEVEL "-Holdfast." HF_VERSION
#define VERSION "TrueNAS-" VERSION_SHORT

static const char *const general_roles[] = { "SYSTEM_GENERAL_READ", NULL };
static const char *const product_roles[] = { "SYSTEM_PRODUCT_READ", NULL };
static const char *const readonly_roles[] = { "READONLY_ADMIN", NULL };

/* clang-format off */
static const char *const states[] = { "BOOTING", "READY", "SHUTTING_DOWN",
	NULL };
static const char *const product_types[] = { "COMMUNITY_EDITION", "ENTERPRISE",
	NULL };

static const struct field boolean = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED };
static const struct field string = { .name = "result", .type = F_STR,
	.flags = FF_REQUIRED };
static const struct field state = { .name = "result", .type = F_ENUM,
	.choices = states, .flags = FF_REQUIRED };
static const struct field product_type = { .name = "result", .type = F_ENUM,
	.choices = product_types, .flags = FF_REQUIRED };

#define TEXT(id, text)	{ .name = id, .type = F_STR, .doc = text,	\
	.flags = FF_REQUIRED }
#define TEXT_NULL(id, text) { .name = id, .type = F_STR, .doc = text,	\
	.flags = FF_REQUIRED | FF_NULL }
#define NUMBER(id, text) { .name = id, .type = F_INT, .doc = text,	\
	.flags = FF_REQUIRED }
#define DATE(id, text)	{ .name = id, .type = F_ANY, .doc = text,	\
	.flags = FF_REQUIRED | FF_DATE }

static const struct field info_fields[] = {
	TEXT("version", "Level of the API and version of Holdfast."),
	DATE("buildtime", "When this program was built."),
	TEXT("hostname", "Name of the machine."),
	NUMBER("physmem", "Memory in bytes."),
	TEXT("model", "The processor."),
	NUMBER("cores", "Logical processors."),
	NUMBER("physical_cores", "Processor cores."),
	{ .name = "loadavg", .type = F_ARRAY, .flags = FF_REQUIRED,
	  .doc = "Load of the last 1, 5 and 15 minutes." },
	TEXT("uptime", "Time since the start of the machine."),
	{ .name = "uptime_seconds", .type = F_ANY, .flags = FF_REQUIRED,
	  .doc = "The same in seconds." },
	TEXT_NULL("system_serial", "Serial number."),
	TEXT_NULL("system_product", "Product."),
	TEXT_NULL("system_product_version", "Version of the product."),
	{ .name = "license", .type = F_DICT, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "Always null." },
	DATE("boottime", "When the machine was started."),
	DATE("datetime", "Now."),
	TEXT("timezone", "The machine's time zone."),
	TEXT_NULL("system_manufacturer", "Manufacturer."),
	{ .name = "ecc_memory", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Does the memory correct errors?" },
	{ .name = "holdfast_version", .type = F_STR,
	  .flags = FF_REQUIRED | FF_OWN, .doc = "Version of Holdfast." },
	FIELD_END
};

static const struct field info = { .name = "result", .type = F_OBJECT,
	.fields = info_fields, .flags = FF_REQUIRED };
/* clang-format on */

static void
boot_id_run(struct call *call)
{
	call_reply(call, json_string(core_facts()->boot_id));
}

static void
host_id_run(struct call *call)
{
	call_reply(call, json_string(core_facts()->host_id));
}

static void
product_type_run(struct call *call)
{
	call_reply(call, json_string(product_types[0]));
}

static void
ready_run(struct call *call)
{
	call_reply(call, json_boolean(core_ready()));
}

static void
state_run(struct call *call)
{
	call_reply(call, json_string(states[core_ready()]));
}

static void
version_run(struct call *call)
{
	call_reply(call, json_string(VERSION));
}

static void
version_short_run(struct call *call)
{
	call_reply(call, json_string(VERSION_SHORT));
}

static json_t *
string_or_null(const char *text)
{
	if (text == NULL || text[0] == '\0')
		return json_null();
	return json_string(text);
}

/* "2 days, 3:04:05.678901", as Python prints a time span. */
static char *
uptime_text(int64_t ms)
{
	long days = ms / 86400000, rest = ms / 1000 % 86400;
	char *prefix, *text;

	if (days == 0)
		prefix = xstrdup("");
	else
		prefix = xasprintf("%ld day%s, ", days, days == 1 ? "" : "s");
	text = xasprintf("%s%ld:%02ld:%02ld.%03ld000", prefix, rest / 3600,
	    rest / 60 % 60, rest % 60, (long)(ms % 1000));
	free(prefix);
	return text;
}

/* When the build was configured, in seconds. */
static int64_t
build_time(void)
{
	struct tm tm = { 0 };

	if (strptime(HF_BUILD_TIME, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
		return 0;
	return timegm(&tm);
}

static void
info_run(struct call *call)
{
	const struct facts *f = core_facts();
	int64_t up = boottime_ms() - f->boot_clock;
	struct sysinfo s;
	char *uptime;
	json_t *o = json_object();
	const double scale = 1 << SI_LOAD_SHIFT;

	if (sysinfo(&s) == -1)
		memset(&s, 0, sizeof(s));
	uptime = uptime_text(up);
	json_object_set_new(o, "version", json_string(VERSION));
	json_object_set_new(o, "buildtime", json_date(build_time()));
	json_object_set_new(o, "hostname", json_string(f->hostname));
	json_object_set_new(o, "physmem", json_integer((json_int_t)f->memory));
	json_object_set_new(o, "model", json_string(f->cpu_model));
	json_object_set_new(o, "cores", json_integer(f->cores));
	json_object_set_new(
	    o, "physical_cores", json_integer(f->physical_cores));
	json_object_set_new(o, "loadavg",
	    json_pack("[f, f, f]", (double)s.loads[0] / scale,
		(double)s.loads[1] / scale, (double)s.loads[2] / scale));
	json_object_set_new(o, "uptime", json_string(uptime));
	json_object_set_new(o, "uptime_seconds", json_real((double)up / 1000));
	json_object_set_new(o, "system_serial", string_or_null(f->serial));
	json_object_set_new(o, "system_product", string_or_null(f->product));
	json_object_set_new(
	    o, "system_product_version", string_or_null(f->product_version));
	json_object_set_new(o, "license", json_null());
	json_object_set_new(o, "boottime", json_date(f->boot_time));
	json_object_set_new(o, "datetime", json_date(time(NULL)));
	json_object_set_new(o, "timezone", json_string(f->timezone));
	json_object_set_new(
	    o, "system_manufacturer", string_or_null(f->manufacturer));
	json_object_set_new(o, "ecc_memory", json_false());
	json_object_set_new(o, "holdfast_version", json_string(HF_VERSION));
	free(uptime);
	call_reply(call, o);
}

/* clang-format off */
static const struct event events[] = {
	/* Nobody hears it: connections are taken once the machine is ready. */
	{ .name = "system.ready", .auth = AUTH_ROLE, .roles = general_roles,
	  .doc = "The machine has finished starting." },
	EVENT_END
};

static const struct method methods[] = {
	{ .name = "system.boot_id", .auth = AUTH_NONE, .result = &string,
	  .doc = "Identifies this start of the machine.", .run = boot_id_run },
	{ .name = "system.host_id", .auth = AUTH_ROLE, .roles = readonly_roles,
	  .result = &string, .doc = "Identifies this machine.",
	  .run = host_id_run },
	{ .name = "system.info", .auth = AUTH_ROLE, .roles = readonly_roles,
	  .result = &info, .doc = "What machine this is.", .run = info_run },
	{ .name = "system.product_type", .auth = AUTH_ROLE,
	  .roles = product_roles, .result = &product_type,
	  .doc = "The edition that clients expect features of.",
	  .run = product_type_run },
	{ .name = "system.ready", .auth = AUTH_ROLE, .roles = general_roles,
	  .result = &boolean, .doc = "Has the machine finished starting?",
	  .run = ready_run },
	{ .name = "system.state", .auth = AUTH_ROLE, .roles = general_roles,
	  .result = &state, .doc = "Starting, ready, or going down.",
	  .run = state_run },
	{ .name = "system.version", .auth = AUTH_SESSION, .result = &string,
	  .doc = "Level of the API and version of Holdfast.",
	  .run = version_run },
	{ .name = "system.version_short", .auth = AUTH_SESSION,
	  .result = &string, .doc = "The same without the product's name.",
	  .run = version_short_run },
	METHOD_END
};

const struct resource system_resource = {
	.name = "system", .doc = "What machine this is and in what state.",
	.kind = RESOURCE_SERVICE, .verbose_name = "System",
	.methods = methods, .events = events
};
/* clang-format on */
