/*
 * The account files as text: what core asks for is checked, then merged into
 * passwd(5), shadow(5), group(5) and gshadow(5) without touching a line that
 * is not managed (accounts_merge.c).  Pure functions; op_accounts.c reads and
 * writes the files.
 */
#ifndef HF_MONITOR_ACCOUNTS_H
#define HF_MONITOR_ACCOUNTS_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

enum account_file {
	FILE_SHADOW,
	FILE_GSHADOW,
	FILE_GROUP,
	FILE_PASSWD,
	ACCOUNT_FILES
};

#define SHADOW_DAYS	6	/* change, min, max, warn, inactive, expire */

struct account {
	char	*name;
	uid_t	 uid;
	gid_t	 gid;
	char	*gecos, *home, *shell;
	char	*hash;	/* secret; ACCOUNT_KEEP: as shadow has it */
	long	 days[SHADOW_DAYS]; /* of shadow(5) from its third field on;
				       -1: empty */
};

#define ACCOUNT_KEEP	"="

struct account_group {
	char	*name;
	gid_t	 gid;
	char	**members;
	size_t	 nmembers;
};

struct accounts {
	struct account		*users;
	size_t			 nusers;
	struct account_group	*groups;
	size_t			 ngroups;
};

/* The groups that TrueNAS has and Debian does not; name NULL ends. */
struct known_group {
	const char	*name;
	gid_t		 gid;
};
extern const struct known_group known_groups[];

/*
 * Reads the list of all managed accounts as core renders it, a line each,
 *
 *	user:NAME:UID:GID:GECOS:HOME:SHELL:HASH:CHANGE:MIN:MAX:WARN:INACTIVE:EXPIRE
 *	group:NAME:GID:MEMBER,MEMBER
 *
 * and checks every member: names, ids of ours only, no control character
 * anywhere, no empty hash, nothing twice.  0, or -1 with a line in why.  Free
 * in both cases.
 */
int	 accounts_parse(const char *text, struct accounts *, char *why,
	    size_t);
void	 accounts_free(struct accounts *);

/*
 * The names of the users, or the groups, among them, to be asked often; as
 * long as the accounts are there.
 */
struct account_names;
struct account_names *accounts_names(const struct accounts *, bool groups);
bool	 accounts_names_have(const struct account_names *, const char *);
void	 accounts_names_free(struct account_names *);

/*
 * 0 when no entry collides with one that is not managed: the same name with
 * an id that is not ours, or the same id under another name.  Else -1, why.
 * gone (may be NULL): those that were managed before.  An account whose hash is
 * kept may be taken over, unless it expires on a day that somebody set.
 */
int	 accounts_conflict(char *const texts[ACCOUNT_FILES],
	    const struct accounts *, const struct accounts *gone, char *why,
	    size_t);

/*
 * The file's new text (caller frees with freezero_str): managed lines in
 * their old places, new ones at the end, those only in gone (may be NULL)
 * left out, all others as they were.  Of a hash that is kept, empty days but
 * the last are kept as well, and its line when it leaves the list: it is the
 * system's still.
 */
char	*accounts_merge(enum account_file, const char *old,
	    const struct accounts *, const struct accounts *gone);

/* The file's text with every password made unusable ("*"). */
char	*accounts_lock(enum account_file, const char *old);

/* The id of a user or group line of that name; -1 when there is none. */
long	 accounts_find(const char *text, const char *name);
/* The name of the line with that id, a fresh string; NULL if there is none. */
char	*accounts_find_id(const char *text, long id);

/* "passwd", ... in /etc. */
const char *accounts_file_name(enum account_file);

bool	 accounts_name_valid(const char *);
/* Can it be that of an account that we manage, root's aside? */
bool	 accounts_uid_ours(uid_t);
bool	 accounts_gid_ours(gid_t);

#endif
