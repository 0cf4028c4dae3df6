/*
 * What core and the PAM module say to each other: one packet each way over a
 * Unix socket of root's, and the file that says whom to ask.
 *
 *	request		u8 SECOND_FACTOR_VERSION, then three texts, each ended
 *			by a NUL: account, code, address of the client
 *	answer		u8, 'y' when the code is right and now used; anything
 *			else, silence too, is a no
 *
 * The file has a line for every account that is asked by SSH:
 *
 *	NAME			it is asked
 *	NAME TYPE BASE64	but not after a login with this key
 */
#ifndef HF_SECOND_FACTOR_H
#define HF_SECOND_FACTOR_H

#define SECOND_FACTOR_SOCKET	"/run/holdfast/second-factor.sock"
#define SECOND_FACTOR_FOLDER	"/etc/holdfast"
#define SECOND_FACTOR_FILE	"second-factor"
#define SECOND_FACTOR_MODULE	"pam_holdfast.so"

#define SECOND_FACTOR_VERSION	1
#define SECOND_FACTOR_RIGHT	'y'
#define SECOND_FACTOR_WRONG	'n'
#define SECOND_FACTOR_PACKET	512	/* bytes, at most */
#define SECOND_FACTOR_SECONDS	15	/* that an answer may take */

#endif
