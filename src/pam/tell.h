/*
 * How a library in somebody else's program tells a fact (lib/fact.h).
 */
#ifndef HF_PAM_TELL_H
#define HF_PAM_TELL_H

#include <stddef.h>

#include "lib/fact.h"

struct fact {
	size_t		 len;
	unsigned int	 cut;	/* texts that had no room */
	char		 packet[FACT_PACKET];
};

void	fact_begin(struct fact *, const char *kind);
/* NULL says nothing; a longer value is cut, and says so. */
void	fact_put(struct fact *, const char *name, const char *value);
void	fact_put_number(struct fact *, const char *name, long long);

enum told {
	TOLD,
	TOLD_NOBODY,	/* Holdfast does not run, or does not listen */
	TOLD_NOT	/* this process can not: limits that its user set */
};

enum told fact_tell(const struct fact *);

#endif
