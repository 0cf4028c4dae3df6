/* What the parts of system.security share. */
#ifndef HF_SECURITY_INTERNAL_H
#define HF_SECURITY_INTERNAL_H

struct change;

/*
 * STIG mode, of a change of the settings: what it needs when it is switched
 * on, and the limits that hold while it is.
 */
void	security_stig_check(struct change *);

#endif
