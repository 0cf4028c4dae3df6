/* On which TCP addresses a process listens, and whom it serves, from /proc. */
#include <sys/socket.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/listeners.h"

#define SOCKETS_MAX 256
#define TCP_LISTEN 10 /* the kernel's number of that state */

/* The inodes of the process's sockets, by rising descriptor. */
static size_t
sockets_of(pid_t pid, unsigned long *inodes)
{
	struct dirent *entry;
	char path[64], target[64];
	ssize_t len;
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	if ((dir = opendir(path)) == NULL)
		return 0;
	while (n < SOCKETS_MAX && (entry = readdir(dir)) != NULL) {
		len = readlinkat(
		    dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		if (strncmp(target, "socket:[", 8) == 0)
			inodes[n++] = strtoul(target + 8, NULL, 10);
	}
	closedir(dir);
	return n;
}

static int
parse_address(
    const char *hex, unsigned int port, int family, struct listening *entry)
{
	char word[9];
	struct in6_addr address = { 0 };
	const void *from = &address;
	unsigned int i, words = family == AF_INET ? 1 : 4;

	if (port > UINT16_MAX || strlen(hex) != (size_t)words * 8)
		return -1;
	/* Words in the byte order of this machine, as they lie in memory. */
	for (i = 0; i < words; i++) {
		memcpy(word, hex + (size_t)i * 8, 8);
		word[8] = '\0';
		address.s6_addr32[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address)) {
		family = AF_INET;
		from = &address.s6_addr32[3];
	}
	if (inet_ntop(family, from, entry->address, sizeof(entry->address)) ==
	    NULL)
		return -1;
	entry->port = (uint16_t)port;
	return 0;
}

/* proc(5): local address, the other end's, state, ..., inode. */
static int
parse_line(const char *line, int family, struct listening *local,
    struct listening *peer, unsigned int *statep, unsigned long *inodep)
{
	char hex[2][33];
	unsigned int port[2];

	/* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers, they fit. */
	if (sscanf(line,
		" %*u: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %*s %*s %*s %*u %*u "
		"%lu",
		hex[0], &port[0], hex[1], &port[1], statep, inodep) != 6 ||
	    parse_address(hex[0], port[0], family, local) == -1 ||
	    parse_address(hex[1], port[1], family, peer) == -1)
		return -1;
	return 0;
}

int
listeners_parse(const char *line, int family, struct listening *entry,
    unsigned long *inodep)
{
	struct listening peer;
	unsigned int state;

	if (parse_line(line, family, entry, &peer, &state, inodep) == -1 ||
	    state != TCP_LISTEN)
		return -1;
	return 0;
}

static size_t
read_table(pid_t pid, int family, const unsigned long *inodes, size_t ninodes,
    struct listening *list, size_t max)
{
	struct listening entry;
	unsigned long inode;
	char path[64], line[512];
	size_t n = 0, i;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid,
	    family == AF_INET ? "tcp" : "tcp6");
	if ((file = fopen(path, "re")) == NULL)
		return 0;
	while (n < max && fgets(line, sizeof(line), file) != NULL) {
		if (listeners_parse(line, family, &entry, &inode) == -1)
			continue;
		for (i = 0; i < ninodes; i++)
			if (inodes[i] == inode)
				break;
		if (i < ninodes)
			list[n++] = entry;
	}
	fclose(file);
	return n;
}

size_t
listeners_of(pid_t pid, struct listening *list, size_t max)
{
	unsigned long inodes[SOCKETS_MAX];
	size_t ninodes, n;

	if ((ninodes = sockets_of(pid, inodes)) == 0)
		return 0;
	n = read_table(pid, AF_INET, inodes, ninodes, list, max);
	return n +
	    read_table(pid, AF_INET6, inodes, ninodes, list + n, max - n);
}

/* The place in the list; ninodes: not in it. */
static size_t
find_peer(pid_t pid, int family, const unsigned long *inodes, size_t ninodes,
    struct listening *peer)
{
	struct listening local, other;
	unsigned long inode;
	unsigned int state;
	char path[64], line[512];
	size_t found = ninodes, i;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid,
	    family == AF_INET ? "tcp" : "tcp6");
	if ((file = fopen(path, "re")) == NULL)
		return found;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (parse_line(line, family, &local, &other, &state, &inode) ==
			-1 ||
		    state == TCP_LISTEN)
			continue;
		for (i = 0; i < found && inodes[i] != inode; i++)
			;
		if (i < found) {
			found = i;
			*peer = other;
		}
	}
	fclose(file);
	return found;
}

int
listeners_peer(pid_t pid, struct listening *peer)
{
	unsigned long inodes[SOCKETS_MAX];
	size_t n = sockets_of(pid, inodes), first;

	first = find_peer(pid, AF_INET, inodes, n, peer);
	if (find_peer(pid, AF_INET6, inodes, first, peer) == n)
		return -1;
	return 0;
}
