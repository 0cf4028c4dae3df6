/*
 * Reads `sshd -T` and compares lines of sshd_config with it, each directive
 * by the form its row in the table names.
 */
#include "services/ssh/shown.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/xalloc.h"

/* Words that sshd shows by another one. */
static const char *const synonyms[][2] = {
	{ "true", "yes" },
	{ "false", "no" },
	{ "all", "yes" },
	{ "delayed", "yes" },
	{ "prohibit-password", "without-password" },
	{ "debug1", "debug" },
};

static int
compare_lines(const void *a, const void *b)
{
	const struct shown_line *x = a, *y = b;
	int r = strcasecmp(x->key, y->key);

	return r != 0 ? r : strcmp(x->value, y->value);
}

void
shown_parse(struct shown *shown, const char *effective)
{
	const char *p = effective, *end, *blank;
	struct shown_line *line;
	size_t size = 0;

	memset(shown, 0, sizeof(*shown));
	for (; *p != '\0'; p = *end == '\0' ? end : end + 1) {
		end = strchrnul(p, '\n');
		blank = memchr(p, ' ', (size_t)(end - p));
		if (blank == NULL)
			continue;
		if (shown->count == size) {
			size = size == 0 ? 128 : size * 2;
			shown->lines = xreallocarray(
			    shown->lines, size, sizeof(*shown->lines));
		}
		line = &shown->lines[shown->count++];
		line->key = xstrndup(p, (size_t)(blank - p));
		line->value = xstrndup(blank + 1, (size_t)(end - blank - 1));
	}
	if (shown->count > 0)
		qsort(shown->lines, shown->count, sizeof(*shown->lines),
		    compare_lines);
}

void
shown_free(struct shown *shown)
{
	size_t i;

	for (i = 0; i < shown->count; i++) {
		free(shown->lines[i].key);
		free(shown->lines[i].value);
	}
	free(shown->lines);
	memset(shown, 0, sizeof(*shown));
}

size_t
shown_lines(const struct shown *shown, const char *key, size_t *countp)
{
	size_t low = 0, high = shown->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcasecmp(shown->lines[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*countp = 0; low + *countp < shown->count &&
	     strcasecmp(shown->lines[low + *countp].key, key) == 0;
	     ++*countp)
		continue;
	return low;
}

const char *
shown_value(const struct shown *shown, const char *key)
{
	size_t count, first = shown_lines(shown, key, &count);

	return count == 0 ? NULL : shown->lines[first].value;
}

static bool
has_line(const struct shown *shown, const char *key, const char *value)
{
	struct shown_line wanted;
	bool found;

	if (shown->count == 0)
		return false;
	wanted.key = xstrdup(key);
	wanted.value = xstrdup(value);
	found = bsearch(&wanted, shown->lines, shown->count,
		    sizeof(*shown->lines), compare_lines) != NULL;
	free(wanted.key);
	free(wanted.value);
	return found;
}

bool
pattern_match(const char *pattern, const char *text)
{
	const char *star = NULL, *back = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			back = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++back;
		} else
			return false;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static const char *
synonym(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++)
		if (strcasecmp(word, synonyms[i][0]) == 0)
			return synonyms[i][1];
	return word;
}

static bool
same_word(const char *shown, const char *word)
{
	return strcasecmp(synonym(shown), synonym(word)) == 0;
}

static bool
same_number(const char *shown, const char *word)
{
	char *end;
	long long number = strtoll(word, &end, 10);

	return *word != '\0' && *end == '\0' &&
	    number == strtoll(shown, NULL, 10);
}

/* sshd_config(5), TIME FORMATS; -1 when it is none. */
static long long
seconds(const char *text)
{
	static const char units[] = "smhdw";
	static const int each[] = { 1, 60, 3600, 86400, 604800 };
	long long total = 0, number, sum;
	const char *unit;
	char *end;

	if (*text == '\0')
		return -1;
	while (*text != '\0') {
		if (*text < '0' || *text > '9')
			return -1;
		number = strtoll(text, &end, 10);
		unit = *end == '\0' ? units : strchr(units, *end | ('a' - 'A'));
		if (unit == NULL ||
		    __builtin_mul_overflow(number, each[unit - units], &sum) ||
		    __builtin_add_overflow(total, sum, &total))
			return -1;
		text = *end == '\0' ? end : end + 1;
	}
	return total;
}

static bool
same_time(const char *shown, const char *word)
{
	if (strcasecmp(word, "none") == 0)
		return strcasecmp(shown, "none") == 0 ||
		    strcmp(shown, "0") == 0;
	return seconds(word) != -1 && seconds(word) == seconds(shown);
}

/* "1G" as bytes; -1 when it is none. */
static long long
bytes(const char *text)
{
	static const char units[] = "kmg";
	const char *unit;
	char *end;
	long long number;

	if (strcasecmp(text, "default") == 0)
		return 0;
	number = strtoll(text, &end, 10);
	if (*end == '\0')
		return number;
	unit = strchr(units, *end | ('a' - 'A'));
	if (unit == NULL || end[1] != '\0' || number < 0 || number > 1 << 20)
		return -1;
	return number << (10 * (unit - units + 1));
}

/* RekeyLimit SIZE [TIME], shown as "bytes seconds". */
static bool
same_size_time(const char *shown, char **words)
{
	char *end;
	long long limit = strtoll(shown, &end, 10);
	long long interval = strtoll(end, NULL, 10);

	if (words[0] == NULL || bytes(words[0]) != limit)
		return false;
	if (words[1] == NULL || strcasecmp(words[1], "none") == 0)
		return interval == 0;
	return seconds(words[1]) == interval;
}

/* MaxStartups "10" is shown as "10:30:10". */
static bool
same_startups(const char *shown, const char *word)
{
	size_t len = strlen(word);

	return strncmp(shown, word, len) == 0 &&
	    (shown[len] == '\0' || shown[len] == ':');
}

static bool
same_joined(const char *shown, char **words)
{
	size_t i, len;

	for (i = 0; words[i] != NULL; i++) {
		if (i > 0 && *shown++ != ' ')
			return false;
		len = strlen(words[i]);
		if (strncmp(shown, words[i], len) != 0)
			return false;
		shown += len;
	}
	return i > 0 && *shown == '\0';
}

/* Does some name of the comma-separated list match the pattern? */
static bool
list_has(const char *list, const char *pattern)
{
	char *copy = xstrdup(list), *rest = copy, *name;
	bool found = false;

	while (!found && (name = strsep(&rest, ",")) != NULL)
		found = pattern_match(pattern, name);
	free(copy);
	return found;
}

/*
 * An explicit list, which may hold patterns: each name shown matches one of
 * its elements, those in order, and each plain element is shown.
 */
static bool
same_explicit(const char *shown, const char *list)
{
	char *copy = xstrdup(list), *rest = copy, *element;
	char *names = xstrdup(shown), *names_rest = names;
	char *name = strsep(&names_rest, ",");
	bool same = true;

	while (same && (element = strsep(&rest, ",")) != NULL) {
		if (strpbrk(element, "*?") == NULL)
			same = list_has(shown, element);
		while (name != NULL && pattern_match(element, name))
			name = strsep(&names_rest, ",");
	}
	same = same && name == NULL;
	free(copy);
	free(names);
	return same;
}

static bool
same_algorithms(const char *shown, const char *list)
{
	char *copy, *rest, *element;
	bool add = *list == '+' || *list == '^', same = true;

	if (*list != '+' && *list != '-' && *list != '^')
		return same_explicit(shown, list);
	copy = rest = xstrdup(list + 1);
	while (same && (element = strsep(&rest, ",")) != NULL)
		if (strpbrk(element, "*?") == NULL || !add)
			same = list_has(shown, element) == add;
	free(copy);
	return same;
}

char *
listen_split(const char *value, const char **portp)
{
	const char *end = strchrnul(value, ' '), *colon, *host = value;

	*portp = NULL;
	if (*value == '[') {
		host++;
		end = strchrnul(host, ']');
		if (end[0] == ']' && end[1] == ':')
			*portp = end + 2;
	} else {
		colon = strchr(value, ':');
		if (colon != NULL && strchr(colon + 1, ':') == NULL) {
			*portp = colon + 1;
			end = colon;
		}
	}
	return xstrndup(host, (size_t)(end - host));
}

uint16_t
listen_port(const char *port)
{
	return (uint16_t)strtoul(port, NULL, 10);
}

static bool
same_port(const char *wanted, const char *seen)
{
	if (wanted == NULL)
		return true;
	return seen != NULL && listen_port(wanted) == listen_port(seen);
}

/* Numeric addresses in one notation; false for a name, or with a %scope. */
static bool
canonical(const char *host, char text[static INET6_ADDRSTRLEN])
{
	struct in6_addr address;
	int family = strchr(host, ':') == NULL ? AF_INET : AF_INET6;

	return inet_pton(family, host, &address) == 1 &&
	    inet_ntop(family, &address, text, INET6_ADDRSTRLEN) != NULL;
}

/* Of a host name only sshd knows the addresses: one has to be there. */
static bool
same_listen(const struct shown *shown, const char *word)
{
	char wanted[INET6_ADDRSTRLEN], seen[INET6_ADDRSTRLEN];
	size_t count, first = shown_lines(shown, "listenaddress", &count), i;
	const char *port, *seen_port;
	char *host = listen_split(word, &port), *seen_host;
	bool numeric = canonical(host, wanted), found = !numeric && count > 0;

	free(host);
	for (i = 0; i < count && !found; i++) {
		seen_host =
		    listen_split(shown->lines[first + i].value, &seen_port);
		found = canonical(seen_host, seen) &&
		    strcmp(wanted, seen) == 0 && same_port(port, seen_port);
		free(seen_host);
	}
	return found;
}

/* Directives whose lines add up, and the listed forms. */
static bool
has_lines(const struct shown *shown, const struct directive *d, const char *key,
    char **words)
{
	size_t count, first = shown_lines(shown, key, &count), i;
	bool found = false;

	if (d->form == FORM_LINES) {
		for (i = 0; words[i] != NULL; i++)
			if (!has_line(shown, key, words[i]))
				return false;
		return true;
	}
	for (i = 0; i < count && !found; i++)
		if (d->form == FORM_NUMBER)
			found = same_number(
			    shown->lines[first + i].value, words[0]);
		else
			found =
			    same_joined(shown->lines[first + i].value, words);
	return found;
}

static bool
same_value(const struct directive *d, const char *value, char **words,
    const struct config_line *line)
{
	switch (d->form) {
	case FORM_WORD:
		return same_word(value, words[0]);
	case FORM_NUMBER:
		return same_number(value, words[0]);
	case FORM_TIME:
		return same_time(value, words[0]);
	case FORM_ALGORITHMS:
		return same_algorithms(value, words[0]);
	case FORM_ARGUMENTS:
		return same_joined(value, words);
	case FORM_RAW:
		return strlen(value) == line->rest_len &&
		    memcmp(value, line->rest, line->rest_len) == 0;
	case FORM_STARTUPS:
		return same_startups(value, words[0]);
	case FORM_SIZE_TIME:
		return same_size_time(value, words);
	case FORM_PRESENT:
	case FORM_LINES:
	case FORM_LISTEN:
	case FORM_HIDDEN:
		break;
	}
	return true;
}

bool
shown_has(const struct shown *shown, const struct directive *d,
    const struct config_line *line)
{
	const char *key = d->shown != NULL ? d->shown : d->name, *value;
	char **words;
	bool has;

	if (d->form == FORM_HIDDEN)
		return true;
	words = arguments_split(line->rest, line->rest_len);
	value = shown_value(shown, key);
	if (words == NULL || words[0] == NULL || value == NULL)
		has = false;
	else if (d->form == FORM_LISTEN)
		has = same_listen(shown, words[0]);
	else if (d->form == FORM_LINES ||
	    (d->flags & DF_ADDS && d->form != FORM_PRESENT))
		has = has_lines(shown, d, key, words);
	else
		has = same_value(d, value, words, line);
	arguments_free(words);
	return has;
}
