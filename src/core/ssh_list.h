/*
 * Who is here by SSH.  The kernel knows, and the monitor asks it each time;
 * what is kept here is whom subscribers were told of ("ssh.sessions"), and how
 * many sessions an account has so.
 *
 * The PAM module says when a session begins and ends.  Of one that ends
 * otherwise, killed with its sshd, is heard when somebody looks.
 */
#ifndef HF_SSH_LIST_H
#define HF_SSH_LIST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * All, as ssh.sessions shows them: done steals the new array, or gets NULL
 * with an errno and its text.
 */
void	 ssh_list_ask(void (*done)(json_t *sessions, int error,
	    const char *text, void *), void *arg);

/* Core serves: those who are there are known, and nobody is told. */
void	 ssh_list_begin(void);
/* Is called then; after that, events of "ssh.sessions" are changes of ssh. */
void	 ssh_list_on_begin(void (*begun)(void));
/*
 * The sshd of that number is about to let somebody in.  may: there are no more
 * of the account than max_sessions_per_user, those of the API included; also
 * when it cannot be told.
 */
void	 ssh_list_opened(pid_t, const char *username,
	    void (*done)(bool may, void *), void *arg);
/* It is about to end. */
void	 ssh_list_closed(pid_t);
/* Some may have ended without it. */
void	 ssh_list_look(void);

/* The account's, and all, as far as they are known. */
int64_t	 ssh_list_count(uid_t);
size_t	 ssh_list_size(void);

#endif
