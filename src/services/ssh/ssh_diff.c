/*
 * The difference of two texts, for people.
 */
#include "services/ssh/ssh_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "services/ssh/ssh_files.h"

json_t *
ssh_text(const char *bytes, size_t len)
{
	json_t *text =
	    memchr(bytes, '\0', len) == NULL ? json_stringn(bytes, len) : NULL;
	char *copy;
	size_t i;

	if (text != NULL)
		return text;
	copy = xmalloc(len + 1);
	for (i = 0; i < len; i++)
		copy[i] = bytes[i] == '\0' || (unsigned char)bytes[i] >= 0x80 ?
		    '?' :
		    bytes[i];
	text = json_stringn(copy, len);
	free(copy);
	return text;
}

json_t *
ssh_path_text(const char *name)
{
	char *path = xasprintf(SSH_FOLDER "/%s", name);
	json_t *text = ssh_text(path, strlen(path));

	free(path);
	return text;
}

static void
put_lines(FILE *file, char sign, const char *from, const char *end)
{
	const char *line_end;

	for (; from < end; from = line_end) {
		line_end = memchr(from, '\n', (size_t)(end - from));
		line_end = line_end == NULL ? end : line_end + 1;
		putc(sign, file);
		fwrite(from, 1, (size_t)(line_end - from), file);
		if (line_end[-1] != '\n')
			putc('\n', file);
	}
}

json_t *
ssh_diff(const char *a, const char *b)
{
	const char *a_end = a + strlen(a), *b_end = b + strlen(b);
	const char *a_line = a, *b_line = b;
	char *text = NULL;
	json_t *result;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (file == NULL)
		abort();
	for (; a < a_end && b < b_end && *a == *b; a++, b++)
		if (*a == '\n') {
			a_line = a + 1;
			b_line = b + 1;
		}
	while (a_end > a_line && b_end > b_line && a_end[-1] == b_end[-1]) {
		a_end--;
		b_end--;
	}
	/* On to where a line of both begins. */
	while (*a_end != '\0' &&
	    ((a_end > a_line && a_end[-1] != '\n') ||
		(b_end > b_line && b_end[-1] != '\n'))) {
		a_end++;
		b_end++;
	}
	put_lines(file, '-', a_line, a_end);
	put_lines(file, '+', b_line, b_end);
	if (fclose(file) != 0)
		abort();
	result = ssh_text(text, size);
	free(text);
	return result;
}
