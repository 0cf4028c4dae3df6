/*
 * What there is of a user on the machine: processes to be ended, and files
 * that are left behind.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "lib/boottime.h"
#include "lib/xalloc.h"
#include "monitor/accounts.h"
#include "monitor/leftovers.h"
#include "monitor/operations.h"
#include "services/catalog.h"

#define LIST_MAX 10000
#define LOOK_MS 60000 /* in one tree; then what was found so far */

int
op_end_processes(struct operation_call *call)
{
	uint32_t uid = wire_get_u32(&call->body);
	int ended;

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (!accounts_uid_ours(uid))
		return operation_fail(call, EPERM, "not a user of ours");
	ended = leftovers_end_user(uid);
	if (ended == -1)
		return operation_fail(call, errno,
		    "not all processes of uid %u ended: %s", uid,
		    strerror(errno));
	wire_put_u32(&call->reply, (uint32_t)ended);
	return 0;
}

struct search {
	uid_t uid;
	uint32_t most, listed;
	uint64_t found;
	bool cut;
	struct wire_out list;
};

static void
look_at(struct search *s, const FTSENT *entry)
{
	/* A folder is met twice, on the way down and back. */
	if (entry->fts_info == FTS_DP || entry->fts_info == FTS_NS)
		return;
	if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
		s->cut = true;
	if (entry->fts_statp->st_uid != s->uid)
		return;
	s->found++;
	if (s->listed < s->most) {
		wire_put_str(&s->list, entry->fts_path);
		s->listed++;
	}
}

/* fts(3) goes down by descriptors, so that no link swapped in leads away. */
static int
look_through(struct search *s, const char *tree)
{
	char *paths[] = { xstrdup(tree), NULL };
	int64_t end = boottime_ms() + LOOK_MS;
	FTS *fts = fts_open(paths, FTS_PHYSICAL, NULL);
	FTSENT *entry;
	int error = fts == NULL ? errno : 0;

	while (fts != NULL && !s->cut && (entry = fts_read(fts)) != NULL) {
		look_at(s, entry);
		if (boottime_ms() > end)
			s->cut = true;
	}
	if (fts != NULL)
		fts_close(fts);
	free(paths[0]);
	return error;
}

int
op_files_of(struct operation_call *call)
{
	struct search s = { .uid = wire_get_u32(&call->body) };
	uint32_t tree = wire_get_u32(&call->body), i;
	int error;

	s.most = wire_get_u32(&call->body);
	for (i = 0; owned_trees[i] != NULL && i < tree; i++)
		continue;
	if (wire_end(&call->body) == -1 || owned_trees[i] == NULL ||
	    s.most > LIST_MAX)
		return operation_fail(call, EINVAL, "malformed request");
	error = look_through(&s, owned_trees[i]);
	if (error != 0)
		return operation_fail(
		    call, error, "%s: %s", owned_trees[i], strerror(error));
	wire_put_u64(&call->reply, s.found);
	wire_put_u32(&call->reply, s.listed);
	wire_put_raw(&call->reply, s.list.data, s.list.len);
	wire_put_u8(&call->reply, s.cut);
	wire_free(&s.list);
	return 0;
}
