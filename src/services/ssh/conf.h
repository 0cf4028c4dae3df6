/*
 * The typed writer of sshd_config's syntax.  Every renderer of generated
 * lines goes through it, so that no value, wherever it comes from, can begin
 * a line or a word of its own.
 *
 * A writer remembers its first failure; later calls do nothing, conf_finish
 * tells.  So a renderer writes all its lines and tests once.
 */
#ifndef HF_SSH_CONF_H
#define HF_SSH_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf {
	char	*text;
	size_t	 len, size;
	char	*problem;	/* why it failed; NULL so far */
	bool	 indent;	/* lines of a Match block */
};

/* Keyword and one word: no blank, quote, backslash or '#' at its start. */
void	 conf_word(struct conf *, const char *keyword, const char *word);
void	 conf_int(struct conf *, const char *keyword, int64_t);
/* "yes" or "no". */
void	 conf_bool(struct conf *, const char *keyword, bool);
/* Words joined by a separator; NULL ends them. */
void	 conf_list(struct conf *, const char *keyword, char separator,
	    const char *const *words);
/* Words that are set apart by blanks; their number is given. */
void	 conf_words(struct conf *, const char *keyword, size_t count,
	    const char *const *words);
/*
 * Match CRITERION "name", and the lines from here on belong to the block.
 * Fails unless conf_name_ok.
 */
void	 conf_match(struct conf *, const char *criterion, const char *name);
/* The same for a list of users, of that group unless it is NULL. */
void	 conf_match_users(struct conf *, const char *group,
	    const char *const *users);
/* No quote, and nothing that sshd would take for a pattern or a list. */
bool	 conf_name_ok(const char *name);
/* A comment; control characters become '?'. */
void	 conf_comment(struct conf *, const char *text, size_t len);
/*
 * A line as the user wrote it, its length given; fails on control characters
 * but the tab.
 */
void	 conf_line(struct conf *, const char *line, size_t len);

/*
 * The text (malloc'd), or NULL with *whyp (malloc'd).  The writer is empty
 * afterwards.
 */
char	*conf_finish(struct conf *, char **whyp);

#endif
