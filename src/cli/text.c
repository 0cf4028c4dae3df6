/*
 * Texts on a terminal: see text.h.
 */
#include <sys/ioctl.h>

#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unictype.h>
#include <unistr.h>
#include <uniwidth.h>

#include "cli/text.h"
#include "lib/xalloc.h"

#define COLUMNS_DEFAULT 80 /* of a terminal that does not say */
#define ESCAPED_MAX 6 /* bytes, of "\u202e" */

static bool
shown(ucs4_t character, bool lines)
{
	if (character == '\n' || character == '\t')
		return lines;
	return !uc_is_cntrl(character) &&
	    !uc_is_property_bidi_control(character);
}

/* libunistring reads U+FFFD where there is no UTF-8. */
static bool
broken(ucs4_t character, const uint8_t *at)
{
	return character == 0xfffd &&
	    strncmp((const char *)at, "\xef\xbf\xbd", 3) != 0;
}

char *
text_clean(const char *text, bool lines)
{
	const uint8_t *at = (const uint8_t *)text;
	char *clean = xmalloc(strlen(text) * ESCAPED_MAX + 1), *out = clean;
	ucs4_t character;
	int len;

	while (*at != '\0') {
		len = u8_mbtouc(&character, at, strlen((const char *)at));
		if (broken(character, at)) {
			out += snprintf(out, ESCAPED_MAX + 1, "\\x%02x", *at);
			len = 1;
		} else if (shown(character, lines)) {
			memcpy(out, at, (size_t)len);
			out += len;
		} else
			out += snprintf(out, ESCAPED_MAX + 1, "\\u%04x",
			    (unsigned int)character);
		at += len;
	}
	*out = '\0';
	return clean;
}

int
text_width(const char *text)
{
	return u8_strwidth((const uint8_t *)text, "UTF-8");
}

/* Whether the terminal is said to take UTF-8. */
static const char *
ellipsis(void)
{
	static const char *chosen;

	if (chosen == NULL) {
		(void)setlocale(LC_CTYPE, "");
		chosen = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ?
		    "\xe2\x80\xa6" :
		    "...";
	}
	return chosen;
}

char *
text_cut(char *text, int width)
{
	const char *dots = ellipsis();
	int left = width - text_width(dots), one, len;
	const uint8_t *at = (const uint8_t *)text;
	ucs4_t character;
	char *cut;

	if (text_width(text) <= width)
		return text;
	while (*at != '\0') {
		len = u8_mbtouc(&character, at, strlen((const char *)at));
		one = uc_width(character, "UTF-8");
		if (one > left)
			break;
		left -= one > 0 ? one : 0;
		at += len;
	}
	cut = xasprintf("%.*s%s", (int)((const char *)at - text), text,
	    left >= 0 ? dots : "");
	free(text);
	return cut;
}

int
text_columns(FILE *file)
{
	struct winsize size;

	if (ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return isatty(fileno(file)) ? COLUMNS_DEFAULT : INT_MAX / 2;
}

void
text_blanks(FILE *file, int count)
{
	while (count-- > 0)
		putc(' ', file);
}
