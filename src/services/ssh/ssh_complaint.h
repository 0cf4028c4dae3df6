/*
 * sshd's complaint about a rendered file, told in the lines of the auxiliary
 * parameters.
 */
#ifndef HF_SSH_COMPLAINT_H
#define HF_SSH_COMPLAINT_H

/*
 * One line (malloc'd) such as "line 1: Bad configuration option: Foo", from
 * what `sshd -t` (or the monitor's own check) said.  Of its words only those
 * of a fixed vocabulary and those that the sender wrote are passed on, lest
 * the content of a file be read through an error.
 */
char	*ssh_complaint(const char *complaint, const char *rendered,
	    const char *options);

#endif
