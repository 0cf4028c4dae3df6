/*
 * Watches the room on the disk: see disk.h.
 */
#include "core/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/alert.h"
#include "core/core.h"
#include "lib/log.h"
#include "lib/paths.h"
#include "lib/reserve.h"

#define INTERVAL_MS 60000
#define MIB (UINT64_C(1) << 20)
#define SPARE_MOST MIB
#define ENOUGH (256 * UINT64_C(1024)) /* for the store's own files */

/*
 * Less than both: a tenth of a large disk is plenty, and a small one is not
 * full because it is small.  The gravest first.
 */
/* clang-format off */
static const struct {
	const char *class;
	unsigned int percent;
	uint64_t mib;
} limits[] = {
	{ "DiskSpaceCritical",	5,	1024 },
	{ "DiskSpaceLow",	10,	5 * 1024 },
};
/* clang-format on */

static struct reserve spare = { .fd = -1 };

static void
tell(unsigned int percent, uint64_t mib)
{
	static unsigned int told = 101;
	bool graver = false;
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (graver || percent >= limits[i].percent ||
		    mib >= limits[i].mib) {
			alert_clear(limits[i].class, NULL);
			continue;
		}
		graver = true;
		/* Not with each megabyte: it is stored each time. */
		if (percent != told)
			alert_raise(limits[i].class, NULL,
			    json_pack("{s:I, s:i}", "free", (json_int_t)mib,
				"percent", (int)percent));
	}
	told = percent;
}

/* 0 or -1, which was said. */
static int
room(struct statfs *fs)
{
	int fd = open(PATH_STATE, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc = fd == -1 ? -1 : fstatfs(fd, fs);

	if (rc == -1)
		log_warn("disk.look", "%s: %s", PATH_STATE, strerror(errno));
	if (fd != -1)
		close(fd);
	return rc;
}

void
disk_look(void)
{
	struct statfs fs;

	if (room(&fs) == 0 && fs.f_blocks > 0)
		tell((unsigned int)(fs.f_bavail * 100 / fs.f_blocks),
		    fs.f_bavail * (uint64_t)fs.f_bsize / MIB);
}

bool
disk_full(void)
{
	struct statfs fs;

	return room(&fs) == 0 && fs.f_bavail * (uint64_t)fs.f_bsize < ENOUGH;
}

/* The folder is open until the role ends. */
static bool
spare_open(void)
{
	static int folder = -1;

	if (folder != -1)
		return true;
	folder = open(PATH_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder != -1)
		reserve_open(&spare, folder);
	return folder != -1;
}

static void
spare_keep(void)
{
	if (spare_open())
		(void)reserve_keep(&spare, reserve_share(&spare, SPARE_MOST));
}

bool
disk_draw(void)
{
	/* The store said that it has no room, whatever the disk says. */
	if (!spare_open() || !reserve_draw(&spare, UINT64_MAX, spare.size / 2))
		return false;
	log_warn("disk.spare",
	    "The disk is full: what is kept for an "
	    "administrator's changes is drawn upon");
	return true;
}

static void
watch(void *arg)
{
	(void)arg;
	disk_look();
	spare_keep();
	core_after(INTERVAL_MS, watch, NULL);
}

void
disk_watch(void)
{
	watch(NULL);
}
