/*
 * The lists of algorithms.
 *
 * MODERN is what ssh-audit publishes as its policies "Hardened Debian 12
 * (version 3)" and, where OpenSSH has ML-KEM and every current client with it,
 * "Hardened Debian 13 (version 1)": https://www.ssh-audit.com/, hardening
 * guides of 2025-04-18 and 2025-09-01.
 *
 * FIPS is what FIPS 140-3 modules approve of it: NIST SP 800-56A r3 (key
 * agreement over P-256 and so on, and groups of at least 3072 bits), FIPS
 * 186-5, SP 800-38A and D, SP 800-107 r1.  The hybrids and Ed25519 are
 * OpenSSH's own code, which no module holds.
 *
 * COMPATIBLE is OpenSSH's own choice, in which the hybrids come first.
 */
#include "services/ssh/ssh_hardening.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "services/ssh/ssh_names.h"
#include "services/ssh/ssh_render.h"

const char *const ssh_hardenings[] = { "MODERN", "FIPS", "COMPATIBLE", NULL };

#define CERT "-cert-v01@openssh.com"
#define RSA "rsa-sha2-512,rsa-sha2-256"
#define RSA_CERT "rsa-sha2-512" CERT ",rsa-sha2-256" CERT
#define ECDSA "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521"

/* clang-format off */
static const struct list {
	int hardening;
	enum ssh_algorithms kind;
	unsigned int from;	/* OpenSSH's version; the last row counts */
	const char *names;
} lists[] = {
	{ HARDENING_MODERN, ALGORITHMS_KEX, 0,
	  "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,"
	  "curve25519-sha256,curve25519-sha256@libssh.org,"
	  "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
	  "diffie-hellman-group-exchange-sha256" },
	{ HARDENING_MODERN, ALGORITHMS_KEX, 909,
	  "mlkem768x25519-sha256,"
	  "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com" },
	{ HARDENING_MODERN, ALGORITHMS_HOST_KEY, 0,
	  "sk-ssh-ed25519" CERT ",ssh-ed25519" CERT "," RSA_CERT ","
	  "sk-ssh-ed25519@openssh.com,ssh-ed25519," RSA },
	{ HARDENING_MODERN, ALGORITHMS_CIPHER, 0,
	  "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes256-ctr,"
	  "aes192-ctr,aes128-gcm@openssh.com,aes128-ctr" },
	{ HARDENING_MODERN, ALGORITHMS_MAC, 0,
	  "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,"
	  "umac-128-etm@openssh.com" },
	{ HARDENING_MODERN, ALGORITHMS_MAC, 909,
	  "hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com,"
	  "umac-128-etm@openssh.com" },

	{ HARDENING_FIPS, ALGORITHMS_KEX, 0,
	  "ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
	  "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
	  "diffie-hellman-group-exchange-sha256" },
	{ HARDENING_FIPS, ALGORITHMS_HOST_KEY, 0,
	  "ecdsa-sha2-nistp256" CERT ",ecdsa-sha2-nistp384" CERT ","
	  "ecdsa-sha2-nistp521" CERT "," RSA_CERT "," ECDSA "," RSA },
	{ HARDENING_FIPS, ALGORITHMS_CIPHER, 0,
	  "aes256-gcm@openssh.com,aes256-ctr,aes192-ctr,"
	  "aes128-gcm@openssh.com,aes128-ctr" },
	{ HARDENING_FIPS, ALGORITHMS_MAC, 0,
	  "hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com,"
	  "hmac-sha2-512,hmac-sha2-256" },

	/* TrueNAS names the ciphers as well. */
	{ HARDENING_COMPATIBLE, ALGORITHMS_CIPHER, 0,
	  "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,"
	  "aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr" },
};

/* By ssh_host_key_types: the algorithms of a key that is offered besides. */
static const char *const besides[] = { "ssh-ed25519", ECDSA, RSA };
/* clang-format on */

const char *
ssh_hardening_list(int hardening, enum ssh_algorithms kind,
    const struct ssh_installed *installed)
{
	const char *names = "";
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (lists[i].hardening == hardening && lists[i].kind == kind &&
		    lists[i].from <= installed->version)
			names = lists[i].names;
	return names;
}

/* Appends those of names that are installed and not there yet. */
static char *
append(char *offer, const char *names, const char *installed)
{
	const char *at = NULL, *name;
	char *longer;
	size_t len;

	while ((name = ssh_names_next(names, &at, &len)) != NULL) {
		if (!ssh_names_have(installed, name, len) ||
		    (offer != NULL && ssh_names_have(offer, name, len)))
			continue;
		longer = xasprintf("%s%s%.*s", offer == NULL ? "" : offer,
		    offer == NULL ? "" : ",", (int)len, name);
		free(offer);
		offer = longer;
	}
	return offer;
}

char *
ssh_hardening_offer(int hardening, enum ssh_algorithms kind,
    const struct ssh_installed *installed, uint32_t host_keys)
{
	const char *names = ssh_hardening_list(hardening, kind, installed);
	const char *there = installed->lists[kind];
	char *offer = NULL;
	size_t i;

	if (*names == '\0' || there == NULL)
		return NULL;
	offer = append(offer, names, there);
	for (i = 0; kind == ALGORITHMS_HOST_KEY &&
	     i < sizeof(besides) / sizeof(besides[0]);
	     i++)
		if (host_keys & (1u << i))
			offer = append(offer, besides[i], there);
	return offer;
}

uint32_t
ssh_hardening_host_keys(int hardening, const struct ssh_installed *installed)
{
	const char *names =
	    ssh_hardening_list(hardening, ALGORITHMS_HOST_KEY, installed);
	uint32_t types = 0;
	size_t i;

	for (i = 0; i < sizeof(besides) / sizeof(besides[0]); i++)
		if (*names == '\0' ||
		    ssh_names_have(names, besides[i], strcspn(besides[i], ",")))
			types |= 1u << i;
	return types;
}

unsigned int
ssh_hardening_rsa_bits(int hardening)
{
	switch (hardening) {
	case HARDENING_MODERN:
		return 2048;
	case HARDENING_FIPS:
		return 3072;
	case HARDENING_COMPATIBLE:
		break;
	}
	return 0;
}
