/*
 * The table of advice.  An algorithm's row is the first one that its name
 * matches; one that no row knows is none's finding.
 */
#include "services/ssh/ssh_findings.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "services/ssh/shown.h"
#include "services/ssh/ssh_names.h"

#define STRICT_KEX "kex-strict-s-v00@openssh.com"
#define RSA_BITS 3072 /* as strong as a cipher of 128 bits */
#define RSA_BITS_LEAST 2048

enum {
	IN_KEX = 1 << 0,
	IN_HOST_KEY = 1 << 1,
	IN_CIPHER = 1 << 2,
	IN_MAC = 1 << 3,
	IN_COMPRESSION = 1 << 4,
	IN_AUTH = 1 << 5, /* of any account */
	IN_ROOT = 1 << 6, /* of root */
	FIPS_HAS = 1 << 7 /* chosen with FIPS */
};

struct advice {
	unsigned int where;
	const char *pattern;
	const char *severity;
	const char *reason, *source, *remedy;
};

/* clang-format off */
#define SHA1 "SHA-1 no longer withstands collisions"
#define CURVES "nobody explains how this curve was chosen, and a careless " \
	"implementation leaks the key"
#define RFC9142 "RFC 9142 section 3"
#define MODERN_KEX "Set hardening to MODERN: hybrids, curve25519 and large " \
	"groups remain"
#define MODERN_REST "Set hardening to MODERN"

static const struct advice advices[] = {
	{ IN_KEX, "diffie-hellman-group1-*", "HIGH",
	  "its group of 1024 bits can be computed in advance (Logjam)",
	  RFC9142, MODERN_KEX },
	{ IN_KEX, "gss-group1-*", "HIGH",
	  "its group of 1024 bits can be computed in advance (Logjam)",
	  RFC9142, MODERN_KEX },
	{ IN_KEX, "rsa1024-sha1", "HIGH", "its key of 1024 bits is too short",
	  RFC9142, MODERN_KEX },
	{ IN_KEX, "*-sha1", "MEDIUM", SHA1, RFC9142, MODERN_KEX },
	{ IN_KEX, "gss-*-sha1-*", "MEDIUM", SHA1, RFC9142, MODERN_KEX },
	{ IN_KEX, "diffie-hellman-group14-*", "LOW",
	  "its group of 2048 bits is only as strong as a cipher of 112",
	  "NIST SP 800-57 part 1 r5, table 2", MODERN_KEX },
	{ IN_KEX, "gss-group14-*", "LOW",
	  "its group of 2048 bits is only as strong as a cipher of 112",
	  "NIST SP 800-57 part 1 r5, table 2", MODERN_KEX },
	{ IN_KEX, "rsa2048-sha256", "LOW",
	  "its key of 2048 bits is only as strong as a cipher of 112",
	  "NIST SP 800-57 part 1 r5, table 2", MODERN_KEX },
	{ IN_KEX | FIPS_HAS, "ecdh-sha2-*", "LOW", CURVES,
	  "https://safecurves.cr.yp.to; ssh-audit", MODERN_KEX },
	{ IN_KEX, "gss-nistp*", "LOW", CURVES,
	  "https://safecurves.cr.yp.to; ssh-audit", MODERN_KEX },
	{ IN_KEX, "sntrup4591761x25519-*", "MEDIUM",
	  "an experiment that was withdrawn", "OpenSSH 8.5 release notes",
	  MODERN_KEX },

	{ IN_HOST_KEY, "ssh-dss*", "HIGH",
	  "DSA keys have 1024 bits, and a bad random number gives them away",
	  "OpenSSH 7.0 release notes", MODERN_REST },
	{ IN_HOST_KEY, "ssh-rsa*", "HIGH", SHA1,
	  "RFC 8332 section 1; OpenSSH 8.8 release notes", MODERN_REST },
	{ IN_HOST_KEY | FIPS_HAS, "*ecdsa-sha2-*", "LOW",
	  "a bad random number gives the key away, and its curve is not "
	  "explained", "RFC 8032 section 8.2; ssh-audit",
	  "Set hardening to MODERN and, once clients know the other keys, "
	  "remove ecdsa from kept_host_keys" },

	{ IN_CIPHER, "none", "CRITICAL", "nothing is encrypted",
	  "RFC 4253 section 6.3", MODERN_REST },
	{ IN_CIPHER, "arcfour*", "HIGH", "RC4 gives plain text away",
	  "RFC 8758", MODERN_REST },
	{ IN_CIPHER, "3des-*", "HIGH",
	  "blocks of 64 bits repeat after some gigabytes (Sweet32)",
	  "CVE-2016-2183", MODERN_REST },
	{ IN_CIPHER, "blowfish-*", "HIGH",
	  "blocks of 64 bits repeat after some gigabytes (Sweet32)",
	  "CVE-2016-2183", MODERN_REST },
	{ IN_CIPHER, "cast128-*", "HIGH",
	  "blocks of 64 bits repeat after some gigabytes (Sweet32)",
	  "CVE-2016-2183", MODERN_REST },
	{ IN_CIPHER, "idea-*", "HIGH",
	  "blocks of 64 bits repeat after some gigabytes (Sweet32)",
	  "CVE-2016-2183", MODERN_REST },
	{ IN_CIPHER, "des-*", "CRITICAL", "a key of 56 bits can be tried out",
	  "RFC 4345 section 4", MODERN_REST },
	{ IN_CIPHER, "*-cbc*", "MEDIUM",
	  "CBC mode gives plain text away to who alters packets",
	  "CVE-2008-5161; RFC 4344 section 1",
	  "Remove it from weak_ciphers and the auxiliary parameters" },

	{ IN_MAC, "none", "CRITICAL", "nothing is authentic",
	  "RFC 4253 section 6.4", MODERN_REST },
	{ IN_MAC, "hmac-md5*", "HIGH", "MD5 is broken", "RFC 6151 section 2",
	  MODERN_REST },
	{ IN_MAC, "hmac-sha1*", "MEDIUM", SHA1, "NIST SP 800-131A r2 section 9",
	  MODERN_REST },
	{ IN_MAC, "hmac-ripemd160*", "LOW", "a hash that nobody looks at "
	  "any more", "OpenSSH 7.6 release notes", MODERN_REST },
	{ IN_MAC, "umac-64*", "LOW", "a tag of 64 bits is short",
	  "RFC 4418 section 6.3", MODERN_REST },
	{ IN_MAC, "*-etm@openssh.com", NULL, NULL, NULL, NULL },
	{ IN_MAC | FIPS_HAS, "hmac-sha2-*", "LOW",
	  "the packet is decrypted before it is known to be authentic",
	  "RFC 7366 section 1; OpenSSH 6.2 release notes", MODERN_REST },
	{ IN_MAC, "umac-128*", "LOW",
	  "the packet is decrypted before it is known to be authentic",
	  "RFC 7366 section 1; OpenSSH 6.2 release notes", MODERN_REST },

	{ IN_COMPRESSION, "zlib", "MEDIUM",
	  "anybody may have data decompressed, without having logged in",
	  "OpenSSH 7.4 release notes", "Compress after the login only" },

	{ IN_AUTH, "hostbased", "MEDIUM",
	  "whoever is root on a client is anybody here",
	  "sshd_config(5) HostbasedAuthentication",
	  "Turn HostbasedAuthentication off" },
	{ IN_ROOT, "password", "HIGH", "root's password can be guessed at",
	  "sshd_config(5) PermitRootLogin",
	  "Let administrators log in by key, as themselves" },
	{ IN_ROOT, "keyboard-interactive", "HIGH",
	  "root's password can be guessed at",
	  "sshd_config(5) PermitRootLogin",
	  "Let administrators log in by key, as themselves" },
	{ .pattern = NULL }
};
/* clang-format on */

void
ssh_finding(json_t *findings, const char *name, const char *severity,
    const char *reason, const char *source, const char *remedy)
{
	json_array_append_new(findings,
	    json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "severity",
		severity, "reason", reason, "source", source, "remedy",
		remedy));
}

static const struct advice *
advice_for(unsigned int where, const char *name)
{
	const struct advice *a;

	for (a = advices; a->pattern != NULL; a++)
		if (a->where & where && pattern_match(a->pattern, name))
			return a;
	return NULL;
}

static void
judge_list(json_t *findings, unsigned int where, const char *list, bool fips)
{
	const struct advice *a;
	const char *at = NULL, *p;
	char *name;
	size_t len;

	while ((p = ssh_names_next(list, &at, &len)) != NULL) {
		name = xstrndup(p, len);
		a = advice_for(where, name);
		if (a != NULL && a->severity != NULL &&
		    !(fips && a->where & FIPS_HAS))
			ssh_finding(findings, name, a->severity, a->reason,
			    a->source, a->remedy);
		free(name);
	}
}

/* In both directions, each once. */
static void
judge_both(json_t *findings, unsigned int where, const char *in,
    const char *out, bool fips)
{
	const char *at = NULL, *p;
	char *name;
	size_t len;

	judge_list(findings, where, in, fips);
	while ((p = ssh_names_next(out, &at, &len)) != NULL)
		if (!ssh_names_have(in, p, len)) {
			name = xstrndup(p, len);
			judge_list(findings, where, name, fips);
			free(name);
		}
}

static bool
any_matches(const char *list, const char *pattern)
{
	const char *at = NULL, *p;
	bool found = false;
	char *name;
	size_t len;

	while (!found && (p = ssh_names_next(list, &at, &len)) != NULL) {
		name = xstrndup(p, len);
		found = pattern_match(pattern, name);
		free(name);
	}
	return found;
}

/* What the lists say as a whole. */
static void
judge_offer(json_t *findings, const struct ssh_offer *offer, bool fips)
{
	const char *kex = offer->lists[LIST_KEX];
	const char *ciphers = offer->lists[LIST_CIPHER_IN];
	const char *macs = offer->lists[LIST_MAC_IN];

	if (!fips && !any_matches(kex, "mlkem*") &&
	    !any_matches(kex, "sntrup761*"))
		ssh_finding(findings, "no-post-quantum-kex", "LOW",
		    "who records connections now can read them with a quantum "
		    "computer later",
		    "https://www.openssh.com/pq.html", MODERN_KEX);
	if (!any_matches(kex, STRICT_KEX) &&
	    (any_matches(ciphers, "chacha20-poly1305*") ||
		(any_matches(ciphers, "*-cbc*") &&
		    any_matches(macs, "*-etm@openssh.com"))))
		ssh_finding(findings, "no-strict-kex", "MEDIUM",
		    "packets at the beginning can be removed unseen (Terrapin)",
		    "CVE-2023-48795", "Update the server's software");
	if (strncmp(offer->banner, "SSH-2.0-", 8) != 0)
		ssh_finding(findings, "protocol-1", "CRITICAL",
		    "it speaks SSH 1 too, which is broken",
		    "RFC 4253 section 5", "Update the server's software");
}

static void
judge_host_key(json_t *findings, const struct ssh_host_key *key)
{
	char *name;

	if (strncmp(key->type, "ssh-rsa", 7) != 0 || key->bits == 0 ||
	    key->bits >= RSA_BITS)
		return;
	name = xasprintf("%s (%u bits)", key->algorithm, key->bits);
	ssh_finding(findings, name, key->bits < RSA_BITS_LEAST ? "HIGH" : "LOW",
	    "the host key is shorter than what a cipher of 128 bits deserves",
	    "NIST SP 800-57 part 1 r5, table 2", "Make a new RSA host key");
	free(name);
}

static void
judge_group(json_t *findings, unsigned int bits)
{
	char *name;

	if (bits == 0 || bits >= RSA_BITS)
		return;
	name = xasprintf("diffie-hellman-group-exchange (%u bits)", bits);
	ssh_finding(findings, name, bits < RSA_BITS_LEAST ? "HIGH" : "LOW",
	    "who asks for little gets a small group",
	    "NIST SP 800-57 part 1 r5, table 2", MODERN_KEX);
	free(name);
}

void
ssh_findings(
    json_t *findings, const struct ssh_report *r, const char *user, bool fips)
{
	const char *const *lists = (const char *const *)r->offer.lists;
	unsigned int auth = IN_AUTH;
	uint32_t i;

	if (strcmp(user, "root") == 0)
		auth |= IN_ROOT;
	judge_list(findings, IN_KEX, lists[LIST_KEX], fips);
	judge_list(findings, IN_HOST_KEY, lists[LIST_HOST_KEY], fips);
	judge_both(findings, IN_CIPHER, lists[LIST_CIPHER_IN],
	    lists[LIST_CIPHER_OUT], fips);
	judge_both(
	    findings, IN_MAC, lists[LIST_MAC_IN], lists[LIST_MAC_OUT], fips);
	judge_both(findings, IN_COMPRESSION, lists[LIST_COMPRESSION_IN],
	    lists[LIST_COMPRESSION_OUT], fips);
	judge_offer(findings, &r->offer, fips);
	for (i = 0; i < r->nhost_keys; i++)
		judge_host_key(findings, &r->host_keys[i]);
	judge_group(findings, r->group_bits);
	if (r->let_in)
		ssh_finding(findings, "none-authentication", "CRITICAL",
		    "it lets this user in without anything",
		    "RFC 4252 section 5.2",
		    "Give the account a password or "
		    "lock it");
	else
		judge_list(findings, auth, r->methods, fips);
}

void
ssh_finding_key(json_t *findings, const char *username, unsigned int bits)
{
	char *name;

	if (bits >= RSA_BITS)
		return;
	name = xasprintf("key of %s (RSA, %u bits)", username, bits);
	ssh_finding(findings, name, bits < RSA_BITS_LEAST ? "HIGH" : "LOW",
	    "the key is shorter than what a cipher of 128 bits deserves",
	    "NIST SP 800-57 part 1 r5, table 2",
	    "Replace it by an Ed25519 key");
	free(name);
}
