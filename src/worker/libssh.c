/* libssh, loaded by those who use it: see libssh.h. */
#include "worker/libssh.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "lib/log.h"

#define LIBRARY "libssh.so.4"

struct libssh libssh;

/* clang-format off */
#define ROW(name) { #name, offsetof(struct libssh, name) },
static const struct {
	const char *name;
	size_t at;
} functions[] = { LIBSSH_FUNCTIONS(ROW) };
/* clang-format on */

void
libssh_load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL), *function;
	size_t i;

	if (library == NULL)
		return; /* the task says so */
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		function = dlsym(library, functions[i].name);
		if (function == NULL)
			fatal("%s has no %s", LIBRARY, functions[i].name);
		memcpy((char *)&libssh + functions[i].at, &function,
		    sizeof(function));
	}
}

bool
libssh_is_there(const char **why)
{
	*why = "libssh is not there (Debian's libssh-4)";
	return libssh.ssh_key_free != NULL;
}
