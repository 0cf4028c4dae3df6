/*
 * What the parts of user.* share: user.c is the table and the methods,
 * user_check.c the rules, user_file.c what the account files say,
 * user_password.c passwords, user_until.c what is for a time, user_setup.c the
 * first administrator, user_home.c homes and keys, user_beside.c what a change
 * does beside files, user_many.c many accounts at once.
 */
#ifndef HF_USER_INTERNAL_H
#define HF_USER_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/method.h"

struct call;
struct change;

/* Ids of these entries, as in TrueNAS. */
#define ID_ROOT		1
#define ID_ADMIN	2
#define UID_ADMIN	950	/* truenas_admin */

/* Bytes of a field of passwd(5), as the monitor takes it. */
#define USER_LINE_MAX	255

/* Is it one of the system's that Holdfast does not write? */
bool	 user_is_foreign(const json_t *user);
/* Are its name, home and group fixed? */
bool	 user_is_immutable(const json_t *user);
/* The id of the entry with that name, or uid; or -1. */
int64_t	 user_of_name(const char *);
int64_t	 user_of_uid(int64_t uid);
/* The first number after that which no account has or had; -1: at all. */
int64_t	 user_next_uid(int64_t after);

/* user_access.c */
extern const struct field user_access_list;
void	 user_access_run(struct call *);

/* user_check.c: the resource's hook. */
void	 user_check(struct change *);

/*
 * user_file.c: the resource's hooks (core/method.h); lookup also gives a new
 * account its number.
 */
void	 user_gather(void (*done)(void));
void	 user_lookup(struct change *);
/* user.get_user_obj and user.shell_choices */
void	 user_obj_run(struct call *);
void	 user_shells_run(struct call *);

/* user_password.c: what of a change is about the password. */
void	 user_password_check(struct change *);
/* The change's new password; NULL: it has none. */
const char *user_password_of(const struct change *);
/* Hashes it into the entry, and goes on. */
void	 user_password_apply(struct change *);
/* As the rules want it, longer if they do; a new reference. */
json_t	*user_random_password(void);
extern const struct field user_set_password_params[];
void	 user_set_password_run(struct call *);

/*
 * user_until.c: what is for a time.  At start, before anything is rendered,
 * what became over ends; later whenever it is time, and after every change.
 */
void	 user_until_check(struct change *);
void	 user_until_start(void);
void	 user_until_review(void);
/* Is it one by time, and nobody may go on with what it ends? */
bool	 user_until_takes_away(const struct change *);

/*
 * user_home.c: the home and the keys in it.  check: errors on its members;
 * lookup: the folders, then goes on; beside: the resource's hook, user_beside.c
 * calls it; recover: ends what a crash left, at start.
 */
void	 user_home_check(struct change *);
void	 user_home_lookup(struct change *, void (*then)(struct change *));
void	 user_home_beside(struct change *, enum beside);
void	 user_home_recover(void (*done)(void));
/* user_beside.c: the resource's hook. */
void	 user_beside(struct change *, enum beside);

/* user_many.c: user.import and user.update_many */
#define USER_IMPORT_BYTES	(8 << 20)	/* of its file */
extern const struct field user_import_params[];
extern const struct field user_import_result;
char	*user_import_lock(const json_t *params);
void	 user_import_run(struct call *);
void	 user_import_abort(struct call *);
extern const struct field user_update_many_params[];
void	 user_update_many_run(struct call *);
/* user.c: what follows an update. */
void	 user_updated(struct change *);
extern const struct field user_fields[];

/* user_leftovers.c: user.leftovers */
extern const struct field user_leftovers_params[];
extern const struct field user_leftovers_result;
char	*user_leftovers_lock(const json_t *params);
void	 user_leftovers_run(struct call *);

/* user_setup.c: the methods before there is an administrator. */
extern const struct field user_setup_params[];
void	 user_setup_run(struct call *);
void	 user_has_administrator_run(struct call *);
/* After a crash between the account and the stored flag. */
void	 user_setup_finish(void);
/* Another one may have been first while this call was hashing. */
void	 user_setup_check(struct change *);

#endif
