/*
 * Whom SSH asks for a second factor: everybody who has one, while
 * auth.twofactor says so.  Exempt are accounts of machines (they, or a group
 * of theirs, are marked so) with keys that from= or command= restrict, all of
 * them; not in STIG mode.
 *
 * Accounts, groups and settings are those that a change will leave; change
 * may be NULL.
 */
#ifndef HF_SSH_CODES_H
#define HF_SSH_CODES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct change;

enum ssh_codes { CODES_NONE, CODES_EXEMPT, CODES_ASKED };

/* Of an account, were second factors asked for in SSH logins. */
enum ssh_codes	 ssh_codes_of(const struct change *, const json_t *user);

/*
 * Those who are asked, and not exempt: names, NULL at the end.  The names are
 * the entries', the array the caller's.
 */
const char	**ssh_codes_users(const struct change *);

/* SECOND_FACTOR_FILE's content (lib/second_factor.h): a renderer's function. */
char		*ssh_codes_render(const struct change *, char **whyp);

#endif
