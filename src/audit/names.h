/*
 * The names of users and groups, as passwd(5) and group(5) have them now: read
 * from the folder alone, without the name service and its modules.
 */
#ifndef HF_AUDIT_NAMES_H
#define HF_AUDIT_NAMES_H

#include <stdint.h>

#define NAME_UNSET	UINT32_MAX	/* no login uid */

struct names;

/* Of the folder etc_fd (taken over); -1: no names are known. */
struct names	*names_new(int etc_fd);
/* NULL is fine. */
void		 names_free(struct names *);
/*
 * Borrowed until the next call; "unset", or where nobody has that number
 * "unknown(NUMBER)", as the tools of the kernel's audit say it.
 */
const char	*names_user(struct names *, uint32_t uid);
const char	*names_group(struct names *, uint32_t gid);

#endif
