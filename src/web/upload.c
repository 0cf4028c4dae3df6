/*
 * An upload: the first part, "data", says what to call; the files after it go
 * into core's pipes as they come.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/xalloc.h"
#include "web/transfer.h"

#define WRONG_FIRST "\"data\" part must be the first on payload"

/* More of the file's content into the pipe; false: wait, or no more. */
static bool
slice_write(struct transfer *t)
{
	ssize_t n;

	n = write(t->file, t->slice, t->slice_len);
	if (n > 0) {
		t->slice += n;
		t->slice_len -= (size_t)n;
		return true;
	}
	if (n == -1 && errno != EPIPE) {
		transfer_await_file(t, UV_WRITABLE);
		return false;
	}
	t->slice_len = 0;
	transfer_close_file(t);
	transfer_next(t, STEP_UNREAD);
	return false;
}

static void
part_begins(struct transfer *t)
{
	const char *wanted = t->parts == 0 ? "data" : "file";

	if (strcmp(t->form.name, wanted) != 0) {
		transfer_refuse(t, 405,
		    t->parts == 0 ?
			WRONG_FIRST :
			"The parts after \"data\" must be \"file\"");
		return;
	}
	if (t->parts++ > TRANSFER_FILES_MAX) {
		transfer_refuse(t, 405, "Too many files");
		return;
	}
	/* Core began the first one, with the answer to "data". */
	if (t->parts > 2)
		transfer_next(t, STEP_FILE);
}

static void
part_data(struct transfer *t)
{
	if (t->parts > 1) {
		t->slice = t->form.data;
		t->slice_len = t->form.len;
		return;
	}
	if (t->form.len > TRANSFER_DATA_MAX - t->data_len) {
		transfer_refuse(t, 413, "\"data\" is too long");
		return;
	}
	memcpy(t->data + t->data_len, t->form.data, t->form.len);
	t->data_len += t->form.len;
}

static void
part_ends(struct transfer *t)
{
	if (t->parts > 1) {
		transfer_close_file(t);
		return;
	}
	t->data[t->data_len] = '\0';
	if (memchr(t->data, '\0', t->data_len) != NULL)
		transfer_refuse(t, 400, "NUL in \"data\"");
	else
		transfer_begin(t);
}

static void
form_ends(struct transfer *t)
{
	if (t->parts < 2)
		transfer_refuse(t, 405, "There is no \"file\" part");
	else
		transfer_next(t, STEP_END);
}

/* What was read up to here, to the next event. */
static bool
parse(struct transfer *t)
{
	const uint8_t *data = t->in + t->in_at;
	size_t len = t->in_len - t->in_at;
	enum multipart_event event = multipart_next(&t->form, &data, &len);

	t->in_at = t->in_len - len;
	switch (event) {
	case MULTIPART_PART:
		part_begins(t);
		break;
	case MULTIPART_DATA:
		part_data(t);
		break;
	case MULTIPART_PART_END:
		part_ends(t);
		break;
	case MULTIPART_END:
		form_ends(t);
		break;
	case MULTIPART_BAD:
		transfer_refuse(t, 400, "The form is malformed");
		break;
	case MULTIPART_MORE:
		break;
	}
	return true;
}

bool
upload_step(struct transfer *t)
{
	if (t->slice_len > 0)
		return slice_write(t);
	if (t->in_at < t->in_len)
		return parse(t);
	if (t->got == t->expected) {
		transfer_refuse(t, 400, "The form has no end");
		return true;
	}
	return false; /* to be read first */
}
