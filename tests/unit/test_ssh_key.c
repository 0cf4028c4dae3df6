/*
 * Public SSH keys: what sshd reads as a key is accepted, what it would pass
 * over is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base64.h"
#include "lib/xalloc.h"
#include "lib/ssh_key.h"

#define ED25519                                                                \
	"AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/"           \
	"QEXn9OIeZJ"

static void
good(const char *text)
{
	char *problem = ssh_keys_problem(text);

	if (problem != NULL)
		fail_msg("%s: %s", text, problem);
}

static void
bad(const char *text, const char *why)
{
	char *problem = ssh_keys_problem(text);

	if (problem == NULL)
		fail_msg("accepted: %s", text);
	if (strstr(problem, why) == NULL)
		fail_msg("%s: %s", text, problem);
	free(problem);
}

static void
test_good(void **state)
{
	(void)state;
	good("");
	good("# a comment\n\n");
	good("ssh-ed25519 " ED25519);
	good("ssh-ed25519 " ED25519 " bea@home, of 2026\n# one more\n"
	     "  ssh-ed25519\t" ED25519 "\n");
	good("restrict,command=\"/usr/bin/rrsync -ro \\\"a b\\\"\",from=\"10.0"
	     ".0.0/8,!10.1.1.1\" ssh-ed25519 " ED25519 " backup");
	good("no-pty ssh-ed25519 " ED25519);
}

static void
test_bad(void **state)
{
	(void)state;
	bad("hello", "Line 1: is no key");
	bad("ssh-ed25519 " ED25519 "\nhello", "Line 2");
	bad("ssh-ed25519", "no key behind");
	bad("ssh-ed25519 AAAA*", "Base64");
	bad("ssh-ed25519 AAAA", "cut short");
	bad("ssh-rsa " ED25519, "another type");
	bad("ssh-dss AAAA", "DSA");
	bad("-----BEGIN OPENSSH PRIVATE KEY-----", "is no key");
	bad("ssh-ed25519 " ED25519 "\r\n", "control character");
	bad("ssh-ed25519 " ED25519 " a\033[2J", "control character");
	bad("command=/bin/id ssh-ed25519 " ED25519, "not quoted");
	bad("command=\"/bin/id ssh-ed25519 " ED25519, "not quoted");
	bad("nosuch ssh-ed25519 " ED25519, "no option");
	bad("restrict,", "no option");
	bad("restrict", "not followed");
	bad("# holdfast: end", "begins like");
}

/* An RSA key whose modulus has so many bytes. */
static char *
rsa(size_t bytes)
{
	uint8_t blob[4 + 7 + 4 + 3 + 4 + 1024] = { 0, 0, 0, 7, 's', 's', 'h',
		'-', 'r', 's', 'a', 0, 0, 0, 3, 1, 0, 1 };
	char *text, *line;

	blob[20] = (uint8_t)(bytes >> 8);
	blob[21] = (uint8_t)bytes;
	memset(blob + 22, 0xc3, bytes);
	text = base64_encode(blob, 22 + bytes);
	line = xasprintf("ssh-rsa %s", text);
	free(text);
	return line;
}

static void
test_rsa(void **state)
{
	char *weak = rsa(96), *strong = rsa(256);

	(void)state;
	bad(weak, "1024 bits");
	good(strong);
	free(weak);
	free(strong);
}

/* A key that goes on behind its parts, or ends within one. */
static void
test_length(void **state)
{
	uint8_t *blob, longer[64];
	char *text, *line;
	size_t len, i;

	(void)state;
	blob = base64_decode(ED25519, 1024, &len);
	memcpy(longer, blob, len);
	longer[len] = 0;
	for (i = 1; i <= len + 1; i++) {
		text = base64_encode(longer, i);
		line = xasprintf("ssh-ed25519 %s", text);
		if (i == len)
			good(line);
		else
			bad(line, i > len ? "behind" : "key is");
		free(line);
		free(text);
	}
	free(blob);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
