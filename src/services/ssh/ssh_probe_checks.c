/*
 * A probe of this machine's own sshd against its settings.
 */
#include "services/ssh/ssh_probe_checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/json.h"
#include "lib/xalloc.h"
#include "services/ssh/directives.h"
#include "services/ssh/shown.h"
#include "services/ssh/ssh_fields.h"
#include "services/ssh/ssh_findings.h"
#include "services/ssh/ssh_installed.h"
#include "services/ssh/ssh_names.h"
#include "services/ssh/ssh_verify.h"

struct checks {
	const struct ssh_probe_seen *seen;
	json_t *list, *findings;
};

static void
add(struct checks *c, const char *check, const char *expected, const char *seen,
    bool met, const char *evidence)
{
	char *name;

	json_array_append_new(c->list,
	    json_pack("{s:s, s:s, s:s, s:b, s:s, s:o, s:s}", "check", check,
		"expected", expected, "seen", seen, "met", met, "evidence",
		evidence, "time", json_date(time(NULL)), "tool_version",
		HF_VERSION));
	if (met)
		return;
	name = xasprintf("check %s", check);
	ssh_finding(c->findings, name, "HIGH", seen, evidence,
	    "Compare the settings and the auxiliary parameters");
	free(name);
}

static void
check_offer(struct checks *c)
{
	char *why = NULL;
	int r =
	    ssh_verify_offer(c->seen->effective, &c->seen->report->offer, &why);

	add(c, "offer", "what sshd -T says", r == 0 ? "the same" : why, r == 0,
	    "SSH_MSG_KEXINIT of the server");
	free(why);
}

static int
hardening_of(const json_t *config)
{
	const char *name = json_str(config, "hardening", "");
	int i;

	for (i = 0; ssh_hardenings[i] != NULL; i++)
		if (strcmp(ssh_hardenings[i], name) == 0)
			return i;
	return HARDENING_COMPATIBLE;
}

static bool
names_type(const json_t *list, const char *type)
{
	const json_t *name;
	size_t i;

	json_array_foreach(list, i, name)
		if (strcmp(json_string_value(name), type) == 0)
			return true;
	return false;
}

/* What is offered besides the list; appended, or NULL. */
static char *
beyond(char *others, const char *offered, const char *allowed)
{
	const char *at = NULL, *p;
	char *longer;
	size_t len;

	while ((p = ssh_names_next(offered, &at, &len)) != NULL) {
		if (ssh_names_have(allowed, p, len) ||
		    strncmp(p, "kex-strict-", 11) == 0 ||
		    strncmp(p, "ext-info-", 9) == 0 ||
		    strncmp(p, "gss-", 4) == 0)
			continue;
		longer = xasprintf("%s%s%.*s", others == NULL ? "" : others,
		    others == NULL ? "" : ",", (int)len, p);
		free(others);
		others = longer;
	}
	return others;
}

/* Auxiliary parameters may offer more than was chosen. */
static void
check_hardening(struct checks *c)
{
	static const enum ssh_list lists[ALGORITHMS_COUNT] = {
		[ALGORITHMS_KEX] = LIST_KEX,
		[ALGORITHMS_HOST_KEY] = LIST_HOST_KEY,
		[ALGORITHMS_CIPHER] = LIST_CIPHER_IN,
		[ALGORITHMS_MAC] = LIST_MAC_IN,
	};
	const json_t *config = c->seen->config;
	int hardening = hardening_of(config);
	char *others = NULL, *allowed, *seen, *with;
	uint32_t kept = 0;
	unsigned int i;

	for (i = 0; ssh_host_key_types[i] != NULL; i++)
		if (names_type(json_object_get(config, "kept_host_keys"),
			ssh_host_key_types[i]))
			kept |= 1u << i;
	for (i = 0; i < ALGORITHMS_COUNT; i++) {
		allowed =
		    ssh_hardening_offer(hardening, i, ssh_installed(), kept);
		if (allowed == NULL)
			continue;
		with = xasprintf("%s,%s", allowed,
		    names_type(
			json_object_get(config, "weak_ciphers"), "AES128-CBC") ?
			"aes128-cbc" :
			"");
		others = beyond(
		    others, c->seen->report->offer.lists[lists[i]], with);
		free(with);
		free(allowed);
	}
	seen = others == NULL ? xstrdup("nothing else") :
				xasprintf("also %s", others);
	add(c, "hardening", ssh_hardenings[hardening], seen, others == NULL,
	    "SSH_MSG_KEXINIT of the server");
	free(seen);
	free(others);
}

static void
check_none(struct checks *c)
{
	static const char *const seen[] = {
		[TRIAL_NONE] = "it could not be tried",
		[TRIAL_REFUSED] = "refused",
		[TRIAL_ACCEPTED] = "accepted",
	};
	enum ssh_trial trial = c->seen->report->none_cipher;

	add(c, "none-cipher", "refused", seen[trial], trial != TRIAL_ACCEPTED,
	    "a key exchange that proposed the cipher \"none\" alone");
	add(c, "none-authentication", "refused",
	    c->seen->report->let_in ? "accepted" : "refused",
	    !c->seen->report->let_in,
	    "SSH_MSG_USERAUTH_REQUEST with the method \"none\"");
}

static void
effective_word(const char *effective, const char *key, char *out, size_t size)
{
	struct shown shown;
	const char *value;

	shown_parse(&shown, effective);
	value = shown_value(&shown, key);
	snprintf(out, size, "%s", value == NULL ? "" : value);
	shown_free(&shown);
}

static bool
takes_passwords(const char *methods)
{
	return ssh_names_have(methods, "password", 8) ||
	    ssh_names_have(methods, "keyboard-interactive", 20);
}

/* What the server says, and what its configuration says of root. */
static void
check_root(struct checks *c, const char *user)
{
	const char *methods = c->seen->report->methods;
	char permit[64], password[16], keyboard[16];
	bool expected, offered = takes_passwords(methods);

	effective_word(
	    c->seen->effective_root, "permitrootlogin", permit, sizeof(permit));
	effective_word(c->seen->effective_root, "passwordauthentication",
	    password, sizeof(password));
	effective_word(c->seen->effective_root, "kbdinteractiveauthentication",
	    keyboard, sizeof(keyboard));
	expected = strcmp(permit, "yes") == 0 &&
	    (strcmp(password, "yes") == 0 || strcmp(keyboard, "yes") == 0);
	if (strcmp(user, "root") != 0 || *methods == '\0')
		return;
	add(c, "root-password",
	    expected ? "root may log in with a password" :
		       "no method that takes a password of root",
	    methods, !offered || expected,
	    "the methods that the server names to root");
}

static void
check_forwarding(struct checks *c)
{
	bool expected = json_bool(c->seen->config, "tcpfwd", false);
	char word[64];
	bool seen;

	effective_word(
	    c->seen->effective, "allowtcpforwarding", word, sizeof(word));
	seen = strcmp(word, "no") != 0;
	add(c, "tcp-forwarding", expected ? "allowed" : "refused", word,
	    seen == expected, "sshd -T, AllowTcpForwarding");
}

json_t *
ssh_probe_checks(
    const struct ssh_probe_seen *seen, const char *user, json_t *findings)
{
	struct checks c = {
		.seen = seen, .list = json_array(), .findings = findings
	};

	check_offer(&c);
	check_hardening(&c);
	check_none(&c);
	check_root(&c, user);
	check_forwarding(&c);
	return c.list;
}

json_t *
ssh_probe_markers(const char *kex)
{
	json_t *markers = json_array();
	const char *at = NULL, *p;
	size_t len;

	while ((p = ssh_names_next(kex, &at, &len)) != NULL)
		if (strncmp(p, "kex-strict-", 11) == 0 ||
		    strncmp(p, "ext-info-", 9) == 0)
			json_array_append_new(markers, json_stringn(p, len));
	return markers;
}

void
ssh_probe_directives(json_t *findings, const char *options)
{
	struct config_line line;
	const struct directive *d;
	size_t at = 0;
	unsigned int number = 0;
	char *name;

	while (
	    config_next_line(options, strlen(options), &at, &number, &line)) {
		if (line.kind != LINE_DIRECTIVE)
			continue;
		d = directive_find(line.keyword, line.keyword_len);
		if (d == NULL || *directive_class_text(d->class) == '\0')
			continue;
		name = xasprintf("options %s", d->name);
		ssh_finding(findings, name, "MEDIUM",
		    directive_class_text(d->class), "sshd_config(5)",
		    "See whether the auxiliary parameters need it");
		free(name);
	}
}
