/*
 * Kerberos: the realms whose tickets are believed and the keys by which this
 * machine reads them.  Who holds the keys of a realm can log in as anybody
 * whom sshd lets in by a ticket, so both are full administrators' to change.
 */
#ifndef HF_KERBEROS_H
#define HF_KERBEROS_H

#include <jansson.h>
#include <stdbool.h>

#include "core/change.h"
#include "core/method.h"

extern const struct resource kerberos_realm_resource;	/* realm.c */
extern const struct resource kerberos_keytab_resource;	/* keytab.c */

/* OUTPUT_KRB5_CONF and OUTPUT_KRB5_KEYTAB, a struct renderer's functions. */
char	*kerberos_render_conf(const struct change *, char **whyp);
char	*kerberos_render_keytab(const struct change *, char **whyp);

/* From a check: may the caller change it?  Else there is an error now. */
bool	 kerberos_allowed(struct change *, const char *attribute);

/*
 * Why no ticket is accepted although SSH is to take them, malloc'd; NULL: it
 * is not to, or nothing is missing (problem.c).
 */
char	*kerberos_problem(void);
/* One of realms, keytabs or SSH's settings changed: the alert follows. */
void	 kerberos_review(void);

#endif
