/*
 * The audit log by itself: how fast it takes records beside bare SQLite, is
 * verified, and answers queries.  What the figures mean: README.md.
 *
 * bench_audit FOLDER [--full]: works in a new folder below that one, on its
 * disk, and prints a table.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/index.h"
#include "audit/query.h"
#include "audit/tree.h"
#include "audit/verify.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define USERS 200
#define HEAD_RECORDS 1000 /* as the audit role signs them */
#define LINE_ID                                                                \
	((int)strlen("{'audit_id':'00000000-0000-4000-8000-000000000000',"))
#define RATE_SECONDS 2.0 /* of one measure */
#define ROUNDS 3
#define TRIES 5
#define STEP ((size_t)256 * 1024)

struct log {
	char path[256];
	int fd;
	struct segments *segments;
	struct tree *tree;
	struct record_index *index;
	uint64_t added;
};

static double
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
log_open(struct log *log, const char *folder)
{
	size_t torn;

	memset(log, 0, sizeof(*log));
	(void)snprintf(
	    log->path, sizeof(log->path), "%s/bench-audit.XXXXXX", folder);
	if (mkdtemp(log->path) == NULL)
		err(1, "%s", log->path);
	log->fd = open(log->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log->fd == -1 ||
	    (log->segments = segments_open(log->fd, &torn)) == NULL ||
	    (log->tree = tree_open(log->fd, log->segments, "bench")) == NULL)
		err(1, "%s", log->path);
	log->index =
	    index_open(log->path, log->fd, log->segments, "bench", "this run");
}

static void
log_close(struct log *log)
{
	index_close(log->index);
	tree_close(log->tree);
	segments_close(log->segments);
	close(log->fd);
	(void)nftw(log->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A record as core sends it, of one of many users, ten in a second. */
static char *
record_text(uint64_t number)
{
	static const char *const methods[] = { "ssh.update", "user.update",
		"group.create", "service.control" };
	unsigned int user = (unsigned int)(number * 2654435761u % USERS);
	int64_t second = 1700000000 + (int64_t)(number / 10);

	return xasprintf(
	    "{\"audit_id\":\"00000000-0000-4000-8000-%012llx\","
	    "\"timestamp\":{\"$date\":%lld},\"time_us\":%lld,"
	    "\"address\":\"192.0.2.%u\",\"username\":\"user%u\","
	    "\"session\":\"10000000-0000-4000-8000-%012x\","
	    "\"service\":\"MIDDLEWARE\",\"service_data\":{\"vers\":"
	    "{\"major\":0,\"minor\":1},\"origin\":\"192.0.2.%u\",\"protocol\":"
	    "\"WEBSOCKET\",\"credentials\":{\"credentials\":\"LOGIN_PASSWORD\","
	    "\"credentials_data\":{\"username\":\"user%u\"}}},"
	    "\"event\":\"%s\",\"event_data\":{\"method\":\"%s\",\"params\":"
	    "[{\"compression\":true}],\"description\":\"Update\","
	    "\"authenticated\":true,\"authorized\":true},\"success\":%s}",
	    (unsigned long long)number, (long long)second * 1000,
	    (long long)second * 1000000, user, user, user, user, user,
	    number % 4 == 0 ? "AUTHENTICATION" : "METHOD_CALL",
	    methods[number / 7 % 4], number % 10 == 0 ? "false" : "true");
}

/* What the audit role does with what core sends it. */
static void
log_add(struct log *log)
{
	char *text = record_text(log->added), *line;
	json_t *record;
	size_t len;

	if (record_take(text, strlen(text),
		1700000000 + (int64_t)(log->added / 10), &line, &record) == -1)
		errx(1, "a record is none");
	len = strlen(line);
	index_expect(log->index, tree_next(log->tree), record, len);
	segments_add(log->segments, line);
	tree_add(log->tree, line);
	log->added++;
	freezero_str(line);
	json_decref(record);
	free(text);
}

/* The same line, without what taking a record costs. */
static void
log_add_line(struct log *log)
{
	int64_t second = 1700000000 + (int64_t)(log->added / 10);
	char *text = record_text(log->added), *line;

	line = xasprintf("%.*s\"message_timestamp\":%lld,%s", LINE_ID, text,
	    (long long)second, text + LINE_ID);
	segments_add(log->segments, line);
	tree_add(log->tree, line);
	log->added++;
	free(line);
	free(text);
}

static void
log_commit(struct log *log)
{
	if (segments_commit(log->segments) == -1 ||
	    tree_commit(log->tree, true) == -1)
		err(1, "%s", log->path);
	if (tree_unsigned(log->tree) >= HEAD_RECORDS &&
	    tree_sign(log->tree, false) == -1)
		err(1, "%s", log->path);
}

/* Has the index follow; when it had. */
static double
log_index(struct log *log, clockid_t clock)
{
	while (!index_step(log->index, INDEX_STEP_US))
		;
	return now(clock);
}

/* --- Appending, and bare SQLite ---------------------------------------------- */

/* Of one round, or the best of several. */
struct rate {
	double records; /* a second */
	double processor; /* seconds a record */
};

static void
take_best(struct rate *best, struct rate rate)
{
	if (rate.records > best->records)
		best->records = rate.records;
	if (best->processor == 0 || rate.processor < best->processor)
		best->processor = rate.processor;
}

/* With so many records in each batch. */
static struct rate
append_rate(const char *folder, unsigned int senders, double seconds)
{
	struct rate rate;
	struct log log;
	double began, took, indexed = 0, processor;
	unsigned int i;

	log_open(&log, folder);
	began = now(CLOCK_MONOTONIC);
	processor = now(CLOCK_PROCESS_CPUTIME_ID);
	do {
		for (i = 0; i < senders; i++)
			log_add(&log);
		log_commit(&log);
		took = now(CLOCK_MONOTONIC) - began;
		if (took - indexed > INDEX_LAG_MS / 1e3 || took >= seconds)
			indexed = log_index(&log, CLOCK_MONOTONIC) - began;
		took = now(CLOCK_MONOTONIC) - began;
	} while (took < seconds);
	processor = now(CLOCK_PROCESS_CPUTIME_ID) - processor;
	rate.records = (double)log.added / took;
	rate.processor = processor / (double)log.added;
	log_close(&log);
	return rate;
}

static void
sql(sqlite3 *db, const char *text)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		errx(1, "%s: %s", text, sqlite3_errmsg(db));
}

static sqlite3_stmt *
sqlite_begin(const char *path, sqlite3 **dbp)
{
	sqlite3_stmt *insert;

	if (sqlite3_open(path, dbp) != SQLITE_OK)
		errx(1, "%s: %s", path, sqlite3_errmsg(*dbp));
	sql(*dbp,
	    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
	    "PRAGMA synchronous = FULL;"
	    "CREATE TABLE record (id INTEGER PRIMARY KEY, line TEXT)");
	if (sqlite3_prepare_v2(*dbp, "INSERT INTO record (line) VALUES (?1)",
		-1, &insert, NULL) != SQLITE_OK)
		errx(1, "%s: %s", path, sqlite3_errmsg(*dbp));
	return insert;
}

/* The same bytes, as durable, in transactions as large as the batches. */
static struct rate
sqlite_rate(const char *folder, unsigned int senders, double seconds)
{
	char *path = xasprintf("%s/bench-audit-%d.db", folder, (int)getpid());
	char *wal = xasprintf("%s-wal", path), *text;
	sqlite3 *db;
	sqlite3_stmt *insert = sqlite_begin(path, &db);
	uint64_t added = 0;
	double began = now(CLOCK_MONOTONIC), took;
	double processor = now(CLOCK_PROCESS_CPUTIME_ID);
	struct rate rate;
	unsigned int i;

	do {
		sql(db, "BEGIN");
		for (i = 0; i < senders; i++) {
			text = record_text(added++);
			sqlite3_bind_text(insert, 1, text, -1, free);
			if (sqlite3_step(insert) != SQLITE_DONE)
				errx(1, "%s", sqlite3_errmsg(db));
			sqlite3_reset(insert);
		}
		sql(db, "COMMIT");
		took = now(CLOCK_MONOTONIC) - began;
	} while (took < seconds);
	processor = now(CLOCK_PROCESS_CPUTIME_ID) - processor;
	rate.records = (double)added / took;
	rate.processor = processor / (double)added;
	sqlite3_finalize(insert);
	sqlite3_close(db);
	unlink(path);
	unlink(wal);
	free(path);
	free(wal);
	return rate;
}

/* Of each its best round, one after the other. */
static void
measure_appending(const char *folder, unsigned int senders)
{
	struct rate ours = { 0 }, theirs = { 0 };
	int i;

	for (i = 0; i < ROUNDS; i++) {
		take_best(
		    &ours, append_rate(folder, senders, RATE_SECONDS / ROUNDS));
		take_best(&theirs,
		    sqlite_rate(folder, senders, RATE_SECONDS / ROUNDS));
	}
	printf("append, %u sender%s %12.0f records/s   SQLite %8.0f   %5.2f\n",
	    senders, senders == 1 ? " " : "s", ours.records, theirs.records,
	    ours.records / theirs.records);
	printf("  of the processor %15.0f us a record    %8.0f us\n",
	    ours.processor * 1e6, theirs.processor * 1e6);
}

/* --- Verifying and asking ---------------------------------------------------- */

static void
measure_verifying(const struct log *log)
{
	double began = now(CLOCK_PROCESS_CPUTIME_ID), took;
	struct verify *verify = verify_new(log->fd, NULL);
	json_t *report;

	while (!verify_step(verify, STEP))
		;
	took = now(CLOCK_PROCESS_CPUTIME_ID) - began;
	report = verify_report(verify);
	if (!json_bool(report, "verified", false))
		errx(1, "the log is not verified");
	printf(
	    "  verify %32.0f records/s and core\n", (double)log->added / took);
	json_decref(report);
	verify_free(verify);
}

/* Of the quickest, in seconds. */
struct asked {
	double took, processor, longest; /* step */
};

static void
ask(const struct log *log, const char *data, bool by_index, struct asked *best)
{
	struct record_query *query;
	const char *text;
	double began, before, after, most = 0;
	double processor = now(CLOCK_PROCESS_CPUTIME_ID);
	bool done;

	began = before = now(CLOCK_MONOTONIC);
	query = record_query_new(log->segments, data, strlen(data));
	if (by_index)
		record_query_use(query, log->index);
	do {
		done = record_query_step(query, STEP);
		after = now(CLOCK_MONOTONIC);
		most = after - before > most ? after - before : most;
		before = after;
	} while (!done);
	if (record_query_outcome(query, &text) != 0)
		errx(1, "%s: %s", data, text);
	record_query_free(query);
	processor = now(CLOCK_PROCESS_CPUTIME_ID) - processor;
	if (after - began < best->took)
		*best = (struct asked){ after - began, processor, most };
}

static void
measure_queries(const struct log *log, bool by_index)
{
	/* clang-format off */
	static const struct {
		const char *name, *data;
	} queries[] = {
		{ "last 100 of a user",
		    "{\"services\":[\"MIDDLEWARE\"],\"query-filters\":"
		    "[[\"username\",\"=\",\"user17\"]],\"query-options\":"
		    "{\"order_by\":[\"-message_timestamp\"],\"limit\":100}}" },
		{ "last 100",
		    "{\"services\":[\"MIDDLEWARE\"],\"query-filters\":[],"
		    "\"query-options\":{\"order_by\":[\"-timestamp\"],"
		    "\"limit\":100}}" },
		{ "last 100, by the microsecond",
		    "{\"services\":[\"MIDDLEWARE\"],\"query-filters\":[],"
		    "\"query-options\":{\"order_by\":[\"-time_us\"],"
		    "\"limit\":100}}" },
		{ "count by event",
		    "{\"services\":[\"MIDDLEWARE\"],\"query-filters\":"
		    "[[\"event\",\"=\",\"METHOD_CALL\"]],\"query-options\":"
		    "{\"count\":true}}" },
		{ "count of failures of a user",
		    "{\"services\":[\"MIDDLEWARE\"],\"query-filters\":"
		    "[[\"username\",\"=\",\"user17\"],[\"success\",\"=\",false]],"
		    "\"query-options\":{\"count\":true}}" },
		{ "count by a method",
		    "{\"services\":[\"MIDDLEWARE\"],\"query-filters\":"
		    "[[\"event_data.method\",\"=\",\"ssh.update\"]],"
		    "\"query-options\":{\"count\":true}}" },
	};
	/* clang-format on */
	struct asked best = { 0 };
	size_t i;
	int n;

	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		best.took = 1e9;
		for (n = 0; n < (by_index ? TRIES : 1); n++)
			ask(log, queries[i].data, by_index, &best);
		printf("  %-29s%10.2f ms%10.2f ms%10.2f ms%s\n",
		    queries[i].name, best.took * 1e3, best.processor * 1e3,
		    best.longest * 1e3, by_index ? "" : "   (by reading)");
	}
}

static void
measure_log(const char *folder, uint64_t records)
{
	struct rusage usage;
	struct log log;
	double began, took;
	struct stat st;

	log_open(&log, folder);
	while (log.added < records) {
		log_add_line(&log);
		if (segments_batched(log.segments) >= BATCH_SIZE)
			log_commit(&log);
	}
	log_commit(&log);
	if (tree_sign(log.tree, false) == -1)
		err(1, "%s", log.path);
	printf("\n%llu records, %.0f MB\n", (unsigned long long)log.added,
	    (double)segments_size(log.segments) / 1e6);
	began = now(CLOCK_PROCESS_CPUTIME_ID);
	took = log_index(&log, CLOCK_PROCESS_CPUTIME_ID) - began;
	if (fstatat(log.fd, "index.db", &st, 0) == -1)
		err(1, "index.db");
	printf("  index made anew %23.0f records/s and core, %.0f MB\n",
	    (double)log.added / took, (double)st.st_size / 1e6);
	measure_verifying(&log);
	measure_queries(&log, true);
	if (records <= 100000)
		measure_queries(&log, false);
	getrusage(RUSAGE_SELF, &usage);
	printf("  most memory until here %16.0f MB\n",
	    (double)usage.ru_maxrss / 1024);
	fflush(stdout);
	log_close(&log);
}

int
main(int argc, char **argv)
{
	bool full = argc == 3 && strcmp(argv[2], "--full") == 0;

	if (argc < 2 || argc > 3 || (argc == 3 && !full))
		errx(2, "usage: bench_audit FOLDER [--full]");
	json_secure();
	measure_appending(argv[1], 1);
	measure_appending(argv[1], 8);
	measure_log(argv[1], 100000);
	if (full) {
		measure_log(argv[1], 1000000);
		measure_log(argv[1], 10000000);
	}
	return 0;
}
