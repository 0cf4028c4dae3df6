/*
 * Sets of roles as bits, one for each row of the table of roles.
 */
#include <string.h>

#include "core/privilege.h"

const struct role_row *
role_find(const char *name)
{
	size_t low = 0, high = role_count, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(name, role_table[middle].name);
		if (order == 0)
			return &role_table[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool
set_test(const struct role_set *set, size_t i)
{
	return (set->bits[i / 64] >> (i % 64)) & 1;
}

bool
role_set_add(struct role_set *set, const char *name)
{
	const struct role_row *row = role_find(name);
	const char *const *included;
	size_t i;
	bool known = true;

	if (row == NULL)
		return false;
	i = (size_t)(row - role_table);
	/* One includes itself in the API's own list, so look first. */
	if (set_test(set, i))
		return true;
	set->bits[i / 64] |= UINT64_C(1) << (i % 64);
	if (row->flags & ROLE_FULL) {
		for (i = 0; i < role_count; i++)
			set->bits[i / 64] |= UINT64_C(1) << (i % 64);
		return true;
	}
	if (row->includes == NULL)
		return true;
	for (included = row->includes; *included != NULL; included++)
		known = role_set_add(set, *included) && known;
	return known;
}

int
role_set_of(const char *const *names, struct role_set *set)
{
	int result = 0;

	memset(set, 0, sizeof *set);
	for (; names != NULL && *names != NULL; names++)
		if (!role_set_add(set, *names))
			result = -1;
	return result;
}

void
role_set_join(struct role_set *set, const struct role_set *more)
{
	size_t i;

	for (i = 0; i < ROLE_SET_MAX / 64; i++)
		set->bits[i] |= more->bits[i];
}

void
role_set_keep_stig(struct role_set *set)
{
	size_t i;

	for (i = 0; i < role_count; i++)
		if (!(role_table[i].flags & ROLE_STIG))
			set->bits[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

bool
role_set_has(const struct role_set *set, const char *name)
{
	const struct role_row *row = role_find(name);

	return row != NULL && set_test(set, (size_t)(row - role_table));
}

bool
role_set_webui(const struct role_set *set)
{
	size_t i;

	for (i = 0; i < role_count; i++)
		if (set_test(set, i) && !(role_table[i].flags & ROLE_BUILTIN))
			return true;
	return false;
}

json_t *
role_set_json(const struct role_set *set)
{
	json_t *names = json_array();
	size_t i;

	for (i = 0; i < role_count; i++)
		if (set_test(set, i))
			json_array_append_new(
			    names, json_string(role_table[i].name));
	return names;
}

json_t *
roles_that_grant(const char *const *names)
{
	const char *one[] = { NULL, NULL };
	const char *const *name;
	struct role_set granted;
	json_t *found = json_array();
	size_t i;

	for (i = 0; i < role_count; i++) {
		if (role_table[i].flags & ROLE_FULL)
			continue;
		one[0] = role_table[i].name;
		role_set_of(one, &granted);
		for (name = names; name != NULL && *name != NULL; name++) {
			if (!role_set_has(&granted, *name))
				continue;
			json_array_append_new(found, json_string(one[0]));
			break;
		}
	}
	return found;
}
