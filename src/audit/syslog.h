/*
 * /dev/log of the instance: what its daemons say becomes lines of our log,
 * with the sender's credentials as the kernel states them.
 */
#ifndef HF_AUDIT_SYSLOG_H
#define HF_AUDIT_SYSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

/*
 * Lines a second; others than root have only a part of it, so that nobody
 * pushes root's lines out.
 */
#define SYSLOG_LINES		200
#define SYSLOG_LINES_OTHERS	100

struct syslog_reader;
struct words_reader;
struct console;

/*
 * Reads datagrams from fd (a bound socket; taken over) on the loop; what they
 * say is told to the reader of words as well (borrowed).  NULL with errno.
 */
struct syslog_reader *syslog_reader_new(uv_loop_t *, int fd,
		    struct words_reader *);
/* Calls with each process that root sends a line from. */
void	syslog_reader_watch(struct syslog_reader *,
	    void (*root)(pid_t, void *), void *arg);
/* Shows each line that is logged (borrowed). */
void	syslog_reader_show(struct syslog_reader *, struct console *);
/* NULL is fine.  The loop must turn once more before it is closed. */
void	syslog_reader_free(struct syslog_reader *);

/* A datagram taken apart (RFC 3164, as syslog(3) sends it). */
struct syslog_line {
	const char	*facility, *severity;
	const char	*text;	/* within the datagram */
	size_t		 len;
};

/* Any bytes will do; without <PRI> it is user.notice. */
void	syslog_parse(const char *data, size_t len, struct syslog_line *);

struct syslog_budget {
	uint64_t	second;
	unsigned int	lines, others;
};

/* Whether one more line may be written in the second of that time (ms). */
bool	syslog_permit(struct syslog_budget *, uint64_t now, bool root);

#endif
