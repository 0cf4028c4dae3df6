/*
 * libFuzzer target: a private and a public key as somebody pastes them, a NUL
 * between.  What is read from them is a public key that reads as itself.
 *
 * There is no passphrase: deriving a key from one takes as long as its file
 * says, and the worker's time is limited, not its loops.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "worker/libssh.h"
#include "worker/tasks.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
const char *__asan_default_options(void);

/* libssh forgets parts of a key that it refuses; the worker ends with it. */
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* The public key, malloc'd; NULL: they were refused, and it is said why. */
static char *
read_keys(const char *private, const char *public, bool *encryptedp)
{
	struct wire_out out = { 0 }, answer = { 0 };
	const char *why = NULL;
	struct wire_in in;
	char *text = NULL;
	int error;

	wire_put_str(&out, private);
	wire_put_str(&out, "");
	wire_put_str(&out, public);
	wire_in_init(&in, out.data, out.len);
	error = task_key_read(&in, &answer, &why);
	if (error == 0) {
		wire_in_init(&in, answer.data, answer.len);
		text = wire_get_str(&in, KEY_TEXT_MAX);
		*encryptedp = wire_get_u8(&in) != 0;
		if (wire_end(&in) == -1)
			abort();
	} else if (answer.len != 0 || (why == NULL && error != EPROTO))
		abort();
	wire_free(&answer);
	wire_free(&out);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool loaded;
	char *private = xstrndup((const char *)data, len), *text, *again;
	size_t begin = strlen(private) + 1;
	char *public = begin < len ?
	    xstrndup((const char *)data + begin, len - begin) :
	    xstrdup("");
	bool encrypted = false;

	if (!loaded)
		libssh_load();
	loaded = true;
	text = read_keys(private, public, &encrypted);
	if (text != NULL) {
		if (encrypted || strpbrk(text, "\r\n") != NULL)
			abort();
		again = read_keys("", text, &encrypted);
		if (again == NULL || strcmp(again, text) != 0)
			abort();
		free(again);
	}
	free(text);
	free(private);
	free(public);
	return 0;
}
