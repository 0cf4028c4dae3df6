/*
 * What the parts of group.* share: group.c is the table, the checks and the
 * methods, group_file.c what the group file says.
 */
#ifndef HF_GROUP_INTERNAL_H
#define HF_GROUP_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "system/group.h"

struct call;
struct change;

/* Is it the system's, of which nothing can be changed? */
bool	 group_is_immutable(const json_t *group);
/* The id of the entry with that name, or -1. */
int64_t	 group_of_name(const char *);
/*
 * The first number above after that no entry has and none had that was
 * removed; after -1: the first at all.
 */
int64_t	 group_next_gid(int64_t after);

/* group.get_group_obj */
void	 group_obj_run(struct call *);
/* The resource's hooks: see core/method.h. */
void	 group_gather(void (*done)(void));
/* Also gives a new group its number, unless it was sent. */
void	 group_lookup(struct change *);

#endif
