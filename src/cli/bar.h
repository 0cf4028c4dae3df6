/*
 * A progress bar, on standard error and only where that is a terminal.
 */
#ifndef HF_CLI_BAR_H
#define HF_CLI_BAR_H

/* percent is 0 to 100; what is shown stays in one line. */
void	bar_draw(int percent, const char *description);
/* Takes it from the screen, if one is there. */
void	bar_clear(void);

#endif
