/*
 * What is kept of a change that waits for its confirmation: one file, root's
 * own, that holds the outputs as they were.  Outputs and daemons stand in it
 * by name, as another build may read it.
 */
#ifndef HF_MONITOR_HELD_FILE_H
#define HF_MONITOR_HELD_FILE_H

#include <stdint.h>

#include "lib/message.h"
#include "lib/uuid.h"
#include "lib/wire.h"
#include "monitor/output_guard.h"
#include "services/catalog.h"

struct held_output {
	int	 output;
	char	*content;	/* of len bytes */
	size_t	 len;
	/* Of a shared one: this and what we wrote since. */
	struct output_ours ours;
	bool	 edited;	/* what was neither made room for it */
};

struct held_daemon {
	int		  daemon;
	enum service_verb verb;	/* START: it shall run again; else how it
				   takes what it reads, where it runs */
};

struct held {
	enum held_state	 state;	/* HELD_NONE: there is none */
	char		 id[UUID_LEN];
	uint32_t	 seconds;
	int64_t		 since, deadline;	/* boottime_ms() */
	char		*boot;	/* the kernel's boot id that these count in */
	char		*what;	/* core's, of what_len bytes */
	size_t		 what_len;
	struct held_output outputs[OUTPUTS_MAX];
	int		 noutputs;
	struct held_daemon daemons[DAEMONS_MAX];
	int		 ndaemons;
};

void	held_free(struct held *);	/* it may be used again */

/*
 * All of it, or HELD_NONE; free in both cases.  0 or -1 with errno: EBADMSG
 * when that is no such file.
 */
int	held_read(struct held *);
int	held_write(const struct held *);
int	held_remove(void);
/*
 * Keeps others from doing the same until it is closed: whoever reads and then
 * writes.  -1 with errno.
 */
int	held_lock(void);

/*
 * This is about to be installed as that output: ours from then on, where the
 * output is held.  0 or -1 with errno.
 */
int	held_note(int output, const void *content, size_t len);

/* The content of the file, for tests: 0 or -1 when it is none. */
void	held_put(struct wire_out *, const struct held *);
int	held_get(struct wire_in *, struct held *);

#endif
