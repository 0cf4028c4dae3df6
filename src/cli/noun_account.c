/*
 * What only accounts and sessions have: passwords, locks, their end.
 */
#include <stdio.h>
#include <string.h>

#include "cli/assign.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/password.h"
#include "lib/json.h"

enum exit_code
noun_user_password(struct errand *e)
{
	char password[PASSWORD_SIZE] = "";
	enum exit_code code = EXIT_USAGE;
	json_t *entry, *params;

	code = errand_entry(e, e->arguments[0], &entry);
	json_decref(entry);
	if (code != EXIT_DONE)
		return code;
	code = EXIT_USAGE;
	if (password_read("password", password) == 0) {
		params = json_pack("[{s:s, s:s}]", "username", e->arguments[0],
		    "new_password", password);
		if (params == NULL)
			complain("the password must be UTF-8");
		else
			code =
			    errand_call(e, "user.set_password", params, NULL);
	}
	explicit_bzero(password, sizeof(password));
	return code;
}

enum exit_code
noun_user_access(struct errand *e)
{
	json_t *list = NULL;
	enum exit_code code;

	code = errand_call(
	    e, "user.access", json_pack("[[[s, s, []]]]", "ways", "!="), &list);
	if (code == EXIT_DONE)
		print_result(list, e->invocation->json);
	json_decref(list);
	return code;
}

/* The ids of the accounts named before the first field; *restp: that. */
static enum exit_code
ids_of(struct errand *e, json_t *ids, char ***restp)
{
	enum exit_code code = EXIT_DONE;
	char **at = e->arguments;
	json_t *entry;

	for (; *at != NULL && strchr(*at, '=') == NULL; at++) {
		if ((code = errand_entry(e, *at, &entry)) != EXIT_DONE)
			return code;
		json_array_append(ids, json_object_get(entry, "id"));
		json_decref(entry);
	}
	if (restp != NULL)
		*restp = at;
	else if (*at != NULL) {
		complain("%s: a name is wanted", *at);
		return EXIT_USAGE;
	}
	return code;
}

/* All of them or none. */
static enum exit_code
set_locked(struct errand *e, bool locked)
{
	json_t *ids = json_array();
	enum exit_code code = ids_of(e, ids, NULL);

	if (code == EXIT_DONE)
		code = errand_call(e, "user.update_many",
		    json_pack("[O, {s:b}]", ids, "locked", locked), NULL);
	json_decref(ids);
	return code;
}

enum exit_code
noun_user_lock(struct errand *e)
{
	return set_locked(e, true);
}

enum exit_code
noun_user_unlock(struct errand *e)
{
	return set_locked(e, false);
}

enum exit_code
noun_user_limit(struct errand *e)
{
	json_t *ids = json_array(), *fields = NULL, *methods = NULL;
	enum exit_code code;
	char **rest = NULL;

	code = ids_of(e, ids, &rest);
	if (code == EXIT_DONE)
		code = errand_call(
		    e, "core.get_methods", json_pack("[s]", "user"), &methods);
	if (code == EXIT_DONE)
		fields = assign_object(e->client, "user",
		    json_array_get(json_object_get(json_object_get(methods,
						       "user.update_many"),
				       "accepts"),
			1),
		    rest, &code);
	if (fields != NULL)
		code = errand_call(e, "user.update_many",
		    json_pack("[O, o]", ids, fields), NULL);
	json_decref(methods);
	json_decref(ids);
	return code;
}

static json_t *
web_session(const json_t *s)
{
	const json_t *data = json_object_get(s, "credentials_data");

	return json_pack("{s:O, s:O?, s:O, s:O, s:O, s:O}", "id",
	    json_object_get(s, "id"), "username",
	    json_object_get(data, "username"), "origin",
	    json_object_get(s, "origin"), "how",
	    json_object_get(s, "credentials"), "since",
	    json_object_get(s, "created_at"), "current",
	    json_object_get(s, "current"));
}

static json_t *
ssh_session(const json_t *s)
{
	return json_pack("{s:O, s:O, s:o, s:s, s:O, s:b}", "id",
	    json_object_get(s, "id"), "username",
	    json_object_get(s, "username"), "origin",
	    json_sprintf("%s:%lld", json_str(s, "address", "?"),
		(long long)json_int(s, "port", 0)),
	    "how", "SSH", "since", json_object_get(s, "since"), "current", 0);
}

/* Those of the web and of SSH, alike; a new array. */
static enum exit_code
sessions(struct errand *e, json_t **listp)
{
	json_t *web = NULL, *ssh = NULL, *one;
	enum exit_code code;
	size_t i;

	*listp = json_array();
	code = errand_call(e, "auth.sessions", json_array(), &web);
	if (code == EXIT_DONE)
		code = errand_call(e, "ssh.sessions", json_array(), &ssh);
	json_array_foreach(web, i, one)
		json_array_append_new(*listp, web_session(one));
	json_array_foreach(ssh, i, one)
		json_array_append_new(*listp, ssh_session(one));
	json_decref(web);
	json_decref(ssh);
	return code;
}

enum exit_code
noun_session_list(struct errand *e)
{
	json_t *list;
	enum exit_code code = sessions(e, &list);

	if (code == EXIT_DONE)
		print_result(list, e->invocation->json);
	json_decref(list);
	return code;
}

/* A list cuts an id: its beginning will do, if it is that of one only. */
static const json_t *
find_session(const json_t *list, const char *begun)
{
	const json_t *found = NULL;
	json_t *one;
	size_t i, n = 0;

	json_array_foreach(list, i, one)
		if (strncmp(json_str(one, "id", ""), begun, strlen(begun)) ==
		    0) {
			found = one;
			n++;
		}
	if (n == 1)
		return found;
	complain(n == 0 ? "there is no session %s" :
			  "several sessions begin with %s",
	    begun);
	return NULL;
}

enum exit_code
noun_session_end(struct errand *e)
{
	enum exit_code code, one;
	json_t *list;
	const json_t *found;
	size_t i;

	code = sessions(e, &list);
	for (i = 0; code != EXIT_UNREACHABLE && e->arguments[i] != NULL; i++) {
		one = EXIT_SERVER;
		found = find_session(list, e->arguments[i]);
		if (found != NULL)
			one = errand_call(e,
			    strcmp(json_str(found, "how", ""), "SSH") == 0 ?
				"ssh.terminate_session" :
				"auth.terminate_session",
			    json_pack("[O]", json_object_get(found, "id")),
			    NULL);
		if (one != EXIT_DONE)
			code = one;
	}
	json_decref(list);
	return code;
}

enum exit_code
noun_session_end_others(struct errand *e)
{
	return errand_call(
	    e, "auth.terminate_other_sessions", json_array(), NULL);
}
