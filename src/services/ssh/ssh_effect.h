/*
 * Verification from outside: does the sshd that runs do what was rendered?
 */
#ifndef HF_SSH_EFFECT_H
#define HF_SSH_EFFECT_H

struct change;

/* A struct daemon_rule' function. */
void	ssh_effect_verify(struct change *);

#endif
