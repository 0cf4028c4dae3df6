/*
 * The core role: what its modules share.
 */
#ifndef HF_CORE_H
#define HF_CORE_H

#include <uv.h>

#include "core/store.h"
#include "lib/startup.h"
#include "services/catalog.h"

uv_loop_t		*core_loop(void);
const struct facts	*core_facts(void);
struct store		*core_store(void);	/* NULL: refused, see below */
/* Why the store was refused at start; NULL when it is in use. */
const char		*core_store_refused(void);
/* BOOTING until the services were started, then READY. */
bool			 core_ready(void);
/* On the way to an orderly end: what is long begins nothing more. */
bool			 core_stopping(void);
/* The channel to a role, or NULL while it is away. */
struct ipc		*core_peer(enum role);

/*
 * What goes wrong at the moment, for status: in memory only, as long as the
 * key is raised.  What people should still know later is an alert (alert.h).
 */
void			 core_problem(const char *key, const char *fmt, ...)
			    __attribute__((format(printf, 2, 3)));
void			 core_problem_clear(const char *key);
json_t			*core_problems(void);	/* new array of texts */

/*
 * Ends core in good order, answers and audit records first; the monitor starts
 * it anew.
 */
void			 core_restart(void);

/*
 * Its state, or its processes, may be others: the monitor says so of what
 * nobody asked for, who had a verb carried out says it here.
 */
void			 core_service_changed(enum service_id);

/* After some time, once; for delays and patience. */
void			 core_after(unsigned int milliseconds,
			    void (*)(void *), void *);

/* Uniform in [0, bound). */
uint32_t		 core_random(uint32_t bound);

#endif
