/*
 * sshd's PAM service (/etc/pam.d/sshd, which 9.2 cannot choose) asks for second
 * factors: our module is in it always, and does nothing for accounts that the
 * file of the second factors (lib/second_factor.h) does not name.
 */
#ifndef HF_SSH_PAM_H
#define HF_SSH_PAM_H

/*
 * The text of such a file with our lines in it, whether it had them or not:
 * malloc'd.
 */
char	*ssh_pam_text(const char *text);

/*
 * As root, in the instance: installs the module and the lines, unless they are
 * there.  Where there is no sshd there is nothing to do.  0, or -1 with *whyp
 * (malloc'd).
 */
int	 ssh_pam_install(char **whyp);

/*
 * What of it is not there any more, as when a package replaced the file: one
 * line, malloc'd; NULL: nothing.
 */
char	*ssh_pam_missing(void);

#endif
