/*
 * What `sshd -T` shows, and whether that is what a line of sshd_config asks
 * for.
 */
#ifndef HF_SSH_SHOWN_H
#define HF_SSH_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/ssh/directives.h"

struct shown_line {
	char	*key, *value;
};

/* Sorted by key and value. */
struct shown {
	struct shown_line	*lines;
	size_t			 count;
};

/* Free with shown_free. */
void		 shown_parse(struct shown *, const char *effective);
void		 shown_free(struct shown *);
/* The value of the first line of that key, or NULL. */
const char	*shown_value(const struct shown *, const char *key);
/* The lines of a key: the first's index, and their number. */
size_t		 shown_lines(const struct shown *, const char *key,
		    size_t *countp);

/* Is the directive in effect as this line says? */
bool		 shown_has(const struct shown *, const struct directive *,
		    const struct config_line *);

/*
 * The host part (malloc'd, without brackets) of "192.0.2.1:22", "[::1]:22",
 * "::1" or "name"; *portp: what follows it in value, or NULL.
 */
char		*listen_split(const char *value, const char **portp);
/* The number at the beginning of what listen_split leaves. */
uint16_t	 listen_port(const char *);

/* Shell-like pattern with '*' and '?', as sshd's lists of names have. */
bool		 pattern_match(const char *pattern, const char *text);

#endif
