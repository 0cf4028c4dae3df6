/*
 * sshd_config from the settings: a pure function, so that golden files can
 * hold it.
 *
 * sshd takes the first value it reads, hence the order: global lines of the
 * auxiliary parameters, generated global lines, generated Match blocks, Match
 * blocks of the auxiliary parameters.
 */
#ifndef HF_SSH_RENDER_H
#define HF_SSH_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "services/ssh/ssh_fields.h"

/* What is shown before a login. */
#define SSH_BANNER_FILE "/etc/login_banner"
/* Who signs certificates of users, and what is not believed any more. */
#define SSH_FOLDER "/etc/ssh"
#define SSH_USER_CA_FILE "holdfast_user_ca_keys"
#define SSH_REVOKED_FILE "holdfast_revoked_keys"
/* By the name of a host key's type. */
#define SSH_HOST_CERT_FILE(type) "holdfast_host_" type "_certificate"
/* Groups of 3072 bits and more for a group exchange. */
#define SSH_MODULI_FILE "/etc/ssh/moduli.holdfast"

/* Who sees nothing but the folder that his home lies in. */
struct ssh_rooted {
	const char	*user, *home;
};

/* What the file depends on besides the settings. */
struct ssh_surroundings {
	/* Addresses to listen on, NULL ends; none or NULL: all. */
	const char	*const *listen;
	/* Who else may log in with a password; NULL ends, or NULL. */
	const char	*const *password_users;
	bool		 root_password_login;
	bool		 banner;	/* there is one to be shown */
	/* Who is asked for a second factor; NULL ends, or NULL. */
	const char	*const *code_users;
	/* Who only transfers files; NULL ends, or NULL. */
	const char	*const *transfer_users;
	const struct ssh_rooted *rooted_users; /* user NULL ends; or NULL */
	struct ssh_installed	 installed;
};

/* The file (malloc'd), or NULL with *whyp (malloc'd). */
char		*ssh_render(const struct ssh_config *,
		    const struct ssh_surroundings *, char **whyp);

/* The certificate of the host key of that type; NULL: none. */
const char	*ssh_render_certificate(const struct ssh_config *,
		    unsigned int type);

/*
 * The line of the auxiliary parameters that stands in a rendered file's line,
 * both from 1; 0 when that line was generated.
 */
unsigned int	 ssh_render_sent_line(const char *rendered, const char *options,
		    unsigned int line);

#endif
