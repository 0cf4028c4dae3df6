/*
 * MSG_OP_SSH_HOST_KEYS, MSG_OP_SSH_HOST_KEY: the host keys of sshd, which
 * never leave the monitor's children.  One that sshd_config names is neither
 * replaced nor dropped, whatever core asks for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "monitor/operations.h"
#include "services/ssh/ssh_key_files.h"

#define FOLDER "/etc/ssh"
#define CONFIG "sshd_config"
#define CONFIG_MAX (8 * 1024 * 1024)

int
op_ssh_host_keys(struct operation_call *call)
{
	unsigned int type, slot;
	enum ssh_key_state state;
	char *public, *why;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	for (type = 0; type < SSH_KEY_TYPES; type++)
		for (slot = 0; slot < SSH_KEY_SLOTS; slot++) {
			state = ssh_key_look(type, slot, &public, &why);
			wire_put_u8(&call->reply, (uint8_t)state);
			wire_put_str(&call->reply, public);
			wire_put_str(&call->reply, why);
			free(public);
			free(why);
		}
	return 0;
}

/* A file that cannot be read names everything. */
static bool
is_named(unsigned int type, unsigned int slot)
{
	int folder = open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = -1;
	char *text = NULL;
	bool named = true;
	size_t len = 0;

	if (folder != -1) {
		r = file_read_at(folder, CONFIG, CONFIG_MAX, &text, &len);
		if (r == -1 && errno == ENOENT)
			named = false;
		close(folder);
	}
	if (r != -1)
		named = ssh_key_is_named(type, slot, text);
	free(text);
	return named;
}

int
op_ssh_host_key(struct operation_call *call)
{
	unsigned int verb = wire_get_u8(&call->body);
	unsigned int type = wire_get_u8(&call->body);
	unsigned int slot = wire_get_u8(&call->body);
	char *why = NULL;
	int r;

	if (wire_end(&call->body) == -1 || verb > SSH_KEY_DROP ||
	    type >= SSH_KEY_TYPES || slot >= SSH_KEY_SLOTS)
		return operation_fail(call, EINVAL, "malformed request");
	if (is_named(type, slot))
		return operation_fail(call, EBUSY, "sshd uses that host key");
	r = verb == SSH_KEY_MAKE ? ssh_key_make(type, slot, &why) :
				   ssh_key_drop(type, slot, &why);
	if (r == -1)
		operation_fail(call, EIO, "%s", why);
	free(why);
	return r == -1 ? EIO : 0;
}
