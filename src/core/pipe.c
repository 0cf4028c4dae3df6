/*
 * Pipes of jobs: see pipe.h.
 */
#include "core/pipe.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/core.h"
#include "core/limits.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/xalloc.h"

/* Read or written in one go before others get their turn. */
#define PIECE ((size_t)64 << 10)
#define READ_MS 100

struct pipe {
	unsigned int references; /* the method, and who made it */
	bool left; /* by the method */
	/* Input: what each file is read from; -1 once it was. */
	int files[PIPE_FILES_MAX];
	unsigned int opened, most;
	bool ended, whole;
	/* Output. */
	int out;
	bool buffered;
	bool awaits_reader;
	/* What is going on: at most one of both. */
	struct call *call;
	uv_poll_t *poll;
	unsigned int index;
	size_t max;
	uint8_t *data;
	size_t len, at, size;
	void (*collected)(struct call *, int, void *, size_t);
	void (*supplied)(struct call *, int);
	int from; /* a file to be supplied; -1: the data is all */
};

static void
poll_stop(struct pipe *p)
{
	if (p->poll != NULL)
		uv_close((uv_handle_t *)p->poll, (uv_close_cb)free);
	p->poll = NULL;
}

static void
poll_start(struct pipe *p, int fd, int events, uv_poll_cb ready)
{
	if (p->poll == NULL) {
		p->poll = xcalloc(1, sizeof(*p->poll));
		if (uv_poll_init(core_loop(), p->poll, fd) != 0)
			fatal("a pipe that cannot be waited for");
		p->poll->data = p;
	}
	uv_poll_start(p->poll, events, ready);
}

static void
close_file(int *fdp)
{
	if (*fdp != -1)
		close(*fdp);
	*fdp = -1;
}

static struct pipe *
pipe_new(void)
{
	struct pipe *p = xcalloc(1, sizeof(*p));
	unsigned int i;

	p->references = 2;
	for (i = 0; i < PIPE_FILES_MAX; i++)
		p->files[i] = -1;
	p->out = p->from = -1;
	return p;
}

void
pipe_release(struct pipe *p)
{
	if (p == NULL || --p->references > 0)
		return;
	close_file(&p->out);
	close_file(&p->from);
	freezero(p->data, p->size);
	free(p);
}

void
pipe_leave(struct pipe *p)
{
	unsigned int i;

	if (p == NULL)
		return;
	poll_stop(p);
	p->call = NULL;
	p->left = true;
	for (i = 0; i < PIPE_FILES_MAX; i++)
		close_file(&p->files[i]);
	if (!p->buffered)
		close_file(&p->out);
	pipe_release(p);
}

/*
 * Input.
 */
struct pipe *
pipe_input(unsigned int files)
{
	struct pipe *p = pipe_new();

	p->most = files < PIPE_FILES_MAX ? files : PIPE_FILES_MAX;
	return p;
}

static void collect(struct pipe *);

static void
input_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	collect(poll->data);
}

static void
collected(struct pipe *p, int error)
{
	struct call *call = p->call;
	uint8_t *data = p->data;
	size_t len = p->len;

	poll_stop(p);
	close_file(&p->files[p->index]);
	if (error != 0) {
		freezero(data, p->size);
		data = NULL;
		len = 0;
	} else
		data[len] = '\0';
	p->call = NULL;
	p->data = NULL;
	p->len = p->size = 0;
	p->collected(call, error, data, len);
}

/* Room for one more piece and a NUL; what was there is not left behind. */
static void
grow(struct pipe *p)
{
	size_t size =
	    p->size * 2 > p->len + PIECE + 1 ? p->size * 2 : p->len + PIECE + 1;
	uint8_t *data;

	if (p->size - p->len > PIECE)
		return;
	data = xmalloc(size);
	if (p->len > 0)
		memcpy(data, p->data, p->len);
	freezero(p->data, p->size);
	p->data = data;
	p->size = size;
}

/* Its writer is gone: is that its end, or was it cut?  -1: not yet known. */
static int
end_of_file(const struct pipe *p)
{
	if (p->index + 1 < p->opened)
		return 0;
	if (!p->ended)
		return -1;
	return p->whole ? 0 : ECONNABORTED;
}

/* As far as it goes without waiting, for one turn. */
static void
collect(struct pipe *p)
{
	int fd, error;
	ssize_t n;

	if (p->index >= p->opened) {
		if (p->ended)
			collected(p, p->whole ? ENOENT : ECONNABORTED);
		return;
	}
	fd = p->files[p->index];
	grow(p);
	n = read(fd, p->data + p->len, PIECE);
	if (n > 0) {
		p->len += (size_t)n;
		if (p->len > p->max) {
			collected(p, EFBIG);
			return;
		}
	} else if (n == 0) {
		poll_stop(p);
		if ((error = end_of_file(p)) != -1)
			collected(p, error);
		return;
	} else if (errno != EAGAIN && errno != EINTR) {
		collected(p, errno);
		return;
	}
	poll_start(p, fd, UV_READABLE, input_ready);
}

void
pipe_collect(struct call *call, unsigned int index, size_t max,
    void (*done)(struct call *, int, void *, size_t))
{
	struct pipe *p = call->pipe;

	if (index >= PIPE_FILES_MAX || p->call != NULL)
		fatal("a pipe is asked for what it cannot give");
	p->call = call;
	p->index = index;
	p->max = max;
	p->collected = done;
	collect(p);
}

int
pipe_next_file(struct pipe *p)
{
	int ends[2];

	if (p->opened == p->most) {
		errno = E2BIG;
		return -1;
	}
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1)
		return -1;
	/* The method may have answered without reading anything. */
	if (!p->left)
		p->files[p->opened] = ends[0];
	else
		close(ends[0]);
	p->opened++;
	if (p->call != NULL)
		collect(p);
	return ends[1];
}

void
pipe_input_end(struct pipe *p, bool whole)
{
	p->ended = true;
	p->whole = whole;
	if (p->call != NULL && p->poll == NULL)
		collect(p);
}

/*
 * Output.
 */
struct pipe *
pipe_output(bool buffered, int *fdp)
{
	struct pipe *p;
	int ends[2] = { -1, -1 };

	if (buffered)
		ends[1] =
		    memfd_create("download", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	else if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1)
		return NULL;
	if (ends[1] == -1)
		return NULL;
	p = pipe_new();
	p->buffered = buffered;
	p->out = ends[1];
	*fdp = ends[0];
	return p;
}

static void supply(struct pipe *);

bool
pipe_await_reader(struct call *call)
{
	call->pipe->awaits_reader = !call->pipe->buffered;
	return call->pipe->awaits_reader;
}

static void
look_again(void *arg)
{
	struct pipe *p = arg;

	if (p->call != NULL)
		supply(p);
	pipe_release(p);
}

/* Is there something that nobody has read yet?  *errorp: nobody will. */
static bool
is_unread(const struct pipe *p, int *errorp)
{
	struct pollfd reader = { .fd = p->out };
	int unread = 0;

	if (!p->awaits_reader || ioctl(p->out, FIONREAD, &unread) == -1 ||
	    unread == 0)
		return false;
	if (poll(&reader, 1, 0) != 1 || (reader.revents & POLLERR) == 0)
		return true;
	*errorp = EPIPE;
	return false;
}

static void
output_ready(uv_poll_t *poll, int status, int events)
{
	struct pipe *p = poll->data;

	(void)events;
	uv_poll_stop(poll);
	if (status < 0)
		poll_stop(p); /* the reader is gone: writing says so */
	supply(p);
}

static void
supplied(struct pipe *p, int error)
{
	struct call *call = p->call;

	poll_stop(p);
	close_file(&p->from);
	if (!p->buffered)
		close_file(&p->out);
	freezero(p->data, p->size);
	p->data = NULL;
	p->size = 0;
	p->call = NULL;
	p->supplied(call, error);
}

/* The next piece of a file: 0, or an errno; p->len 0 at its end. */
static int
next_piece(struct pipe *p)
{
	ssize_t n;

	p->at = p->len = 0;
	do
		n = read(p->from, p->data, p->size);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno;
	p->len = (size_t)n;
	return 0;
}

static void
supply(struct pipe *p)
{
	size_t left;
	ssize_t n;
	int error = 0;

	if (p->at == p->len && p->from != -1)
		error = next_piece(p);
	left = p->len - p->at;
	if (left == 0 && error == 0 && is_unread(p, &error)) {
		/* The kernel does not tell when it is: look now and then. */
		if (p->poll != NULL)
			uv_poll_stop(p->poll);
		p->references++;
		core_after(READ_MS, look_again, p);
		return;
	}
	if (left == 0) {
		supplied(p, error);
		return;
	}
	n = write(p->out, p->data + p->at, left < PIECE ? left : PIECE);
	if (n > 0)
		p->at += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR) {
		supplied(p, errno);
		return;
	}
	poll_start(p, p->out, UV_WRITABLE, output_ready);
}

static int
fill_buffer(struct pipe *p, const void *data, size_t len)
{
	if (len > LIMIT_DOWNLOAD_BUFFER)
		return EFBIG;
	return file_write_all(p->out, data, len) == -1 ? errno : 0;
}

void
pipe_supply(struct call *call, const void *data, size_t len,
    void (*done)(struct call *, int))
{
	struct pipe *p = call->pipe;

	if (p->call != NULL)
		fatal("a pipe is given more than it takes");
	if (p->buffered) {
		done(call, fill_buffer(p, data, len));
		return;
	}
	p->call = call;
	p->data = xmemdup(data, len);
	p->len = p->size = len;
	p->at = 0;
	p->supplied = done;
	supply(p);
}

static int
fill_buffer_from(struct pipe *p, int fd)
{
	size_t total = 0;
	int error = 0;

	p->from = fd;
	p->data = xmalloc(p->size = PIECE);
	while ((error = next_piece(p)) == 0 && p->len > 0) {
		total += p->len;
		error = total > LIMIT_DOWNLOAD_BUFFER ? EFBIG : 0;
		if (error != 0 ||
		    (error = fill_buffer(p, p->data, p->len)) != 0)
			break;
	}
	freezero(p->data, p->size);
	p->data = NULL;
	p->size = p->len = p->at = 0;
	close_file(&p->from);
	return error;
}

void
pipe_supply_file(struct call *call, int fd, void (*done)(struct call *, int))
{
	struct pipe *p = call->pipe;

	if (p->call != NULL)
		fatal("a pipe is given more than it takes");
	if (p->buffered) {
		done(call, fill_buffer_from(p, fd));
		return;
	}
	p->call = call;
	p->from = fd;
	p->data = xmalloc(p->size = PIECE);
	p->len = p->at = 0;
	p->supplied = done;
	supply(p);
}

int
pipe_buffer(struct pipe *p)
{
	int fd = p->out;

	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) ==
		-1 ||
	    lseek(fd, 0, SEEK_SET) == -1)
		return -1;
	p->out = -1; /* transferred */
	return fd;
}
