/*
 * The last words of a service: the newest lines in which it complained,
 * bounded and printable, for whoever asks why it ended.
 */
#ifndef HF_MONITOR_WORDS_H
#define HF_MONITOR_WORDS_H

#include <sys/types.h>
#include <stdbool.h>

#define WORDS_MAX	512

/* Lines joined by "; "; all zero is none. */
struct words {
	char	text[WORDS_MAX];
};

/*
 * Adds a line, encoded as in our log (log.h), and drops the oldest that have
 * no room.  Lines without a letter or a figure and repeated ones say nothing.
 */
void	words_add(struct words *, const char *line);

/*
 * A line that the audit role made of a datagram to /dev/log (syslog.c):
 * whose it is, whether it tells of an error, and the text behind its tag.
 * false when it is none.
 */
bool	words_syslog(const char *message, pid_t *pidp, bool *errorp,
	    const char **textp);

#endif
