/*
 * The import of a foreign sshd_config: see ssh_import.h.
 *
 *	before		what sshd makes of the file as it lies there
 *	base		what it would make of ours with these settings alone,
 *			once more as COMPATIBLE if that offers other algorithms
 *	check		of ours with the rest as auxiliary parameters; a line
 *			that is refused and harmless is left out, once more
 *	blocks		what sshd makes of the file for each Match block
 *	after		and of ours, for all of them: what differs is told
 */
#include "services/ssh/ssh_import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "core/core.h"
#include "core/op.h"
#include "core/resource.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "services/catalog.h"
#include "services/ssh/shown.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_complaint.h"
#include "services/ssh/ssh_import_plan.h"
#include "services/ssh/ssh_render.h"

#define CHECKS_MAX 16
#define BLOCKS_MAX 16 /* that are compared */

/* clang-format off */
static const struct field line_fields[] = {
	{ .name = "file", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Where it stands." },
	{ .name = "line", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Its number." },
	{ .name = "text", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The line." },
	{ .name = "reason", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Why it was left out." },
	FIELD_END
};
const struct field ssh_import_line = { .name = "line", .type = F_OBJECT,
	.fields = line_fields, .doc = "A line." };

static const struct field difference_fields[] = {
	{ .name = "match", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The Match line whose connections it is about; all if empty." },
	{ .name = "directive", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "What differs." },
	{ .name = "before", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "As sshd -T showed it." },
	{ .name = "after", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "As sshd -T shows it." },
	FIELD_END
};
const struct field ssh_import_difference = { .name = "difference",
	.type = F_OBJECT, .fields = difference_fields,
	.doc = "A directive." };
const struct field ssh_import_match = { .name = "match", .type = F_STR,
	.doc = "A Match line." };
/* clang-format on */

struct import {
	void (*done)(const struct import_result *, void *);
	void *arg;
	struct flat flat;
	json_t *entry; /* the settings as they will be */
	json_t *fields; /* those of them that follow from the file */
	char *reference; /* asked for instead of the file; NULL */
	char *before; /* sshd -T of the file */
	char *base, *base_effective;
	bool compatible; /* it was tried */
	int root_password; /* as of import_result */
	char *options, *rendered;
	unsigned int checks;
	json_t *not_taken, *not_compared, *differences;
	/* Match blocks: their first lines, connections, and -T of the file. */
	const char *matches[BLOCKS_MAX];
	char *specs[BLOCKS_MAX], *befores[BLOCKS_MAX];
	size_t blocks, at;
};

static void ask_base(struct import *);
static void check(struct import *);
static void ask_block(struct import *);

static void
import_free(struct import *m)
{
	size_t i;

	flat_free(&m->flat);
	json_decref(m->entry);
	json_decref(m->fields);
	json_decref(m->not_taken);
	json_decref(m->not_compared);
	json_decref(m->differences);
	free(m->reference);
	free(m->before);
	free(m->base);
	free(m->base_effective);
	free(m->options);
	free(m->rendered);
	for (i = 0; i < m->blocks; i++) {
		free(m->specs[i]);
		free(m->befores[i]);
	}
	free(m);
}

/* extra is stolen; may be NULL. */
static void
fail(struct import *m, int error, const char *text, json_t *extra)
{
	struct import_result result = {
		.error = error, .text = text, .extra = extra
	};

	m->done(&result, m->arg);
	json_decref(extra);
	import_free(m);
}

/* --- What is another thing ------------------------------------------------ */

static void
succeed(struct import *m)
{
	struct import_result result = { 0 };

	json_object_set_new(m->fields, "options", json_string(m->options));
	result.data = m->fields;
	result.root_password = m->root_password;
	result.report = json_pack("{s:O, s:O, s:O}", "not_taken", m->not_taken,
	    "differences", m->differences, "not_compared", m->not_compared);
	m->done(&result, m->arg);
	json_decref(result.report);
	import_free(m);
}

/* The next text of MSG_OP_EFFECTIVE_OF, malloc'd; NULL. */
static char *
next_text(struct wire_in *body)
{
	size_t len;
	const char *data = wire_get_bytes(body, &len);

	return data == NULL ? NULL : xstrndup(data, len);
}

static void
after_known(const struct op_reply *reply, void *arg)
{
	struct import *m = arg;
	struct wire_in body = reply->body;
	uint32_t count, i;
	char *text;

	if (reply->error != 0) {
		fail(m, reply->error, reply->text, NULL);
		return;
	}
	count = wire_get_u32(&body);
	for (i = 0; i < count && i <= m->blocks && !body.bad; i++) {
		text = next_text(&body);
		if (text != NULL)
			import_differences(m->differences,
			    i == 0 ? "" : m->matches[i - 1],
			    i == 0 ? m->before : m->befores[i - 1], text);
		free(text);
	}
	if (wire_end(&body) == -1 || count != m->blocks + 1)
		fail(m, EPROTO, "sshd's configuration could not be read", NULL);
	else
		succeed(m);
}

/* What sshd makes of a content, for these connections. */
static void
ask_of(struct import *m, const char *content, const char *const *specs,
    size_t count, op_done *done)
{
	struct wire_out out = { 0 };
	size_t i;

	wire_put_u32(&out, OUTPUT_SSHD_CONFIG);
	wire_put_bytes(&out, content, strlen(content));
	wire_put_u32(&out, (uint32_t)count);
	for (i = 0; i < count; i++)
		wire_put_str(&out, specs[i]);
	op_request(MSG_OP_EFFECTIVE_OF, &out, -1, done, m);
	wire_free(&out);
}

/* What sshd makes of the file; spec "": for nobody in particular. */
static void
ask_file(struct import *m, const char *spec, op_done *done)
{
	struct wire_out out = { 0 };

	if (m->reference != NULL) {
		ask_of(m, m->reference, &spec, 1, done);
		return;
	}
	wire_put_u32(&out, OUTPUT_SSHD_CONFIG);
	wire_put_u32(&out, *spec == '\0' ? 0 : 1);
	if (*spec != '\0')
		wire_put_str(&out, spec);
	op_request(MSG_OP_EFFECTIVE, &out, -1, done, m);
	wire_free(&out);
}

/* The answer, malloc'd; NULL. */
static char *
answer_of(const struct import *m, const struct op_reply *reply)
{
	struct wire_in body = reply->body;

	if (reply->error != 0 ||
	    (m->reference != NULL && wire_get_u32(&body) != 1))
		return NULL;
	return next_text(&body);
}

static void
block_known(const struct op_reply *reply, void *arg)
{
	struct import *m = arg;

	m->befores[m->at] = answer_of(m, reply);
	if (m->befores[m->at] == NULL) {
		fail(m, EIO, "sshd does not say what it does for a Match block",
		    NULL);
		return;
	}
	m->at++;
	ask_block(m);
}

static void
ask_block(struct import *m)
{
	const char *specs[BLOCKS_MAX + 1] = { "" };
	size_t i;

	if (m->at < m->blocks) {
		ask_file(m, m->specs[m->at], block_known);
		return;
	}
	for (i = 0; i < m->blocks; i++)
		specs[i + 1] = m->specs[i];
	ask_of(m, m->rendered, specs, m->blocks + 1, after_known);
}

static void
find_blocks(struct import *m)
{
	const struct flat_line *line;
	size_t i;
	char *spec;

	for (i = 0; i < m->flat.match.count; i++) {
		line = &m->flat.match.list[i];
		if (!flat_is_match(line))
			continue;
		spec = m->blocks < BLOCKS_MAX ? import_spec(line->text) : NULL;
		if (spec == NULL) {
			json_array_append_new(
			    m->not_compared, json_string(line->text));
			continue;
		}
		m->matches[m->blocks] = line->text;
		m->specs[m->blocks++] = spec;
	}
	ask_block(m);
}

/* --- What sshd, and the monitor, take ------------------------------------- */

/* The line of the options that a complaint is about; NULL. */
static struct flat_line *
line_at_fault(struct import *m, const char *complaint)
{
	const char *p = complaint;
	unsigned int number;

	while ((p = strstr(p, "line ")) != NULL) {
		p += strlen("line ");
		number = (unsigned int)strtoul(p, NULL, 10);
		number = ssh_render_sent_line(m->rendered, m->options, number);
		if (number != 0)
			return import_line(&m->flat, m->options, number);
	}
	return NULL;
}

static void
complained(struct import *m, const char *complaint)
{
	struct flat_line *line = line_at_fault(m, complaint);
	char *reason = ssh_complaint(complaint, m->rendered, m->options);
	json_t *list = json_array();

	if (line == NULL)
		fail(m, EINVAL, reason, NULL);
	else if (import_is_harmless(line) && m->checks++ < CHECKS_MAX) {
		import_not_taken(m->not_taken, line, reason);
		check(m);
	} else {
		import_not_taken(list, line, reason);
		fail(m, EINVAL,
		    "A line cannot be taken over, and without it others might "
		    "get in, or further",
		    json_pack("{s:O}", "lines", list));
	}
	json_decref(list);
	free(reason);
}

static void
checked(const struct op_reply *reply, void *arg)
{
	struct import *m = arg;
	struct wire_in body = reply->body;
	uint8_t accepted = wire_get_u8(&body);
	char *complaint = wire_get_str(&body, MESSAGE_INLINE_MAX);

	if (reply->error != 0)
		fail(m, reply->error, reply->text, NULL);
	else if (!accepted)
		complained(m, complaint != NULL ? complaint : "");
	else
		find_blocks(m);
	free(complaint);
}

/* Of the settings with these auxiliary parameters; false: it has failed. */
static bool
render(struct import *m, const char *options, char **textp)
{
	char *why = NULL;

	json_object_set_new(m->entry, "options", json_string(options));
	free(*textp);
	*textp = ssh_render_entry(NULL, m->entry, m->root_password, &why);
	if (*textp == NULL)
		fail(m, EINVAL, why, NULL);
	free(why);
	return *textp != NULL;
}

static void
check(struct import *m)
{
	struct wire_out out = { 0 };
	json_t *text;

	free(m->options);
	m->options = import_options(&m->flat, m->before, m->base_effective);
	text = json_string(m->options);
	if (text == NULL) {
		fail(m, EILSEQ, "The file is not UTF-8", NULL);
		return;
	}
	json_decref(text);
	if (!render(m, m->options, &m->rendered))
		return;
	wire_put_u32(&out, OUTPUT_SSHD_CONFIG);
	wire_put_bytes(&out, m->rendered, strlen(m->rendered));
	op_request(MSG_OP_CHECK_OUTPUT, &out, -1, checked, m);
	wire_free(&out);
}

/* --- Settings ------------------------------------------------------------- */

static void
base_known(const struct op_reply *reply, void *arg)
{
	struct import *m = arg;
	struct wire_in body = reply->body;
	char *only = NULL;
	const char *port;

	free(m->base_effective);
	m->base_effective = NULL;
	if (reply->error == 0 && wire_get_u32(&body) == 1)
		m->base_effective = next_text(&body);
	if (m->base_effective == NULL) {
		fail(m, EIO, reply->error != 0 ? reply->text : "malformed",
		    NULL);
		return;
	}
	if (!m->compatible &&
	    !import_same_algorithms(m->before, m->base_effective)) {
		m->compatible = true;
		json_object_set_new(
		    m->fields, "hardening", json_string("COMPATIBLE"));
		json_object_set_new(m->fields, "weak_ciphers", json_array());
		ask_base(m);
		return;
	}
	if (!core_facts()->expose)
		only = listen_split(core_facts()->listen_address, &port);
	import_choose(&m->flat, m->before, m->base, m->base_effective, only,
	    m->not_taken);
	free(only);
	check(m);
}

static void
ask_base(struct import *m)
{
	static const char *const nobody[] = { "" };

	json_object_update(m->entry, m->fields);
	if (render(m, "", &m->base))
		ask_of(m, m->base, nobody, 1, base_known);
}

/* A password that is disabled or locked would not let it be "yes". */
static bool
root_has_password(void)
{
	json_t *users = change_view_all(NULL, resource_find("user")), *user;
	bool has = false;
	size_t i;

	json_array_foreach(users, i, user)
		has |= json_int(user, "uid", -1) == 0 &&
		    !json_bool(user, "password_disabled", true) &&
		    !json_bool(user, "locked", true);
	json_decref(users);
	return has;
}

static void
before_known(const struct op_reply *reply, void *arg)
{
	struct import *m = arg;

	m->before = answer_of(m, reply);
	if (m->before == NULL) {
		fail(m, EINVAL,
		    reply->error != 0 ? reply->text :
					"sshd does not say what it does",
		    NULL);
		return;
	}
	m->fields = import_fields(m->before);
	if (root_has_password())
		m->root_password = import_root_password(m->before);
	/* Others may serve the port that the machine's own sshd had. */
	if (core_facts()->ssh_port != 0)
		json_object_set_new(
		    m->fields, "tcpport", json_integer(core_facts()->ssh_port));
	ask_base(m);
}

/* The whole in one piece, as sshd would read it with those files. */
static char *
whole(const struct flat *flat)
{
	char *global = flat_text(&flat->global);
	char *match = flat_text(&flat->match);
	char *text = xasprintf("%s%s", global, match);

	free(global);
	free(match);
	return text;
}

void
ssh_import(const struct ssh_files *files, const json_t *also,
    void (*done)(const struct import_result *, void *), void *arg)
{
	struct import *m = xcalloc(1, sizeof(*m));
	json_t *obstacles;

	m->done = done;
	m->arg = arg;
	m->root_password = -1;
	m->not_taken = json_array();
	m->not_compared = json_array();
	m->differences = json_array();
	m->entry = json_deep_copy(
	    store_get(core_store(), ssh_resource.name, ssh_resource.entry));
	flat_make(files, also, &m->flat);
	if (also != NULL)
		m->reference = whole(&m->flat);
	obstacles = import_obstacles(&m->flat);
	if (json_array_size(obstacles) > 0)
		fail(m, EINVAL, "Not every line can be read",
		    json_pack("{s:O}", "lines", obstacles));
	else
		ask_file(m, "", before_known);
	json_decref(obstacles);
}
