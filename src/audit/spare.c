/*
 * Room of the audit log's own, which nothing else takes: what audit.update's
 * reservation asks for, and always a little for what must be recorded on a
 * full disk: a full administrator's login, and what makes room again.
 *
 * While that little is drawn upon, every other record is refused: core keeps
 * them and tries again (core/audit.c).
 */
#include <errno.h>

#include "audit/audit_internal.h"
#include "lib/log.h"

#define LAST_MOST ((uint64_t)8 * 1024 * 1024)
#define STEPS 8 /* that it is given back in */
#define ORDINARY_STEP ((uint64_t)1024 * 1024)

static uint64_t
last_part(const struct audit *audit)
{
	return reserve_share(&audit->spare, LAST_MOST);
}

void
audit_spare_open(struct audit *audit)
{
	reserve_open(&audit->spare, audit->dirfd);
	audit_spare_keep(audit);
}

void
audit_spare_keep(struct audit *audit)
{
	uint64_t used = segments_size(audit->store), last = last_part(audit);
	uint64_t wanted = last;

	if (audit->reservation > used)
		wanted += audit->reservation - used;
	if (!reserve_keep(&audit->spare, wanted)) {
		if (!audit->spare_told)
			log_warn("audit.spare", "No room is kept for the log");
		audit->spare_told = true;
	}
	if (audit->spare_drawn && reserve_free(&audit->spare) >= last / STEPS) {
		audit->spare_drawn = false;
		log_info("audit.spare", "There is room for the log again");
	}
}

/* Is there room again? */
static void
look(struct audit *audit)
{
	if (audit->spare_drawn &&
	    reserve_free(&audit->spare) >= last_part(audit) / STEPS)
		audit_spare_keep(audit);
}

uint64_t
audit_spare_reserved(const struct audit *audit)
{
	uint64_t last = last_part(audit);

	return audit->spare.size > last ? audit->spare.size - last : 0;
}

void
audit_spare_draw(struct audit *audit, bool all)
{
	uint64_t last = last_part(audit);

	look(audit);
	if (!reserve_draw(&audit->spare, last / STEPS, all ? 0 : last / 2) ||
	    audit->spare_drawn)
		return;
	audit->spare_drawn = true;
	log_warn("audit.spare",
	    "The disk is full: only what an administrator "
	    "does about it is recorded");
}

int
audit_refused(const struct audit *audit, size_t more)
{
	if (audit_over_quota(audit, more))
		return EDQUOT;
	return audit->spare_drawn ? ENOSPC : 0;
}

int
audit_refusal(struct audit *audit, size_t more)
{
	int error;

	look(audit);
	if ((error = audit_refused(audit, more)) != 0)
		return error;
	if (audit->reservation != 0)
		(void)reserve_draw(
		    &audit->spare, ORDINARY_STEP + more, last_part(audit));
	return 0;
}
