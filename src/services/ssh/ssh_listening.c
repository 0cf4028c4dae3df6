/*
 * Where sshd listens: see ssh_listening.h.
 */
#include "services/ssh/ssh_listening.h"

#include <stdlib.h>
#include <string.h>

void
ssh_listening_free(struct ssh_listening *s)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		free(s->endpoints[i].address);
	free(s->reason);
}

int
ssh_listening_parse(const struct op_reply *reply, struct ssh_listening *s)
{
	struct wire_in body = reply->body;
	struct ssh_endpoint l;
	uint32_t n;

	memset(s, 0, sizeof(*s));
	if (reply->error != 0)
		return -1;
	s->state = wire_get_u8(&body);
	for (n = wire_get_u32(&body); n > 0 && !body.bad; n--)
		wire_get_u32(&body);
	for (n = wire_get_u32(&body); n > 0 && !body.bad; n--) {
		l.address = wire_get_str(&body, 256);
		l.port = wire_get_u16(&body);
		if (l.address != NULL && s->count < SSH_LISTENING_MAX)
			s->endpoints[s->count++] = l;
		else
			free(l.address);
	}
	s->reason = wire_get_str(&body, 4096);
	return s->reason == NULL ? -1 : wire_end(&body);
}

bool
ssh_listening_has(
    const struct ssh_listening *s, const char *address, uint16_t port)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if ((port == 0 || s->endpoints[i].port == port) &&
		    strcmp(s->endpoints[i].address, address) == 0)
			return true;
	return false;
}
