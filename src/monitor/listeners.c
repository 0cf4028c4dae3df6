/* On which TCP addresses a process listens, from /proc. */
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

/* The inodes of the process's sockets. */
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

int
listeners_parse(const char *line, int family, struct listening *entry,
    unsigned long *inodep)
{
	char hex[33], word[9];
	int got;
	uint32_t address[4];
	unsigned int port, state, i, words = family == AF_INET ? 1 : 4;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers, they fit. */
	got = sscanf(line,
	    " %*u: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*u %*u %lu",
	    hex, &port, &state, inodep);
	if (got != 4 || state != TCP_LISTEN || port > UINT16_MAX ||
	    strlen(hex) != (size_t)words * 8)
		return -1;
	/* Words in the byte order of this machine, as they lie in memory. */
	for (i = 0; i < words; i++) {
		memcpy(word, hex + (size_t)i * 8, 8);
		word[8] = '\0';
		address[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	if (inet_ntop(family, address, entry->address,
		sizeof(entry->address)) == NULL)
		return -1;
	entry->port = (uint16_t)port;
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
