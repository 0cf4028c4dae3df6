/*
 * The account files as text: managed accounts are merged into passwd(5),
 * shadow(5), group(5) and gshadow(5) without touching a line that is not
 * managed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "monitor/accounts_internal.h"

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

	while ((line = account_line_next(&text, &len)) != NULL)
		if (line_is(line, len, name))
			return line_id(line, len);
	return -1;
}

char *
accounts_find_id(const char *text, long id)
{
	const char *line;
	size_t len;

	while ((line = account_line_next(&text, &len)) != NULL)
		if (line_id(line, len) == id)
			return xstrndup(line, strcspn(line, ":"));
	return NULL;
}

/* The first field of a line, a fresh string. */
static char *
line_name(const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);

	return xstrndup(line, colon != NULL ? (size_t)(colon - line) : len);
}

/*
 * A line of the file against those that we want.  Not ours is what the record
 * does not name: of such only the system's own ids are taken over, root's and
 * those of the first start; and an account that keeps its hash.
 */
static int
conflict(const struct account_names *list, bool groups, bool ours,
    const char *name, long id, char *why, size_t size)
{
	const struct named *same = account_names_find(list, name), *holder;

	if (id < 0)
		return 0;
	if (same != NULL && !ours &&
	    (same->id != (unsigned long)id ||
		(account_id_local((unsigned long)id) && !same->kept))) {
		snprintf(why, size, "%s \"%s\" exists with id %ld",
		    groups ? "group" : "user", name, id);
		return -1;
	}
	holder = account_names_find_id(list, (unsigned long)id);
	if (same == NULL && holder != NULL) {
		snprintf(why, size, "%s id %ld of \"%s\" belongs to \"%s\"",
		    groups ? "group" : "user", id, holder->name, name);
		return -1;
	}
	return 0;
}

/*
 * Whoever leaves the list with his hash still kept was never anybody's but the
 * system's: his line stays.
 */
static bool
leaves_files(const struct account_names *gone, const char *name)
{
	const struct named *found = account_names_find(gone, name);

	return found != NULL && !found->kept;
}

/*
 * One that was ours and no longer is counts neither as itself nor as the
 * holder of an id.
 */
static int
conflicts(const char *text, const struct accounts *accounts,
    const struct accounts *gone, bool groups, char *why, size_t size)
{
	struct account_names list, old;
	const char *line;
	char *name;
	size_t len;
	bool ours;
	int rc = 0;

	account_names_make(&list, accounts, groups);
	account_names_make(&old, gone, groups);
	while (rc == 0 && (line = account_line_next(&text, &len)) != NULL) {
		name = line_name(line, len);
		ours = account_names_find(&old, name) != NULL;
		if (!leaves_files(&old, name) ||
		    account_names_find(&list, name) != NULL)
			rc = conflict(&list, groups, ours, name,
			    line_id(line, len), why, size);
		free(name);
	}
	account_names_clear(&list);
	account_names_clear(&old);
	return rc;
}

/* A date of somebody else's on which an account ends is not taken from it. */
static int
check_adopted(const char *shadow, const struct accounts *accounts,
    const struct accounts *gone, char *why, size_t size)
{
	struct account_names list, old;
	const struct named *found;
	const char *line, *expire;
	size_t len, n = 0;
	char *name;
	int rc = 0;

	account_names_make(&list, accounts, false);
	account_names_make(&old, gone, false);
	while (rc == 0 && (line = account_line_next(&shadow, &len)) != NULL) {
		name = line_name(line, len);
		found = account_names_find(&list, name);
		expire = line_field(line, len, 1 + SHADOW_DAYS, &n);
		if (found != NULL && found->kept &&
		    account_id_local(found->id) &&
		    account_names_find(&old, name) == NULL && expire != NULL &&
		    n > 0)
			rc = account_refuse(why, size, name,
			    "it has a day on which it expires (chage -E)");
		free(name);
	}
	account_names_clear(&list);
	account_names_clear(&old);
	return rc;
}

int
accounts_conflict(char *const texts[ACCOUNT_FILES],
    const struct accounts *accounts, const struct accounts *gone, char *why,
    size_t size)
{
	if (conflicts(texts[FILE_PASSWD], accounts, gone, false, why, size) ==
		-1 ||
	    conflicts(texts[FILE_GROUP], accounts, gone, true, why, size) == -1)
		return -1;
	return check_adopted(texts[FILE_SHADOW], accounts, gone, why, size);
}

/* The n-th field as it stands, or what there is without a line. */
static void
put_kept(FILE *out, const char *old, size_t len, unsigned int n,
    const char *otherwise)
{
	const char *field = NULL;
	size_t size;

	if (old != NULL)
		field = line_field(old, len, n, &size);
	if (field != NULL)
		fwrite(field, 1, size, out);
	else
		fputs(otherwise, out);
}

static void
put_shadow(FILE *out, const struct account *user, const char *old, size_t len)
{
	bool keep = strcmp(user->hash, ACCOUNT_KEEP) == 0;
	unsigned int i;

	fprintf(out, "%s:", user->name);
	if (keep)
		put_kept(out, old, len, 1, "*");
	else
		fputs(user->hash, out);
	for (i = 0; i < SHADOW_DAYS; i++) {
		fputc(':', out);
		if (user->days[i] != -1)
			fprintf(out, "%ld", user->days[i]);
		else if (keep && i != SHADOW_DAYS - 1)
			put_kept(out, old, len, 2 + i, "");
	}
	fputc(':', out);
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
    size_t i, const char *old, size_t len)
{
	const struct account *user;
	const struct account_group *group;

	switch (file) {
	case FILE_SHADOW:
		put_shadow(out, &accounts->users[i], old, len);
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

char *
accounts_merge(enum account_file file, const char *old,
    const struct accounts *accounts, const struct accounts *gone)
{
	size_t len, size = 0, i;
	struct account_names list, lost;
	const struct named *found;
	const char *line;
	char *text = NULL, *name;
	bool *done;
	FILE *out;

	account_names_make(&list, accounts, !of_users(file));
	account_names_make(&lost, gone, !of_users(file));
	done = xcalloc(list.count + 1, sizeof(*done));
	if ((out = open_memstream(&text, &size)) == NULL)
		abort();
	while ((line = account_line_next(&old, &len)) != NULL) {
		name = line_name(line, len);
		found = account_names_find(&list, name);
		if (found == NULL && !leaves_files(&lost, name)) {
			fwrite(line, 1, len, out);
			fputc('\n', out);
		} else if (found != NULL && !done[found->at]) {
			put_line(out, file, accounts, found->at, line, len);
			done[found->at] = true;
		}
		free(name);
	}
	for (i = 0; i < list.count; i++)
		if (!done[i])
			put_line(out, file, accounts, i, NULL, 0);
	account_names_clear(&list);
	account_names_clear(&lost);
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
	while ((line = account_line_next(&old, &len)) != NULL) {
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
