/*
 * ssh.update's stop_when_idle: SSH is stopped when nobody has been here for so
 * long, since the last session or the start.  The time goes on while core is
 * away, and begins anew with the field and with a start of sshd.
 */
#ifndef HF_SSH_IDLE_H
#define HF_SSH_IDLE_H

/* Core was started. */
void	ssh_idle_resume(void);
/* Sessions, the field or sshd's state may be others. */
void	ssh_idle_review(void);

#endif
