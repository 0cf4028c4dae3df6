/*
 * The installed sshd for unit tests: a mount namespace of the test's own with
 * empty /run and /etc/ssh, so that nothing of the host is read or written.
 */
#ifndef HF_TEST_REAL_SSHD_H
#define HF_TEST_REAL_SSHD_H

#include <stdbool.h>

/* False where there is no sshd, or no right to make a namespace. */
bool	 real_sshd_enter(void);

/*
 * Runs sshd -t or -T (the flag) with that file content; with spec not NULL
 * also -C.  Its output (malloc'd); *okp: did it accept?
 */
char	*real_sshd_run(const char *flag, const char *config, const char *spec,
	    bool *okp);

#endif
