/*
 * What sshd, su, login and sudo tell through our libraries in them
 * (lib/fact.h), as records: LOGIN and CREDENTIAL of the service SYSTEM,
 * ACCEPT and REJECT of SUDO.
 */
#ifndef HF_AUDIT_SOURCE_FACT_H
#define HF_AUDIT_SOURCE_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "audit/source.h"
#include "audit/source_login.h"
#include "audit/source_words.h"

/* A packet taken apart: its texts, borrowed from it. */
struct fact_text {
	const char	*kind;
	const char	*at, *end;	/* the NAME=VALUE texts */
};

/* False: it is none. */
bool		 fact_parse(const char *packet, size_t len,
		    struct fact_text *);
/* The first value of that name, or NULL. */
const char	*fact_value(const struct fact_text *, const char *name);

struct fact_reader;

/*
 * Reads the socket fd (taken over) on the loop; records go to sources, failed
 * logins to failures, who has which number to words (all borrowed).  NULL with
 * errno.
 */
struct fact_reader *fact_reader_new(uv_loop_t *, int fd, struct sources *,
		    struct login_failures *, struct words_reader *);
/* What it waits for is recorded as it stands: before the last commit. */
void		 fact_reader_stop(struct fact_reader *);
/* NULL is fine.  The loop must turn once more before it is closed. */
void		 fact_reader_free(struct fact_reader *);

#endif
