/*
 * The sealed segments of the audit log, those that nothing is appended to any
 * more, have the file system's attribute "immutable" (chattr(1), i): who has
 * the audit role in his hands, or removes a folder as root by mistake, cannot
 * alter or remove them.  Root can take it off; the proof shows what he did.
 *
 * Only on a machine that is given to Holdfast: the folder of an instance can
 * be removed by whoever made it.
 */
#ifndef HF_MONITOR_SEAL_H
#define HF_MONITOR_SEAL_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define SEAL_AGE	((time_t)24 * 60 * 60)	/* no retention is shorter */

/*
 * In the folder dirfd: those before the segment of that number (0: none)
 * lose it, as retention drops them; all others but the newest get it.  None
 * that was written less than SEAL_AGE before now loses it, whoever asks.  0,
 * or an errno with a line for people: EPERM is that one; ENOTTY or EOPNOTSUPP,
 * the file system has no such attribute.
 */
int	 seal_segments(int dirfd, uint32_t first, time_t now, char *why,
	    size_t size);

#endif
