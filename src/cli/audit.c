/*
 * holdfast audit: proves the audit log, from its files alone: whoever runs
 * this need not believe the server.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/export_verify.h"
#include "audit/verify.h"
#include "cli/audit_head.h"
#include "cli/bar.h"
#include "cli/command.h"
#include "cli/output.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/treehead.h"
#include "lib/xalloc.h"

#define PACKAGED "/var/lib/holdfast/audit"
#define STEP ((size_t)1024 * 1024)
#define AGAINST "--against"

/* The folder of the log; -1: said. */
static int
open_folder(const struct invocation *invocation)
{
	char *path = invocation->instance != NULL ?
	    xasprintf("%s/audit", invocation->instance) :
	    xstrdup(PACKAGED);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		complain("%s: %s", path, strerror(errno));
	free(path);
	return fd;
}

/* A head that was kept elsewhere: the text itself or a file of it. */
static char *
read_head(const char *given)
{
	char *text = NULL;
	size_t len;
	int fd;

	if (*given == '{')
		return xstrdup(given);
	fd = strcmp(given, "-") == 0 ? STDIN_FILENO :
				       open(given, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || file_read_fd(fd, TREE_HEAD_MAX + 1, &text, &len) == -1)
		complain("%s: %s", given, strerror(errno));
	else
		text[strcspn(text, "\n")] = '\0';
	if (fd > STDERR_FILENO)
		close(fd);
	return text;
}

static json_t *
run_verification(int dirfd, const char *against)
{
	struct verify *v = verify_new(dirfd, against);
	json_t *report;

	while (!verify_step(v, STEP))
		bar_draw(
		    (int)verify_progress(v) / 10, "Verifying the audit log");
	bar_clear();
	report = verify_report(v);
	verify_free(v);
	return report;
}

static void
draw(unsigned int percent)
{
	bar_draw((int)percent, "Verifying the export");
}

/* An export, alone: no server and no log are needed. */
static void
print_export(const json_t *report)
{
	const json_t *problem = json_object_get(report, "problem");
	const json_t *head = json_object_get(report, "last_head");

	printf("%lld records and the report %s\n",
	    (long long)json_int(report, "records", 0),
	    json_str(report, "report", ""));
	if (json_is_object(head))
		printf("Log %s, head %lld: %s\n", json_str(report, "log", ""),
		    (long long)json_int(head, "head", 0),
		    json_str(head, "root", ""));
	if (strcmp(json_str(report, "against", ""), "KEY") == 0)
		puts("The head seen elsewhere is from between the heads that "
		     "it holds, by the same key");
	if (json_is_null(problem))
		puts("Verified: nothing was altered, dropped or inserted");
	else
		printf("NOT VERIFIED: %s\n", json_str(problem, "text", ""));
}

static enum exit_code
verify_export(
    const struct invocation *invocation, const char *path, const char *against)
{
	char *head = against != NULL ? read_head(against) : NULL;
	json_t *report;
	bool verified;
	int fd;

	if (against != NULL && head == NULL)
		return EXIT_USAGE;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		complain("%s: %s", path, strerror(errno));
		free(head);
		return EXIT_USAGE;
	}
	report = export_verify(fd, head, draw);
	bar_clear();
	if (invocation->json)
		print_json(stdout, report);
	else
		print_export(report);
	verified = json_bool(report, "verified", false);
	json_decref(report);
	close(fd);
	free(head);
	return verified ? EXIT_DONE : EXIT_SERVER;
}

static void
print_people(const json_t *report)
{
	const json_t *problem = json_object_get(report, "problem");
	const json_t *head = json_object_get(report, "last_head"), *text;
	size_t i;

	printf("%lld records from number %lld on, %lld heads of %lld keys\n",
	    (long long)json_int(report, "records", 0),
	    (long long)json_int(report, "first_record", 0),
	    (long long)json_int(report, "heads", 0),
	    (long long)json_int(report, "epochs", 0));
	json_array_foreach(json_object_get(report, "continued"), i, text)
		printf("%s\n", json_string_value(text));
	if (json_int(report, "unsigned_records", 0) > 0)
		printf("%lld records are newer than the last head\n",
		    (long long)json_int(report, "unsigned_records", 0));
	if (json_is_object(head))
		printf("Log %s, head %lld: %s\n", json_str(report, "log", ""),
		    (long long)json_int(head, "head", 0),
		    json_str(head, "root", ""));
	if (json_is_null(problem)) {
		puts("Verified: nothing was altered, dropped or inserted");
		return;
	}
	printf("NOT VERIFIED: %s\n", json_str(problem, "text", ""));
	if (json_str(problem, "where", NULL) != NULL)
		printf("at %s\n", json_str(problem, "where", ""));
}

static enum exit_code
verify(const struct invocation *invocation, const char *against)
{
	char *head = against != NULL ? read_head(against) : NULL;
	json_t *report;
	bool verified;
	int dirfd;

	if (against != NULL && head == NULL)
		return EXIT_USAGE;
	if ((dirfd = open_folder(invocation)) == -1) {
		free(head);
		return EXIT_UNREACHABLE;
	}
	report = run_verification(dirfd, head);
	if (invocation->json)
		print_json(stdout, report);
	else
		print_people(report);
	verified = json_bool(report, "verified", false);
	json_decref(report);
	close(dirfd);
	free(head);
	return verified ? EXIT_DONE : EXIT_SERVER;
}

enum exit_code
command_audit(const struct invocation *invocation)
{
	char **words = invocation->argv;
	const char *against = NULL, *path = NULL;
	int count = invocation->argc;

	if (count > 0 && strcmp(words[0], "head") == 0)
		return audit_head(invocation);
	if (count == 0 || strcmp(words[0], "verify") != 0) {
		complain("audit: what?  There are: audit verify, audit head");
		return EXIT_USAGE;
	}
	if (invocation->argc >= 2 && strcmp(words[1], AGAINST) != 0) {
		path = words[1];
		words++;
		count--;
	}
	if (count == 3 && strcmp(words[1], AGAINST) == 0)
		against = words[2];
	else if (count != 1) {
		complain(
		    "audit verify: takes a FILE and " AGAINST " HEAD only");
		return EXIT_USAGE;
	}
	return path != NULL ? verify_export(invocation, path, against) :
			      verify(invocation, against);
}
