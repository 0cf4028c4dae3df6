/*
 * Whose a login session is: see kernel_session.h.
 */
#include "audit/kernel_session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define FILE_NAME "kernel-sessions"
#define FILE_MAX ((size_t)64 * 1024)
#define OURS_MAX 4096 /* then the oldest is forgotten */
#define RECENT_MAX 256

struct recent {
	pid_t pid; /* 0: free */
	uint32_t session; /* of a login */
	int64_t since;
};

struct kernel_sessions {
	bool all;
	int dirfd;
	char *boot;
	uint32_t ours[OURS_MAX];
	size_t count, oldest;
	struct recent spoke[RECENT_MAX], logins[RECENT_MAX];
	size_t next_spoke, next_login;
};

static bool
is_ours(const struct kernel_sessions *s, uint32_t session)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (s->ours[i] == session)
			return true;
	return false;
}

static void
put_ours(struct kernel_sessions *s, uint32_t session)
{
	if (s->count < OURS_MAX)
		s->ours[s->count++] = session;
	else {
		s->ours[s->oldest] = session;
		s->oldest = (s->oldest + 1) % OURS_MAX;
	}
}

/* They go on while the role is started anew. */
static void
keep(const struct kernel_sessions *s)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		fatal("out of memory");
	fprintf(out, "%s\n", s->boot);
	for (i = 0; i < s->count; i++)
		fprintf(
		    out, "%" PRIu32 "\n", s->ours[(s->oldest + i) % s->count]);
	if (fclose(out) != 0)
		fatal("out of memory");
	if (file_install(s->dirfd, FILE_NAME, text, len, 0600, FILE_OWN_UID,
		FILE_OWN_GID, NULL) == -1)
		log_warn(
		    "kernel.sessions", "%s: %s", FILE_NAME, strerror(errno));
	free(text);
}

static void
load(struct kernel_sessions *s)
{
	char *text, *line, *rest, *end;
	unsigned long number;
	size_t len;

	if (file_read_at(s->dirfd, FILE_NAME, FILE_MAX, &text, &len) == -1)
		return;
	line = strtok_r(text, "\n", &rest);
	if (line != NULL && strcmp(line, s->boot) == 0)
		while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
			number = strtoul(line, &end, 10);
			if (*end == '\0' && number < SESSION_NONE)
				put_ours(s, (uint32_t)number);
		}
	free(text);
}

struct kernel_sessions *
kernel_sessions_new(bool all, int dirfd, const char *boot)
{
	struct kernel_sessions *s = xcalloc(1, sizeof(*s));

	s->all = all;
	s->dirfd = dirfd;
	s->boot = xstrdup(boot);
	if (!all)
		load(s);
	return s;
}

void
kernel_sessions_free(struct kernel_sessions *s)
{
	if (s == NULL)
		return;
	free(s->boot);
	free(s);
}

static void
make_ours(struct kernel_sessions *s, uint32_t session)
{
	if (is_ours(s, session))
		return;
	put_ours(s, session);
	keep(s);
}

bool
kernel_sessions_process(struct kernel_sessions *s, pid_t pid, int64_t now)
{
	struct recent *login;
	bool found = false;
	size_t i;

	if (s->all)
		return false;
	s->spoke[s->next_spoke] = (struct recent){ .pid = pid, .since = now };
	s->next_spoke = (s->next_spoke + 1) % RECENT_MAX;
	for (i = 0; i < RECENT_MAX; i++) {
		login = &s->logins[i];
		if (login->pid != pid || now - login->since > SESSION_AFTER_MS)
			continue;
		make_ours(s, login->session);
		login->pid = 0;
		found = true;
	}
	return found;
}

void
kernel_sessions_login(
    struct kernel_sessions *s, pid_t pid, uint32_t session, int64_t now)
{
	size_t i;

	if (s->all || session == SESSION_NONE)
		return;
	for (i = 0; i < RECENT_MAX; i++)
		if (s->spoke[i].pid == pid &&
		    now - s->spoke[i].since <= SESSION_BEFORE_MS) {
			make_ours(s, session);
			return;
		}
	s->logins[s->next_login] =
	    (struct recent){ .pid = pid, .session = session, .since = now };
	s->next_login = (s->next_login + 1) % RECENT_MAX;
}

enum whose
kernel_sessions_whose(
    const struct kernel_sessions *s, uint32_t session, int64_t now)
{
	size_t i;

	if (s->all || is_ours(s, session))
		return WHOSE_OURS;
	for (i = 0; i < RECENT_MAX; i++)
		if (s->logins[i].pid != 0 && s->logins[i].session == session &&
		    now - s->logins[i].since <= SESSION_AFTER_MS)
			return WHOSE_UNKNOWN;
	return WHOSE_OTHERS;
}
