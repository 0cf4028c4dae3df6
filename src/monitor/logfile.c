/*
 * The instance's log file: the monitor's own events and the lines that roles
 * and services write to their standard error, stamped, capped and rotated.
 */
#include <sys/stat.h>
#include <sys/uio.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "monitor/logfile.h"

#define LOG_SIZE_MAX (16 * 1024 * 1024)
#define LOG_FILE "holdfastd.log"
#define LOG_KEPT 3

struct log_source {
	struct log_source *next;
	uv_poll_t poll;
	int fd;
	char name[32];
	pid_t pid;
	char *last;
	bool skipping; /* the rest of a long line */
	size_t len;
	char line[LOG_LINE_MAX];
};

static int folder_fd = -1, file_fd = -1;
static off_t file_size;
static struct log_source *sources;
static void (*observer)(const char *, const char *, const char *);

static int
file_reopen(void)
{
	struct stat st;

	if (file_fd != -1)
		close(file_fd);
	file_fd = openat(folder_fd, LOG_FILE,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file_fd == -1 || fstat(file_fd, &st) == -1)
		return -1;
	file_size = st.st_size;
	return 0;
}

/* holdfastd.log.2 -> .3, .1 -> .2, holdfastd.log -> .1 */
static void
rotate(void)
{
	char from[32], to[32];
	int i;

	for (i = LOG_KEPT; i > 0; i--) {
		if (i == 1)
			snprintf(from, sizeof(from), "%s", LOG_FILE);
		else
			snprintf(from, sizeof(from), "%s.%d", LOG_FILE, i - 1);
		snprintf(to, sizeof(to), "%s.%d", LOG_FILE, i);
		renameat(folder_fd, from, folder_fd, to);
	}
	file_reopen();
}

static void
write_line(const char *name, pid_t pid, const char *level, const char *event,
    const char *message)
{
	char line[LOG_LINE_MAX + 512], stamp[32];
	struct timespec now;
	struct tm tm;
	int len;

	if (file_fd == -1)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	len = snprintf(line, sizeof(line), "%s.%06ldZ %s[%d] %s %s \"%s\"\n",
	    stamp, now.tv_nsec / 1000, name, (int)pid, level, event, message);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(line)) {
		len = (int)sizeof(line) - 1;
		line[len - 1] = '\n';
	}
	if (file_size + len > LOG_SIZE_MAX)
		rotate();
	if (file_fd != -1 && file_write_all(file_fd, line, (size_t)len) == 0)
		file_size += len;
}

static void
own_line(enum log_level level, const char *event, const char *message)
{
	write_line("monitor", getpid(), log_level_name(level), event, message);
}

int
logfile_open(int dir_fd)
{
	folder_fd = file_open_beneath(dir_fd, "log", O_RDONLY | O_DIRECTORY, 0);
	if (folder_fd == -1 || file_reopen() == -1)
		return -1;
	log_set_sink(own_line);
	return 0;
}

/* Escapes removed, what is left must need none. */
static bool
is_encoded(const char *message)
{
	char plain[LOG_LINE_MAX], again[LOG_LINE_MAX * 4];
	size_t n = 0, len = strlen(message);

	if (len >= sizeof(plain))
		return false;
	for (; *message != '\0'; message++) {
		if (*message != '\\')
			plain[n++] = *message;
		else if (*++message == '\0' ||
		    strchr("\\\"abfnrtvxu01234567", *message) == NULL)
			return false;
	}
	log_encode(again, sizeof(again), plain, n);
	return strlen(again) == n && memcmp(again, plain, n) == 0;
}

bool
logfile_parse(
    char *line, const char **level, const char **event, const char **message)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	char *first, *second;
	int i;

	if ((first = strchr(line, ' ')) == NULL ||
	    (second = strchr(first + 1, ' ')) == NULL)
		return false;
	for (i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_INFO; i++) {
		*level = log_level_name((enum log_level)i);
		if (strlen(*level) == (size_t)(first - line) &&
		    strncmp(line, *level, (size_t)(first - line)) == 0)
			break;
	}
	if (i > LOG_LEVEL_INFO || second == first + 1 || second - first > 64 ||
	    strspn(first + 1, allowed) != (size_t)(second - first - 1) ||
	    !is_encoded(second + 1))
		return false;
	*second = '\0';
	*event = first + 1;
	*message = second + 1;
	return true;
}

static void
source_line(struct log_source *source)
{
	const char *level, *event, *message;
	char encoded[LOG_LINE_MAX];
	size_t len = source->len;

	source->len = 0;
	if (source->skipping) {
		source->skipping = false;
		return;
	}
	while (len > 0 && source->line[len - 1] == '\r')
		len--;
	source->line[len] = '\0';
	if (len == 0)
		return;
	if (strlen(source->line) != len ||
	    !logfile_parse(source->line, &level, &event, &message)) {
		log_encode(encoded, sizeof(encoded), source->line, len);
		level = log_level_name(LOG_LEVEL_INFO);
		event = "output";
		message = encoded;
	}
	if (source->last != NULL)
		snprintf(source->last, LAST_LINE_MAX, "%s", message);
	write_line(source->name, source->pid, level, event, message);
	if (observer != NULL)
		observer(source->name, event, message);
}

/*
 * -1 at the end of the pipe.  A bounded amount at a time: whoever floods its
 * log keeps nobody else waiting.
 */
static int
source_read(struct log_source *source)
{
	char data[4096];
	ssize_t n = 0, i;
	int rounds;

	for (rounds = 0; rounds < 16; rounds++) {
		if ((n = read(source->fd, data, sizeof(data))) <= 0)
			break;
		for (i = 0; i < n; i++) {
			if (data[i] == '\n') {
				source_line(source);
			} else if (source->len == sizeof(source->line) - 1) {
				source_line(source);
				source->skipping = true;
			} else if (!source->skipping) {
				source->line[source->len++] = data[i];
			}
		}
		if (n < (ssize_t)sizeof(data))
			return 0;
	}
	if (n > 0)
		return 0;
	return n == -1 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static void
source_closed(uv_handle_t *handle)
{
	struct log_source *source = handle->data;

	close(source->fd);
	free(source);
}

static void
source_readable(uv_poll_t *poll, int status, int events)
{
	struct log_source *source = poll->data, **at;

	(void)events;
	if (status == 0 && source_read(source) == 0)
		return;
	source_line(source); /* a last one without newline */
	for (at = &sources; *at != NULL; at = &(*at)->next)
		if (*at == source) {
			*at = source->next;
			break;
		}
	uv_close((uv_handle_t *)poll, source_closed);
}

struct log_source *
logfile_source(uv_loop_t *loop, const char *name, char *last, int *write_fd)
{
	struct log_source *source;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) == -1)
		return NULL;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1) {
		close(fds[0]);
		close(fds[1]);
		return NULL;
	}
	source = xcalloc(1, sizeof(*source));
	source->fd = fds[0];
	source->last = last;
	snprintf(source->name, sizeof(source->name), "%s", name);
	uv_poll_init(loop, &source->poll, fds[0]);
	source->poll.data = source;
	uv_poll_start(&source->poll, UV_READABLE, source_readable);
	source->next = sources;
	sources = source;
	*write_fd = fds[1];
	return source;
}

void
logfile_source_pid(struct log_source *source, pid_t pid)
{
	source->pid = pid;
}

void
logfile_observe(
    void (*line)(const char *source, const char *event, const char *message))
{
	observer = line;
}

void
logfile_drain(void)
{
	struct log_source *source;

	for (source = sources; source != NULL; source = source->next)
		source_read(source);
}
