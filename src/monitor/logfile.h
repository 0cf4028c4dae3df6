/*
 * The instance's log file: the monitor's own events and the lines that roles
 * and services write to their standard error, stamped, capped and rotated.
 */
#ifndef HF_MONITOR_LOGFILE_H
#define HF_MONITOR_LOGFILE_H

#include <sys/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define LOG_LINE_MAX	8192

/* Opens DIR/log/holdfastd.log and takes over log_error() and its kin. */
int	logfile_open(int dir_fd);

/*
 * A pipe for a process called name; *write_fd is its standard error.  last
 * (LAST_LINE_MAX bytes, may be NULL) always holds the newest line, for error
 * messages.  The reader goes away by itself at the pipe's end.  0 or -1.
 */
#define LAST_LINE_MAX	512
struct log_source;
struct log_source *logfile_source(uv_loop_t *, const char *name, char *last,
    int *write_fd);
void	logfile_source_pid(struct log_source *, pid_t);
/*
 * Calls line() for each line of a pipe as it is logged; message is encoded
 * (log.h).  One observer, for ever.
 */
void	logfile_observe(void (*line)(const char *source, const char *event,
	    const char *message));
/* Reads what the pipes hold right now. */
void	logfile_drain(void);

/*
 * Whether a line is "LEVEL event message" with the message encoded, as
 * log.h has it.  Sets the three parts (in place); message is the rest.
 */
bool	logfile_parse(char *line, const char **level, const char **event,
	    const char **message);

#endif
