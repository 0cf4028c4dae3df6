/*
 * Host keys that are proven: see ssh_scan.h.
 */
#include "services/ssh/ssh_scan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh_client.h"
#include "services/ssh/ssh_names.h"
#include "services/ssh/ssh_proposal.h"
#include "services/ssh/ssh_reply.h"

static const char *
first_offered(const char *list, const char *const *algorithms)
{
	size_t i;

	for (i = 0; algorithms[i] != NULL; i++)
		if (ssh_names_have(list, algorithms[i], strlen(algorithms[i])))
			return algorithms[i];
	return NULL;
}

static char *
line_of(const struct ssh_client *c)
{
	struct ssh_key_facts facts;
	size_t len;
	const uint8_t *blob = ssh_client_host_key(c, &len);
	char *text, *line;

	if (blob == NULL || ssh_key_describe(blob, len, &facts) == -1)
		return NULL;
	text = base64_encode(blob, len);
	line = xasprintf("%s %s", facts.type, text);
	free(text);
	return line;
}

static char *
exchange(struct ssh_client *c, const char *algorithm, const char **why)
{
	const struct ssh_offer *offer = ssh_client_offer(c);
	struct ssh_proposing p;
	char *line = NULL;

	*why = "it has no host key of a type that is known here";
	if (algorithm == NULL)
		return NULL;
	*why = "it has no key exchange that is known here";
	if (ssh_proposing_make(offer, algorithm, &p)) {
		if (ssh_client_propose(c, &p.names) == -1 ||
		    ssh_client_exchange(c) == -1)
			*why = ssh_client_why(c);
		else if (!ssh_client_is_proven(c))
			*why = "it does not prove that the host key is its own";
		else
			line = line_of(c);
	}
	ssh_proposing_free(&p);
	return line;
}

char *
ssh_scan(const struct sockaddr_storage *address, socklen_t len,
    int64_t deadline, const char *const *algorithms, int *answeredp,
    const char **why)
{
	struct ssh_client *c = ssh_client_open(address, len, deadline);
	char *line = NULL;

	*answeredp = 0;
	*why = "nobody answers";
	if (c == NULL)
		return NULL;
	if (ssh_client_hello(c) == 1) {
		*answeredp = 1;
		line = exchange(c,
		    first_offered(
			ssh_client_offer(c)->lists[LIST_HOST_KEY], algorithms),
		    why);
	} else
		*why = ssh_client_why(c);
	ssh_client_free(c);
	return line;
}
