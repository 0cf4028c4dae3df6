/*
 * What the system log says of logins and of files that went by sftp.
 *
 * Anybody may write there, and only the sender's number is sure.  Root's sshd
 * is believed about logins that it refuses; who came in, PAM tells
 * (source_fact.h).  The same words of another user are recorded as his, and so
 * is what sftp says of its user's files, since it runs as that user.
 */
#ifndef HF_AUDIT_SOURCE_WORDS_H
#define HF_AUDIT_SOURCE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

#include "audit/source.h"
#include "audit/source_login.h"

#define WORDS_NAME	512	/* longer names are cut */

/* What a line of sshd says of a login. */
enum words_kind { WORDS_NOTHING, WORDS_ACCEPTED, WORDS_REFUSED,
	WORDS_GIVEN_UP,	/* it ended; only if nothing was said of it before */
	WORDS_FAREWELL	/* how the client took its leave: why */
};

struct words {
	char	user[WORDS_NAME], how[64];
	char	address[64];	/* "": it can not be told */
	char	why[128];	/* "": nothing else than what the kind says */
	pid_t	pid;		/* 0: of who says it */
};

/*
 * A name may hold whatever sshd's own words are, and so may what a certificate
 * says: who it was is read from the line's end, where sshd's own words stand.
 */
enum words_kind	 words_parse(const char *text, size_t len, struct words *);

struct words_reader;

struct words_reader *words_reader_new(uv_loop_t *, struct sources *,
		    struct login_failures *);
/* The sums as of now become records. */
void		 words_reader_flush(struct words_reader *);
/* NULL is fine.  The loop must turn once more before it is closed. */
void		 words_reader_free(struct words_reader *);
/* Somebody of that number was let in by that name. */
void		 words_know(struct words_reader *, uid_t, const char *name);
/*
 * A probe of this machine's own says that to sshd before it goes, once: what
 * sshd then says of its end is no refused login.
 */
void		 words_expect(struct words_reader *, const char *token);

/* Whose a line is. */
struct words_sender {
	pid_t		 pid;
	uid_t		 uid;
	const char	*program;	/* that runs in that process; NULL or
					   "": not known */
	struct source_origin origin;
};

/* A line, with its tag ("sshd[7]: "). */
void		 words_line(struct words_reader *, const struct words_sender *,
		    const char *text, size_t len);
/* One whose tag was taken off: what it says that it is of. */
void		 words_said(struct words_reader *, const struct words_sender *,
		    const char *tag, const char *text, size_t len);

#endif
