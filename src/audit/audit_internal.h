/*
 * What the files of the audit role share.
 */
#ifndef HF_AUDIT_INTERNAL_H
#define HF_AUDIT_INTERNAL_H

#include <uv.h>

#include "audit/export.h"
#include "audit/index.h"
#include "audit/journal.h"
#include "audit/kernel.h"
#include "audit/query.h"
#include "audit/segment.h"
#include "audit/source.h"
#include "audit/source_fact.h"
#include "audit/source_login.h"
#include "audit/source_words.h"
#include "audit/syslog.h"
#include "audit/tree.h"
#include "lib/ipc.h"
#include "lib/reserve.h"

struct running_query {
	uint32_t id;
	struct record_query *query; /* NULL: free place */
};

#define QUERIES_MAX 4

struct audit {
	uv_loop_t loop;
	struct ipc *monitor, *core; /* core may be NULL */
	struct segments *store;
	struct tree *tree;
	struct record_index *index;
	int dirfd; /* of the store */
	/* A head is signed for so many records, or so long after the first. */
	uint32_t head_records, head_seconds;
	uint64_t quota; /* bytes of records; 0: any number */
	uint64_t reservation; /* bytes that are the log's, used or not */
	struct reserve spare;
	bool spare_drawn; /* its last part: the disk is full */
	bool spare_told;
	uint64_t used; /* bytes, as of the last commit under a quota */
	int64_t signed_at; /* by boottime_ms() */
	uv_timer_t head; /* runs while there are records without one */
	struct syslog_reader *syslog;
	struct console *console;
	struct sources *sources;
	struct login_failures *failures;
	struct words_reader *words;
	struct fact_reader *facts;
	struct kernel_reader *kernel; /* NULL: it is not read */
	struct journal_reader *journal; /* NULL: nobody reads it */
	int etc_fd;
	uv_check_t commit; /* after all of a turn is read */
	uv_timer_t index_due;
	bool indexing; /* there are records to take in */
	uv_idle_t work; /* runs while there are queries, or indexing */
	uint32_t *waiting; /* ids to acknowledge */
	size_t waiting_count, waiting_size;
	struct running_query queries[QUERIES_MAX];
	size_t turn; /* the query whose turn it is */
	struct export *export; /* NULL: none */
	uint32_t export_id;
	unsigned int export_told; /* percent */
	struct verify *verify; /* NULL: none */
	uint32_t verify_id;
	unsigned int verify_told; /* percent */
	bool failing; /* the last commit failed */
	bool unsigned_told; /* the last signature too */
	int exit_code;
};

/* Into the batch: 0, or the errno to answer at once. */
int	 audit_append(struct audit *, bool again, const char *text,
	    size_t len);
/* At once: on disk when it returns 0, else an errno.  record is stolen. */
int	 audit_append_now(struct audit *, json_t *record);
/* Would so many bytes more be over audit.update's quota? */
bool	 audit_over_quota(const struct audit *, size_t more);
/* Makes durable what is in the batch and answers those who wait for it. */
void	 audit_commit(struct audit *);
/* Now; what keeps it from being signed is in the log. */
void	 audit_sign(struct audit *);
void	 audit_sign_when_due(struct audit *);
/* An answer to what core asked: 0 and a result, or errno and reason. */
void	 audit_answer(struct audit *, uint32_t id, int error,
	    const char *text);

/* There is work to be done between turns. */
void	 audit_work_start(struct audit *);

/* exports.c */
void	 audit_export_message(struct audit *, struct ipc_msg *);
void	 audit_abort_message(struct audit *, struct ipc_msg *);
void	 audit_report_message(struct audit *, struct ipc_msg *);
bool	 audit_export_work(struct audit *);
void	 audit_export_drop(struct audit *);
/* With an answer, as retention drops what it would read. */
void	 audit_export_stop(struct audit *);

/* verifying.c */
void	 audit_verify_message(struct audit *, struct ipc_msg *);
bool	 audit_verify_work(struct audit *);
void	 audit_verify_drop(struct audit *);
/* With that answer; nothing where none goes on. */
void	 audit_verify_stop(struct audit *, int error, const char *why);

/* spare.c */
void	 audit_spare_open(struct audit *);
/* Makes the spare room as large as it shall be, where the disk has it. */
void	 audit_spare_keep(struct audit *);
/* What is kept of it for audit.update's reservation, in bytes. */
uint64_t audit_spare_reserved(const struct audit *);
/*
 * Before what must go on with the disk full: gives back some of it.  all: of
 * its last half, too.
 */
void	 audit_spare_draw(struct audit *, bool all);
/* Why a record of so many bytes is not taken now, an errno; 0: it is. */
int	 audit_refusal(struct audit *, size_t more);
/* The same as was seen last: nothing is looked at or given back. */
int	 audit_refused(const struct audit *, size_t more);

/* limits.c */
void	 audit_limits_message(struct audit *, struct ipc_msg *);
void	 audit_state_message(struct audit *, struct ipc_msg *);
void	 audit_prune_message(struct audit *, struct ipc_msg *);
/* answer is stolen. */
void	 audit_answer_json(struct audit *, uint32_t id, json_t *answer);
/* Of a message that is JSON: answers with what ask made, or its errno. */
void	 audit_answer_asked(struct audit *, struct ipc_msg *,
	    int (*ask)(struct audit *, const json_t *data, json_t **answerp));

/* console.c */
void	 audit_console_start(struct audit *);
/* Answered once there is something to say. */
void	 audit_console_message(struct audit *, struct ipc_msg *);

/* head.c */
void	 audit_head_message(struct audit *, struct ipc_msg *);
void	 audit_reidentify_message(struct audit *, struct ipc_msg *);

#endif
