/*
 * The instance's folder DIR: opened without following links, refused where
 * others may write, locked against a second monitor, and taken away again
 * when a start that made it fails.
 */
#ifndef HF_MONITOR_FOLDER_H
#define HF_MONITOR_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

struct folder {
	char	*path;		/* absolute; never freed */
	int	 fd;		/* DIR, a readable folder */
	int	 lock_fd;	/* holds DIR/lock */
	bool	 made;		/* by this start */
	bool	 created;	/* its content is this start's */
};

/*
 * Opens or makes DIR (0700, root; its parent must be there) and locks it.
 * 0, or -1 with a line for people in why; then nothing is left behind.
 */
int	folder_open(const char *path, struct folder *, char *why, size_t);

/*
 * The same folder again, as seen from another mount namespace; -1 with why
 * when it is another one now.
 */
int	folder_reopen(struct folder *, char *why, size_t);

/*
 * Makes the folders inside: state, audit, log, tls, and for an instance fs/...
 */
int	folder_populate(const struct folder *, bool instance, char *why,
	    size_t);

/* Removes what this start made; only when created. */
void	folder_undo(const struct folder *);

/*
 * Removes name and all below it in the folder fd, without leaving its file
 * system and without following links.  0 or -1 with errno.
 */
int	folder_remove(int fd, const char *name);

#endif
