/*
 * What becomes of a foreign sshd_config: see ssh_import_plan.h.
 */
#include "services/ssh/ssh_import_plan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/xalloc.h"
#include "services/ssh/shown.h"
#include "services/ssh/ssh_diff.h"
#include "services/ssh/ssh_fields.h"

/* Without these left to sshd's defaults somebody might not get in. */
static const char *const kept_defaults[] = { "PasswordAuthentication",
	"KbdInteractiveAuthentication", "PermitRootLogin", NULL };

/* These let nobody in and keep nobody out. */
static const char *const harmless[] = { "Banner", "DebianBanner", "IPQoS",
	"HostCertificate", "ModuliFile", "PidFile", "PrintLastLog", "PrintMotd",
	"VersionAddendum", "XAuthLocation", NULL };

static const char *const algorithm_lists[] = { "kexalgorithms",
	"hostkeyalgorithms", "ciphers", "macs", NULL };

static bool
is_among(const char *name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcasecmp(*list, name) == 0)
			return true;
	return false;
}

static const char *
key_of(const struct directive *d)
{
	return d->shown != NULL ? d->shown : d->name;
}

/* Their values, whatever their order. */
static bool
same_key(const struct shown *a, const struct shown *b, const char *key)
{
	size_t count, other_count, i;
	size_t first = shown_lines(a, key, &count);
	size_t other = shown_lines(b, key, &other_count);

	if (count != other_count)
		return false;
	for (i = 0; i < count; i++)
		if (strcmp(a->lines[first + i].value,
			b->lines[other + i].value) != 0)
			return false;
	return true;
}

bool
import_same_algorithms(const char *effective, const char *other)
{
	struct shown a, b;
	bool same = true;
	size_t i;

	shown_parse(&a, effective);
	shown_parse(&b, other);
	for (i = 0; same && algorithm_lists[i] != NULL; i++)
		same = same_key(&a, &b, algorithm_lists[i]);
	shown_free(&a);
	shown_free(&b);
	return same;
}

/* --- Settings ------------------------------------------------------------- */

static bool
shown_is(const struct shown *shown, const char *key, const char *value)
{
	const char *is = shown_value(shown, key);

	return is != NULL && strcasecmp(is, value) == 0;
}

static bool
is_choice(const char *word, const char *const *choices)
{
	for (; *choices != NULL; choices++)
		if (strcmp(*choices, word) == 0)
			return **choices != '\0';
	return false;
}

/* Of sshd's own sftp what it logs: "sftp internal-sftp -l INFO -f AUTH". */
static void
sftp_fields(const struct shown *shown, json_t *fields)
{
	static const char own[] = "sftp internal-sftp ";
	const char *value = shown_value(shown, "subsystem");
	char **words;

	if (value == NULL || strncmp(value, own, sizeof(own) - 1) != 0)
		return;
	words = arguments_split(
	    value + sizeof(own) - 1, strlen(value) - (sizeof(own) - 1));
	if (words != NULL && words[0] != NULL && words[1] != NULL &&
	    words[2] != NULL && words[3] != NULL && words[4] == NULL &&
	    strcmp(words[0], "-l") == 0 && strcmp(words[2], "-f") == 0 &&
	    is_choice(words[1], ssh_sftp_log_levels) &&
	    is_choice(words[3], ssh_sftp_log_facilities)) {
		json_object_set_new(
		    fields, "sftp_log_level", json_string(words[1]));
		json_object_set_new(
		    fields, "sftp_log_facility", json_string(words[3]));
	}
	arguments_free(words);
}

/* The wildcard among its addresses means all interfaces. */
static bool
listens_everywhere(const struct shown *shown)
{
	size_t count, first = shown_lines(shown, "listenaddress", &count), i;
	bool all = false;

	for (i = 0; i < count; i++)
		all |=
		    strncmp(shown->lines[first + i].value, "0.0.0.0:", 8) == 0;
	return all;
}

json_t *
import_fields(const char *effective)
{
	struct shown shown;
	const char *port;
	json_t *fields;

	shown_parse(&shown, effective);
	port = shown_value(&shown, "port");
	fields = json_pack("{s:b, s:b, s:b, s:b}", "passwordauth",
	    shown_is(&shown, "passwordauthentication", "yes"), "kerberosauth",
	    shown_is(&shown, "gssapiauthentication", "yes"), "tcpfwd",
	    shown_is(&shown, "allowtcpforwarding", "yes"), "compression",
	    !shown_is(&shown, "compression", "no"));
	if (port != NULL)
		json_object_set_new(
		    fields, "tcpport", json_integer(listen_port(port)));
	if (listens_everywhere(&shown))
		json_object_set_new(fields, "bindiface", json_array());
	sftp_fields(&shown, fields);
	shown_free(&shown);
	return fields;
}

bool
import_root_password(const char *effective)
{
	struct shown shown;
	bool yes;

	shown_parse(&shown, effective);
	yes = shown_is(&shown, "permitrootlogin", "yes");
	shown_free(&shown);
	return yes;
}

/* --- Lines ---------------------------------------------------------------- */

static json_t *
line_entry(const struct flat_line *line, const char *reason)
{
	return json_pack("{s:o, s:i, s:o, s:s}", "file",
	    ssh_path_text(line->file), "line", (int)line->number, "text",
	    ssh_text(line->text, strlen(line->text)), "reason", reason);
}

void
import_not_taken(json_t *list, struct flat_line *line, const char *reason)
{
	line->dropped = true;
	json_array_append_new(list, line_entry(line, reason));
}

static void
add_obstacles(json_t *list, const struct flat_lines *lines)
{
	size_t i;

	for (i = 0; i < lines->count; i++)
		if (lines->list[i].problem != NULL)
			json_array_append_new(list,
			    line_entry(
				&lines->list[i], lines->list[i].problem));
}

json_t *
import_obstacles(const struct flat *flat)
{
	json_t *list = json_array();

	add_obstacles(list, &flat->global);
	add_obstacles(list, &flat->match);
	return list;
}

bool
import_is_harmless(const struct flat_line *line)
{
	return line->directive != NULL &&
	    is_among(line->directive->name, harmless);
}

static void
drop_ignored(struct flat_lines *lines, json_t *not_taken)
{
	size_t i;

	for (i = 0; i < lines->count; i++)
		if (lines->list[i].directive->class == CLASS_IGNORED)
			import_not_taken(not_taken, &lines->list[i],
			    "OpenSSH ignores this directive");
}

static bool
is_generated(const char *base, const struct directive *d)
{
	return directives_has_global(base, d->name, NULL) ||
	    (d->shown != NULL && directives_has_global(base, d->shown, NULL));
}

/* What is rendered anyway, with the same effect. */
static void
drop_generated(struct flat_lines *lines, const char *before, const char *base,
    const char *base_effective)
{
	struct shown is, was;
	struct flat_line *line;
	size_t i;

	shown_parse(&was, before);
	shown_parse(&is, base_effective);
	for (i = 0; i < lines->count; i++) {
		line = &lines->list[i];
		if (line->directive->form != FORM_HIDDEN &&
		    is_generated(base, line->directive) &&
		    same_key(&was, &is, key_of(line->directive)))
			line->dropped = true;
	}
	shown_free(&was);
	shown_free(&is);
}

static void
drop_addresses(struct flat_lines *lines, const char *only, json_t *not_taken)
{
	char *reason = xasprintf("this instance serves %s only", only);
	size_t i;

	for (i = 0; i < lines->count; i++)
		if (strcasecmp(
			lines->list[i].directive->name, "ListenAddress") == 0)
			import_not_taken(not_taken, &lines->list[i], reason);
	free(reason);
}

/* The block's text as it would be rendered: its lines stand in. */
static bool
is_block_of(
    const char *base, const struct flat_lines *lines, size_t from, size_t to)
{
	struct config_line line;
	size_t at = 0, i = from;
	unsigned int number = 0;
	const char *text;

	while (config_next_line(base, strlen(base), &at, &number, &line)) {
		if (line.kind != LINE_DIRECTIVE)
			continue;
		text = i < to ? lines->list[i].text : "";
		if (i == to && line.keyword_len == 5 &&
		    strncasecmp(line.keyword, "Match", 5) == 0)
			return true;
		if (strlen(text) ==
			(size_t)(line.rest + line.rest_len - line.keyword) &&
		    memcmp(text, line.keyword, strlen(text)) == 0)
			i++;
		else
			i = from;
	}
	return i == to;
}

/* Match blocks that are rendered, of users and groups. */
static void
drop_generated_blocks(struct flat_lines *lines, const char *base)
{
	size_t from, to, i;

	for (from = 0; from < lines->count; from = to) {
		for (to = from + 1; to < lines->count; to++)
			if (flat_is_match(&lines->list[to]))
				break;
		for (i = from; is_block_of(base, lines, from, to) && i < to;
		     i++)
			lines->list[i].dropped = true;
	}
}

void
import_choose(struct flat *flat, const char *before, const char *base,
    const char *base_effective, const char *only, json_t *not_taken)
{
	drop_ignored(&flat->global, not_taken);
	drop_ignored(&flat->match, not_taken);
	if (only != NULL)
		drop_addresses(&flat->global, only, not_taken);
	drop_generated(&flat->global, before, base, base_effective);
	drop_generated_blocks(&flat->match, base);
}

/* --- The text ------------------------------------------------------------- */

static bool
is_set(const struct flat_lines *lines, const char *name)
{
	size_t i;

	for (i = 0; i < lines->count; i++)
		if (strcasecmp(key_of(lines->list[i].directive), name) == 0)
			return true;
	return false;
}

/* What the file leaves to sshd's own defaults, which are not ours. */
static char *
default_lines(
    const struct flat *flat, const char *before, const char *base_effective)
{
	char *text = xstrdup(""), *longer;
	struct shown was, is;
	size_t i;

	shown_parse(&was, before);
	shown_parse(&is, base_effective);
	for (i = 0; kept_defaults[i] != NULL; i++) {
		if (is_set(&flat->global, kept_defaults[i]) ||
		    same_key(&was, &is, kept_defaults[i]) ||
		    shown_value(&was, kept_defaults[i]) == NULL)
			continue;
		longer = xasprintf("%s%s %s\n", text, kept_defaults[i],
		    shown_value(&was, kept_defaults[i]));
		free(text);
		text = longer;
	}
	shown_free(&was);
	shown_free(&is);
	return text;
}

char *
import_options(
    const struct flat *flat, const char *before, const char *base_effective)
{
	char *global = flat_text(&flat->global);
	char *defaults = default_lines(flat, before, base_effective);
	char *match = flat_text(&flat->match);
	char *options = xasprintf("%s%s%s", global, defaults, match);
	size_t len = strlen(options);

	if (len > 0)
		options[len - 1] = '\0';
	free(global);
	free(defaults);
	free(match);
	return options;
}

static struct flat_line *
kept_line(struct flat_lines *lines, unsigned int *number)
{
	size_t i;

	for (i = 0; i < lines->count; i++)
		if (!lines->list[i].dropped && --*number == 0)
			return &lines->list[i];
	return NULL;
}

struct flat_line *
import_line(struct flat *flat, const char *options, unsigned int number)
{
	struct flat_line *line =
	    number == 0 ? NULL : kept_line(&flat->global, &number);
	struct config_line at_line;
	unsigned int all = 0, match = 0, kept = 0;
	size_t at = 0, i;

	if (line != NULL || number == 0)
		return line;
	/* The defaults stand between both parts. */
	while (config_next_line(options, strlen(options), &at, &all, &at_line))
		continue;
	for (i = 0; i < flat->match.count; i++)
		match += !flat->match.list[i].dropped;
	for (i = 0; i < flat->global.count; i++)
		kept += !flat->global.list[i].dropped;
	if (number <= all - kept - match)
		return NULL;
	number -= all - kept - match;
	return kept_line(&flat->match, &number);
}

/* --- Connections ---------------------------------------------------------- */

/*
 * One that the pattern list matches, as sshd -C takes it; NULL: none can be
 * told, as of addresses with an asterisk.
 */
static char *
example(const char *list, bool address)
{
	char *name = xstrndup(list, strcspn(list, ",")), *p;

	if (address)
		name[strcspn(name, "/")] = '\0'; /* of a network, its own */
	for (p = name; !address && *p != '\0'; p++)
		if (*p == '?' || *p == '*')
			*p = 'x';
	for (p = name; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || strchr("!=*?", *p) != NULL)
			break;
	if (*name != '\0' && *p == '\0' && strlen(name) < 128)
		return name;
	free(name);
	return NULL;
}

static const struct {
	const char *criterion, *name;
} criteria[] = { { "User", "user" }, { "Host", "host" }, { "Address", "addr" },
	{ "LocalAddress", "laddr" }, { "LocalPort", "lport" } };
#define NCRITERIA (sizeof(criteria) / sizeof(criteria[0]))

/* Fills in what the words ask for; false: it cannot be told. */
static bool
fill(char **words, char *values[NCRITERIA])
{
	size_t i, w;

	for (w = 0; words[w] != NULL; w += 2) {
		if (w == 0 && words[1] == NULL &&
		    strcasecmp(words[0], "all") == 0)
			return true;
		for (i = 0; i < NCRITERIA; i++)
			if (strcasecmp(words[w], criteria[i].criterion) == 0)
				break;
		if (i == NCRITERIA || words[w + 1] == NULL)
			return false;
		free(values[i]);
		values[i] = example(
		    words[w + 1], strstr(criteria[i].name, "addr") != NULL);
		if (values[i] == NULL)
			return false;
	}
	return true;
}

char *
import_spec(const char *match)
{
	static const char *const others[NCRITERIA] = { "nobody", "localhost",
		"127.0.0.1", "127.0.0.1", "22" };
	const char *rest = match + strcspn(match, " ");
	char **words = arguments_split(rest, strlen(rest));
	char *values[NCRITERIA] = { NULL }, *spec = NULL, *longer;
	size_t i;

	if (words != NULL && fill(words, values))
		for (i = 0; i < NCRITERIA; i++) {
			longer =
			    xasprintf("%s%s%s=%s", spec == NULL ? "" : spec,
				spec == NULL ? "" : ",", criteria[i].name,
				values[i] != NULL ? values[i] : others[i]);
			free(spec);
			spec = longer;
		}
	for (i = 0; i < NCRITERIA; i++)
		free(values[i]);
	arguments_free(words);
	return spec;
}

/* --- What is another thing ------------------------------------------------ */

static json_t *
values_of(const struct shown *shown, const char *key)
{
	size_t count, first = shown_lines(shown, key, &count), i;
	char *text = xstrdup(""), *longer;
	json_t *value;

	for (i = 0; i < count; i++) {
		longer = xasprintf("%s%s%s", text, i == 0 ? "" : ", ",
		    shown->lines[first + i].value);
		free(text);
		text = longer;
	}
	value = ssh_text(text, strlen(text));
	free(text);
	return value;
}

/* Lines of both, of keys that begin there: each key once. */
static void
compare(json_t *list, const char *match, const struct shown *was,
    const struct shown *is, bool only_new)
{
	const struct shown *from = only_new ? is : was;
	const char *key, *last = "";
	const struct directive *d;
	size_t i, count;

	for (i = 0; i < from->count; i++) {
		key = from->lines[i].key;
		if (strcasecmp(key, last) == 0)
			continue;
		last = key;
		shown_lines(was, key, &count);
		if ((only_new && count > 0) || same_key(was, is, key))
			continue;
		d = directive_find(key, strlen(key));
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:o, s:o}", "match", match,
			"directive", d != NULL ? d->name : key, "before",
			values_of(was, key), "after", values_of(is, key)));
	}
}

void
import_differences(
    json_t *list, const char *match, const char *before, const char *after)
{
	struct shown was, is;

	shown_parse(&was, before);
	shown_parse(&is, after);
	compare(list, match, &was, &is, false);
	compare(list, match, &was, &is, true);
	shown_free(&was);
	shown_free(&is);
}
