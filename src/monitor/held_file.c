/*
 * The file of what waits for its confirmation: see held_file.h.
 */
#include "monitor/held_file.h"

#include <sys/file.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/paths.h"
#include "lib/xalloc.h"

#define FORM 2 /* of the file */
#define FILE_NAME "change"
#define FILE_LARGEST (64 * 1024 * 1024)
#define NAME_LARGEST 255

void
held_free(struct held *held)
{
	int i;

	for (i = 0; i < held->noutputs; i++)
		freezero(held->outputs[i].content, held->outputs[i].len);
	freezero(held->what, held->what_len);
	free(held->boot);
	memset(held, 0, sizeof(*held));
}

void
held_put(struct wire_out *out, const struct held *held)
{
	const struct held_daemon *d;
	const struct held_output *o;
	size_t i;

	wire_put_u32(out, FORM);
	wire_put_u8(out, (uint8_t)held->state);
	wire_put_str(out, held->id);
	wire_put_u32(out, held->seconds);
	wire_put_u64(out, (uint64_t)held->since);
	wire_put_u64(out, (uint64_t)held->deadline);
	wire_put_str(out, held->boot);
	wire_put_bytes(out, held->what, held->what_len);
	wire_put_u32(out, (uint32_t)held->noutputs);
	for (o = held->outputs; o < held->outputs + held->noutputs; o++) {
		wire_put_str(out, outputs[o->output].name);
		wire_put_bytes(out, o->content, o->len);
		wire_put_u8(out, o->edited);
		wire_put_u32(out, (uint32_t)o->ours.count);
		for (i = o->ours.count; i > 0; i--)
			wire_put_str(out, o->ours.digests[i - 1]);
	}
	wire_put_u32(out, (uint32_t)held->ndaemons);
	for (d = held->daemons; d < held->daemons + held->ndaemons; d++) {
		wire_put_str(out, daemons[d->daemon].name);
		wire_put_u8(out, (uint8_t)d->verb);
	}
}

static char *
get_copy(struct wire_in *in, size_t *lenp)
{
	const void *data = wire_get_bytes(in, lenp);

	return xmemdup(data != NULL ? data : "", *lenp);
}

/* One that this build does not know is bad. */
static int
get_output(struct wire_in *in)
{
	char *name = wire_get_str(in, NAME_LARGEST);
	int i = 0;

	while (name != NULL && i < output_count &&
	    strcmp(outputs[i].name, name) != 0)
		i++;
	if (name == NULL || i == output_count)
		in->bad = true;
	free(name);
	return in->bad ? -1 : i;
}

static int
get_daemon(struct wire_in *in)
{
	char *name = wire_get_str(in, NAME_LARGEST);
	int i = 0;

	while (name != NULL && i < daemon_count &&
	    strcmp(daemons[i].name, name) != 0)
		i++;
	if (name == NULL || i == daemon_count)
		in->bad = true;
	free(name);
	return in->bad ? -1 : i;
}

/* The eldest first. */
static void
get_ours(struct wire_in *in, struct output_ours *ours)
{
	uint32_t n = wire_get_u32(in);
	char *text;

	if (n > OUTPUT_OURS_MAX)
		in->bad = true;
	for (; n > 0 && !in->bad; n--) {
		text = wire_get_str(in, DIGEST_TEXT - 1);
		if (text != NULL)
			output_ours_add(ours, text);
		free(text);
	}
}

static void
get_head(struct wire_in *in, struct held *held)
{
	uint8_t state;
	char *id;

	if (wire_get_u32(in) != FORM)
		in->bad = true;
	state = wire_get_u8(in);
	if (state == HELD_NONE || state >= HELD_STATE_COUNT)
		in->bad = true;
	held->state = (enum held_state)state;
	id = wire_get_str(in, UUID_LEN - 1);
	if (id != NULL)
		memcpy(held->id, id, strlen(id) + 1);
	free(id);
	held->seconds = wire_get_u32(in);
	held->since = (int64_t)wire_get_u64(in);
	held->deadline = (int64_t)wire_get_u64(in);
	held->boot = wire_get_str(in, NAME_LARGEST);
	held->what = get_copy(in, &held->what_len);
}

int
held_get(struct wire_in *in, struct held *held)
{
	struct held_output *o;
	struct held_daemon *d;
	uint32_t n;

	memset(held, 0, sizeof(*held));
	get_head(in, held);
	for (n = wire_get_u32(in); n > 0 && !in->bad; n--) {
		if (held->noutputs == OUTPUTS_MAX)
			return -1;
		o = &held->outputs[held->noutputs++];
		o->output = get_output(in);
		o->content = get_copy(in, &o->len);
		o->edited = wire_get_u8(in) != 0;
		get_ours(in, &o->ours);
	}
	for (n = wire_get_u32(in); n > 0 && !in->bad; n--) {
		if (held->ndaemons == DAEMONS_MAX)
			return -1;
		d = &held->daemons[held->ndaemons++];
		d->daemon = get_daemon(in);
		d->verb = (enum service_verb)wire_get_u8(in);
		if (d->verb >= VERB_COUNT)
			in->bad = true;
	}
	return wire_end(in);
}

static int
open_folder(void)
{
	return open(PATH_HELD, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int
held_lock(void)
{
	int fd = open_folder(), error;

	while (fd != -1 && flock(fd, LOCK_EX) == -1) {
		if (errno == EINTR)
			continue;
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

int
held_read(struct held *held)
{
	int dir = open_folder(), rc, error;
	char *data = NULL;
	struct wire_in in;
	size_t len = 0;

	memset(held, 0, sizeof(*held));
	if (dir == -1)
		return -1;
	rc = file_read_at(dir, FILE_NAME, FILE_LARGEST, &data, &len);
	error = errno;
	close(dir);
	if (rc == -1) {
		errno = error;
		return error == ENOENT ? 0 : -1;
	}
	wire_in_init(&in, data, len);
	if (held_get(&in, held) == -1) {
		held_free(held);
		error = EBADMSG;
		rc = -1;
	}
	freezero(data, len);
	errno = error;
	return rc;
}

int
held_write(const struct held *held)
{
	struct wire_out out = { 0 };
	int dir = open_folder(), rc = -1, error;

	if (dir == -1)
		return -1;
	held_put(&out, held);
	rc = file_install(dir, FILE_NAME, out.data, out.len, 0600, 0, 0, NULL);
	error = errno;
	wire_free(&out);
	close(dir);
	errno = error;
	return rc;
}

int
held_remove(void)
{
	int dir = open_folder(), rc, error;

	if (dir == -1)
		return -1;
	rc = unlinkat(dir, FILE_NAME, 0);
	if (rc == -1 && errno == ENOENT)
		rc = 0;
	if (rc == 0)
		rc = fsync(dir);
	error = errno;
	close(dir);
	errno = error;
	return rc;
}

int
held_note(int output, const void *content, size_t len)
{
	int lock = held_lock(), rc = -1, error, i;
	char text[DIGEST_TEXT];
	struct held held;

	if (lock == -1 || held_read(&held) == -1)
		goto out;
	rc = 0;
	for (i = 0; i < held.noutputs && rc == 0; i++) {
		if (held.outputs[i].output != output)
			continue;
		digest_text(content, len, text);
		output_ours_add(&held.outputs[i].ours, text);
		rc = held_write(&held);
	}
	error = errno;
	held_free(&held);
	errno = error;
out:
	error = errno;
	if (lock != -1)
		close(lock);
	errno = error;
	return rc;
}
