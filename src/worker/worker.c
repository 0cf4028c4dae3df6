/*
 * The frame of the short-lived workers: channel to core on fd 3, sandbox, one
 * task, one answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ipc.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "lib/startup.h"
#include "lib/xalloc.h"
#include "roles.h"
#include "services/catalog.h"
#include "worker/api_client.h"
#include "worker/libssh.h"
#include "worker/tasks.h"

#define READS_MAX (sizeof(tasks[0].reads) / sizeof(tasks[0].reads[0]))

/* clang-format off */
static const struct work works[TASK_COUNT] = {
	[TASK_HASH_PASSWORD] = { .run = task_hash_password },
	[TASK_DERIVE_KEYS] = { .run = task_derive_keys },
	[TASK_LOOKUP_GROUPS] = { .prepare = task_groups_prepare,
	  .run = task_lookup_groups },
	[TASK_SSH_OFFER] = { .run = task_ssh_offer },
	[TASK_KEY_MAKE] = { .prepare = libssh_load, .run = task_key_make },
	[TASK_KEY_READ] = { .prepare = libssh_load, .run = task_key_read },
	[TASK_KEYTAB_READ] = { .run = task_keytab_read },
	[TASK_CERTIFICATE_READ] = { .run = task_certificate_read },
	[TASK_CERTIFICATE_REQUEST] = { .run = task_certificate_request },
	[TASK_SSH_HOST_KEYS] = { .prepare = task_host_keys_prepare,
	  .run = task_ssh_host_keys },
	[TASK_SSH_LOGIN] = { .prepare = task_reach_prepare,
	  .run = task_ssh_login },
	[TASK_POST] = { .prepare = task_post_prepare, .run = task_post },
	[TASK_REMOTE_SETUP] = { .prepare = api_client_prepare,
	  .run = task_remote_setup },
	[TASK_SSH_PROBE] = { .prepare = task_ssh_probe_prepare,
	  .run = task_ssh_probe },
};
/* clang-format on */

static int
task_by_name(const char *name)
{
	int i;

	for (i = 0; i < TASK_COUNT; i++)
		if (strcmp(tasks[i].name, name) == 0)
			return i;
	return -1;
}

static void
enter_sandbox(const struct task *task)
{
	struct sandbox_path paths[READS_MAX + 1];
	size_t i, count = 0;

	for (i = 0; i < READS_MAX && task->reads[i] != NULL; i++) {
		paths[count].fd = open(task->reads[i], O_PATH | O_CLOEXEC);
		paths[count].writable = 0;
		if (paths[count].fd != -1)
			count++;
		else if (errno != ENOENT)
			fatal("%s: %s", task->reads[i], strerror(errno));
	}
	paths[count].fd = -1;
	sandbox_enter(ROLE_WORKER, paths,
	    task->network ? SANDBOX_CONNECT : SANDBOX_NO_NETWORK);
	while (count-- > 0)
		close(paths[count].fd);
}

static int
answer(uint32_t id, int error, const char *why, const struct wire_out *members)
{
	struct wire_out out = { 0 };
	int r;

	wire_put_u32(&out, (uint32_t)error);
	wire_put_str(&out, error == 0 ? "" : why);
	if (error == 0)
		wire_put_raw(&out, members->data, members->len);
	r = ipc_send_blocking(STARTUP_FD, ROLE_WORKER, ROLE_CORE, MSG_TASK_DONE,
	    id, &out, NULL, 0);
	wire_free(&out);
	return r;
}

int
worker_main(const char *name)
{
	int index = task_by_name(name), error, r;
	struct ipc_msg msg;
	struct wire_out out = { 0 };
	const char *why = "the task's members are malformed";
	void *to_free = NULL;

	if (index == -1)
		fatal("there is no task \"%s\"", name);
	json_secure();
	if (works[index].prepare != NULL)
		works[index].prepare();
	enter_sandbox(&tasks[index]);
	/* Core may be gone already: then there is nothing to do. */
	if (ipc_recv_blocking(
		STARTUP_FD, ROLE_WORKER, ROLE_CORE, &msg, &to_free) == -1)
		return 1;
	if (msg.type != MSG_TASK || wire_get_u32(&msg.body) != (uint32_t)index)
		fatal("a message that is not for the task \"%s\"", name);
	error = works[index].run(&msg.body, &out, &why);
	r = answer(msg.id, error, why, &out);
	wire_free(&out);
	free(to_free);
	return r == -1 ? 1 : 0;
}
