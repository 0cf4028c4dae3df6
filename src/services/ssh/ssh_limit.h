/*
 * ssh.update's session_limit: no session of SSH is longer.  At that second it
 * is ended as ssh.terminate_session ends it, with all that it started.
 *
 * sshd itself knows limits of idle channels only (sshd_config(5),
 * ChannelTimeout), and none of a session.
 */
#ifndef HF_SSH_LIMIT_H
#define HF_SSH_LIMIT_H

/* Sessions or the field may be others: ends what is over, now and later. */
void	ssh_limit_review(void);

#endif
