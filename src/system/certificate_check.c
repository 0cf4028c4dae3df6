/*
 * What a change of certificates may do: the machine's own stays as it is, and
 * a worker reads what is new.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/certificate.h"
#include "system/certificate_internal.h"

/* As it came, not out of a saved configuration or from history. */
static bool
is_new(const struct change *c)
{
	return c->call->method->run == certificate_create_run;
}

static const char *
member(const struct change *c, const char *name)
{
	return json_str(c->after, name, "");
}

static bool
is_as_before(const struct change *c)
{
	static const char *const members[] = { "certificate", "privatekey",
		"CSR" };
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!json_equal(json_object_get(c->before, members[i]),
			json_object_get(c->after, members[i])))
			return false;
	return c->before != NULL;
}

void
certificate_check(struct change *c)
{
	if (c->verb == CHANGE_DELETE) {
		if (certificate_is_own(c->before))
			verr_add_errno(c->errors, EPERM, "id",
			    "The machine's own certificate stays");
		return;
	}
	if (c->verb == CHANGE_UPDATE && certificate_is_own(c->before) &&
	    !json_equal(json_object_get(c->before, "name"),
		json_object_get(c->after, "name")))
		verr_add_errno(c->errors, EPERM, "name",
		    "The machine's own certificate keeps its name");
	if (certificate_is_own(c->after))
		return;
	if ((*member(c, "certificate") == '\0') == (*member(c, "CSR") == '\0'))
		verr_add(c->errors, "certificate",
		    "It is a certificate, or a request");
}

/* --- Reading -------------------------------------------------------------- */

/*
 * What a worker finds in it, and no other member: who reads foreign bytes may
 * be owned by them.
 */
static bool
is_told(const struct field *f)
{
	return (f->flags & FF_KEPT) != 0 && strcmp(f->name, "builtin") != 0;
}

static json_t *
told_of(const char *text)
{
	struct verr *errors = verr_new();
	const char *why;
	json_t *told = json_parse(text, strlen(text), &why), *value;
	json_t *valid = json_object();
	const struct field *f;

	for (f = certificate_fields; f->name != NULL; f++) {
		value = json_object_get(told, f->name);
		if (is_told(f) && value != NULL)
			json_object_set_new(valid, f->name,
			    schema_value(
				f, f->name, value, SCHEMA_STORED, errors));
	}
	if (told == NULL || verr_any(errors)) {
		json_decref(valid);
		valid = NULL;
	}
	json_decref(told);
	verr_free(errors);
	return valid;
}

json_t *
certificate_answer(const struct op_reply *reply)
{
	struct wire_in in = reply->body;
	char *text = wire_get_str(&in, CERTIFICATE_TEXT_MAX * 2);
	char *key = wire_get_str(&in, KEY_TEXT_MAX * 2);
	char *told = wire_get_str(&in, CERTIFICATE_TEXT_MAX * 8);
	json_t *members = NULL;

	if (wire_end(&in) == 0 && (members = told_of(told)) != NULL) {
		json_object_set_new(members, "certificate", json_string(text));
		if (*key != '\0')
			json_object_set_new(
			    members, "privatekey", json_string(key));
	}
	free(text);
	freezero_str(key);
	free(told);
	return members;
}

static void
known(const struct op_reply *reply, void *arg)
{
	struct change *c = arg;
	bool request = *member(c, "CSR") != '\0';
	const char *text = request ? "CSR" : "certificate";
	json_t *members = NULL;

	if (reply->error != 0)
		verr_add(c->errors,
		    reply->error == ENOKEY           ? "passphrase" :
			reply->error == EKEYREJECTED ? "privatekey" :
						       text,
		    "%s", reply->text);
	else if ((members = certificate_answer(reply)) == NULL)
		verr_add(c->errors, text, "It could not be read");
	if (members != NULL && request) {
		json_object_set(
		    members, "CSR", json_object_get(members, "certificate"));
		json_object_set_new(members, "certificate", json_null());
	}
	if (members != NULL)
		json_object_update(c->after, members);
	json_decref(members);
	change_continue(c);
}

/* Longer ones do not reach the worker. */
static bool
check_lengths(struct change *c)
{
	static const char *const members[] = { "certificate", "CSR",
		"privatekey" };
	bool fits = true;
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (strlen(member(c, members[i])) > CERTIFICATE_TEXT_MAX) {
			verr_add(c->errors, members[i], "It is too long");
			fits = false;
		}
	return fits;
}

void
certificate_lookup(struct change *c)
{
	struct wire_out body = { 0 };
	bool request;

	if (c->verb == CHANGE_DELETE || change_is_faulty(c) ||
	    certificate_is_own(c->after) || is_as_before(c) ||
	    !check_lengths(c)) {
		change_continue(c);
		return;
	}
	request = *member(c, "CSR") != '\0';
	wire_put_u8(&body, request);
	wire_put_u8(&body, !is_new(c));
	wire_put_str(&body, member(c, request ? "CSR" : "certificate"));
	wire_put_str(&body, member(c, "privatekey"));
	wire_put_str(
	    &body, is_new(c) ? json_str(c->given, "passphrase", "") : "");
	op_worker(TASK_CERTIFICATE_READ, &body, known, c);
	wire_free(&body);
}
