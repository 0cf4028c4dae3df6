/*
 * What only accounts and sessions have: passwords, locks, their end.
 */
#include <stdio.h>
#include <string.h>

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

/* Each on its own: one that cannot be does not keep the others. */
static enum exit_code
set_locked(struct errand *e, bool locked)
{
	enum exit_code code = EXIT_DONE, one;
	json_t *entry;
	size_t i;

	for (i = 0; e->arguments[i] != NULL; i++) {
		one = errand_entry(e, e->arguments[i], &entry);
		if (one == EXIT_DONE)
			one = errand_call(e, "user.update",
			    json_pack("[O, {s:b}]",
				json_object_get(entry, "id"), "locked", locked),
			    NULL);
		json_decref(entry);
		if (one != EXIT_DONE)
			code = one;
		if (one == EXIT_UNREACHABLE)
			break;
	}
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
