/*
 * Texts on a terminal: what may be shown, how wide it is, where it is cut.
 */
#ifndef HF_CLI_TEXT_H
#define HF_CLI_TEXT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * A copy in which what a terminal would obey, or what turns the direction of
 * writing around, is shown as \u escapes; newlines and tabs stay when lines.
 * Free it.
 */
char	*text_clean(const char *text, bool lines);

/* Columns that a clean text without newlines takes. */
int	 text_width(const char *);

/* Cuts a clean text (stolen) to that many columns, with an ellipsis. */
char	*text_cut(char *, int width);

/* Columns of the terminal behind the file; very many when it is none. */
int	 text_columns(FILE *);

/* That many blanks; none when negative. */
void	 text_blanks(FILE *, int count);

#endif
