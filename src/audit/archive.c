/*
 * Archives of plain files: see archive.h.
 */
#include "audit/archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/file.h"
#include "lib/xalloc.h"

#define BLOCK 512
#define PIECE ((size_t)64 * 1024)
#define GZIP 16 /* of windowBits: with RFC 1952's header */

/* Where the members of a header are. */
#define AT_MODE 100
#define AT_UID 108
#define AT_GID 116
#define AT_SIZE 124
#define AT_TIME 136
#define AT_SUM 148
#define AT_TYPE 156
#define AT_MAGIC 257
#define MAGIC "ustar\00000"

struct archive {
	int fd;
	off_t at; /* in it, when it is read */
	bool writes, ended; /* the compressed stream's end was read */
	z_stream z;
	unsigned char piece[PIECE]; /* compressed */
	uint64_t left; /* of the member */
	size_t padding; /* behind it */
};

static size_t
padding_of(uint64_t size)
{
	return (size_t)((BLOCK - size % BLOCK) % BLOCK);
}

/* --- Writing ---------------------------------------------------------------- */

struct archive *
archive_new(int fd)
{
	struct archive *a = xcalloc(1, sizeof(*a));

	a->fd = fd;
	a->writes = true;
	if (deflateInit2(&a->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
		MAX_WBITS + GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(a);
		return NULL;
	}
	return a;
}

static int
compress_more(struct archive *a, int flush)
{
	int rc;

	do {
		a->z.next_out = a->piece;
		a->z.avail_out = sizeof(a->piece);
		rc = deflate(&a->z, flush);
		if (rc == Z_STREAM_ERROR) {
			errno = EIO;
			return -1;
		}
		if (file_write_all(a->fd, a->piece,
			sizeof(a->piece) - a->z.avail_out) == -1)
			return -1;
	} while (a->z.avail_out == 0);
	return 0;
}

static int
put(struct archive *a, const void *data, size_t len)
{
	static unsigned char none[1];

	a->z.next_in = len > 0 ? (z_const Bytef *)(uintptr_t)data : none;
	a->z.avail_in = (uInt)len;
	return compress_more(a, Z_NO_FLUSH);
}

static int
put_padding(struct archive *a)
{
	static const unsigned char zeros[BLOCK];
	size_t len = a->padding;

	a->padding = 0;
	return put(a, zeros, len);
}

static unsigned int
sum_of(const unsigned char header[BLOCK])
{
	unsigned int sum = 0, i;

	for (i = 0; i < BLOCK; i++)
		sum += i >= AT_SUM && i < AT_SUM + 8 ? ' ' : header[i];
	return sum;
}

int
archive_member(struct archive *a, const char *name, uint64_t size, int64_t time)
{
	unsigned char header[BLOCK] = { 0 };
	char *at = (char *)header;

	if (a->left != 0 || size >= ARCHIVE_MEMBER ||
	    strlen(name) >= ARCHIVE_NAME) {
		errno = EINVAL;
		return -1;
	}
	memcpy(at, name, strlen(name));
	(void)snprintf(at + AT_MODE, 8, "%07o", 0600u);
	(void)snprintf(at + AT_UID, 8, "%07o", 0u);
	(void)snprintf(at + AT_GID, 8, "%07o", 0u);
	(void)snprintf(at + AT_SIZE, 12, "%011llo", (unsigned long long)size);
	(void)snprintf(at + AT_TIME, 12, "%011llo",
	    (unsigned long long)(time & 0x1ffffffffLL));
	at[AT_TYPE] = '0';
	memcpy(at + AT_MAGIC, MAGIC, sizeof(MAGIC) - 1);
	(void)snprintf(at + AT_SUM, 8, "%06o", sum_of(header));
	at[AT_SUM + 7] = ' ';
	if (put_padding(a) == -1)
		return -1;
	a->left = size;
	a->padding = padding_of(size);
	return put(a, header, sizeof(header));
}

int
archive_write(struct archive *a, const void *data, size_t len)
{
	if (len > a->left) {
		errno = EINVAL;
		return -1;
	}
	a->left -= len;
	return put(a, data, len);
}

int
archive_finish(struct archive *a)
{
	static const unsigned char zeros[2 * BLOCK];

	if (a->left != 0) {
		errno = EINVAL;
		return -1;
	}
	if (put_padding(a) == -1 || put(a, zeros, sizeof(zeros)) == -1)
		return -1;
	a->z.avail_in = 0;
	return compress_more(a, Z_FINISH);
}

void
archive_free(struct archive *a)
{
	if (a == NULL)
		return;
	if (a->writes)
		(void)deflateEnd(&a->z);
	else
		(void)inflateEnd(&a->z);
	free(a);
}

/* --- Reading ---------------------------------------------------------------- */

struct archive *
archive_open(int fd)
{
	struct archive *a = xcalloc(1, sizeof(*a));

	a->fd = fd;
	if (inflateInit2(&a->z, MAX_WBITS + GZIP) != Z_OK) {
		free(a);
		return NULL;
	}
	return a;
}

uint64_t
archive_place(const struct archive *a)
{
	return (uint64_t)a->at;
}

/* More of the compressed bytes: 1, 0 at the end, -1. */
static int
refill(struct archive *a)
{
	ssize_t n;

	do
		n = pread(a->fd, a->piece, sizeof(a->piece), a->at);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return (int)n;
	a->at += n;
	a->z.next_in = a->piece;
	a->z.avail_in = (uInt)n;
	return 1;
}

/* Exactly so many bytes: 0; -1: there are not. */
static int
take(struct archive *a, void *data, size_t len, const char **whyp)
{
	int rc;

	a->z.next_out = data;
	a->z.avail_out = (uInt)len;
	while (a->z.avail_out > 0) {
		if (a->ended) {
			*whyp = "the archive is truncated";
			return -1;
		}
		if (a->z.avail_in == 0 && (rc = refill(a)) != 1) {
			*whyp = rc == 0 ? "the archive is truncated" :
					  "the archive cannot be read";
			return -1;
		}
		rc = inflate(&a->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END)
			a->ended = true;
		else if (rc != Z_OK && rc != Z_BUF_ERROR) {
			*whyp = "the archive is damaged";
			return -1;
		}
	}
	return 0;
}

static int
skip(struct archive *a, uint64_t len, const char **whyp)
{
	unsigned char waste[BLOCK];
	size_t n;

	for (; len > 0; len -= n) {
		n = len < sizeof(waste) ? (size_t)len : sizeof(waste);
		if (take(a, waste, n, whyp) == -1)
			return -1;
	}
	return 0;
}

static bool
is_zero(const unsigned char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (data[i] != 0)
			return false;
	return true;
}

/* Octal digits, all of them, and a NUL. */
static int
octal(const unsigned char *text, size_t digits, uint64_t *out)
{
	size_t i;

	*out = 0;
	for (i = 0; i < digits; i++) {
		if (text[i] < '0' || text[i] > '7')
			return -1;
		*out = *out << 3 | (uint64_t)(text[i] - '0');
	}
	return text[digits] == '\0' ? 0 : -1;
}

/* Letters, digits, '.', '-', not '.' at first: no path and no other folder. */
static bool
name_sound(const unsigned char *name)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
	size_t len = strnlen((const char *)name, ARCHIVE_NAME);

	return len > 0 && len < ARCHIVE_NAME && name[0] != '.' &&
	    strspn((const char *)name, chars) == len &&
	    is_zero(name + len, AT_MODE - len);
}

/* Behind the two empty blocks there is nothing. */
static int
ends_here(struct archive *a, const char **whyp)
{
	unsigned char more[BLOCK];

	if (take(a, more, sizeof(more), whyp) == -1)
		return -1;
	*whyp = "something follows the archive's end";
	if (!is_zero(more, sizeof(more)))
		return -1;
	while (!a->ended) {
		a->z.next_out = more;
		a->z.avail_out = 1;
		if (a->z.avail_in == 0 && refill(a) != 1) {
			*whyp = "the archive is truncated";
			return -1;
		}
		switch (inflate(&a->z, Z_NO_FLUSH)) {
		case Z_STREAM_END:
			a->ended = true;
			break;
		case Z_OK:
		case Z_BUF_ERROR:
			break;
		default:
			*whyp = "the archive is damaged";
			return -1;
		}
		if (a->z.avail_out == 0)
			return -1;
	}
	return a->z.avail_in == 0 && refill(a) == 0 ? 0 : -1;
}

int
archive_next(struct archive *a, char name[ARCHIVE_NAME], uint64_t *sizep,
    const char **whyp)
{
	unsigned char header[BLOCK];
	uint64_t sum;

	if (skip(a, a->left + a->padding, whyp) == -1 ||
	    take(a, header, sizeof(header), whyp) == -1)
		return -1;
	a->left = a->padding = 0;
	if (is_zero(header, sizeof(header)))
		return ends_here(a, whyp);
	*whyp = "the archive is none of an export";
	if (octal(header + AT_SUM, 6, &sum) == -1 || sum != sum_of(header) ||
	    memcmp(header + AT_MAGIC, MAGIC, sizeof(MAGIC) - 1) != 0 ||
	    header[AT_TYPE] != '0' || !name_sound(header) ||
	    octal(header + AT_SIZE, 11, sizep) == -1 ||
	    *sizep >= ARCHIVE_MEMBER)
		return -1;
	memset(name, 0, ARCHIVE_NAME);
	memcpy(name, header, strnlen((char *)header, ARCHIVE_NAME - 1));
	a->left = *sizep;
	a->padding = padding_of(*sizep);
	return 1;
}

int
archive_read(
    struct archive *a, void *data, size_t room, size_t *lenp, const char **whyp)
{
	size_t len = a->left < room ? (size_t)a->left : room;

	*lenp = 0;
	if (len > 0 && take(a, data, len, whyp) == -1)
		return -1;
	a->left -= len;
	*lenp = len;
	return 0;
}
