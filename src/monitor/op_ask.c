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
#include <netinet/in.h>
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
		inside = namespace_same(&theirs, monitor_namespace()) ||
		    (peer.uid == 0 &&
			namespace_same(&theirs, monitor_host_namespace()));
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

/* 0: of neither family. */
static socklen_t
address_len(const struct ifaddrs *entry)
{
	if (entry->ifa_addr == NULL || (entry->ifa_flags & IFF_LOOPBACK) != 0)
		return 0;
	if (entry->ifa_addr->sa_family == AF_INET)
		return sizeof(struct sockaddr_in);
	if (entry->ifa_addr->sa_family == AF_INET6)
		return sizeof(struct sockaddr_in6);
	return 0;
}

/* Not of IPv6 while the network is asked whether somebody else has it. */
static bool
can_be_used(const struct sockaddr *address, socklen_t len)
{
	int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool can = fd != -1 && bind(fd, address, len) == 0;

	if (fd != -1)
		close(fd);
	return can;
}

/*
 * With %number where the scope needs one: a name that is nobody's at the
 * moment would keep sshd from starting.
 */
static void
address_text(const struct sockaddr *address, char *text, size_t size)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
	size_t len;

	if (address->sa_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, text, (socklen_t)size);
		return;
	}
	inet_ntop(AF_INET6, &in6->sin6_addr, text, (socklen_t)size);
	len = strlen(text);
	if (in6->sin6_scope_id != 0)
		snprintf(text + len, size - len, "%%%u",
		    (unsigned int)in6->sin6_scope_id);
}

int
op_interfaces(struct operation_call *call)
{
	struct wire_out entries = { 0 };
	struct ifaddrs *list, *entry;
	char text[INET6_ADDRSTRLEN + sizeof("%4294967295")];
	socklen_t len;
	uint32_t n = 0;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (getifaddrs(&list) == -1)
		return operation_fail(
		    call, errno, "interfaces: %s", strerror(errno));
	for (entry = list; entry != NULL; entry = entry->ifa_next) {
		if ((len = address_len(entry)) == 0)
			continue;
		text[0] = '\0';
		if (can_be_used(entry->ifa_addr, len))
			address_text(entry->ifa_addr, text, sizeof(text));
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
