/*
 * One structured line per event.  A role writes to its standard error, which
 * is a pipe to the monitor; the monitor stamps, caps and stores the lines.
 *
 * A line on the pipe is "LEVEL event message" with the message vis(3)-like
 * encoded, so that no text, whoever supplied it, can begin a line of its own.
 * In the log file:
 *	2026-11-21T09:15:00.123456Z web[712] info client.open "..."
 * Secrets have a type of their own (secret.h) and no conversion here.
 */
#ifndef HF_LOG_H
#define HF_LOG_H

#include <stddef.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO };

/* event is a fixed dotted word, e.g. "service.started". */
#define log_error(event, ...)	log_write(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...)	log_write(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define log_info(event, ...)	log_write(LOG_LEVEL_INFO, event, __VA_ARGS__)
void	log_write(enum log_level, const char *event, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* Logs and ends the process with exit code 1: for our own bugs only. */
void	fatal(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2), noreturn));

/*
 * Encodes len bytes of text into out (size bytes, terminated): control
 * characters, quotes, backslashes and bytes that are not UTF-8 become escapes.
 * Returns the length; what does not fit is cut.
 */
size_t	log_encode(char *out, size_t size, const char *text, size_t len);

const char *log_level_name(enum log_level);

/*
 * Replaces the sink (the monitor's own: it has no pipe; unit tests).  The
 * message is already encoded.
 */
void	log_set_sink(void (*)(enum log_level, const char *event,
	    const char *message));

#endif
