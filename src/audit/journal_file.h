/*
 * systemd's journal, line by line, as far as the audit log wants it: what
 * sshd and sftp say (sd-journal(3)).  Who sent a line is read from the fields
 * that journald itself adds, which begin with an underscore (the others anybody
 * may send; systemd.journal-fields(7)).
 *
 * The files are written by a daemon of root's, but hold whatever anybody told
 * it: this runs in a process that can do nothing else.
 */
#ifndef HF_AUDIT_JOURNAL_FILE_H
#define HF_AUDIT_JOURNAL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define JOURNAL_CURSOR	512	/* bytes of one, with its NUL */
#define JOURNAL_NAME	64
#define JOURNAL_TEXT	8192	/* what is longer is cut, as by /dev/log */

struct journal_line {
	char		 cursor[JOURNAL_CURSOR];
	int64_t		 time_us;	/* since 1970: journald got it */
	pid_t		 pid;
	uid_t		 uid;
	char		 program[JOURNAL_NAME];	/* that runs in it; "": it was
						   gone already */
	char		 identifier[JOURNAL_NAME];	/* as it says itself */
	char		 text[JOURNAL_TEXT];	/* any bytes, not ended */
	size_t		 len;
};

/* Where to go on. */
struct journal_place {
	char		 cursor[JOURNAL_CURSOR];	/* the last line; "" */
	int64_t		 since_us;	/* without one: lines from then on */
	int64_t		 seen_us;	/* when there were no more */
};

struct journal_file;

/* What else a library would load when it is too late for that. */
void		 journal_file_prepare(void);
/* path NULL: this machine's; NULL with errno. */
struct journal_file *journal_file_open(const char *path);
/* NULL is fine. */
void		 journal_file_close(struct journal_file *);
/* Readable when journal_file_changed() has something to look at. */
int		 journal_file_fd(const struct journal_file *);
/* True: files came or went, the place has to be found again. */
bool		 journal_file_changed(struct journal_file *);
/* Is any file there? */
bool		 journal_file_is_kept(const struct journal_file *);
/*
 * Goes to a place; *gap: lines behind it may be missing, since its line is no
 * longer there and the oldest that is came later than all was seen.  0 or -1
 * with errno.
 */
int		 journal_file_seek(struct journal_file *,
		    const struct journal_place *, bool *gap);
/* The next line: 1; 0 when there is none now; -1 with errno. */
int		 journal_file_next(struct journal_file *,
		    struct journal_line *);
/* Do both cursors mean one line, in whatever file it is? */
bool		 journal_cursor_same(const char *, const char *);
/* What of a cursor stays the same in another file. */
const char	*journal_cursor_line(const char *);

#endif
