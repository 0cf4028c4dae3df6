/*
 * The task ssh-offer: what an SSH server offers, seen as any client sees it.
 */
#include <errno.h>
#include <stdlib.h>

#include "services/ssh/ssh_offer.h"
#include "worker/tasks.h"

#define PATIENCE_MAX_MS 30000

int
task_ssh_offer(struct wire_in *in, struct wire_out *out, const char **why)
{
	struct ssh_offer offer = { 0 };
	char *address = wire_get_str(in, 256);
	uint16_t port = wire_get_u16(in);
	uint32_t milliseconds = wire_get_u32(in);
	size_t i;
	int r;

	if (wire_end(in) == -1 || milliseconds > PATIENCE_MAX_MS) {
		free(address);
		return EPROTO;
	}
	r = ssh_offer_ask(address, port, milliseconds, &offer, why);
	free(address);
	if (r == -1)
		return EPROTO;
	wire_put_u8(out, r == 1);
	wire_put_str(out, offer.banner);
	for (i = 0; i < LIST_COUNT; i++)
		wire_put_str(out, offer.lists[i]);
	ssh_offer_free(&offer);
	return 0;
}
