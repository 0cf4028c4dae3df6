/* Who may come in by TCP: see access.h. */
#include "core/access.h"

#include "core/core.h"

static struct access present = { .versions = ACCESS_TLS12 | ACCESS_TLS13,
	.frames = FRAMES_NONE };
static json_t *networks;

void
access_connected(struct ipc *web)
{
	struct wire_out out = { 0 };
	const json_t *network;
	size_t i;

	wire_put_u8(&out, present.versions);
	wire_put_u8(&out, (uint8_t)present.frames);
	wire_put_u16(&out, present.port);
	wire_put_u32(&out, (uint32_t)json_array_size(networks));
	json_array_foreach(networks, i, network)
		wire_put_str(&out, json_string_value(network));
	ipc_send(web, MSG_ACCESS, 0, &out, NULL, 0);
	wire_free(&out);
}

void
access_set(const struct access *now)
{
	struct ipc *web = core_peer(ROLE_WEB);

	json_decref(networks);
	networks = json_deep_copy(now->networks);
	present = *now;
	present.networks = NULL; /* not ours */
	if (web != NULL)
		access_connected(web);
}
