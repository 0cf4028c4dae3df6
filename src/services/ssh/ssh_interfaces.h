/*
 * The machine's network interfaces and their addresses, as the monitor told
 * them last: what Bind Interfaces may name and becomes.
 */
#ifndef HF_SSH_INTERFACES_H
#define HF_SSH_INTERFACES_H

#include <jansson.h>
#include <stdbool.h>

/* Asks the monitor; error is 0 or an errno, text then says more. */
void	 ssh_interfaces_ask(void (*done)(int error, const char *text, void *),
	    void *);
/* May a setting name it?  The loopback may not. */
bool	 ssh_interfaces_has(const char *name);
/* {"eth0": "eth0", ...}; new reference. */
json_t	*ssh_interfaces_choices(void);
/*
 * ListenAddress for the interfaces named: the loopback, and behind it their
 * addresses, each once, link-local ones as address%number.  Where none of them
 * is there, the loopback keeps sshd running, and nobody else comes in by it.
 * NULL-terminated, free with ssh_interfaces_free_addresses.
 */
char	**ssh_interfaces_addresses(char *const *names);
void	 ssh_interfaces_free_addresses(char **);

#endif
