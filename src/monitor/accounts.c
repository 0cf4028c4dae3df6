/*
 * The list of managed accounts that core asks for: read, and every member of
 * it checked.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/role.h"
#include "lib/xalloc.h"
#include "monitor/accounts_internal.h"

#define NAME_SIZE 32 /* as useradd(8) */
#define TEXT_SIZE 255
#define ID_ADMIN 950 /* truenas_admin */
#define ID_LOCAL_FIRST 1000 /* below are the system's: policy 9.2.2 */
#define ID_NOGROUP 65534 /* whose primary group was removed */
#define ID_LAST 0x7fffffffU

/* clang-format off */
const struct known_group known_groups[] = {
	{ "truenas_webshare", 445 },
	{ "builtin_administrators", 544 },
	{ "builtin_users", 545 },
	{ "builtin_guests", 546 },
	{ "apps", 568 },
	{ "truenas_admin", 950 },
	{ "truenas_readonly_administrators", 951 },
	{ "truenas_sharing_administrators", 952 },
	{ NULL, 0 }
};
/* clang-format on */

const char *
accounts_file_name(enum account_file file)
{
	static const char *const names[ACCOUNT_FILES] = {
		[FILE_SHADOW] = "shadow",
		[FILE_GSHADOW] = "gshadow",
		[FILE_GROUP] = "group",
		[FILE_PASSWD] = "passwd",
	};

	return names[file];
}

/* One line at a time, without its newline; NULL at the end. */
const char *
account_line_next(const char **at, size_t *lenp)
{
	const char *line = *at;

	if (*line == '\0')
		return NULL;
	*lenp = strcspn(line, "\n");
	*at = line + *lenp + (line[*lenp] == '\n' ? 1 : 0);
	return line;
}

/* Digits alone would be taken for an id, or an id for it. */
static bool
name_valid(const char *name, size_t most)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t len = strlen(name);

	return len > 0 && len <= most && strspn(name, allowed) == len &&
	    name[0] != '-' && strspn(name, "0123456789") < len;
}

bool
accounts_name_valid(const char *name)
{
	return name_valid(name, NAME_SIZE) && name[0] != '.';
}

/* A field of a line: no separator, nothing that could begin another line. */
static bool
field_valid(const char *text)
{
	if (strlen(text) > TEXT_SIZE)
		return false;
	for (; *text != '\0'; text++)
		if (*text == ':' || (unsigned char)*text < ' ' || *text == 127)
			return false;
	return true;
}

static bool
path_valid(const char *path)
{
	return path[0] == '/' && field_valid(path) &&
	    strstr(path, "/../") == NULL && strstr(path, "//") == NULL &&
	    (strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
}

/*
 * A crypt(5) hash, or a lock; never empty, which would be a login without a
 * password.
 */
static bool
hash_valid(const char *hash)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./$=,_-";

	if (strcmp(hash, ACCOUNT_KEEP) == 0 ||
	    (*hash != '\0' && strspn(hash, "!*") == strlen(hash)))
		return true;
	if (*hash == '!')
		hash++;
	return hash[0] == '$' && strlen(hash) >= 8 &&
	    strlen(hash) <= TEXT_SIZE && strspn(hash, allowed) == strlen(hash);
}

bool
account_id_local(unsigned long id)
{
	int role;

	for (role = 0; role < ROLE_COUNT; role++)
		if (role_info((enum role)role)->uid == id)
			return false;
	return id >= ID_LOCAL_FIRST && id <= ID_LAST && id != 65534 &&
	    id != 65535;
}

static bool
uid_valid(const char *name, uid_t uid)
{
	if (strcmp(name, "root") == 0 || uid == 0)
		return uid == 0 && strcmp(name, "root") == 0;
	return uid == ID_ADMIN || account_id_local(uid);
}

static bool
gid_known(unsigned long gid)
{
	const struct known_group *group;

	for (group = known_groups; group->name != NULL; group++)
		if (group->gid == gid)
			return true;
	return account_id_local(gid);
}

bool
accounts_uid_ours(uid_t uid)
{
	return uid == ID_ADMIN || account_id_local(uid);
}

bool
accounts_gid_ours(gid_t gid)
{
	return gid == ID_NOGROUP || gid_known(gid);
}

static int
compare_names(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
compare_ids(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

void
account_names_make(
    struct account_names *list, const struct accounts *accounts, bool groups)
{
	size_t count = 0, i;

	if (accounts != NULL)
		count = groups ? accounts->ngroups : accounts->nusers;
	list->count = count;
	list->by_name = xcalloc(count + 1, sizeof(*list->by_name));
	list->by_id = xcalloc(count + 1, sizeof(*list->by_id));
	for (i = 0; i < count; i++) {
		list->by_name[i].at = i;
		list->by_name[i].name =
		    groups ? accounts->groups[i].name : accounts->users[i].name;
		list->by_name[i].id =
		    groups ? accounts->groups[i].gid : accounts->users[i].uid;
		list->by_name[i].kept = !groups &&
		    strcmp(accounts->users[i].hash, ACCOUNT_KEEP) == 0;
		list->by_id[i] = list->by_name[i];
	}
	qsort(list->by_name, count, sizeof(*list->by_name), compare_names);
	qsort(list->by_id, count, sizeof(*list->by_id), compare_ids);
}

void
account_names_clear(struct account_names *list)
{
	free(list->by_name);
	free(list->by_id);
}

const struct named *
account_names_find(const struct account_names *list, const char *name)
{
	struct named key = { .name = name };

	return bsearch(
	    &key, list->by_name, list->count, sizeof(key), compare_names);
}

const struct named *
account_names_find_id(const struct account_names *list, unsigned long id)
{
	struct named key = { .id = id };

	return bsearch(
	    &key, list->by_id, list->count, sizeof(key), compare_ids);
}

/* The name of one whose name or id another one has too, or NULL. */
static const char *
names_twice(const struct account_names *list)
{
	size_t i;

	for (i = 1; i < list->count; i++) {
		if (list->by_id[i].id == list->by_id[i - 1].id)
			return list->by_id[i].name;
		if (compare_names(&list->by_name[i], &list->by_name[i - 1]) ==
		    0)
			return list->by_name[i].name;
	}
	return NULL;
}

struct account_names *
accounts_names(const struct accounts *accounts, bool groups)
{
	struct account_names *list = xcalloc(1, sizeof(*list));

	account_names_make(list, accounts, groups);
	return list;
}

bool
accounts_names_have(const struct account_names *list, const char *name)
{
	return account_names_find(list, name) != NULL;
}

void
accounts_names_free(struct account_names *list)
{
	account_names_clear(list);
	free(list);
}

int
account_refuse(char *why, size_t size, const char *name, const char *what)
{
	snprintf(why, size, "account \"%.32s\": %s", name, what);
	return -1;
}

static int
user_check(const struct account *user, char *why, size_t size)
{
	if (!accounts_name_valid(user->name))
		return account_refuse(why, size, "", "a name is not valid");
	if (!uid_valid(user->name, user->uid))
		return account_refuse(
		    why, size, user->name, "its uid is not ours");
	if (!(user->gid == 0 ? user->uid == 0 :
			       gid_known(user->gid) || user->gid == ID_NOGROUP))
		return account_refuse(
		    why, size, user->name, "its gid is not ours");
	if (!field_valid(user->gecos) || !path_valid(user->home) ||
	    !path_valid(user->shell))
		return account_refuse(
		    why, size, user->name, "a field is not valid");
	if (!hash_valid(user->hash))
		return account_refuse(
		    why, size, user->name, "its hash is not valid");
	return 0;
}

static int
group_check(const struct account_group *group, char *why, size_t size)
{
	size_t i;

	if (!name_valid(group->name, TEXT_SIZE))
		return account_refuse(
		    why, size, "", "a group's name is not valid");
	if (!gid_known(group->gid))
		return account_refuse(
		    why, size, group->name, "its gid is not ours");
	for (i = 0; i < group->nmembers; i++)
		if (!accounts_name_valid(group->members[i]))
			return account_refuse(why, size, group->name,
			    "a member's name is not valid");
	return 0;
}

/* The next field up to the separator or the line's end; NULL: none left. */
static char *
field_take(const char **at, const char *end, char separator)
{
	const char *stop;
	char *field;

	if (*at == NULL)
		return NULL;
	stop = memchr(*at, separator, (size_t)(end - *at));
	field = xstrndup(*at, (size_t)((stop != NULL ? stop : end) - *at));
	*at = stop != NULL ? stop + 1 : NULL;
	return field;
}

static bool
id_parse(const char *text, uint32_t *id)
{
	if (text == NULL || *text == '\0' || strlen(text) > 10 ||
	    strspn(text, "0123456789") != strlen(text) ||
	    strtoull(text, NULL, 10) > ID_LAST)
		return false;
	*id = (uint32_t)strtoul(text, NULL, 10);
	return true;
}

/* Empty is -1. */
static bool
days_parse(const char *text, long *days)
{
	uint32_t number;

	*days = -1;
	if (text == NULL || *text == '\0')
		return text != NULL;
	if (!id_parse(text, &number))
		return false;
	*days = (long)number;
	return true;
}

/* What an older version wrote ends with the hash. */
static bool
all_days_parse(const char **at, const char *end, struct account *user)
{
	bool none = *at == NULL, good = true;
	char *text;
	int i;

	for (i = 0; i < SHADOW_DAYS; i++) {
		text = field_take(at, end, ':');
		good = days_parse(text, &user->days[i]) && good;
		free(text);
	}
	return none || good;
}

/* name:uid:gid:gecos:home:shell:hash:change:min:max:warn:inactive:expire */
static int
user_parse(const char *at, const char *end, struct account *user)
{
	char *uid, *gid;
	bool good;

	user->name = field_take(&at, end, ':');
	uid = field_take(&at, end, ':');
	gid = field_take(&at, end, ':');
	user->gecos = field_take(&at, end, ':');
	user->home = field_take(&at, end, ':');
	user->shell = field_take(&at, end, ':');
	user->hash = field_take(&at, end, ':');
	good = user->hash != NULL && all_days_parse(&at, end, user) &&
	    at == NULL && id_parse(uid, &user->uid) &&
	    id_parse(gid, &user->gid);
	free(uid);
	free(gid);
	return good ? 0 : -1;
}

/* name:gid:member,member */
static int
group_parse(const char *at, const char *end, struct account_group *group)
{
	char *gid, *member;
	size_t room = 0;
	bool good;

	group->name = field_take(&at, end, ':');
	gid = field_take(&at, end, ':');
	good = at != NULL && id_parse(gid, &group->gid);
	free(gid);
	if (good && at == end)
		return 0;
	while (good && (member = field_take(&at, end, ',')) != NULL) {
		if (group->nmembers == room) {
			room = room == 0 ? 8 : 2 * room;
			group->members = xreallocarray(
			    group->members, room, sizeof(*group->members));
		}
		group->members[group->nmembers++] = member;
	}
	return good ? 0 : -1;
}

static int
all_parse(const char *text, struct accounts *accounts)
{
	static const char user[] = "user:", group[] = "group:";
	size_t len, lines = 0;
	const char *at, *line;

	for (at = text; account_line_next(&at, &len) != NULL; lines++)
		continue;
	accounts->users = xcalloc(lines + 1, sizeof(*accounts->users));
	accounts->groups = xcalloc(lines + 1, sizeof(*accounts->groups));
	while ((line = account_line_next(&text, &len)) != NULL) {
		if (strncmp(line, user, sizeof(user) - 1) == 0) {
			if (user_parse(line + sizeof(user) - 1, line + len,
				&accounts->users[accounts->nusers++]) == -1)
				return -1;
		} else if (strncmp(line, group, sizeof(group) - 1) == 0) {
			if (group_parse(line + sizeof(group) - 1, line + len,
				&accounts->groups[accounts->ngroups++]) == -1)
				return -1;
		} else
			return -1;
	}
	return 0;
}

static int
check_twice(
    const struct accounts *accounts, bool groups, char *why, size_t size)
{
	struct account_names list;
	const char *name;
	int rc = 0;

	account_names_make(&list, accounts, groups);
	name = names_twice(&list);
	if (name != NULL)
		rc = account_refuse(why, size, name, "given twice");
	account_names_clear(&list);
	return rc;
}

int
accounts_parse(
    const char *text, struct accounts *accounts, char *why, size_t size)
{
	size_t i;

	memset(accounts, 0, sizeof(*accounts));
	if (all_parse(text, accounts) == -1) {
		snprintf(why, size, "malformed list of accounts");
		return -1;
	}
	for (i = 0; i < accounts->nusers; i++)
		if (user_check(&accounts->users[i], why, size) == -1)
			return -1;
	for (i = 0; i < accounts->ngroups; i++)
		if (group_check(&accounts->groups[i], why, size) == -1)
			return -1;
	if (check_twice(accounts, false, why, size) == -1)
		return -1;
	return check_twice(accounts, true, why, size);
}

void
accounts_free(struct accounts *accounts)
{
	size_t i, k;

	for (i = 0; i < accounts->nusers; i++) {
		free(accounts->users[i].name);
		free(accounts->users[i].gecos);
		free(accounts->users[i].home);
		free(accounts->users[i].shell);
		freezero_str(accounts->users[i].hash);
	}
	for (i = 0; i < accounts->ngroups; i++) {
		for (k = 0; k < accounts->groups[i].nmembers; k++)
			free(accounts->groups[i].members[k]);
		free(accounts->groups[i].members);
		free(accounts->groups[i].name);
	}
	free(accounts->users);
	free(accounts->groups);
	memset(accounts, 0, sizeof(*accounts));
}
