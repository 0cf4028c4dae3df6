/*
 * A progress bar: see bar.h.
 */
#include "cli/bar.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/text.h"
#include "lib/xalloc.h"

#define BAR_WIDTH 20

static bool shown;

/* " 45% [#########...........] Copying", from the line's beginning. */
void
bar_draw(int percent, const char *description)
{
	static const char full[] = "####################";
	static const char empty[] = "....................";
	int done = percent * BAR_WIDTH / 100;
	char *line;

	if (!isatty(STDERR_FILENO))
		return;
	line = xasprintf("%3d%% [%.*s%.*s] %s", percent, done, full,
	    BAR_WIDTH - done, empty, description);
	line = text_cut(line, text_columns(stderr) - 1);
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	free(line);
	shown = true;
}

void
bar_clear(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}
