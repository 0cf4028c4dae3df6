/*
 * Certificates of host keys: see ssh_host_cert.h.
 */
#include "services/ssh/ssh_host_cert.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/alert.h"
#include "core/change.h"
#include "core/core.h"
#include "lib/json.h"
#include "lib/ssh_key.h"
#include "lib/xalloc.h"
#include "services/ssh/shown.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_fields.h"
#include "services/ssh/ssh_findings.h"
#include "services/ssh/ssh_installed.h"
#include "services/ssh/ssh_names.h"
#include "services/ssh/ssh_render.h"
#include "services/ssh/ssh_signature.h"

#define DAY (24 * 60 * 60)
#define WARN_DAYS 14
#define RSA_BITS_LEAST 2048
#define ALGORITHM_MAX 64
#define ENDS "SshHostCertificateEnds"
#define ENDED "SshHostCertificateEnded"
#define UNUSED "SshHostCertificateUnused"
#define SOURCE "ssh-keygen(1) CERTIFICATES"

/* clang-format off */
static const struct field principal_row = { .name = "principal",
	.type = F_STR, .doc = "A name, or a pattern of names." };
const struct field ssh_host_cert_fields[] = {
	{ .name = "key_id", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "What its maker calls it." },
	{ .name = "serial", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "Its number, decimal." },
	{ .name = "signed_by", .type = F_STR, .flags = FF_REQUIRED,
	  .doc = "The key that signed it, as known_hosts has it." },
	{ .name = "principals", .type = F_ARRAY, .flags = FF_REQUIRED,
	  .fields = &principal_row, .doc = "Names of hosts that it is for." },
	{ .name = "valid_until", .type = F_ANY,
	  .flags = FF_REQUIRED | FF_NULL | FF_DATE,
	  .doc = "When it ends; null: never." },
	FIELD_END
};

/* By ssh_host_key_types: a signature algorithm that shows a certificate. */
static const struct {
	const char *begin;	/* of the types of such certificates */
	const char *algorithm;	/* "": its type */
} kinds[SSH_KEY_TYPES] = {
	{ "ssh-ed25519-cert-", "" },
	{ "ecdsa-sha2-", "" },
	{ "ssh-rsa-cert-", "rsa-sha2-512-cert-v01@openssh.com" },
};
/* clang-format on */

static bool
is_of_type(const struct ssh_certificate *cert, unsigned int type)
{
	return strncmp(cert->type, kinds[type].begin,
		   strlen(kinds[type].begin)) == 0;
}

/* "host_ed25519_certificate", malloc'd. */
static char *
member_of(unsigned int type)
{
	return xasprintf("host_%s_certificate", ssh_host_key_types[type]);
}

static const char *
stored(const json_t *entry, unsigned int type)
{
	char *member = member_of(type);
	const char *line = json_str(entry, member, NULL);

	free(member);
	return line;
}

/* --- What it has to be ----------------------------------------------------- */

enum ssh_cert_age
ssh_cert_age(const struct ssh_certificate *cert, time_t now)
{
	uint64_t time = now < 0 ? 0 : (uint64_t)now, notice, all;

	if (cert->before <= time)
		return SSH_CERT_ENDED;
	/* One that lives for a day is renewed by a program, and no news. */
	all = cert->before - (cert->after < cert->before ? cert->after : 0);
	notice = all / 3 < WARN_DAYS * DAY ? all / 3 : WARN_DAYS * DAY;
	return cert->before - time < notice ? SSH_CERT_ENDS : SSH_CERT_YOUNG;
}

/* The name of the signature's algorithm, which is its first part. */
static bool
signature_algorithm(
    const struct ssh_certificate *cert, char name[static ALGORITHM_MAX])
{
	struct ssh_in in = { .data = cert->signature,
		.len = cert->signature_len };
	size_t len;
	const uint8_t *text = ssh_get_string(&in, &len);

	if (in.bad || len == 0 || len >= ALGORITHM_MAX ||
	    memchr(text, '\0', len) != NULL)
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	return true;
}

static const char *
signature_problem(const struct ssh_certificate *cert)
{
	const struct ssh_bytes key = { cert->ca_key, cert->ca_key_len };
	const struct ssh_bytes signature = { cert->signature,
		cert->signature_len };
	const struct ssh_bytes message = { cert->blob, cert->signed_len };
	size_t bits = ssh_key_rsa_bits(cert->ca);
	char algorithm[ALGORITHM_MAX];

	if (!signature_algorithm(cert, algorithm))
		return "has no signature";
	if (strcmp(algorithm, "ssh-rsa") == 0)
		return "is signed with SHA-1, which clients refuse";
	if (strncmp(algorithm, "sk-", 3) == 0)
		return "is signed by a security key, which cannot be checked "
		       "here";
	if (bits != 0 && bits < RSA_BITS_LEAST)
		return "is signed by an RSA key of fewer than 2048 bits";
	if (!ssh_signature_good(algorithm, &key, &signature, &message))
		return "has a signature that is wrong";
	return NULL;
}

const char *
ssh_host_cert_problem(const struct ssh_certificate *cert, time_t now)
{
	uint64_t time = now < 0 ? 0 : (uint64_t)now;

	if (!cert->host)
		return "is one of a user, not of a host";
	if (cert->critical)
		return "has critical options, of which hosts have none";
	if (cert->nprincipals == 0)
		return "names no host";
	if (cert->after > time)
		return "is not valid yet";
	if (cert->before <= time)
		return "is not valid any more";
	return signature_problem(cert);
}

/* Would the algorithms of that hardening ever show it? */
static bool
is_offered(const struct ssh_certificate *cert, unsigned int type, int hardening)
{
	const char *name = kinds[type].algorithm;
	char *offer = ssh_hardening_offer(
	    hardening, ALGORITHMS_HOST_KEY, ssh_installed(), 0);
	bool offered;

	if (*name == '\0')
		name = cert->type;
	offered = offer == NULL || ssh_names_have(offer, name, strlen(name));
	free(offer);
	return offered;
}

static const char *
problem_of(const char *line, unsigned int type, int hardening)
{
	struct ssh_certificate cert;
	const char *why;

	if (strpbrk(line, "\r\n") != NULL)
		return "is more than one line";
	if (ssh_certificate_read(line, &cert, &why) == 0) {
		if (!is_of_type(&cert, type))
			why = "is one of a key of another type";
		else if (!is_offered(&cert, type, hardening))
			why = "is of a kind that this choice of hardening does "
			      "not offer";
		else
			why = ssh_host_cert_problem(&cert, time(NULL));
	}
	ssh_certificate_free(&cert);
	return why;
}

/* The one that the change brings; NULL: none, or it was there. */
static const char *
brought(const struct change *change, unsigned int type)
{
	const struct ssh_config *old = change->old, *new = change->new;
	const char *was = ssh_render_certificate(old, type);
	const char *line = ssh_render_certificate(new, type);

	if (line == NULL || (was != NULL && strcmp(line, was) == 0))
		return NULL;
	return line;
}

static void
refuse(struct change *change, unsigned int type, const char *why)
{
	char *member = member_of(type);

	verr_add(change->errors, member, "This certificate %s", why);
	free(member);
}

void
ssh_host_cert_check(struct change *change)
{
	const struct ssh_config *new = change->new;
	const char *line, *why;
	unsigned int type;

	for (type = 0; type < SSH_KEY_TYPES; type++)
		if ((line = brought(change, type)) != NULL &&
		    (why = problem_of(line, type, new->hardening)) != NULL)
			refuse(change, type, why);
}

/* The one whose key is to be looked at; NULL: none, or it is refused. */
static const char *
sound(const struct change *change, unsigned int type)
{
	const struct ssh_config *new = change->new;
	const char *line = brought(change, type);

	if (line != NULL && problem_of(line, type, new->hardening) != NULL)
		return NULL;
	return line;
}

/* --- Whose it is ----------------------------------------------------------- */

static bool
is_of_key(const char *line, const struct ssh_key_known *key)
{
	struct ssh_certificate cert;
	const char *why;
	bool same;

	if (key->state != SSH_KEY_GOOD)
		return false;
	same = ssh_certificate_read(line, &cert, &why) == 0 &&
	    strcmp(cert.public, key->public) == 0;
	ssh_certificate_free(&cert);
	return same;
}

static bool
is_of_keys(const char *line, unsigned int type, uint32_t slots)
{
	unsigned int slot;

	for (slot = 0; slot < SSH_KEY_SLOTS; slot++)
		if ((slots & (1u << slot)) &&
		    is_of_key(line, ssh_host_key_known(type, slot)))
			return true;
	return false;
}

static void
keys_known(int error, const char *text, void *arg)
{
	struct change *change = arg;
	const char *line;
	unsigned int type;

	for (type = 0; type < SSH_KEY_TYPES; type++) {
		line = sound(change, type);
		if (line == NULL)
			continue;
		if (error != 0)
			refuse(change, type, text);
		else if (!is_of_keys(line, type,
			     ssh_host_keys_slots(change->after, type)))
			refuse(change, type,
			    "is of another key than this machine's (see "
			    "ssh.host_keys)");
	}
	change_continue(change);
}

void
ssh_host_cert_lookup(struct change *change)
{
	unsigned int type;

	for (type = 0; type < SSH_KEY_TYPES; type++)
		if (sound(change, type) != NULL) {
			ssh_host_keys_ask(keys_known, change);
			return;
		}
	change_continue(change);
}

/* --- The files ------------------------------------------------------------- */

static char *
render(const struct change *change, unsigned int type)
{
	const char *line = stored(
	    change_view(change, &ssh_resource, ssh_resource.entry), type);

	/* sshd passes over comments. */
	return xasprintf(
	    "# Written by Holdfast; changes made here are overwritten.\n%s%s",
	    line == NULL ? "" : line, line == NULL ? "" : "\n");
}

char *
ssh_host_cert_render_ed25519(const struct change *change, char **whyp)
{
	(void)whyp;
	return render(change, 0);
}

char *
ssh_host_cert_render_ecdsa(const struct change *change, char **whyp)
{
	(void)whyp;
	return render(change, 1);
}

char *
ssh_host_cert_render_rsa(const struct change *change, char **whyp)
{
	(void)whyp;
	return render(change, 2);
}

/* --- What is told ---------------------------------------------------------- */

static void
tell(const char *class, const char *type, bool raised, const char *until)
{
	if (raised)
		alert_raise(class, type,
		    json_pack("{s:s, s:s}", "type", type, "until", until));
	else
		alert_clear(class, type);
}

static void
tell_age(const struct ssh_certificate *cert, const char *type)
{
	enum ssh_cert_age age = ssh_cert_age(cert, time(NULL));
	time_t end = (time_t)cert->before;
	char until[64] = "";
	struct tm tm;

	if (age != SSH_CERT_YOUNG && gmtime_r(&end, &tm) != NULL)
		strftime(until, sizeof(until), "%Y-%m-%d %H:%M UTC", &tm);
	tell(ENDS, type, age == SSH_CERT_ENDS, until);
	tell(ENDED, type, age == SSH_CERT_ENDED, until);
}

void
ssh_host_cert_judge(const json_t *entry, unsigned int type)
{
	const char *name = ssh_host_key_types[type];
	const char *line = stored(entry, type), *why;
	unsigned int current = ssh_host_key_slot(entry, type);
	struct ssh_certificate cert;

	/* A damaged key is an alert of its own, and may be this one. */
	if (line == NULL ||
	    is_of_keys(line, type, ssh_host_keys_slots(entry, type)))
		alert_clear(UNUSED, name);
	else if (ssh_host_key_known(type, current)->state == SSH_KEY_GOOD)
		alert_raise(UNUSED, name, json_pack("{s:s}", "type", name));
	if (line == NULL) {
		alert_clear(ENDS, name);
		alert_clear(ENDED, name);
		return;
	}
	if (ssh_certificate_read(line, &cert, &why) == 0)
		tell_age(&cert, name);
	ssh_certificate_free(&cert);
}

void
ssh_host_cert_review(void)
{
	const json_t *entry;
	unsigned int type;

	entry = change_view(NULL, &ssh_resource, ssh_resource.entry);
	for (type = 0; type < SSH_KEY_TYPES; type++)
		ssh_host_cert_judge(entry, type);
}

/* With or without its domain; clients compare without regard to case. */
static bool
is_our_name(const char *principal)
{
	const char *own = core_facts()->hostname;
	size_t len = strcspn(own, ".");
	char *first = xstrndup(principal, strcspn(principal, "."));
	bool same;

	same = strcasecmp(principal, own) == 0 || pattern_match(principal, own);
	/* Which domain a short name has, is the resolver's to say. */
	if (!same && own[len] == '\0')
		same = strcasecmp(first, own) == 0;
	if (!same && strchr(principal, '.') == NULL)
		same = strlen(principal) == len &&
		    strncasecmp(principal, own, len) == 0;
	free(first);
	return same;
}

static bool
names_us(const struct ssh_certificate *cert)
{
	size_t i;

	for (i = 0; i < cert->nprincipals; i++)
		if (is_our_name(cert->principals[i]))
			return true;
	return false;
}

static int
hardening_of(const json_t *entry)
{
	const char *name = json_str(entry, "hardening", "");
	int i;

	for (i = 0; ssh_hardenings[i] != NULL; i++)
		if (strcmp(ssh_hardenings[i], name) == 0)
			return i;
	return HARDENING_COMPATIBLE;
}

static void
find(json_t *findings, const json_t *entry, unsigned int type,
    const struct ssh_certificate *cert)
{
	size_t bits = ssh_key_rsa_bits(cert->ca);
	char *name =
	    xasprintf("certificate of host key %s", ssh_host_key_types[type]);

	if (!names_us(cert))
		ssh_finding(findings, name, "LOW",
		    "none of its principals is the name of this machine",
		    SOURCE, "Have it signed for the names that clients use");
	if (!is_offered(cert, type, hardening_of(entry)))
		ssh_finding(findings, name, "LOW",
		    "the chosen hardening does not offer it",
		    "sshd_config(5) HostKeyAlgorithms",
		    "Have a key of another type certified");
	if (ssh_cert_age(cert, time(NULL)) == SSH_CERT_ENDED)
		ssh_finding(findings, name, "MEDIUM",
		    "it is not valid any more", SOURCE,
		    "Have the key signed again, or remove it");
	if (bits != 0)
		ssh_finding_key(findings, "who signed a certificate of a host",
		    (unsigned int)bits);
	free(name);
}

void
ssh_host_cert_findings(json_t *findings, const json_t *entry)
{
	struct ssh_certificate cert;
	const char *line, *why;
	unsigned int type;

	for (type = 0; type < SSH_KEY_TYPES; type++) {
		line = stored(entry, type);
		if (line == NULL)
			continue;
		if (ssh_certificate_read(line, &cert, &why) == 0)
			find(findings, entry, type, &cert);
		ssh_certificate_free(&cert);
	}
}

static json_t *
describe(const struct ssh_certificate *cert)
{
	json_t *names = json_array(), *shown;
	char serial[32];
	size_t i;

	for (i = 0; i < cert->nprincipals; i++)
		json_array_append_new(names, json_string(cert->principals[i]));
	snprintf(serial, sizeof(serial), "%" PRIu64, cert->serial);
	shown = json_pack("{s:s, s:s, s:s, s:o, s:o}", "key_id", cert->key_id,
	    "serial", serial, "signed_by", cert->ca, "principals", names,
	    "valid_until",
	    cert->before > INT64_MAX / 1000 ? json_null() :
					      json_date((int64_t)cert->before));
	return shown;
}

json_t *
ssh_host_cert_of(
    const json_t *entry, unsigned int type, const struct ssh_key_known *key)
{
	const char *line = stored(entry, type), *why;
	struct ssh_certificate cert;
	json_t *shown = NULL;

	if (line == NULL || !is_of_key(line, key))
		return json_null();
	if (ssh_certificate_read(line, &cert, &why) == 0)
		shown = describe(&cert);
	ssh_certificate_free(&cert);
	return shown;
}
