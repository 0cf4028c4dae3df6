/*
 * Console messages: the last lines of the system log, kept in memory for who
 * looks at them.  Core asks for those behind the last one that it has, and is
 * answered once there are some: one question at a time, so that nobody who
 * looks slows what is logged, or is sent more than the lines that are kept.
 *
 * Lines are numbered, from the time of the role's start in microseconds on, so
 * that those after a restart have higher numbers than those before it.
 */
#ifndef HF_AUDIT_CONSOLE_H
#define HF_AUDIT_CONSOLE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONSOLE_LINES		100
#define CONSOLE_TEXT_MAX	500	/* bytes of a line; the rest is cut off */

struct console;

/* One line; the texts are borrowed. */
struct console_said {
	pid_t		 pid;		/* 0: nobody knows */
	int64_t		 uid;		/* -1: nobody knows */
	const char	*facility, *severity;	/* NULL: nobody knows */
	const char	*text;		/* any bytes */
	size_t		 len;
};

/* answer gets {last, lines} (its own) for the question of that id. */
struct console	*console_new(
    void (*answer)(uint32_t id, json_t *, void *), void *arg);
/* NULL is fine. */
void		 console_free(struct console *);

void		 console_line(struct console *, const struct console_said *);
/*
 * Lines with numbers above that one are asked for.  A question that waits is
 * answered without lines when the next one comes.
 */
void		 console_ask(struct console *, uint32_t id, uint64_t after);
/* Who asked is gone. */
void		 console_forget(struct console *);

#endif
