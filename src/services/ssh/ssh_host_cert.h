/*
 * Certificates of host keys (PROTOCOL.certkeys of OpenSSH): somebody else's
 * authority says whose key it is, so that clients that know the authority
 * (@cert-authority, sshd(8)) need not know the key.
 *
 * Each type of key has one certificate, of its current key or, while that is
 * replaced, of the new one: sshd shows it with whichever key it is of.  A
 * certificate whose key is withdrawn stays in the settings, does nothing, and
 * is an alert, until it is replaced or removed.
 */
#ifndef HF_SSH_HOST_CERT_H
#define HF_SSH_HOST_CERT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "core/schema.h"
#include "lib/ssh_certificate.h"
#include "services/ssh/ssh_host_keys.h"

struct change;

enum ssh_cert_age {
	SSH_CERT_YOUNG,
	SSH_CERT_ENDS,		/* in two weeks, or the last third of its time */
	SSH_CERT_ENDED
};

enum ssh_cert_age ssh_cert_age(const struct ssh_certificate *, time_t now);

/*
 * What clients, or we, would not take of it, its key and the settings left
 * aside: completes "This certificate ..." (static); NULL: nothing.
 */
const char *ssh_host_cert_problem(const struct ssh_certificate *, time_t now);

/* Of ssh.update: what a new one has to be; lookup ends by change_continue(). */
void	 ssh_host_cert_check(struct change *);
void	 ssh_host_cert_lookup(struct change *);

/* Outputs: a struct renderer's functions. */
char	*ssh_host_cert_render_ed25519(const struct change *, char **whyp);
char	*ssh_host_cert_render_ecdsa(const struct change *, char **whyp);
char	*ssh_host_cert_render_rsa(const struct change *, char **whyp);

/* Of the stored settings: alerts, by the keys as last asked; findings. */
void	 ssh_host_cert_judge(const json_t *entry, unsigned int type);
void	 ssh_host_cert_review(void);	/* of all types */
void	 ssh_host_cert_findings(json_t *findings, const json_t *entry);

/* Of ssh.host_keys: what the key's certificate says, or null. */
extern const struct field ssh_host_cert_fields[];
json_t	*ssh_host_cert_of(const json_t *entry, unsigned int type,
	    const struct ssh_key_known *);

#endif
