/*
 * holdfastd --take-back: see take_back.h.
 */
#include <sys/stat.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/paths.h"
#include "monitor/folder.h"
#include "monitor/held.h"
#include "monitor/machine.h"
#include "monitor/packaged.h"
#include "monitor/take_back.h"

#define WHY_MAX 1024

/* 0, or -1 with why. */
static int
take_back(char *why, size_t size)
{
	struct folder folder = { .fd = -1, .lock_fd = -1 };
	char *boot;
	int rc;

	/* The lock is our own until we end: no monitor does the same now. */
	if (folder_open(PATH_PACKAGED, &folder, why, size) == -1 ||
	    packaged_places(folder.fd, why, size) == -1)
		return -1;
	boot = machine_boot();
	rc = held_boot(false, boot);
	free(boot);
	if (rc == -1)
		snprintf(why, size, "it cannot be put back");
	return rc;
}

int
take_back_main(void)
{
	char why[WHY_MAX] = "";

	umask(077);
	if (geteuid() != 0)
		snprintf(why, sizeof(why), "must be started by root");
	else if (access(PATH_PACKAGED "/held/change", F_OK) == -1 &&
	    errno == ENOENT)
		return 0;
	else if (take_back(why, sizeof(why)) == 0)
		return 0;
	fprintf(stderr, "holdfastd: --take-back: %s\n", why);
	return 1;
}
