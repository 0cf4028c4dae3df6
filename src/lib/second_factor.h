/*
 * What core and the PAM modules say to each other: one packet each way over a
 * Unix socket of root's, and the file that says whom to ask.
 *
 *	request		u8 SECOND_FACTOR_VERSION, u8 what it is about, then
 *			three texts, each ended by a NUL: account, code (or
 *			what else is said), address of the client
 *	answer		u8, 'y' or 'n'
 *
 *	'c' code	is it right?  It is used now.  No answer is a no
 *	'p' password	may one be tried that was given?  Counts as wrong until
 *			the next; no answer is a no
 *	'r' right	it was; the answer says nothing
 *	'l' login	somebody is logged in; in the place of the code the
 *			way he came (SSH_KEY, SSH_PASSWORD); there is no
 *			answer
 *	'o' open	may a session begin?  No answer is a yes
 *	'e' end		it ends now; there is no answer
 *
 * The file has a line for every account that is asked by SSH:
 *
 *	NAME			it is asked
 *	NAME TYPE BASE64	but not after a login with this key
 *
 * and SECOND_FACTOR_LOCKOUT, which is no name, where wrong passwords count.
 */
#ifndef HF_SECOND_FACTOR_H
#define HF_SECOND_FACTOR_H

#include <stddef.h>

#define SECOND_FACTOR_SOCKET	"/run/holdfast/second-factor.sock"
#define SECOND_FACTOR_FOLDER	"/etc/holdfast"
#define SECOND_FACTOR_FILE	"second-factor"
#define SECOND_FACTOR_MODULE	"pam_holdfast.so"

#define SECOND_FACTOR_LOCKOUT	"=lockout"

#define SECOND_FACTOR_VERSION	2
#define SECOND_FACTOR_CODE	'c'
#define SECOND_FACTOR_PASSWORD	'p'
#define SECOND_FACTOR_MATCHED	'r'
#define SECOND_FACTOR_LOGIN	'l'
#define SECOND_FACTOR_OPEN	'o'
#define SECOND_FACTOR_END	'e'
#define SECOND_FACTOR_RIGHT	'y'
#define SECOND_FACTOR_WRONG	'n'
#define SECOND_FACTOR_PACKET	512	/* bytes, at most */
#define SECOND_FACTOR_SECONDS	15	/* that an answer may take ... */
#define SECOND_FACTOR_PATIENCE	60	/* ... of a password, which the last
					   administrator waits for */

/* A request; the texts are the packet's. */
struct second_factor_question {
	char		 about;
	const char	*user, *code, *address;
};

/* 0, or -1: it is none, or a text has what no line of the log may have. */
int	second_factor_parse(const char *packet, size_t len,
	    struct second_factor_question *);

#endif
