/* What the files of certificate.* share. */
#ifndef HF_CERTIFICATE_INTERNAL_H
#define HF_CERTIFICATE_INTERNAL_H

#include "core/change.h"
#include "core/method.h"
#include "core/op.h"

/* The rows of an entry (certificate.c). */
extern const struct field certificate_fields[];
extern const struct field certificate_shown;

bool	certificate_is_own(const json_t *entry);

/* certificate_check.c: struct resource's. */
void	certificate_check(struct change *);
void	certificate_lookup(struct change *);
/*
 * What the worker said of a certificate or request, as members of an entry; a
 * new reference, NULL: it is malformed.
 */
json_t	*certificate_answer(const struct op_reply *);

/* certificate_make.c */
extern const struct field certificate_create_params[];
extern const struct field certificate_curves[], certificate_usages[];
void	certificate_create_run(struct call *);
void	certificate_curves_run(struct call *);
void	certificate_usages_run(struct call *);

/* certificate_watch.c */
/* What the machine's own says: members of its entry; borrowed, NULL: nothing. */
const json_t *certificate_own_told(void);
/* struct resource's. */
void	certificate_gather(void (*done)(void));
/* Raises and clears the alerts of those that end. */
void	certificate_watch(void);

#endif
