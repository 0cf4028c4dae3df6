/*
 * The host keys as core knows them: what the monitor says of their files, and
 * which of them the settings have in use.
 *
 * Of each type one slot is the current one, by which sshd proves itself;
 * while the type is replaced, the other one is offered beside it
 * (hostkeys-00@openssh.com), so that clients learn it.
 */
#ifndef HF_SSH_HOST_KEYS_H
#define HF_SSH_HOST_KEYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/schema.h"
#include "services/ssh/ssh_key_files.h"

struct call;

struct ssh_key_known {
	enum ssh_key_state state;
	char		*public;	/* "type base64"; NULL: none */
	char		*why;		/* it is damaged; "" */
};

/* Asks the monitor; done gets 0, or an errno and why. */
void	 ssh_host_keys_ask(void (*done)(int error, const char *text, void *),
	    void *arg);
/* As of the last answer; before the first one all are absent. */
const struct ssh_key_known *ssh_host_key_known(unsigned int type,
	    unsigned int slot);

/* Bits by ssh_host_key_types of a member of the stored settings. */
uint32_t ssh_host_keys_bits(const json_t *entry, const char *member);
json_t	*ssh_host_keys_names(uint32_t types);
/* The current one's slot. */
unsigned int ssh_host_key_slot(const json_t *entry, unsigned int type);
/* Slots of the type's keys in use, the new one's too: bits; 0: not offered. */
uint32_t ssh_host_keys_slots(const json_t *entry, unsigned int type);
/* The types that the stored settings offer. */
uint32_t ssh_host_keys_offered(const json_t *entry);

/*
 * Alerts, as last asked, of those that are in use and could not be loaded, and
 * of their certificates.
 */
void	 ssh_host_keys_judge(void);

/* ssh.host_keys: those in use. */
extern const struct field ssh_host_keys_result;
json_t	*ssh_host_keys_list(void);
void	 ssh_host_keys_run(struct call *);

#endif
