/*
 * The audit role's side of the journal: asks the journal role for lines,
 * makes records of them as of what comes by /dev/log, and keeps how far it
 * came (the file "journal" of the store).
 *
 * That is moved on only when what was said before is on disk, sums too.  After
 * a crash of either, what came since is read again: a record whose id, which is
 * made of its line, is in the log already is not written twice.  A sum has no
 * line; only a crash between its commit and the few writes behind it has it
 * counted twice.  While the log cannot be written, lines wait in the journal.
 */
#ifndef HF_AUDIT_JOURNAL_H
#define HF_AUDIT_JOURNAL_H

#include <stdbool.h>
#include <uv.h>

struct audit;
struct journal_reader;

struct journal_reader *journal_reader_new(struct audit *, uv_loop_t *);
/* The journal role is there (again); fd is taken over. */
void		 journal_reader_peer(struct journal_reader *, int fd);
/* A commit was made, or failed.  NULL is fine. */
void		 journal_reader_committed(struct journal_reader *);
/* What was read last is on disk now.  NULL is fine. */
void		 journal_reader_stop(struct journal_reader *);
/* NULL is fine.  The loop must turn once more before it is closed. */
void		 journal_reader_free(struct journal_reader *);

#endif
