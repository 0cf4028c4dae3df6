/*
 * Allocation that ends the process when there is no memory.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/xalloc.h"

static void *
check(void *memory)
{
	if (memory == NULL)
		fatal("out of memory");
	return memory;
}

void *
xmalloc(size_t size)
{
	return check(malloc(size > 0 ? size : 1));
}

void *
xcalloc(size_t n, size_t size)
{
	if (n == 0 || size == 0)
		n = size = 1;
	return check(calloc(n, size));
}

void *
xreallocarray(void *old, size_t n, size_t size)
{
	if (n == 0 || size == 0)
		n = size = 1;
	return check(reallocarray(old, n, size));
}

char *
xstrdup(const char *text)
{
	return check(strdup(text));
}

char *
xstrndup(const char *text, size_t max)
{
	return check(strndup(text, max));
}

void *
xmemdup(const void *data, size_t len)
{
	void *copy = xmalloc(len);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *
xvasprintf(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) == -1)
		fatal("out of memory");
	return text;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	return text;
}

void
freezero(void *memory, size_t len)
{
	if (memory == NULL)
		return;
	explicit_bzero(memory, len);
	free(memory);
}

void
freezero_str(char *text)
{
	if (text != NULL)
		freezero(text, strlen(text));
}
