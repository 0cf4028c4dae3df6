/*
 * What the verbs of user, group, privilege, api-key and session share: noun.c
 * is their tables and what all of them have, noun_account.c the rest.
 */
#ifndef HF_CLI_NOUN_H
#define HF_CLI_NOUN_H

#include <jansson.h>

#include "cli/client.h"
#include "cli/command.h"

struct noun;

struct errand {
	const struct invocation	*invocation;
	const struct noun	*noun;
	struct client		*client;
	char			**arguments;	/* behind the verb, NULL ends */
};

/*
 * Calls (params is stolen); an error was printed.  The answer, a new
 * reference, is set when it is EXIT_DONE; answerp may be NULL.
 */
enum exit_code	errand_call(struct errand *, const char *method,
		    json_t *params, json_t **answerp);
/* The noun's entry of that name; said, when there is none. */
enum exit_code	errand_entry(struct errand *, const char *name,
		    json_t **entryp);

/* The arguments as an object for that parameter of the method. */
enum exit_code	errand_fields(struct errand *, const char *method,
		    size_t parameter, char **arguments, json_t **objectp);

/* A file of text, "-" standard input, malloc'd; NULL: it was said why not. */
char		*noun_read_file(const char *path);

enum exit_code	noun_user_password(struct errand *);
enum exit_code	noun_user_access(struct errand *);
enum exit_code	noun_user_export(struct errand *);
enum exit_code	noun_user_import(struct errand *);
enum exit_code	noun_user_limit(struct errand *);
enum exit_code	noun_user_lock(struct errand *);
enum exit_code	noun_user_unlock(struct errand *);
enum exit_code	noun_keychain_test(struct errand *);
enum exit_code	noun_keychain_stale(struct errand *);
enum exit_code	noun_session_list(struct errand *);
enum exit_code	noun_session_end(struct errand *);
enum exit_code	noun_session_end_others(struct errand *);
enum exit_code	noun_ssh_show(struct errand *);
enum exit_code	noun_ssh_update(struct errand *);
enum exit_code	noun_ssh_host_keys(struct errand *);
enum exit_code	noun_ssh_host_certificate(struct errand *);
enum exit_code	noun_ssh_rotate(struct errand *);
enum exit_code	noun_ssh_options(struct errand *);
enum exit_code	noun_ssh_edits(struct errand *);
enum exit_code	noun_service_enable(struct errand *);
enum exit_code	noun_service_disable(struct errand *);
enum exit_code	noun_service_start(struct errand *);
enum exit_code	noun_service_stop(struct errand *);
enum exit_code	noun_service_restart(struct errand *);
enum exit_code	noun_service_reload(struct errand *);

/* What may wait to be confirmed; noun_confirm.c. */
struct waiting_for {
	const char	*method;	/* tells how it is */
	json_t		*params;	/* of that */
	const json_t	*changed;	/* its members, as the change made it */
};

/* Says that it waits, if it does; on a terminal, until it does no longer. */
enum exit_code	noun_await(struct errand *, const struct waiting_for *);
/* True: the word is there, which is taken out of the arguments. */
bool		noun_take_word(char **arguments, const char *word);
/* Without "--no-confirm", which is taken out, the time it has is set. */
void		noun_confirmed(char **arguments, json_t *data);
enum exit_code	noun_checkin(struct errand *);
enum exit_code	noun_take_back(struct errand *);

#endif
