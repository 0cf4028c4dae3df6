/*
 * Certificates of users: the keys that sign them (user_ca_keys), and the keys
 * that are no longer believed (revoked_keys).  Each certificate is good for
 * the accounts that its principals name; none without principals is.
 */
#ifndef HF_SSH_USER_CA_H
#define HF_SSH_USER_CA_H

#include <jansson.h>

struct change;

/* Of ssh.update: what may not be added, and by whom. */
void	 ssh_user_ca_check(struct change *);

/* OUTPUT_SSH_USER_CAS and OUTPUT_SSH_REVOKED: a struct renderer's functions. */
char	*ssh_user_ca_render(const struct change *, char **whyp);
char	*ssh_revoked_render(const struct change *, char **whyp);

#endif
