/*
 * Does sshd do what was rendered?  Pure comparisons: the file with the whole
 * effective configuration (`sshd -T`), and that with what is offered on the
 * wire.
 */
#ifndef HF_SSH_VERIFY_H
#define HF_SSH_VERIFY_H

#include <stdint.h>

#include "services/ssh/ssh_offer.h"

/*
 * Each directive of the rendered file must show in effective, which is `sshd
 * -T`'s output.  0, or -1 with *whyp (malloc'd, one line) naming the first
 * that does not.  A directive that a Match block sets as well may show either
 * value: sshd applies blocks such as "Match all" there.
 */
int	 ssh_verify_effective(const char *rendered, const char *effective,
	    char **whyp);

/*
 * A connection that Match block i (from 0) applies to, as of sshd -C, and for
 * it the same comparison.  Only blocks whose one criterion is User and a plain
 * name can be told so: ssh_verify_spec gives "" (malloc'd) for others, NULL
 * when there is no such block.
 */
char	*ssh_verify_spec(const char *rendered, unsigned int i);
int	 ssh_verify_block(const char *rendered, unsigned int i,
	    const char *effective, char **whyp);

/* Key exchange, host keys, ciphers, MACs, compression: 0, -1 with *whyp. */
int	 ssh_verify_offer(const char *effective, const struct ssh_offer *,
	    char **whyp);

/*
 * Address i that sshd listens on by its effective configuration, numeric
 * without brackets (malloc'd), and the port; NULL when there is none more.
 */
char	*ssh_verify_listen(const char *effective, unsigned int i,
	    uint16_t *portp);
/* By which it is reached: of a wildcard, the loopback.  Borrowed. */
const char *ssh_verify_reachable(const char *address);

#endif
