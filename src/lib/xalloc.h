/*
 * Allocation that ends the process when there is no memory: every role is
 * restarted by the monitor, and half-handled exhaustion is where bugs live.
 */
#ifndef HF_XALLOC_H
#define HF_XALLOC_H

#include <stdarg.h>
#include <stddef.h>

void	*xmalloc(size_t);
void	*xcalloc(size_t n, size_t size);
void	*xreallocarray(void *, size_t n, size_t size);
char	*xstrdup(const char *);
char	*xstrndup(const char *, size_t);
void	*xmemdup(const void *, size_t);
char	*xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char	*xvasprintf(const char *fmt, va_list) __attribute__((format(printf, 1, 0)));

/* Zeroes len bytes before freeing; NULL is fine.  For anything secret. */
void	 freezero(void *, size_t len);
/* The same for a string. */
void	 freezero_str(char *);

#endif
