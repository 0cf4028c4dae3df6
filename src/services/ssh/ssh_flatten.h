/*
 * sshd_config as sshd reads it, in one piece: Include replaced by what it
 * names, the global lines apart from the Match blocks, each line in the plain
 * form that the auxiliary parameters take.  A pure function of the files.
 */
#ifndef HF_SSH_FLATTEN_H
#define HF_SSH_FLATTEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "services/ssh/directives.h"
#include "services/ssh/ssh_files.h"

struct flat_line {
	char			*text;		/* "Keyword arguments" */
	const struct directive	*directive;	/* NULL: none we know */
	const char		*file;		/* borrowed of the files */
	unsigned int		 number;	/* of the line in it */
	const char		*problem;	/* why it cannot be taken over;
						   static; NULL */
	bool			 dropped;	/* for who goes on with it */
};

struct flat_lines {
	struct flat_line	*list;
	size_t			 count;
};

struct flat {
	struct flat_lines	 global;
	struct flat_lines	 match;		/* "Match ..." and its lines */
};

/*
 * The files must stay; free with flat_free.  also: {path: ...} of files that
 * are read before sshd_config, as if it included them; may be NULL.
 */
void	 flat_make(const struct ssh_files *, const json_t *also, struct flat *);
void	 flat_free(struct flat *);

bool	 flat_is_match(const struct flat_line *);
/* The lines as a text (malloc'd), without those that are dropped. */
char	*flat_text(const struct flat_lines *);

#endif
