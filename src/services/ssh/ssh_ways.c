/*
 * The ways in by an effective configuration: see ssh_ways.h.  What is looked
 * at, and in which order, says sshd_config(5).
 */
#include "services/ssh/ssh_ways.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

/*
 * The n-th value of a directive, one line each, in lower case as sshd prints
 * it; malloc'd, NULL: there is none.
 */
static char *
value_of(const char *effective, const char *directive, unsigned int n)
{
	size_t len = strlen(directive);
	const char *line = effective, *end;

	for (; *line != '\0'; line = *end == '\0' ? end : end + 1) {
		end = line + strcspn(line, "\n");
		if ((size_t)(end - line) <= len || line[len] != ' ' ||
		    strncmp(line, directive, len) != 0)
			continue;
		if (n-- == 0)
			return xstrndup(
			    line + len + 1, (size_t)(end - line) - len - 1);
	}
	return NULL;
}

static bool
is(const char *effective, const char *directive, const char *value)
{
	char *there = value_of(effective, directive, 0);
	bool same = there != NULL && strcmp(there, value) == 0;

	free(there);
	return same;
}

/* "name", "na*e", "name@address", of which the address is not looked at. */
static bool
matches(char *pattern, const char *name)
{
	pattern[strcspn(pattern, "@")] = '\0';
	return fnmatch(pattern, name, 0) == 0;
}

/* Is one of the names in the list?  *anyp: is there a list at all? */
static bool
listed(const char *effective, const char *directive, const char *const *names,
    bool *anyp)
{
	const char *const *name;
	bool found = false;
	unsigned int n;
	char *value;

	*anyp = false;
	for (n = 0; (value = value_of(effective, directive, n)) != NULL; n++) {
		*anyp = true;
		for (name = names; *name != NULL; name++)
			found = matches(value, *name) || found;
		free(value);
	}
	return found;
}

/* With "name@address" only some connections of it are denied. */
static bool
denied(const char *effective, const char *directive, const char *const *names)
{
	const char *const *name;
	bool found = false;
	unsigned int n;
	char *value;

	for (n = 0; (value = value_of(effective, directive, n)) != NULL; n++) {
		for (name = names; *name != NULL; name++)
			if (strchr(value, '@') == NULL)
				found = matches(value, *name) || found;
		free(value);
	}
	return found;
}

static bool
may_come(const char *effective, const struct ssh_account *a)
{
	const char *const self[] = { a->name, NULL };
	bool any, in;

	if (denied(effective, "denyusers", self) ||
	    denied(effective, "denygroups", a->groups))
		return false;
	in = listed(effective, "allowusers", self, &any);
	if (any && !in)
		return false;
	in = listed(effective, "allowgroups", a->groups, &any);
	return !any || in;
}

/*
 * One list of AuthenticationMethods, "publickey,keyboard-interactive:pam": the
 * way that it is, 0 when the account lacks something that it asks for.
 */
static unsigned int
way_of_list(char *list, unsigned int open, bool interactive)
{
	const unsigned int keys = SSH_WAY_KEY | SSH_WAY_CERTIFICATE;
	unsigned int way = SSH_WAY_PASSWORD;
	char *word, *rest = list;

	while ((word = strsep(&rest, ",")) != NULL) {
		word[strcspn(word, ":")] = '\0';
		if (strcmp(word, "publickey") == 0) {
			if (!(open & keys))
				return 0;
			way = keys;
		} else if (strcmp(word, "keyboard-interactive") == 0) {
			if (!interactive)
				return 0;
		} else if (strcmp(word, "gssapi-with-mic") == 0) {
			if (!(open & SSH_WAY_TICKET))
				return 0;
			way = SSH_WAY_TICKET;
		} else if (!(open & SSH_WAY_PASSWORD))
			return 0;
	}
	/* Without a key, what is asked interactively is the password. */
	return way & open;
}

static unsigned int
by_methods(const char *effective, unsigned int open, bool interactive)
{
	char *methods = value_of(effective, "authenticationmethods", 0);
	char *list, *rest = methods;
	unsigned int ways = 0;

	if (methods == NULL || strcmp(methods, "any") == 0) {
		free(methods);
		return open;
	}
	while ((list = strsep(&rest, " ")) != NULL)
		if (*list != '\0')
			ways |= way_of_list(list, open, interactive);
	free(methods);
	return ways;
}

static bool
trusts_certificates(const char *effective)
{
	char *file = value_of(effective, "trustedusercakeys", 0);
	bool trusts = file != NULL && strcmp(file, "none") != 0 &&
	    is(effective, "pubkeyauthentication", "yes");

	free(file);
	return trusts;
}

unsigned int
ssh_ways(const char *effective, const struct ssh_account *a)
{
	bool interactive = is(effective, "kbdinteractiveauthentication", "yes");
	unsigned int open = 0;

	if (!may_come(effective, a))
		return 0;
	if (a->has_key && is(effective, "pubkeyauthentication", "yes"))
		open |= SSH_WAY_KEY;
	if (trusts_certificates(effective))
		open |= SSH_WAY_CERTIFICATE;
	if (a->has_realm && is(effective, "gssapiauthentication", "yes"))
		open |= SSH_WAY_TICKET;
	if (a->has_password &&
	    (interactive || is(effective, "passwordauthentication", "yes")))
		open |= SSH_WAY_PASSWORD;
	if (a->root && is(effective, "permitrootlogin", "no"))
		open = 0;
	if (a->root && !is(effective, "permitrootlogin", "yes"))
		open &= ~(unsigned int)SSH_WAY_PASSWORD;
	return by_methods(effective, open, interactive);
}
