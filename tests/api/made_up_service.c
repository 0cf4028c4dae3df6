/*
 * A service of two daemons made up for the tests, and the two resources that
 * their files are made from: one.conf of the first, both.conf of both.  The
 * program is made_up_daemon.c; what it runs by, it writes to its folder.
 */
#include <sys/stat.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/op.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "made_up.h"

#define ENTRY 1
#define TRIES 100 /* of the verification */
#define TRY_MS 100

int made_up_output, made_up_daemon, made_up_service_id;

static int
prepare(char **whyp)
{
	static const char *const folders[] = { "/etc/made-up",
		"/etc/made-up/one", "/etc/made-up/both" };
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(folders[i], 0755) == -1 && errno != EEXIST) {
			*whyp =
			    xasprintf("%s: %s", folders[i], strerror(errno));
			return -1;
		}
	return 0;
}

/* clang-format off */
static const char check[] = "if (/^word bad/) { print \"line $.: a bad word"
	"\\n\"; $e = 1 } END { $? = $e }";

#define OUTPUT(name_)							\
	{ .name = "made-up " name_, .dir = "/etc/made-up/" name_,	\
	  .file = name_ ".conf", .mode = 0644,				\
	  .run_folder = "/run/made-up",					\
	  .check = { "/usr/bin/perl", "-ne", check, "%f", NULL },	\
	  .effective = { "/usr/bin/cat", "/run/made-up/" name_, NULL } }
#define DAEMON(name_)							\
	.name = "made-up-" name_, .unit = "made-up-" name_ ".service",	\
	.argv = { MADE_UP_DAEMON, "/etc/made-up/" name_ "/" name_ ".conf", \
	    "/run/made-up/" name_, NULL }, .stop_seconds = 5

const struct output made_up_outputs[2] = { OUTPUT("one"), OUTPUT("both") };
/* made_up.c says of which service. */
const struct daemon made_up_daemons[2] = {
	{ DAEMON("one"), .reload_signal = SIGHUP }, { DAEMON("both") }
};
const struct service made_up_service = { .name = "made_up",
	.api_id = 9001, .prepare = prepare };

static const struct field first_fields[] = {
	{ .name = "id", .type = F_INT, .def = "1", .flags = FF_READONLY,
	  .doc = "Id of the entry." },
	{ .name = "port", .type = F_INT, .def = "7801", .min = 1,
	  .max = 65535, .doc = "Port of the first." },
	{ .name = "word", .type = F_STR, .def = "\"hello\"",
	  .pattern = "[a-z]+", .doc = "What it says." },
	FIELD_END
};
static const struct field second_fields[] = {
	{ .name = "id", .type = F_INT, .def = "1", .flags = FF_READONLY,
	  .doc = "Id of the entry." },
	{ .name = "port", .type = F_INT, .def = "7802", .min = 1,
	  .max = 65535, .doc = "Port of the second." },
	{ .name = "word", .type = F_STR, .def = "\"world\"",
	  .pattern = "[a-z]+", .doc = "What it says too." },
	{ .name = "note", .type = F_STR, .def = "\"\"",
	  .doc = "Is in no file." },
	FIELD_END
};
static const struct field first_params[] = {
	{ .name = "first_update", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = first_fields, .doc = "What to change." }, FIELD_END
};
static const struct field second_params[] = {
	{ .name = "second_update", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = second_fields, .doc = "What to change." }, FIELD_END
};
static const struct field first_entry = { .name = "result", .type = F_OBJECT,
	.fields = first_fields, .doc = "The settings." };
static const struct field second_entry = { .name = "result",
	.type = F_OBJECT, .fields = second_fields, .doc = "The settings." };

#define CONFIG(of, result_)						\
	{ .name = "made_up." of ".config", .kind = KIND_CONFIG,		\
	  .auth = AUTH_ROLE, .result = result_, .doc = "The settings.",	\
	  .run = resource_config_run }
#define UPDATE(of, params_, result_)					\
	{ .name = "made_up." of ".update", .kind = KIND_UPDATE,		\
	  .auth = AUTH_ROLE, .params = params_, .result = result_,	\
	  .audit = "Change", .doc = "Changes them.",			\
	  .run = resource_update_run }

static const struct method first_methods[] = {
	CONFIG("first", &first_entry),
	UPDATE("first", first_params, &first_entry),
	METHOD_END
};
static const struct method second_methods[] = {
	CONFIG("second", &second_entry),
	UPDATE("second", second_params, &second_entry),
	METHOD_END
};

const struct resource made_up_first = {
	.name = "made_up.first", .doc = "Settings of both daemons.",
	.kind = RESOURCE_CONFIG, .verbose_name = "First", .entry = ENTRY,
	.methods = first_methods, .fields = first_fields
};
const struct resource made_up_second = {
	.name = "made_up.second", .doc = "Settings of the second daemon.",
	.kind = RESOURCE_CONFIG, .verbose_name = "Second", .entry = ENTRY,
	.methods = second_methods, .fields = second_fields
};
/* clang-format on */

/* --- The files ------------------------------------------------------------ */

char *
made_up_render_one(const struct change *c, char **whyp)
{
	const json_t *first = change_view(c, &made_up_first, ENTRY);

	(void)whyp;
	return xasprintf("port %lld\nword %s\n",
	    (long long)json_int(first, "port", 0), json_str(first, "word", ""));
}

char *
made_up_render_both(const struct change *c, char **whyp)
{
	const json_t *first = change_view(c, &made_up_first, ENTRY);
	const json_t *second = change_view(c, &made_up_second, ENTRY);

	if (strcmp(json_str(second, "word", ""), "unspeakable") == 0) {
		*whyp = xstrdup("both.conf cannot say that");
		return NULL;
	}
	return xasprintf("port %lld\nword %s\nword %s\n",
	    (long long)json_int(second, "port", 0), json_str(first, "word", ""),
	    json_str(second, "word", ""));
}

void
made_up_rejected(struct change *c, const char *complaint)
{
	verr_add(c->errors, "word", "%s", complaint);
}

/* --- From outside --------------------------------------------------------- */

struct look {
	struct change *change;
	int output, tries;
	char *expected;
};

static void look(void *);

static void
look_done(struct look *l, const char *what)
{
	struct change *change = l->change;

	free(l->expected);
	free(l);
	change_verified(change, what);
}

static void
seen(const struct op_reply *reply, void *arg)
{
	struct look *l = arg;
	struct wire_in body = reply->body;
	size_t len = 0;
	const void *text =
	    reply->error == 0 ? wire_get_bytes(&body, &len) : NULL;

	if (text != NULL && len == strlen(l->expected) &&
	    memcmp(text, l->expected, len) == 0)
		look_done(l, NULL);
	else if (text != NULL && len >= 3 && memcmp(text, "lie", 3) == 0)
		look_done(l, "it says something else");
	else if (l->tries-- == 0)
		look_done(l, "it goes by what was before");
	else
		core_after(TRY_MS, look, l);
}

static void
look(void *arg)
{
	struct look *l = arg;
	struct wire_out out = { 0 };

	wire_put_u32(&out, (uint32_t)l->output);
	wire_put_u32(&out, 0);
	op_request(MSG_OP_EFFECTIVE, &out, -1, seen, l);
	wire_free(&out);
}

/* The first daemon reads the first file, the second the second. */
void
made_up_verify(struct change *c)
{
	struct look *l;
	char *why = NULL;

	if (!c->reached[c->at].running) {
		change_verified(c, NULL);
		return;
	}
	l = xcalloc(1, sizeof(*l));
	l->change = c;
	l->output = made_up_output + c->at - made_up_daemon;
	l->tries = TRIES;
	l->expected = change_render(l->output, c, &why);
	look(l);
}
