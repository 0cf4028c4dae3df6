/*
 * Stands in for /usr/sbin/sshd, bind-mounted over it inside an instance.
 * What checks a configuration (-t, -T) is the real sshd's own, which the test
 * has put at REAL; only the daemon behaves as the macro says: DIE ends at
 * once, OFFER="..." starts the real one with one more option.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	int i;
#ifndef DIE
	char *args[64];
	int n = 0;
#endif

	if (argc < 1 || argc > 60)
		return 1;
	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-' &&
		    (strchr(argv[i], 't') != NULL ||
			strchr(argv[i], 'T') != NULL)) {
			argv[0] = REAL;
			execv(REAL, argv);
			return 1;
		}
		if (strcmp(argv[i], "-f") == 0)
			i++;
	}
#ifdef DIE
	return 1;
#else
	args[n++] = REAL;
	args[n++] = "-o";
	args[n++] = OFFER;
	for (i = 1; i < argc; i++)
		args[n++] = argv[i];
	args[n] = NULL;
	execv(REAL, args);
	return 1;
#endif
}
