/*
 * What others need to know of groups.
 */
#ifndef HF_GROUP_H
#define HF_GROUP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct change;

/* Is it Holdfast that writes this group into the group file? */
bool	group_is_rendered(const json_t *group);
/* The id of the group's entry with that gid, or -1. */
int64_t	group_of_gid(int64_t gid);
/* The id of the group's entry of that name, or -1. */
int64_t	group_of_name(const char *);
/*
 * The first number above after that no entry has and none had that was
 * removed; after -1: the first at all.
 */
int64_t	group_next_gid(int64_t after);
/* Removes it along with the change; its number is not given out again. */
void	group_remove(struct change *, int64_t id);
/*
 * A change's committed (core/change.h) that tells of the groups whose members
 * it changed by editing users: that is no edit of the group's own entry.
 */
void	group_members_changed(struct change *);

#endif
