/*
 * Commit-confirm (design section 2): a change that may end its maker's own
 * access takes itself back unless it is confirmed in time.  What the monitor
 * does of it, without us, stands in monitor/held.h; this is core's part: what
 * else may be changed meanwhile, who may confirm, and the store, which has to
 * say what the files say again.
 *
 * A resource has it by CONFIRM_ROW among its fields, and by .confirmed_by when
 * more counts than saying so.  There is one such change at a time.
 */
#ifndef HF_CONFIRM_H
#define HF_CONFIRM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/change.h"
#include "core/schema.h"
#include "lib/ipc.h"

/* --- For the pipeline ------------------------------------------------------ */

/* Why this change may not be made now, malloc'd; NULL: it may. */
char	*confirm_forbids(const struct change *);
/*
 * Has the monitor keep what the change's files are, then apply_run(); and lets
 * its seconds begin, then change_store().  What fails takes the change back.
 */
void	 confirm_hold(struct change *);
void	 confirm_run(struct change *);
/* It is stored; it was taken back by other means (done may be NULL). */
void	 confirm_waits(void);
void	 confirm_drop(void (*done)(void *), void *);

/* --- What is no change of the store ---------------------------------------- */

/*
 * What is done to a service: undo is what its daemons are told unless that is
 * confirmed, and kept (stolen; NULL: nothing) what then .put_back of the
 * service resource gets.  done gets an errno and text, before anything was
 * done.  Ends with confirm_service_done().
 */
void	 confirm_service(struct call *, int service, enum service_verb undo,
	    json_t *kept, uint32_t seconds,
	    void (*done)(int error, const char *text, void *), void *);
void	 confirm_service_done(bool success, void (*done)(void *), void *);

/* --- Life ------------------------------------------------------------------- */

/* At start, before files are brought in line with the store. */
void	 confirm_recover(void (*done)(void));
/* Core serves: what the start left of it. */
void	 confirm_serve(void);
/* Is the file as it was, and the store not yet? */
bool	 confirm_restored(int output);
/* The monitor says that it put all back. */
void	 confirm_over(struct ipc_msg *);

/* --- Methods ---------------------------------------------------------------- */

extern const struct field confirm_params[], confirm_seconds, confirm_shown;

/* <resource>.checkin and .checkin_waiting; config's own are about any. */
void	 confirm_checkin_run(struct call *);
void	 confirm_waiting_run(struct call *);
/* config.pending and config.take_back. */
void	 confirm_pending_run(struct call *);
void	 confirm_take_back_run(struct call *);
/* What waits, as config.pending has it, or null; a new reference. */
json_t	*confirm_pending(void);
/* Takes back what waits, or tries to, then done(); at once if nothing does. */
void	 confirm_take_back(void (*done)(void *), void *);

#endif
