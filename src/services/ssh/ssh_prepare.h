/*
 * What sshd needs before its first start.
 */
#ifndef HF_SSH_PREPARE_H
#define HF_SSH_PREPARE_H

/*
 * A struct service's prepare: sshd's run-time folder, and the host keys that
 * are not there yet.  A key that is there is never touched.
 */
int	ssh_prepare(char **whyp);

#endif
