/*
 * libFuzzer target: a certificate of OpenSSH, as the bytes that its line has
 * in Base64; its type is what they begin with.  All that is told of one that
 * is taken apart is printable.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/ssh_certificate.h"
#include "lib/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_text(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			abort();
}

static void
check(const struct ssh_certificate *cert)
{
	size_t i;

	if (strchr(cert->public, ' ') == NULL || strchr(cert->ca, ' ') == NULL)
		abort();
	check_text(cert->public);
	check_text(cert->ca);
	check_text(cert->key_id);
	for (i = 0; i < cert->nprincipals; i++)
		check_text(cert->principals[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ssh_certificate cert;
	char *base64, *line;
	const char *why;
	size_t type = len > 4 ? data[3] : 0;

	if (type == 0 || type > len - 4)
		return 0;
	base64 = base64_encode(data, len);
	line = xasprintf("%.*s %s", (int)type, (const char *)data + 4, base64);
	if (ssh_certificate_read(line, &cert, &why) == 0)
		check(&cert);
	ssh_certificate_free(&cert);
	free(line);
	free(base64);
	return 0;
}
