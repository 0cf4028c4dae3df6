/*
 * The program under the name midclt, for those who know TrueNAS's client and
 * for what calls that: the same words, the same output, the same exit codes.
 */
#ifndef HF_CLI_MIDCLT_H
#define HF_CLI_MIDCLT_H

/* The exit code: 0 done, 1 any failure, 2 usage. */
int	 midclt_main(char **argv);

#endif
