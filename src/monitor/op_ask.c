/*
 * Operations that only read: who is at the other end of a socket, interfaces,
 * the state of the processes; and the end of the set-up code.
 */
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "monitor/manager.h"
#include "monitor/monitor.h"
#include "monitor/operations.h"
#include "monitor/proc.h"
#include "monitor/processes.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

static bool
same_namespace(const struct namespace_id *a, const struct namespace_id *b)
{
	return a->device == b->device && a->inode == b->inode;
}

/* A handle of the very process, where the kernel can give one. */
static int
peer_pidfd(int fd, pid_t pid)
{
	socklen_t len = sizeof(int);
	int pidfd = -1;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) == 0)
		return pidfd;
	return pidfd_open(pid, 0);
}

/*
 * What /proc says of the peer counts only if that number is still the peer's
 * afterwards; a peer that is gone belongs nowhere.
 */
int
op_peer_identity(struct operation_call *call)
{
	struct namespace_id theirs = { 0 };
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);
	struct proc proc;
	bool inside = false;
	int pidfd;

	if (wire_end(&call->body) == -1 || call->fd == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (getsockopt(call->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1 ||
	    peer.pid <= 0)
		return operation_fail(
		    call, EINVAL, "not a connected Unix socket");
	pidfd = peer_pidfd(call->fd, peer.pid);
	proc_open(peer.pid, &proc);
	if (pidfd != -1 && proc.fd != -1 &&
	    instance_namespace(proc.fd, &theirs) == 0) {
		inside = same_namespace(&theirs, monitor_namespace()) ||
		    (peer.uid == 0 &&
			same_namespace(&theirs, monitor_host_namespace()));
		if (pidfd_send_signal(pidfd, 0, NULL, 0) == -1)
			inside = false;
	}
	proc_close(&proc);
	if (pidfd != -1)
		close(pidfd);
	wire_put_u32(&call->reply, peer.uid);
	wire_put_u32(&call->reply, peer.gid);
	wire_put_u32(&call->reply, (uint32_t)peer.pid);
	wire_put_u32(&call->reply, inside ? proc.login_uid : PROC_NONE);
	wire_put_u8(&call->reply, inside);
	return 0;
}

/* Numeric, with %interface where the scope needs one. */
static bool
address_text(const struct ifaddrs *entry, char *text, size_t size)
{
	socklen_t len;

	if (entry->ifa_addr == NULL || (entry->ifa_flags & IFF_LOOPBACK) != 0)
		return false;
	if (entry->ifa_addr->sa_family == AF_INET)
		len = sizeof(struct sockaddr_in);
	else if (entry->ifa_addr->sa_family == AF_INET6)
		len = sizeof(struct sockaddr_in6);
	else
		return false;
	return getnameinfo(entry->ifa_addr, len, text, (socklen_t)size, NULL, 0,
		   NI_NUMERICHOST) == 0;
}

int
op_interfaces(struct operation_call *call)
{
	struct wire_out entries = { 0 };
	struct ifaddrs *list, *entry;
	char text[NI_MAXHOST];
	uint32_t n = 0;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (getifaddrs(&list) == -1)
		return operation_fail(
		    call, errno, "interfaces: %s", strerror(errno));
	for (entry = list; entry != NULL; entry = entry->ifa_next) {
		if (!address_text(entry, text, sizeof(text)))
			continue;
		wire_put_str(&entries, entry->ifa_name);
		wire_put_str(&entries, text);
		n++;
	}
	freeifaddrs(list);
	wire_put_u32(&call->reply, n);
	wire_put_raw(&call->reply, entries.data, entries.len);
	wire_free(&entries);
	return 0;
}

int
op_status(struct operation_call *call)
{
	struct wire_out problems = { 0 };
	uint32_t n;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	processes_status(&call->reply);
	n = manager_problems(&problems);
	n += monitor_problems(&problems);
	wire_put_u32(&call->reply, n);
	wire_put_raw(&call->reply, problems.data, problems.len);
	wire_free(&problems);
	return 0;
}

int
op_admin_ready(struct operation_call *call)
{
	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (unlinkat(monitor_dir_fd(), "setup-code", 0) == -1 &&
	    errno != ENOENT)
		return operation_fail(
		    call, errno, "setup-code: %s", strerror(errno));
	fsync(monitor_dir_fd());
	return 0;
}
