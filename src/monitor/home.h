/*
 * Homes of accounts: where one may be, made with a skeleton, and the SSH keys
 * in it.  An operation's child does this as root only as far as folders have
 * to be found and given away; inside a home everything is done by a child of
 * the home's user, so that no link, mount or pipe that this user put there
 * leads to what is not the user's anyway.
 *
 * A home is below /home or /mnt, or root's /root.  The folders above it belong
 * to root (or its user) and nobody else may write to them, there is no
 * symbolic link on the way: sshd(8) wants the same before it believes a key
 * (StrictModes, sshd_config(5)).
 */
#ifndef HF_MONITOR_HOME_H
#define HF_MONITOR_HOME_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>

struct home {
	int		 root;	/* a folder that stands for "/" */
	const char	*path;	/* absolute */
	uid_t		 uid;
	gid_t		 gid;
};

/*
 * All return 0, or an errno with a line for people in why.
 *
 * home_check: may it be made (or is the user's already), or, when it is to be
 * there, is it a folder of the user, or an empty one of root?
 */
int	home_check(const struct home *, bool make, char *why, size_t);
/*
 * Can the folder that it is in be all that its user sees (ChrootDirectory,
 * sshd_config(5))?  All on the way is root's then.
 */
int	home_check_rooted(const struct home *, char *why, size_t);

/*
 * Makes it whole beside its place, with that mode (at most 0777) and a copy of
 * what is in the folder from (NULL, or one that is not there: /etc/skel), both
 * read as the user.  What an earlier one left there goes first.  The user's
 * own that is there already stays, and is given the keys.
 */
int	home_stage(const struct home *, mode_t mode, const char *from,
	    const char *keys, char *why, size_t);
/*
 * What was staged gets its name, or goes.  Asked again, it does nothing: none
 * staged is no error.
 */
int	home_settle(const struct home *, bool use, char *why, size_t);

/*
 * Of one that is there: its mode (-1: as it is) and our part of its
 * .ssh/authorized_keys (keys NULL: as it is).
 */
int	home_update(const struct home *, int mode, const char *keys, char *why,
	    size_t);

/*
 * The text of authorized_keys with our part, between two comments, holding
 * these keys ("": no part); what stands outside of it stays.  Caller frees.
 */
char	*home_merge_keys(const char *old, const char *keys);

/*
 * Runs fn in a child that is the home's user and nobody else (gid, no other
 * groups, no capability); fn returns 0, or an errno with why.
 */
int	home_as_user(const struct home *, int (*fn)(void *, char *why, size_t),
	    void *arg, char *why, size_t);

/*
 * As the user: the content of the folder from into the empty folder to.
 * Links are copied as links, what is no file, folder or link is left out.
 * Fails with EFBIG where there is too much.
 */
int	home_copy(int from, int to, char *why, size_t);
/* Everything in the folder goes. */
int	home_empty(int folder, char *why, size_t);

/* Fills why; returns the errno, for `return home_fail(...)`. */
int	home_fail(char *why, size_t, int error, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

#endif
