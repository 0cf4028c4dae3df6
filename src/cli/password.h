/*
 * Secrets that no argument may carry: the list of processes shows those.
 */
#ifndef HF_CLI_PASSWORD_H
#define HF_CLI_PASSWORD_H

#define PASSWORD_SIZE	1024	/* with the NUL */

/*
 * Asks for what ("password") twice on the terminal, without echo; where
 * standard input is none, it is the next line of that.  0, or -1 which was
 * said.  The caller zeroes it.
 */
int	password_read(const char *what, char password[PASSWORD_SIZE]);

#endif
