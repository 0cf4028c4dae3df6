/*
 * The account files as text: what core asks for is checked, then merged into
 * passwd(5), shadow(5), group(5) and gshadow(5) without touching a line that
 * is not managed.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/role.h"
#include "lib/xalloc.h"
#include "monitor/accounts.h"

#define NAME_SIZE 32 /* as useradd(8) */
#define TEXT_SIZE 255
#define USERS_MAX 10000
#define MEMBERS_MAX 10000
#define ID_ADMIN 950 /* truenas_admin */
#define ID_LOCAL_FIRST 3000 /* what the API gives to new ones */
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

bool
accounts_name_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t len = strlen(name);

	return len > 0 && len <= NAME_SIZE && strspn(name, allowed) == len &&
	    name[0] != '-' && name[0] != '.';
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

	if (*hash != '\0' && strspn(hash, "!*") == strlen(hash))
		return true;
	if (*hash == '!')
		hash++;
	return hash[0] == '$' && strlen(hash) >= 8 &&
	    strlen(hash) <= TEXT_SIZE && strspn(hash, allowed) == strlen(hash);
}

static bool
id_local(unsigned long id)
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
	return uid == ID_ADMIN || id_local(uid);
}

static bool
gid_known(unsigned long gid)
{
	const struct known_group *group;

	for (group = known_groups; group->name != NULL; group++)
		if (group->gid == gid)
			return true;
	return id_local(gid);
}

/* Whether a line that is there already was one of ours. */
static bool
id_managed(bool group, const char *name, unsigned long id)
{
	if (group)
		return gid_known(id);
	return uid_valid(name, (uid_t)id);
}

static int
refuse(char *why, size_t size, const char *name, const char *what)
{
	snprintf(why, size, "account \"%.32s\": %s", name, what);
	return -1;
}

static int
user_check(const struct account *user, char *why, size_t size)
{
	if (!accounts_name_valid(user->name))
		return refuse(why, size, "", "a name is not valid");
	if (!uid_valid(user->name, user->uid))
		return refuse(why, size, user->name, "its uid is not ours");
	if (!(user->gid == 0 ? user->uid == 0 : gid_known(user->gid)))
		return refuse(why, size, user->name, "its gid is not ours");
	if (!field_valid(user->gecos) || !path_valid(user->home) ||
	    !path_valid(user->shell))
		return refuse(why, size, user->name, "a field is not valid");
	if (!hash_valid(user->hash))
		return refuse(why, size, user->name, "its hash is not valid");
	return 0;
}

static int
group_check(const struct account_group *group, char *why, size_t size)
{
	size_t i;

	if (!accounts_name_valid(group->name))
		return refuse(why, size, "", "a group's name is not valid");
	if (!gid_known(group->gid))
		return refuse(why, size, group->name, "its gid is not ours");
	for (i = 0; i < group->nmembers; i++)
		if (!accounts_name_valid(group->members[i]))
			return refuse(why, size, group->name,
			    "a member's name is not valid");
	return 0;
}

static int
user_get(struct wire_in *in, struct account *user)
{
	user->name = wire_get_str(in, TEXT_SIZE);
	user->uid = wire_get_u32(in);
	user->gid = wire_get_u32(in);
	user->gecos = wire_get_str(in, TEXT_SIZE);
	user->home = wire_get_str(in, TEXT_SIZE);
	user->shell = wire_get_str(in, TEXT_SIZE);
	user->hash = wire_get_str(in, TEXT_SIZE);
	return in->bad ? -1 : 0;
}

static int
group_get(struct wire_in *in, struct account_group *group)
{
	uint32_t count, i;

	group->name = wire_get_str(in, TEXT_SIZE);
	group->gid = wire_get_u32(in);
	count = wire_get_u32(in);
	if (in->bad || count > MEMBERS_MAX)
		return -1;
	group->members = xcalloc(count + 1, sizeof(*group->members));
	for (i = 0; i < count; i++) {
		group->members[i] = wire_get_str(in, TEXT_SIZE);
		if (in->bad)
			return -1;
		group->nmembers++;
	}
	return 0;
}

static int
all_get(struct wire_in *in, struct accounts *accounts)
{
	uint32_t count, i;

	if ((count = wire_get_u32(in)) > USERS_MAX || in->bad)
		return -1;
	accounts->users = xcalloc(count + 1, sizeof(*accounts->users));
	for (i = 0; i < count; i++) {
		accounts->nusers++;
		if (user_get(in, &accounts->users[i]) == -1)
			return -1;
	}
	if ((count = wire_get_u32(in)) > USERS_MAX || in->bad)
		return -1;
	accounts->groups = xcalloc(count + 1, sizeof(*accounts->groups));
	for (i = 0; i < count; i++) {
		accounts->ngroups++;
		if (group_get(in, &accounts->groups[i]) == -1)
			return -1;
	}
	return wire_end(in);
}

int
accounts_get(
    struct wire_in *in, struct accounts *accounts, char *why, size_t size)
{
	size_t i, k;

	memset(accounts, 0, sizeof(*accounts));
	if (all_get(in, accounts) == -1) {
		snprintf(why, size, "malformed list of accounts");
		return -1;
	}
	for (i = 0; i < accounts->nusers; i++) {
		if (user_check(&accounts->users[i], why, size) == -1)
			return -1;
		for (k = 0; k < i; k++)
			if (strcmp(accounts->users[i].name,
				accounts->users[k].name) == 0 ||
			    accounts->users[i].uid == accounts->users[k].uid)
				return refuse(why, size,
				    accounts->users[i].name, "given twice");
	}
	for (i = 0; i < accounts->ngroups; i++) {
		if (group_check(&accounts->groups[i], why, size) == -1)
			return -1;
		for (k = 0; k < i; k++)
			if (strcmp(accounts->groups[i].name,
				accounts->groups[k].name) == 0 ||
			    accounts->groups[i].gid == accounts->groups[k].gid)
				return refuse(why, size,
				    accounts->groups[i].name, "given twice");
	}
	return 0;
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

/* One line at a time, without its newline; NULL at the end. */
static const char *
line_next(const char **at, size_t *lenp)
{
	const char *line = *at;

	if (*line == '\0')
		return NULL;
	*lenp = strcspn(line, "\n");
	*at = line + *lenp + (line[*lenp] == '\n' ? 1 : 0);
	return line;
}

/* The n-th field (from 0); NULL when the line has fewer. */
static const char *
line_field(const char *line, size_t len, unsigned int n, size_t *lenp)
{
	const char *end = line + len, *colon;

	for (; n > 0; n--) {
		colon = memchr(line, ':', (size_t)(end - line));
		if (colon == NULL)
			return NULL;
		line = colon + 1;
	}
	colon = memchr(line, ':', (size_t)(end - line));
	*lenp = (size_t)((colon == NULL ? end : colon) - line);
	return line;
}

static bool
line_is(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len > n && strncmp(line, name, n) == 0 && line[n] == ':';
}

/* The third field of passwd and group; -1 when it is no number. */
static long
line_id(const char *line, size_t len)
{
	char number[16];
	const char *field;
	size_t n;

	field = line_field(line, len, 2, &n);
	if (field == NULL || n == 0 || n >= sizeof(number))
		return -1;
	memcpy(number, field, n);
	number[n] = '\0';
	if (strspn(number, "0123456789") != n)
		return -1;
	return strtol(number, NULL, 10);
}

long
accounts_find(const char *text, const char *name)
{
	const char *line;
	size_t len;

	while ((line = line_next(&text, &len)) != NULL)
		if (line_is(line, len, name))
			return line_id(line, len);
	return -1;
}

char *
accounts_find_id(const char *text, long id)
{
	const char *line;
	size_t len;

	while ((line = line_next(&text, &len)) != NULL)
		if (line_id(line, len) == id)
			return xstrndup(line, strcspn(line, ":"));
	return NULL;
}

static bool
is_managed(const struct accounts *accounts, bool group, const char *name)
{
	size_t i;

	for (i = 0; group && i < accounts->ngroups; i++)
		if (strcmp(name, accounts->groups[i].name) == 0)
			return true;
	for (i = 0; !group && i < accounts->nusers; i++)
		if (strcmp(name, accounts->users[i].name) == 0)
			return true;
	return false;
}

static int
conflict(const char *text, const struct accounts *accounts, bool group,
    const char *name, unsigned long id, char *why, size_t size)
{
	long there = accounts_find(text, name);
	char *holder;
	int rc = 0;

	if (there == (long)id)
		return 0;
	if (there != -1 && !id_managed(group, name, (unsigned long)there)) {
		snprintf(why, size, "%s \"%s\" exists with id %ld",
		    group ? "group" : "user", name, there);
		return -1;
	}
	holder = accounts_find_id(text, (long)id);
	if (holder != NULL && !is_managed(accounts, group, holder)) {
		snprintf(why, size, "%s id %lu of \"%s\" belongs to \"%s\"",
		    group ? "group" : "user", id, name, holder);
		rc = -1;
	}
	free(holder);
	return rc;
}

int
accounts_conflict(const char *passwd, const char *group,
    const struct accounts *accounts, char *why, size_t size)
{
	size_t i;

	for (i = 0; i < accounts->nusers; i++)
		if (conflict(passwd, accounts, false, accounts->users[i].name,
			accounts->users[i].uid, why, size) == -1)
			return -1;
	for (i = 0; i < accounts->ngroups; i++)
		if (conflict(group, accounts, true, accounts->groups[i].name,
			accounts->groups[i].gid, why, size) == -1)
			return -1;
	return 0;
}

/* Keeps age and expiry; the date of change moves with the hash. */
static void
put_shadow(FILE *out, const struct account *user, const char *old, size_t len,
    long today)
{
	const char *hash, *rest;
	size_t n;

	hash = old == NULL ? NULL : line_field(old, len, 1, &n);
	if (hash != NULL && n == strlen(user->hash) &&
	    strncmp(hash, user->hash, n) == 0) {
		fwrite(old, 1, len, out);
		return;
	}
	fprintf(out, "%s:%s:%ld:", user->name, user->hash, today);
	rest = hash == NULL ? NULL : line_field(old, len, 3, &n);
	if (rest != NULL)
		fwrite(rest, 1, (size_t)(old + len - rest), out);
	else
		fputs("0:99999:7:::", out);
}

static void
put_members(FILE *out, const struct account_group *group)
{
	size_t i;

	for (i = 0; i < group->nmembers; i++)
		fprintf(out, "%s%s", i == 0 ? "" : ",", group->members[i]);
}

static void
put_line(FILE *out, enum account_file file, const struct accounts *accounts,
    size_t i, const char *old, size_t len, long today)
{
	const struct account *user;
	const struct account_group *group;

	switch (file) {
	case FILE_SHADOW:
		put_shadow(out, &accounts->users[i], old, len, today);
		break;
	case FILE_PASSWD:
		user = &accounts->users[i];
		fprintf(out, "%s:x:%u:%u:%s:%s:%s", user->name, user->uid,
		    user->gid, user->gecos, user->home, user->shell);
		break;
	case FILE_GROUP:
		group = &accounts->groups[i];
		fprintf(out, "%s:x:%u:", group->name, group->gid);
		put_members(out, group);
		break;
	case FILE_GSHADOW:
		group = &accounts->groups[i];
		fprintf(out, "%s:!::", group->name);
		put_members(out, group);
		break;
	case ACCOUNT_FILES:
		break;
	}
	fputc('\n', out);
}

/* Has the file a line for each user, or for each group? */
static bool
of_users(enum account_file file)
{
	return file == FILE_SHADOW || file == FILE_PASSWD;
}

static const char *
entry_name(enum account_file file, const struct accounts *accounts, size_t i)
{
	if (of_users(file))
		return accounts->users[i].name;
	return accounts->groups[i].name;
}

char *
accounts_merge(enum account_file file, const char *old,
    const struct accounts *accounts, long today)
{
	size_t i, len, n, size = 0;
	const char *line;
	char *text = NULL;
	bool *done;
	FILE *out;

	n = of_users(file) ? accounts->nusers : accounts->ngroups;
	done = xcalloc(n + 1, sizeof(*done));
	if ((out = open_memstream(&text, &size)) == NULL)
		abort();
	while ((line = line_next(&old, &len)) != NULL) {
		for (i = 0; i < n; i++)
			if (line_is(line, len, entry_name(file, accounts, i)))
				break;
		if (i == n) {
			fwrite(line, 1, len, out);
			fputc('\n', out);
		} else if (!done[i]) {
			put_line(out, file, accounts, i, line, len, today);
			done[i] = true;
		}
	}
	for (i = 0; i < n; i++)
		if (!done[i])
			put_line(out, file, accounts, i, NULL, 0, today);
	free(done);
	if (fclose(out) != 0)
		abort();
	return text;
}

static bool
is_locked(enum account_file file, const char *field, size_t len)
{
	/* "x" says: see shadow.  Groups without a password are locked. */
	if (file == FILE_PASSWD || file == FILE_GROUP)
		return (len == 1 && *field == 'x') ||
		    (file == FILE_GROUP && len == 0);
	if (len == 0)
		return file == FILE_GSHADOW;
	return strspn(field, "!*") >= len;
}

char *
accounts_lock(enum account_file file, const char *old)
{
	const char *line, *field;
	char *text = NULL;
	size_t len, n, size = 0;
	FILE *out;

	if ((out = open_memstream(&text, &size)) == NULL)
		abort();
	while ((line = line_next(&old, &len)) != NULL) {
		field = line_field(line, len, 1, &n);
		if (field == NULL || is_locked(file, field, n)) {
			fwrite(line, 1, len, out);
		} else {
			fwrite(line, 1, (size_t)(field - line), out);
			fputc('*', out);
			fwrite(field + n, 1, (size_t)(line + len - field) - n,
			    out);
		}
		fputc('\n', out);
	}
	if (fclose(out) != 0)
		abort();
	return text;
}
