/*
 * What becomes of a foreign sshd_config: which settings it means, what of it
 * goes into the auxiliary parameters, and what is another thing afterwards.
 * Pure functions; "effective" is what `sshd -T` shows.
 *
 * A directive that Holdfast renders itself with the same effect is left out;
 * any other stays as it was written.  Of what the file leaves to sshd's own
 * defaults, that is written down without which somebody might not get in.
 */
#ifndef HF_SSH_IMPORT_PLAN_H
#define HF_SSH_IMPORT_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "services/ssh/ssh_flatten.h"

/* Members of ssh.update, from what sshd does; a new reference. */
json_t	*import_fields(const char *effective);
/* Does it let root in with a password, as far as root is concerned? */
bool	 import_root_password(const char *effective);
/* Do both offer the same algorithms? */
bool	 import_same_algorithms(const char *effective, const char *other);

/* Adds {file, line, text, reason} of a line that is not taken over. */
void	 import_not_taken(json_t *list, struct flat_line *, const char *reason);
/*
 * Lines that cannot be taken over and without which others might get in, or
 * more than before: {file, line, text, reason}.  A new reference.
 */
json_t	*import_obstacles(const struct flat *);

/*
 * Drops what need not stand in the auxiliary parameters.  base: what would be
 * rendered without any, and what sshd makes of that.  only: the one address
 * that the instance serves, NULL: all.
 */
void	 import_choose(struct flat *, const char *before, const char *base,
	    const char *base_effective, const char *only, json_t *not_taken);
/* The text of the auxiliary parameters, malloc'd. */
char	*import_options(const struct flat *, const char *before,
	    const char *base_effective);
/* Line `number` of that text; NULL: it is not one of the file's. */
struct flat_line *import_line(struct flat *, const char *options,
	    unsigned int number);
/* Can it be left out without letting anybody in, or any further? */
bool	 import_is_harmless(const struct flat_line *);

/*
 * A connection, as of sshd -C, that a Match line applies to (malloc'd); NULL:
 * none can be told.
 */
char	*import_spec(const char *match);
/* Adds {match, directive, before, after}; values joined by ", ". */
void	 import_differences(json_t *list, const char *match,
	    const char *before, const char *after);

#endif
