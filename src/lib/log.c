/*
 * One line per event, encoded so that no text can begin a line of its own.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

/* A whole line on the pipe, with its newline. */
#define LINE_MAX_BYTES 8192

static void (*sink)(enum log_level, const char *, const char *);
/* Lines that did not fit into the pipe; the end of one cut in the middle. */
static unsigned long dropped;
static bool torn;

const char *
log_level_name(enum log_level level)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARN] = "warn",
		[LOG_LEVEL_INFO] = "info",
	};

	return names[level];
}

void
log_set_sink(void (*new_sink)(enum log_level, const char *, const char *))
{
	sink = new_sink;
}

/*
 * Length of the UTF-8 sequence at text (RFC 3629: no surrogates, no overlong
 * form, nothing above U+10FFFF), 0 when there is none.
 */
static size_t
sequence(const unsigned char *text, size_t len, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t need, i;

	if (text[0] < 0x80) {
		*code = text[0];
		return 1;
	}
	if (text[0] >= 0xc2 && text[0] <= 0xdf)
		need = 2;
	else if ((text[0] & 0xf0) == 0xe0)
		need = 3;
	else if (text[0] >= 0xf0 && text[0] <= 0xf4)
		need = 4;
	else
		return 0;
	if (need > len)
		return 0;
	*code = text[0] & (0xffu >> (need + 1));
	for (i = 1; i < need; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3fu);
	}
	if (*code < least[need] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return need;
}

/* What would end a line, move the cursor or turn the reading direction. */
static bool
misleads(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||
	    (code >= 0x200b && code <= 0x200f) ||
	    (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

/* Writes the escape of one byte, at most 4 characters. */
static size_t
escape(char out[5], unsigned char byte)
{
	static const char letters[] = "\"\"\\\\\nn\rr\tt";
	static const char digits[] = "0123456789abcdef";
	size_t i;

	out[0] = '\\';
	for (i = 0; i + 1 < sizeof(letters); i += 2) {
		if ((unsigned char)letters[i] == byte) {
			out[1] = letters[i + 1];
			return 2;
		}
	}
	out[1] = 'x';
	out[2] = digits[byte >> 4];
	out[3] = digits[byte & 0xf];
	return 4;
}

size_t
log_encode(char *out, size_t size, const char *text, size_t len)
{
	const unsigned char *at = (const unsigned char *)text;
	char unit[5 * 4];
	size_t used = 0, n, step, i;
	uint32_t code;

	if (size == 0)
		return 0;
	for (; len > 0; at += step, len -= step) {
		step = sequence(at, len, &code);
		if (step > 0 && !misleads(code) && code != '"' &&
		    code != '\\') {
			n = step;
			memcpy(unit, at, step);
		} else {
			if (step == 0)
				step = 1;
			for (n = 0, i = 0; i < step; i++)
				n += escape(unit + n, at[i]);
		}
		if (n >= size - used)
			break;
		memcpy(out + used, unit, n);
		used += n;
	}
	out[used] = '\0';
	return used;
}

/* One write for one line; whether it went out whole. */
static bool
emit(const char *line, size_t len)
{
	ssize_t n;

	do
		n = write(STDERR_FILENO, line, len);
	while (n == -1 && errno == EINTR);
	if (n > 0)
		torn = (size_t)n < len;
	return n >= 0 && (size_t)n == len;
}

/*
 * What was lost is said before the next line, and a line that was cut is
 * ended, so that the reader never joins two.
 */
static void
emit_line(const char *line, size_t len)
{
	char text[80];
	int n;

	if (torn || dropped > 0) {
		n = snprintf(text, sizeof(text),
		    "%swarn log.dropped %lu lines lost\n", torn ? "\n" : "",
		    dropped);
		if (!emit(text, (size_t)n)) {
			dropped++;
			return;
		}
		dropped = 0;
	}
	if (!emit(line, len))
		dropped++;
}

static void __attribute__((format(printf, 3, 0)))
log_vwrite(enum log_level level, const char *event, const char *fmt, va_list ap)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
	int error = errno, len, head;

	len = vsnprintf(text, sizeof(text), fmt, ap);
	if (len < 0)
		len = 0;
	if ((size_t)len >= sizeof(text))
		len = (int)sizeof(text) - 1;
	head = snprintf(line, 128, "%s %.64s ", log_level_name(level), event);
	len = (int)log_encode(
	    line + head, sizeof(line) - (size_t)head - 1, text, (size_t)len);
	if (sink != NULL) {
		sink(level, event, line + head);
	} else {
		line[head + len] = '\n';
		emit_line(line, (size_t)head + (size_t)len + 1);
	}
	errno = error;
}

void
log_write(enum log_level level, const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vwrite(level, event, fmt, ap);
	va_end(ap);
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vwrite(LOG_LEVEL_ERROR, "fatal", fmt, ap);
	va_end(ap);
	_exit(1);
}
