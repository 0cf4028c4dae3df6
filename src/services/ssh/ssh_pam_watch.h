/*
 * Are our lines in sshd's PAM service?  Looked at at each start, daily, and
 * with every change of the SSH settings, which puts them back.  While they are
 * not there is an alert: sshd asks for no second factor then.
 */
#ifndef HF_SSH_PAM_WATCH_H
#define HF_SSH_PAM_WATCH_H

#include <jansson.h>

struct task_run;

/* At start: looks, and plans to look daily. */
void	 ssh_pam_watch(void);
/* The task of that. */
void	 ssh_pam_task(struct task_run *, const json_t *args);
/* Puts back what is missing; done is called whether it could be or not. */
void	 ssh_pam_repair(void (*done)(void *), void *arg);

#endif
