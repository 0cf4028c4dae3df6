/*
 * Where auxiliary parameters say something else than a field of the settings:
 * sshd takes the first value it reads, and theirs come first.  Pure.
 */
#ifndef HF_SSH_OVERRIDE_H
#define HF_SSH_OVERRIDE_H

#include <jansson.h>

#include "services/ssh/ssh_fields.h"
#include "services/ssh/ssh_hardening.h"

/*
 * [{field, line, directive, everybody}], a new reference: line of the
 * parameters; everybody is false within a Match block, where it holds for
 * those whom that names.
 */
json_t	*ssh_override_list(const struct ssh_config *,
	    const struct ssh_installed *);
/* The names of the fields that have no effect on anybody; new reference. */
json_t	*ssh_override_fields(const struct ssh_config *,
	    const struct ssh_installed *);

#endif
