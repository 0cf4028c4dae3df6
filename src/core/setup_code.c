/*
 * The one-time set-up code: see setup_code.h.
 */
#include "core/setup_code.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "core/account.h"
#include "core/core.h"
#include "lib/xalloc.h"

#define CODE_LENGTH 20 /* of 32 symbols: 100 bits */
#define VALUE "setup_code"

/* Without those that look alike (RFC 4648's alphabet less 0, 1, 8, 9). */
static const char symbols[33] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

char *
setup_code(void)
{
	char *code;
	unsigned int i;

	if (core_store() == NULL || account_administrator_set_up())
		return xstrdup("");
	if ((code = store_value(core_store(), VALUE)) != NULL)
		return code;
	code = xcalloc(1, CODE_LENGTH + 1);
	for (i = 0; i < CODE_LENGTH; i++)
		code[i] = symbols[core_random(32)];
	store_set_value(core_store(), VALUE, code);
	return code;
}

bool
setup_code_is(const char *given)
{
	char *code = setup_code();
	bool same = code[0] != '\0' && strlen(given) == strlen(code) &&
	    CRYPTO_memcmp(code, given, strlen(code)) == 0;

	freezero_str(code);
	return same;
}
