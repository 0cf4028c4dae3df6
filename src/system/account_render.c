/*
 * OUTPUT_ACCOUNTS: all managed accounts as the list that the monitor merges
 * into the account files (its form: monitor/accounts.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/account_shadow.h"
#include "system/group.h"
#include "system/system.h"
#include "system/user.h"

/* Members of one group after the other, by the group's id. */
struct membership {
	int64_t group;
	const char *username;
};

static int
compare_memberships(const void *a, const void *b)
{
	const struct membership *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return strcmp(x->username, y->username);
}

static struct membership *
memberships_of(const json_t *users, size_t *countp)
{
	struct membership *list = NULL;
	json_t *user, *group;
	size_t i, j, count = 0, room = 0;

	json_array_foreach(users, i, user)
		json_array_foreach(json_object_get(user, "groups"), j, group) {
			if (count == room) {
				room = room == 0 ? 64 : 2 * room;
				list = xreallocarray(list, room, sizeof(*list));
			}
			list[count].group = json_integer_value(group);
			list[count++].username = json_str(user, "username", "");
		}
	if (count > 0)
		qsort(list, count, sizeof(*list), compare_memberships);
	*countp = count;
	return list;
}

static int
compare_group(const void *key, const void *row)
{
	const int64_t *id = key;
	const struct membership *m = row;

	return *id == m->group ? 0 : *id < m->group ? -1 : 1;
}

static void
put_group(
    FILE *out, const json_t *group, const struct membership *list, size_t count)
{
	int64_t id = json_int(group, "id", 0);
	const struct membership *m = NULL;
	const char *separator = "";

	fprintf(out, "group:%s:%lld:", json_str(group, "name", ""),
	    (long long)json_int(group, "gid", -1));
	if (count > 0)
		m = bsearch(&id, list, count, sizeof(*m), compare_group);
	while (m != NULL && m > list && m[-1].group == id)
		m--;
	for (; m != NULL && m < list + count && m->group == id; m++) {
		fprintf(out, "%s%s", separator, m->username);
		separator = ",";
	}
	fputc('\n', out);
}

static void
put_days(FILE *out, int64_t days)
{
	fputc(':', out);
	if (days != -1)
		fprintf(out, "%lld", (long long)days);
}

static void
put_user(FILE *out, const struct change *c, const json_t *user)
{
	const json_t *group =
	    change_view(c, &group_resource, json_int(user, "group", 0));
	char *hash = account_shadow_hash(user);
	struct account_shadow shadow;

	fprintf(out, "user:%s:%lld:%lld:%s:%s:%s:%s",
	    json_str(user, "username", ""),
	    (long long)json_int(user, "uid", -1),
	    (long long)json_int(group, "gid", -1),
	    json_str(user, "full_name", ""), json_str(user, "home", ""),
	    json_str(user, "shell", ""), hash);
	freezero_str(hash);
	account_shadow(c, user, &shadow);
	put_days(out, shadow.change);
	put_days(out, shadow.min);
	put_days(out, shadow.max);
	put_days(out, shadow.warn);
	put_days(out, shadow.inactive);
	put_days(out, shadow.expire);
	fputc('\n', out);
}

char *
account_render_output(const struct change *c, char **whyp)
{
	json_t *users = change_view_all(c, &user_resource);
	json_t *groups = change_view_all(c, &group_resource), *entry;
	struct membership *list;
	char *text = NULL;
	size_t i, count, size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)whyp;
	if (out == NULL)
		abort();
	list = memberships_of(users, &count);
	json_array_foreach(users, i, entry)
		if (user_is_rendered(entry))
			put_user(out, c, entry);
	json_array_foreach(groups, i, entry)
		if (group_is_rendered(entry))
			put_group(out, entry, list, count);
	if (fclose(out) != 0)
		abort();
	free(list);
	json_decref(users);
	json_decref(groups);
	return text;
}
