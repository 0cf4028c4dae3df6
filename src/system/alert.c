/*
 * alert.*: what somebody should know of.
 */
#include "core/alert.h"
#include "core/call.h"
#include "system/system.h"

static const char *const roles[] = { "ALERT_LIST_READ", NULL };

/* clang-format off */
#define TEXT(id, text)	{ .name = id, .type = F_STR, .doc = text,	\
	.flags = FF_REQUIRED }
#define DATE(id, text)	{ .name = id, .type = F_ANY, .doc = text,	\
	.flags = FF_REQUIRED | FF_DATE }

static const struct field alert_fields[] = {
	TEXT("id", "Identifies the alert."),
	TEXT("uuid", "The same."),
	TEXT("source", "The check that raised it; empty when it was none."),
	TEXT("klass", "What kind of alert it is."),
	{ .name = "args", .type = F_DICT, .flags = FF_REQUIRED,
	  .doc = "What the text says of this one." },
	TEXT("node", "Of which controller; there is one."),
	TEXT("key", "Tells alerts of one kind apart."),
	DATE("datetime", "When it was raised."),
	DATE("last_occurrence", "When it was seen last."),
	{ .name = "dismissed", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Has somebody put it aside?" },
	{ .name = "mail", .type = F_ANY, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "Always null." },
	TEXT("text", "The text with names for its arguments."),
	TEXT("level", "How grave it is, from INFO to EMERGENCY."),
	{ .name = "formatted", .type = F_STR, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "The text for people." },
	{ .name = "one_shot", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Of something that happened, rather than lasts?" },
	FIELD_END
};

static const struct field alert = { .name = "alert", .type = F_OBJECT,
	.fields = alert_fields, .model = "Alert", .flags = FF_REQUIRED,
	.doc = "One alert." };
static const struct field alerts = { .name = "result", .type = F_ARRAY,
	.fields = &alert, .flags = FF_REQUIRED, .doc = "The alerts, the "
	"gravest first." };
/* clang-format on */

static void
list_run(struct call *call)
{
	call_reply(call, alert_list());
}

/* clang-format off */
static const struct method methods[] = {
	{ .name = "alert.list", .auth = AUTH_ROLE, .roles = roles,
	  .result = &alerts, .doc = "What somebody should know of.",
	  .run = list_run },
	METHOD_END
};

static const struct event events[] = {
	{ .name = "alert.list", .auth = AUTH_ROLE, .roles = roles,
	  .doc = "An alert was raised, seen again otherwise, or cleared." },
	EVENT_END
};

const struct resource alert_resource = {
	.name = "alert", .doc = "What somebody should know of.",
	.kind = RESOURCE_SERVICE, .verbose_name = "Alert",
	.methods = methods, .events = events
};
/* clang-format on */
