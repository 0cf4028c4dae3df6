/*
 * Bind Interfaces followed while their addresses come and go.  sshd_config is
 * rendered again, and sshd reloaded, which sessions survive.  Then it is looked
 * at whether sshd listens there: one that started before an address was there
 * does not, although its file names it, and is reloaded as well.
 *
 * When none of the chosen has an address, sshd listens on 127.0.0.1 alone: it
 * has to listen somewhere to start at all, and nothing else is as narrow.  An
 * alert says so.
 */
#ifndef HF_SSH_BIND_H
#define HF_SSH_BIND_H

/* Asks for the interfaces and follows; soon, and as often as it takes. */
void	ssh_bind_follow(void);
/* The settings are others, or were read: is the alert right? */
void	ssh_bind_review(void);

#endif
