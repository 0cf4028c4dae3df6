/*
 * Rules for the kernel's audit: see kernel_rules.h.
 */
#include "monitor/kernel_rules.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

#define LINE_MAX_LEN 1024
/* The last word is for classes of calls. */
#define MASK_WORDS (AUDIT_BITMASK_SIZE - 1)
#define CALLS_MAX (MASK_WORDS * 32)

const char kernel_rules_text[] = {
#include <audit_rules.inc>
};
const size_t kernel_rules_size = sizeof(kernel_rules_text);

/*
 * System calls that the libaudit of Debian 12 does not know.  All that came
 * since Linux 5.1 have one number on every architecture.
 */
/* clang-format off */
static const struct {
	const char	*name;
	int		 number;
} newer[] = {
	{ "fchmodat2", 452 },
	{ "setxattrat", 463 },
};
/* clang-format on */

/* One line on its way to a rule. */
struct reading {
	struct audit_rule_data *rule;
	int flags; /* which list */
	int action;
	int machine;
	bool calls, any_call; /* system calls are named; some are there */
	bool absent; /* nothing for this architecture */
	const char *key;
};

/* The key goes behind the other texts of the rule (struct audit_rule_data). */
static void
put_key(struct audit_rule_data **rulep, const char *key)
{
	struct audit_rule_data *rule = *rulep;
	size_t len = strlen(key);

	rule = xreallocarray(rule, 1, sizeof(*rule) + rule->buflen + len);
	memcpy(rule->buf + rule->buflen, key, len);
	rule->fields[rule->field_count] = AUDIT_FILTERKEY;
	rule->fieldflags[rule->field_count] = AUDIT_EQUAL;
	rule->values[rule->field_count] = (uint32_t)len;
	rule->field_count++;
	rule->buflen += (uint32_t)len;
	*rulep = rule;
}

static int
take_list(struct reading *r, char *word)
{
	char *comma = strchr(word, ',');

	if (comma == NULL)
		return -1;
	*comma = '\0';
	r->action = audit_name_to_action(word);
	r->flags = audit_name_to_flag(comma + 1);
	return r->action == -1 || r->flags == -1 ? -1 : 0;
}

/*
 * Not by libaudit: that of Debian 13 refuses it in all rules behind one that
 * has a "perm".
 */
static void
take_arch(struct reading *r, const char *name)
{
	struct audit_rule_data *rule = r->rule;

	r->machine = audit_determine_machine(name);
	if (r->machine == -1) {
		r->absent = true;
		return;
	}
	rule->fields[rule->field_count] = AUDIT_ARCH;
	rule->fieldflags[rule->field_count] = AUDIT_EQUAL;
	rule->values[rule->field_count] =
	    (uint32_t)audit_machine_to_elf(r->machine);
	rule->field_count++;
}

static int
take_field(struct reading *r, const char *word)
{
	if (strncmp(word, "arch=", 5) == 0) {
		take_arch(r, word + 5);
		return 0;
	}
	return audit_rule_fieldpair_data(&r->rule, word, r->flags) == 0 ? 0 :
									  -1;
}

static int
call_number(const char *name, int machine)
{
	int number = audit_name_to_syscall(name, machine);
	size_t i;

	for (i = 0; number == -1 && i < sizeof(newer) / sizeof(newer[0]); i++)
		if (strcmp(newer[i].name, name) == 0)
			number = newer[i].number;
	return number;
}

/* Which of them there are differs between architectures. */
static int
take_calls(struct reading *r, char *word)
{
	char *name, *rest;
	int number;

	r->calls = true;
	for (name = strtok_r(word, ",", &rest); name != NULL;
	     name = strtok_r(NULL, ",", &rest)) {
		number = call_number(name, r->machine);
		if (number < 0 || number >= CALLS_MAX)
			continue;
		r->rule->mask[number / 32] |= UINT32_C(1) << (number % 32);
		r->any_call = true;
	}
	return 0;
}

static int
take_key(struct reading *r, const char *word)
{
	r->key = word;
	return strncmp(word, KERNEL_RULES_KEY, strlen(KERNEL_RULES_KEY)) == 0 &&
		strlen(word) <= AUDIT_MAX_KEY_LEN ?
	    0 :
	    -1;
}

static int
take_option(struct reading *r, const char *option, char *word)
{
	if (r->absent && strcmp(option, "-k") != 0)
		return 0;
	if (strcmp(option, "-a") == 0)
		return take_list(r, word);
	if (strcmp(option, "-F") == 0)
		return take_field(r, word);
	if (strcmp(option, "-C") == 0)
		return audit_rule_interfield_comp_data(
			   &r->rule, word, r->flags) == 0 ?
		    0 :
		    -1;
	if (strcmp(option, "-S") == 0)
		return take_calls(r, word);
	if (strcmp(option, "-k") == 0)
		return take_key(r, word);
	return -1;
}

/* Without system calls named, it is about all. */
static void
finish(struct reading *r)
{
	if (r->calls && !r->any_call)
		r->absent = true;
	if (!r->calls)
		memset(
		    r->rule->mask, 0xff, MASK_WORDS * sizeof(r->rule->mask[0]));
	r->rule->flags = (uint32_t)r->flags;
	r->rule->action = (uint32_t)r->action;
	put_key(&r->rule, r->key);
}

/* 0, or -1: it is not understood. */
static int
read_rule(struct reading *r, char *line)
{
	char *option, *word, *rest;

	for (option = strtok_r(line, " ", &rest); option != NULL;
	     option = strtok_r(NULL, " ", &rest)) {
		word = strtok_r(NULL, " ", &rest);
		if (word == NULL || take_option(r, option, word) == -1)
			return -1;
	}
	if (r->flags == -1 || r->key == NULL)
		return -1;
	finish(r);
	return 0;
}

static int
one_line(char *line, void (*each)(struct audit_rule_data *, void *), void *arg)
{
	struct reading r = { .flags = -1, .action = -1, .machine = -1 };
	int rc;

	if (line[0] == '#' || line[0] == '\0')
		return 0;
	r.rule = xcalloc(1, sizeof(*r.rule));
	audit_rule_init_data(r.rule);
	rc = read_rule(&r, line);
	if (rc == 0 && !r.absent)
		each(r.rule, arg);
	audit_rule_free_data(r.rule);
	return rc;
}

int
kernel_rules_each(const char *text, size_t len,
    void (*each)(struct audit_rule_data *, void *), void *arg, char *why,
    size_t size)
{
	char line[LINE_MAX_LEN];
	const char *end;
	size_t used;

	for (; len > 0; len -= used, text += used) {
		end = memchr(text, '\n', len);
		used = end != NULL ? (size_t)(end - text) + 1 : len;
		(void)snprintf(line, sizeof(line), "%.*s",
		    (int)(end != NULL ? used - 1 : used), text);
		if (used >= sizeof(line) || one_line(line, each, arg) == -1) {
			(void)snprintf(why, size, "not understood: %.*s",
			    (int)(end != NULL ? used - 1 : used), text);
			return -1;
		}
	}
	return 0;
}

/* Has this field a text, whose length is its value? */
static bool
has_text(uint32_t field)
{
	switch (field) {
	case AUDIT_SUBJ_USER:
	case AUDIT_SUBJ_ROLE:
	case AUDIT_SUBJ_TYPE:
	case AUDIT_SUBJ_SEN:
	case AUDIT_SUBJ_CLR:
	case AUDIT_OBJ_USER:
	case AUDIT_OBJ_ROLE:
	case AUDIT_OBJ_TYPE:
	case AUDIT_OBJ_LEV_LOW:
	case AUDIT_OBJ_LEV_HIGH:
	case AUDIT_WATCH:
	case AUDIT_DIR:
	case AUDIT_EXE:
	case AUDIT_FILTERKEY:
		return true;
	default:
		return false;
	}
}

char *
kernel_rule_key(const struct audit_rule_data *rule)
{
	uint32_t i, at = 0;

	for (i = 0; i < rule->field_count && i < AUDIT_MAX_FIELDS; i++) {
		if (!has_text(rule->fields[i]))
			continue;
		if (rule->values[i] > rule->buflen - at)
			break;
		if (rule->fields[i] == AUDIT_FILTERKEY)
			return xstrndup(rule->buf + at, rule->values[i]);
		at += rule->values[i];
	}
	return xstrdup("");
}

/* It is about no system call. */
struct audit_rule_data *
kernel_rule_note(const char *key)
{
	struct audit_rule_data *rule = xcalloc(1, sizeof(*rule));

	audit_rule_init_data(rule);
	rule->flags = AUDIT_FILTER_EXIT;
	rule->action = AUDIT_NEVER;
	put_key(&rule, key);
	return rule;
}
