/*
 * What sshd may read its configuration from, as it lies in /etc/ssh: the
 * monitor reads, core looks at it.
 */
#ifndef HF_SSH_FILES_H
#define HF_SSH_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/digest.h"
#include "services/catalog.h"

#define SSH_FOLDER "/etc/ssh"
#define SSH_MAIN_FILE "sshd_config"
#define SSH_ASIDE_FILE SSH_MAIN_FILE OUTPUT_ASIDE
/* What Debian's sshd_config includes. */
#define SSH_DROP_INS "sshd_config.d/*.conf"

struct ssh_file {
	char	*path;		/* below SSH_FOLDER */
	char	*content;	/* len bytes and a NUL; any bytes */
	size_t	 len;
	char	*problem;	/* why it cannot be read; "" */
};

struct ssh_files {
	bool		 debians;	/* sshd_config is as its package's */
	bool		 at_boot;	/* sshd starts with the machine */
	/*
	 * Of sshd_config as it lies there; "": it cannot be read.  In the list
	 * there may be, in its place, what somebody else wrote into it that
	 * had to make room when a change was taken back.
	 */
	char		 there[DIGEST_TEXT];
	bool		 aside;		/* that is so */
	struct ssh_file	*list;
	size_t		 count;
};

/* done gets them (its own from then on), or NULL and one line. */
void	 ssh_files_ask(void (*done)(struct ssh_files *, const char *why,
	    void *), void *arg);
void	 ssh_files_free(struct ssh_files *);	/* NULL is fine */

const struct ssh_file	*ssh_files_find(const struct ssh_files *,
			    const char *path);
bool	 ssh_file_is_drop_in(const struct ssh_file *);

#endif
