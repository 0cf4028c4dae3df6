/*
 * The one-time code that set-up over TCP asks for before there is an
 * administrator (design section 6).
 */
#ifndef HF_SETUP_CODE_H
#define HF_SETUP_CODE_H

#include <stdbool.h>

/* The code, made at the first call; "" once set up.  freezero_str(). */
char	*setup_code(void);
/* Compared in constant time. */
bool	 setup_code_is(const char *given);

#endif
