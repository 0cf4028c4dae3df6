/*
 * multipart/form-data: see multipart.h.
 *
 * A delimiter is CR LF "--" boundary.  No boundary has a CR, so a delimiter
 * can begin again only at its first byte: what looked like one up to the k-th
 * byte and is none were k bytes of content, equal to the delimiter's own.
 */
#include "web/multipart.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	PREAMBLE, /* before the first delimiter */
	AFTER, /* a delimiter was read: "--" or the end of its line */
	AFTER_DASH, /* one dash of two */
	AFTER_CR,
	HEADERS,
	CONTENT,
	EPILOGUE,
	BROKEN
};

/*
 * The value of a parameter at *textp: a token, or a quoted string with what a
 * backslash protects.  Moves past it; -1 when it does not fit or end.
 */
static int
parameter_value(const char **textp, char *value, size_t size)
{
	const char *text = *textp;
	bool quoted = *text == '"';
	size_t n = 0;

	if (quoted)
		text++;
	while (*text != '\0' &&
	    (quoted ? *text != '"' : strchr("; \t\"", *text) == NULL)) {
		if (quoted && *text == '\\' && text[1] != '\0')
			text++;
		if (n + 1 >= size)
			return -1;
		value[n++] = *text++;
	}
	value[n] = '\0';
	if (quoted && *text++ != '"')
		return -1;
	*textp = text;
	return 0;
}

/*
 * The parameter of that name in "type; a=b; name=value".  0, or -1: it is not
 * there, is there twice, or something is malformed.
 */
static int
parameter(const char *text, const char *name, char *value, size_t size)
{
	char other[MULTIPART_HEADERS_MAX];
	size_t len = strlen(name), n;
	bool wanted, found = false;

	text += strcspn(text, ";");
	while (*text == ';') {
		text += 1 + strspn(text + 1, " \t");
		if (*text == '\0')
			break;
		n = strcspn(text, "=; \t");
		if (text[n] != '=')
			return -1;
		wanted = n == len && strncasecmp(text, name, n) == 0;
		if (wanted && found)
			return -1;
		text += n + 1;
		if (wanted ? parameter_value(&text, value, size) == -1 :
			     parameter_value(&text, other, sizeof(other)) == -1)
			return -1;
		found = found || wanted;
		text += strspn(text, " \t");
	}
	return *text == '\0' && found ? 0 : -1;
}

static bool
is_type(const char *text, const char *type)
{
	size_t n = strcspn(text, "; \t");

	return n == strlen(type) && strncasecmp(text, type, n) == 0;
}

int
multipart_boundary(
    const char *content_type, char boundary[static MULTIPART_BOUNDARY_MAX + 1])
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789'()+_,-./:=? ";
	size_t len;

	if (!is_type(content_type, "multipart/form-data") ||
	    parameter(content_type, "boundary", boundary,
		MULTIPART_BOUNDARY_MAX + 1) == -1)
		return -1;
	len = strlen(boundary);
	if (len == 0 || strspn(boundary, allowed) != len ||
	    boundary[len - 1] == ' ')
		return -1;
	return 0;
}

void
multipart_init(struct multipart *m, const char *boundary)
{
	memset(m, 0, sizeof(*m));
	m->delimiter_len = (size_t)snprintf(
	    m->delimiter, sizeof(m->delimiter), "\r\n--%s", boundary);
	/* The first one needs no line before it. */
	m->matched = 2;
}

/* One header line; false: it is none, or not of a form. */
static bool
header_line(struct multipart *m, char *line)
{
	static const char disposition[] = "Content-Disposition";
	char *value = strchr(line, ':');

	if (value == NULL || value == line)
		return false;
	*value++ = '\0';
	if (strcasecmp(line, disposition) != 0)
		return true;
	value += strspn(value, " \t");
	return m->name[0] == '\0' && is_type(value, "form-data") &&
	    parameter(value, "name", m->name, sizeof(m->name)) == 0 &&
	    m->name[0] != '\0';
}

/* The block of headers is complete, an empty line ends it. */
static enum multipart_event
headers_end(struct multipart *m)
{
	char *line = m->headers, *end;

	m->name[0] = '\0';
	while ((end = strstr(line, "\r\n")) != NULL && end != line) {
		*end = '\0';
		if (!header_line(m, line))
			return MULTIPART_BAD;
		line = end + 2;
	}
	if (m->name[0] == '\0')
		return MULTIPART_BAD;
	m->state = CONTENT;
	/* An empty content is ended by the line that ended the headers. */
	m->matched = 2;
	m->owed = 0;
	return MULTIPART_PART;
}

/* MORE: one more byte belongs to the headers. */
static enum multipart_event
headers_add(struct multipart *m, uint8_t byte)
{
	/* A NUL would hide the rest of its line. */
	if (byte == '\0' || m->headers_len + 1 >= sizeof(m->headers))
		return MULTIPART_BAD;
	m->headers[m->headers_len++] = (char)byte;
	m->headers[m->headers_len] = '\0';
	if (m->headers_len >= 4 &&
	    memcmp(m->headers + m->headers_len - 4, "\r\n\r\n", 4) == 0)
		return headers_end(m);
	/* None at all: a part without a name. */
	if (m->headers_len == 2 && memcmp(m->headers, "\r\n", 2) == 0)
		return MULTIPART_BAD;
	return MULTIPART_MORE;
}

/* What follows a delimiter: "--", or blanks and the end of the line. */
static enum multipart_event
after_delimiter(struct multipart *m, uint8_t byte)
{
	if (m->state == AFTER && byte == '-')
		m->state = AFTER_DASH;
	else if (m->state == AFTER && byte == '\r')
		m->state = AFTER_CR;
	else if (m->state == AFTER_DASH && byte == '-') {
		m->state = EPILOGUE;
		return MULTIPART_END;
	} else if (m->state == AFTER_CR && byte == '\n') {
		m->state = HEADERS;
		m->headers_len = 0;
	} else if (m->state != AFTER || (byte != ' ' && byte != '\t'))
		return MULTIPART_BAD;
	return MULTIPART_MORE;
}

static enum multipart_event
data_event(struct multipart *m, const void *data, size_t len)
{
	m->data = data;
	m->len = len;
	return MULTIPART_DATA;
}

/* What looked like the start of a delimiter is content after all. */
static enum multipart_event
not_delimiter(struct multipart *m, bool content)
{
	const char *start = m->delimiter + m->matched - m->owed;
	size_t len = m->owed;

	m->matched = m->owed = 0;
	if (!content || len == 0)
		return MULTIPART_MORE;
	return data_event(m, start, len);
}

/*
 * Content, or what comes before the first part, up to a delimiter; at least
 * one byte is there.
 */
static enum multipart_event
content(struct multipart *m, const uint8_t **datap, size_t *lenp)
{
	const uint8_t *data = *datap, *cr;
	bool is_content = m->state == CONTENT;
	size_t n;

	if (m->matched == 0) {
		cr = memchr(data, '\r', *lenp);
		n = cr == NULL ? *lenp : (size_t)(cr - data);
		if (n > 0) {
			*datap += n;
			*lenp -= n;
			return is_content ? data_event(m, data, n) :
					    MULTIPART_MORE;
		}
	}
	if (*data != (uint8_t)m->delimiter[m->matched])
		return not_delimiter(m, is_content);
	m->matched++;
	m->owed++;
	(*datap)++;
	(*lenp)--;
	if (m->matched < m->delimiter_len)
		return MULTIPART_MORE;
	m->matched = m->owed = 0;
	m->state = AFTER;
	return is_content ? MULTIPART_PART_END : MULTIPART_MORE;
}

enum multipart_event
multipart_next(struct multipart *m, const uint8_t **datap, size_t *lenp)
{
	enum multipart_event event = MULTIPART_MORE;

	while (event == MULTIPART_MORE && *lenp > 0) {
		switch (m->state) {
		case PREAMBLE:
		case CONTENT:
			event = content(m, datap, lenp);
			break;
		case EPILOGUE:
			*datap += *lenp;
			*lenp = 0;
			return MULTIPART_MORE;
		case BROKEN:
			return MULTIPART_BAD;
		case HEADERS:
			event = headers_add(m, **datap);
			(*datap)++;
			(*lenp)--;
			break;
		default:
			event = after_delimiter(m, **datap);
			(*datap)++;
			(*lenp)--;
		}
	}
	if (event == MULTIPART_BAD)
		m->state = BROKEN;
	return event;
}
