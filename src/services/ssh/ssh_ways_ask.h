/*
 * By which ways accounts would get in: sshd itself is asked, of a content of
 * sshd_config that need not be installed, so many accounts at a time that one
 * operation stays short.
 */
#ifndef HF_SSH_WAYS_ASK_H
#define HF_SSH_WAYS_ASK_H

#include <jansson.h>
#include <stdbool.h>

struct change;

/*
 * Could it come in by any setting of SSH?  A stored object of a user; by a
 * certificate where there is a key that signs them, before or after.
 */
bool	ssh_ways_possible(const struct change *, const json_t *user);
/*
 * done gets of each user a set of enum ssh_way (borrowed), or NULL and why.
 * Groups are those that the change leaves (NULL: as they are stored).  content
 * and change are the caller's until then.
 */
void	ssh_ways_ask(const struct change *, const char *content,
	    json_t *users, void (*done)(const json_t *ways, const char *why,
	    void *), void *arg);
/* Of user i. */
unsigned int ssh_ways_at(const json_t *ways, size_t i);
/* ["SSH_KEY", "SSH_CERTIFICATE", "SSH_PASSWORD"], a new reference. */
json_t	*ssh_ways_names(unsigned int ways);

#endif
