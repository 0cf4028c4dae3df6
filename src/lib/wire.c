/*
 * Typed encoding of message bodies; see wire.h.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/wire.h"
#include "lib/xalloc.h"

#define FIRST_SIZE 256

/* Room for len more bytes.  The old block may hold a secret: zeroed. */
static uint8_t *
wire_room(struct wire_out *out, size_t len)
{
	uint8_t *data, *at;
	size_t size = out->size > 0 ? out->size : FIRST_SIZE;

	if (len > SIZE_MAX / 4 || out->len > SIZE_MAX / 4)
		fatal("a message body of %zu bytes", len);
	if (out->data == NULL || len > out->size - out->len) {
		while (size - out->len < len)
			size *= 2;
		data = xmalloc(size);
		if (out->data != NULL)
			memcpy(data, out->data, out->len);
		freezero(out->data, out->len);
		out->data = data;
		out->size = size;
	}
	at = out->data + out->len;
	out->len += len;
	return at;
}

static void
wire_put_int(struct wire_out *out, uint64_t value, size_t len)
{
	uint8_t *at = wire_room(out, len);
	size_t i;

	for (i = 0; i < len; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

void
wire_put_u8(struct wire_out *out, uint8_t value)
{
	wire_put_int(out, value, 1);
}

void
wire_put_u16(struct wire_out *out, uint16_t value)
{
	wire_put_int(out, value, 2);
}

void
wire_put_u32(struct wire_out *out, uint32_t value)
{
	wire_put_int(out, value, 4);
}

void
wire_put_u64(struct wire_out *out, uint64_t value)
{
	wire_put_int(out, value, 8);
}

void
wire_put_raw(struct wire_out *out, const void *data, size_t len)
{
	if (len > 0)
		memcpy(wire_room(out, len), data, len);
}

void
wire_put_bytes(struct wire_out *out, const void *data, size_t len)
{
	if (len > UINT32_MAX)
		fatal("a block of %zu bytes", len);
	wire_put_u32(out, (uint32_t)len);
	wire_put_raw(out, data, len);
}

void
wire_put_str(struct wire_out *out, const char *text)
{
	if (text == NULL)
		text = "";
	wire_put_bytes(out, text, strlen(text));
}

void
wire_free(struct wire_out *out)
{
	freezero(out->data, out->len);
	memset(out, 0, sizeof(*out));
}

void
wire_in_init(struct wire_in *in, const void *data, size_t len)
{
	memset(in, 0, sizeof(*in));
	in->data = data;
	in->len = len;
}

/* The next len bytes, or NULL and the message is bad from now on. */
static const uint8_t *
wire_take(struct wire_in *in, size_t len)
{
	const uint8_t *at;

	if (in->bad || len > in->len - in->at) {
		in->bad = true;
		return NULL;
	}
	at = in->data + in->at;
	in->at += len;
	return at;
}

static uint64_t
wire_get_int(struct wire_in *in, size_t len)
{
	const uint8_t *at = wire_take(in, len);
	uint64_t value = 0;
	size_t i;

	if (at == NULL)
		return 0;
	for (i = 0; i < len; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

uint8_t
wire_get_u8(struct wire_in *in)
{
	return (uint8_t)wire_get_int(in, 1);
}

uint16_t
wire_get_u16(struct wire_in *in)
{
	return (uint16_t)wire_get_int(in, 2);
}

uint32_t
wire_get_u32(struct wire_in *in)
{
	return (uint32_t)wire_get_int(in, 4);
}

uint64_t
wire_get_u64(struct wire_in *in)
{
	return wire_get_int(in, 8);
}

const void *
wire_get_bytes(struct wire_in *in, size_t *lenp)
{
	size_t len = wire_get_u32(in);
	const uint8_t *data;

	*lenp = 0;
	if (in->bad || (data = wire_take(in, len)) == NULL)
		return NULL;
	*lenp = len;
	return data;
}

char *
wire_get_str(struct wire_in *in, size_t max)
{
	const char *data;
	char *text;
	size_t len;

	if ((data = wire_get_bytes(in, &len)) == NULL)
		return NULL;
	if (len > max || memchr(data, '\0', len) != NULL) {
		in->bad = true;
		return NULL;
	}
	text = xmalloc(len + 1);
	memcpy(text, data, len);
	text[len] = '\0';
	return text;
}

int
wire_end(const struct wire_in *in)
{
	return in->bad || in->at != in->len ? -1 : 0;
}
