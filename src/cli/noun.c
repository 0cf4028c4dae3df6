/*
 * holdfast user, group, privilege, api-key, keychain, session, service, ssh:
 * what people do with the entries of a namespace, by words.  The fields are the server's tables; here
 * stands only what an entry is called by, and what a list shows of it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/assign.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define COLUMNS_MAX 10

struct noun {
	const char *name; /* the word on the command line */
	const char *namespace;
	const char *key; /* people call an entry by this member */
	const char *columns[COLUMNS_MAX]; /* of a list, for people */
};

struct verb {
	const char *name, *arguments, *doc;
	const char *nouns; /* those that have it; NULL: all */
	int least, most; /* arguments; most -1: any number */
	enum exit_code (*run)(struct errand *);
};

/* clang-format off */
static const struct noun nouns[] = {
	{ "user", "user", "username", { "id", "username", "uid", "full_name",
	  "roles", "locked", "password_disabled", "home" } },
	{ "group", "group", "name", { "id", "name", "gid", "users", "roles",
	  "builtin" } },
	{ "privilege", "privilege", "name", { "id", "name", "roles",
	  "web_shell", "builtin_name" } },
	{ "api-key", "api_key", "name", { "id", "name", "username",
	  "created_at", "expires_at", "revoked" } },
	{ "keychain", "keychaincredential", "name", { "id", "name", "type" } },
	{ "session", "auth.sessions", "id", { NULL } },
	{ "service", "service", "service", { "id", "service", "state", "enable",
	  "pids" } },
	{ "ssh", "ssh", NULL, { NULL } },
};
/* clang-format on */

/* --- Asking --------------------------------------------------------------- */

enum exit_code
errand_call(
    struct errand *e, const char *method, json_t *params, json_t **answerp)
{
	enum exit_code code;
	json_t *answer = NULL;
	enum client_answer got;

	got = client_call(e->client, method, params, &answer);
	code = client_outcome(got, answer, e->invocation->json);
	if (code == EXIT_DONE && answerp != NULL)
		*answerp = json_incref(answer);
	json_decref(answer);
	return code;
}

static char *
method_of(const struct errand *e, const char *verb)
{
	return xasprintf("%s.%s", e->noun->namespace, verb);
}

/* The schema of a method's parameter, borrowed from *methodsp. */
static enum exit_code
schema_of(struct errand *e, const char *method, size_t parameter,
    json_t **methodsp, const json_t **schemap)
{
	enum exit_code code;

	*methodsp = NULL;
	code = errand_call(e, "core.get_methods",
	    json_pack("[s]", e->noun->namespace), methodsp);
	if (code == EXIT_DONE)
		*schemap = json_array_get(
		    json_object_get(
			json_object_get(*methodsp, method), "accepts"),
		    parameter);
	return code;
}

enum exit_code
errand_fields(struct errand *e, const char *method, size_t parameter,
    char **arguments, json_t **objectp)
{
	const json_t *schema = NULL;
	enum exit_code code;
	json_t *methods;

	code = schema_of(e, method, parameter, &methods, &schema);
	if (code == EXIT_DONE)
		*objectp = assign_object(
		    e->client, e->noun->namespace, schema, arguments, &code);
	json_decref(methods);
	return code;
}

enum exit_code
errand_entry(struct errand *e, const char *name, json_t **entryp)
{
	char *method = method_of(e, "query");
	enum exit_code code;
	json_t *found = NULL;

	*entryp = NULL;
	code = errand_call(e, method,
	    json_pack("[[[s, s, s]]]", e->noun->key, "=", name), &found);
	free(method);
	if (code == EXIT_DONE && json_array_size(found) != 1) {
		complain(json_array_size(found) == 0 ?
			"there is no %s %s" :
			"several are called %s %s: use call with the id",
		    e->noun->name, name);
		code = EXIT_SERVER;
	}
	if (code == EXIT_DONE)
		*entryp = json_incref(json_array_get(found, 0));
	json_decref(found);
	return code;
}

/* --- The verbs ------------------------------------------------------------ */

/* For people some columns, for programs everything. */
static json_t *
list_options(const struct errand *e)
{
	json_t *select = json_array();
	size_t i;

	if (e->invocation->json || !isatty(STDOUT_FILENO)) {
		json_decref(select);
		return json_object();
	}
	for (i = 0; i < COLUMNS_MAX && e->noun->columns[i] != NULL; i++)
		json_array_append_new(select, json_string(e->noun->columns[i]));
	return json_pack("{s:o}", "select", select);
}

/* FIELD=VALUE as a filter; a value that is no JSON is a text. */
static json_t *
list_filters(char **arguments)
{
	json_t *filters = json_array(), *value;
	char *equals;

	for (; *arguments != NULL; arguments++) {
		if ((equals = strchr(*arguments, '=')) == NULL) {
			complain("%s: FIELD=VALUE is wanted", *arguments);
			json_decref(filters);
			return NULL;
		}
		value = json_parse(equals + 1, strlen(equals + 1), NULL);
		if (value == NULL)
			value = json_string(equals + 1);
		json_array_append_new(filters,
		    json_pack("[s%, s, o]", *arguments,
			(size_t)(equals - *arguments), "=", value));
	}
	return filters;
}

static enum exit_code
run_list(struct errand *e)
{
	char *method = method_of(e, "query");
	json_t *filters = list_filters(e->arguments), *answer = NULL;
	enum exit_code code = EXIT_USAGE;

	if (filters != NULL)
		code = errand_call(e, method,
		    json_pack("[o, o]", filters, list_options(e)), &answer);
	if (code == EXIT_DONE)
		print_result(answer, e->invocation->json);
	json_decref(answer);
	free(method);
	return code;
}

static enum exit_code
run_show(struct errand *e)
{
	json_t *entry;
	enum exit_code code = errand_entry(e, e->arguments[0], &entry);

	if (code == EXIT_DONE)
		print_result(entry, e->invocation->json);
	json_decref(entry);
	return code;
}

static enum exit_code
run_create(struct errand *e)
{
	char *method = method_of(e, "create");
	json_t *data = NULL, *answer = NULL;
	enum exit_code code;

	code = errand_fields(e, method, 0, e->arguments, &data);
	if (code == EXIT_DONE)
		code = errand_call(e, method, json_pack("[o]", data), &answer);
	if (code == EXIT_DONE)
		print_result(answer, e->invocation->json);
	json_decref(answer);
	free(method);
	return code;
}

static enum exit_code
run_update(struct errand *e)
{
	char *method = method_of(e, "update");
	char *get = method_of(e, "get_instance");
	json_t *entry, *data = NULL, *answer = NULL;
	bool waits;
	struct waiting_for what = { .method = get };
	enum exit_code code;

	code = errand_entry(e, e->arguments[0], &entry);
	if (code == EXIT_DONE)
		code = errand_fields(e, method, 1, e->arguments + 1, &data);
	waits = json_is_integer(json_object_get(data, "rollback_timeout"));
	if (code == EXIT_DONE)
		code = errand_call(e, method,
		    json_pack("[O, o]", json_object_get(entry, "id"), data),
		    &answer);
	if (code == EXIT_DONE)
		print_result(answer, e->invocation->json);
	if (code == EXIT_DONE && waits) {
		what.params = json_pack("[O]", json_object_get(entry, "id"));
		what.changed = answer;
		code = noun_await(e, &what);
	}
	json_decref(what.params);
	json_decref(entry);
	free(get);
	json_decref(answer);
	free(method);
	return code;
}

static enum exit_code
run_delete(struct errand *e)
{
	char *method = method_of(e, "delete");
	json_t *entry, *options = NULL, *params;
	enum exit_code code;

	code = errand_entry(e, e->arguments[0], &entry);
	if (code == EXIT_DONE && e->arguments[1] != NULL)
		code = errand_fields(e, method, 1, e->arguments + 1, &options);
	if (code == EXIT_DONE) {
		params = json_pack("[O]", json_object_get(entry, "id"));
		if (options != NULL)
			json_array_append(params, options);
		code = errand_call(e, method, params, NULL);
	}
	json_decref(options);
	json_decref(entry);
	free(method);
	return code;
}

/* clang-format off */
#define ENTRIES " user group privilege api-key keychain "

static const struct verb verbs[] = {
	{ "list", "[FIELD=VALUE...]", "List them, or those whose fields are so.",
	  ENTRIES, 0, -1, run_list },
	{ "show", "NAME", "Show one with all its fields.",
	  ENTRIES, 1, 1, run_show },
	{ "create", "FIELD=VALUE...", "Make one.",
	  ENTRIES, 1, -1, run_create },
	{ "update", "NAME FIELD=VALUE...", "Change one.",
	  ENTRIES, 2, -1, run_update },
	{ "delete", "NAME [OPTION=VALUE...]", "Remove one.",
	  ENTRIES, 1, -1, run_delete },
	{ "password", "NAME", "Give one a new password, which is asked for.",
	  " user ", 1, 1, noun_user_password },
	{ "access", "", "Say who may log in, by which ways, and did last.",
	  " user ", 0, 0, noun_user_access },
	{ "export", "", "Write them as comma-separated values.", " user ",
	  0, 0, noun_user_export },
	{ "import", "FILE.csv [dry-run]", "Make those that the file lists.",
	  " user ", 1, 2, noun_user_import },
	{ "limit", "NAME... FIELD=VALUE...",
	  "Lock these, or say until when something holds.",
	  " user ", 2, -1, noun_user_limit },
	{ "lock", "NAME...", "Lock these.", " user ", 1, -1, noun_user_lock },
	{ "unlock", "NAME...", "Unlock these.", " user ", 1, -1,
	  noun_user_unlock },
	{ "test", "NAME", "Log in on the other machine and out again.",
	  " keychain ", 1, 1, noun_keychain_test },
	{ "stale", "", "List those to look at, and why.", " keychain ", 0, 0,
	  noun_keychain_stale },
	{ "list", "", "List them, those of SSH too.", " session ", 0, 0,
	  noun_session_list },
	{ "end", "ID...", "End these.", " session ", 1, -1, noun_session_end },
	{ "end-others", "", "End all but one's own, and root's here.",
	  " session ", 0, 0, noun_session_end_others },
	{ "show", "", "Show the settings.", " ssh ", 0, 0, noun_ssh_show },
	{ "update", "[--dry-run | --no-confirm] FIELD=VALUE...",
	  "Change settings; taken back after a minute unless confirmed.",
	  " ssh ", 1, -1, noun_ssh_update },
	{ "list", "[FIELD=VALUE...]", "List them, or those whose fields are so.",
	  " service ", 0, -1, run_list },
	{ "show", "NAME", "Show one with all its fields.", " service ", 1, 1,
	  run_show },
	{ "start", "NAME", "Start it.", " service ", 1, 1,
	  noun_service_start },
	{ "stop", "[--no-confirm] NAME",
	  "Stop it; started again after a minute unless confirmed.",
	  " service ", 1, 2, noun_service_stop },
	{ "restart", "NAME", "Stop it and start it again.", " service ", 1, 1,
	  noun_service_restart },
	{ "reload", "NAME", "Have it read its configuration again.",
	  " service ", 1, 1, noun_service_reload },
	{ "enable", "NAME", "Start it with the machine.", " service ", 1, 1,
	  noun_service_enable },
	{ "disable", "[--no-confirm] NAME",
	  "No longer; taken back after a minute unless confirmed.",
	  " service ", 1, 2, noun_service_disable },
	{ "checkin", "[unverified]",
	  "Confirm a change, after an administrator's login.",
	  " user service ssh ", 0, 1, noun_checkin },
	{ "options", "[--no-confirm] FILE [FIELD=VALUE...]",
	  "Make the file the auxiliary parameters.", " ssh ", 1, -1,
	  noun_ssh_options },
	{ "edits", "[import | discard]",
	  "Show what others wrote into sshd_config, or deal with it.", " ssh ",
	  0, 1, noun_ssh_edits },
	{ "host-keys", "", "Show the host keys that clients are offered.",
	  " ssh ", 0, 0, noun_ssh_host_keys },
	{ "host-certificate", "FILE",
	  "Show clients this certificate of a host key.", " ssh ", 1, 1,
	  noun_ssh_host_certificate },
	{ "rotate-host-keys", "[TYPE... | undo | finish]",
	  "Replace host keys, the former ones offered meanwhile.", " ssh ",
	  0, -1, noun_ssh_rotate },
	{ "take-back", "", "Take a change back before its time.",
	  " user service ssh ", 0, 0, noun_take_back },
};
/* clang-format on */

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* " user group " has " user ". */
static bool
has_verb(const struct noun *noun, const struct verb *verb)
{
	char *word = xasprintf(" %s ", noun->name);
	bool found = strstr(verb->nouns, word) != NULL;

	free(word);
	return found;
}

static const struct noun *
noun_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(nouns); i++)
		if (strcmp(nouns[i].name, name) == 0)
			return &nouns[i];
	return NULL;
}

static void
usage(const struct noun *noun)
{
	size_t i;

	fprintf(
	    stderr, "usage: holdfast %s VERB [ARGUMENT...]\n\n", noun->name);
	for (i = 0; i < COUNT(verbs); i++)
		if (has_verb(noun, &verbs[i]))
			fprintf(stderr, "  %s%s%s\n\t%s\n", verbs[i].name,
			    *verbs[i].arguments == '\0' ? "" : " ",
			    verbs[i].arguments, verbs[i].doc);
	if (noun->columns[0] != NULL)
		fprintf(stderr, "\nThe fields: holdfast describe %s.create\n",
		    noun->namespace);
}

static const struct verb *
verb_of(const struct noun *noun, const struct invocation *invocation)
{
	const char *name = invocation->argv[0];
	int given = invocation->argc - 1;
	size_t i;

	for (i = 0; name != NULL && i < COUNT(verbs); i++) {
		if (strcmp(verbs[i].name, name) != 0 ||
		    !has_verb(noun, &verbs[i]))
			continue;
		if (given >= verbs[i].least &&
		    (verbs[i].most == -1 || given <= verbs[i].most))
			return &verbs[i];
		complain("%s %s %s", noun->name, name, verbs[i].arguments);
		return NULL;
	}
	usage(noun);
	return NULL;
}

enum exit_code
command_noun(const struct invocation *invocation)
{
	struct errand e = { .invocation = invocation,
		.noun = noun_by_name(invocation->command) };
	const struct verb *verb = verb_of(e.noun, invocation);
	enum exit_code code;

	if (verb == NULL)
		return EXIT_USAGE;
	if ((e.client = client_open(invocation->instance)) == NULL)
		return EXIT_UNREACHABLE;
	e.arguments = invocation->argv + 1;
	code = verb->run(&e);
	client_close(e.client);
	return code;
}
