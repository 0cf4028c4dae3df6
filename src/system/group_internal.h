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
/* group.get_group_obj */
void	 group_obj_run(struct call *);
/* The resource's hooks: see core/method.h. */
void	 group_gather(void (*done)(void));
/* Also gives a new group its number, unless it was sent. */
void	 group_lookup(struct change *);

#endif
