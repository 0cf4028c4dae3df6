/* What a unit complained of, from systemd's journal (sd-journal(3)). */
#ifndef HF_MONITOR_JOURNAL_H
#define HF_MONITOR_JOURNAL_H

#include <uv.h>

/*
 * The last words of the start of a unit that has this invocation id, "" when
 * there are none.  Read by a child without capabilities; done() is called
 * once, from the loop.
 */
void	journal_words(uv_loop_t *, const char *invocation,
	    void (*done)(const char *words, void *), void *);

#endif
