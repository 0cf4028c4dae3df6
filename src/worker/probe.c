/*
 * The task ssh-probe: what an SSH server offers and does, as services/ssh/
 * ssh_look.h sees it.
 */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

#include "services/ssh/ssh_look.h"
#include "worker/tasks.h"

#define PATIENCE_MAX_MS 30000
#define HOST_MAX 256
#define USER_MAX 64
#define FAREWELL_MAX 64

/* Loads what the name service needs while the file system is there. */
void
task_ssh_probe_prepare(void)
{
	struct addrinfo *list = NULL;

	if (getaddrinfo("localhost", NULL, NULL, &list) == 0)
		freeaddrinfo(list);
}

int
task_ssh_probe(struct wire_in *in, struct wire_out *out, const char **why)
{
	struct ssh_look look = { .resolve = wire_get_u8(in) != 0 };
	struct ssh_report report = { 0 };
	char *host, *user, *farewell;
	int error = EPROTO;

	look.try_none = wire_get_u8(in) != 0;
	look.host = host = wire_get_str(in, HOST_MAX);
	look.port = wire_get_u16(in);
	look.user = user = wire_get_str(in, USER_MAX);
	look.milliseconds = wire_get_u32(in);
	look.farewell = farewell = wire_get_str(in, FAREWELL_MAX);
	/* Over TCP: a worker has no other sockets. */
	if (setenv("RES_OPTIONS", "use-vc timeout:5 attempts:2", 1) == -1)
		in->bad = true;
	if (wire_end(in) == 0 && look.milliseconds <= PATIENCE_MAX_MS) {
		error = ssh_look(&look, &report, why) == -1 ? ENOENT : 0;
		if (error == 0)
			ssh_report_put(out, &report);
		ssh_report_free(&report);
	}
	free(host);
	free(user);
	free(farewell);
	return error;
}
