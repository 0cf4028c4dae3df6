/*
 * The configuration store: entries (one JSON document each), numbered
 * revisions, the outbox of audit records.  Core keeps the entries in memory;
 * reads never touch the disk, each commit is on disk when it returns.
 *
 * Narrow, so that another database can serve instead: nothing above it knows
 * SQL.
 */
#ifndef HF_STORE_H
#define HF_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct store;

#define STORE_SCHEMA	3

enum revision_state { REVISION_PENDING, REVISION_COMMITTED, REVISION_UNDONE };

/*
 * What became of one entry in a change.  A change of several entries is as
 * many revisions, begun and ended together.
 */
struct revision {
	int64_t		 number;
	int64_t		 change;	/* number of the first one of it */
	enum revision_state state;
	int64_t		 time;		/* seconds since the epoch */
	char		*who;		/* user name */
	char		*origin;	/* address, or pid:N */
	char		*resource;	/* "ssh" */
	int64_t		 entry;		/* its id */
	json_t		*before;	/* NULL: there was none */
	json_t		*after;		/* NULL: removed */
};

enum store_part { STORE_ENTRY, STORE_REVISION };

/*
 * How documents lie on disk, since the store knows nothing of their fields:
 * core seals their secrets (sealed.h).
 */
struct store_form {
	/*
	 * Before any document is read, and when all entries were: may use
	 * values and store_rewrite().  0 or -1 with *whyp.
	 */
	int	 (*opening)(struct store *, const char *path, char **whyp);
	int	 (*opened)(struct store *, char **whyp);
	/* A document for the disk; new reference. */
	json_t	*(*to_disk)(enum store_part, const char *resource, int64_t id,
		    const json_t *document);
	/* What it was; NULL with *whyp (what is wrong with it). */
	json_t	*(*from_disk)(enum store_part, const char *resource,
		    int64_t id, const json_t *disk, char **whyp);
	/* Is a secret of before (NULL: there was none) not in after? */
	bool	 (*secret_gone)(const char *resource, const json_t *before,
		    const json_t *after);
	/*
	 * A revision's document on disk without the secrets that the entry
	 * (NULL: removed) has no more; new reference.
	 */
	json_t	*(*without)(const char *resource, int64_t id,
		    const json_t *disk, const json_t *entry);
};

/*
 * Opens (or makes) the database file in folder path.  NULL with *whyp (malloc'd,
 * one line: what is wrong and what to do; a newer schema names both versions).
 * WAL, synchronous=FULL, integrity of the schema checked.  form (kept; NULL:
 * documents lie there as they are).  One of an older schema is migrated after
 * a copy of it was made (store_copies.h).
 */
struct store	*store_open(const char *path, const struct store_form *form,
		    char **whyp);
void		 store_close(struct store *);
/* Is there one in that folder?  Removes it, when it could not be made. */
bool		 store_exists(const char *path);
void		 store_remove(const char *path);

/* The stored object of an entry, borrowed; NULL when there is none. */
const json_t	*store_get(const struct store *, const char *resource,
		    int64_t id);
/* All of a resource, an array of objects by id; a new reference. */
json_t		*store_list(const struct store *, const char *resource);
/* Each entry of a resource, by id; borrowed. */
void		 store_each(const struct store *, const char *resource,
		    void (*each)(int64_t id, const json_t *entry, void *),
		    void *arg);
size_t		 store_count(const struct store *, const char *resource);
/* Revision in which the entry was last changed; 0: never. */
int64_t		 store_revision(const struct store *, const char *resource,
		    int64_t id);
/* Grows with every change of an entry of it: what was made of them is old. */
uint64_t	 store_generation(const struct store *, const char *resource);
/* One more than any that was ever used: those of removed entries included. */
int64_t		 store_next_id(const struct store *, const char *resource);

/*
 * Begins a change of count entries: in one transaction writes the revisions as
 * PENDING and the audit record into the outbox, undelivered and held back
 * until the change ends.  The entries in memory stay as they are.  number,
 * change and state of the revisions given are not looked at.  if_revision >= 0
 * is compared with that of the first one's entry first.  The change's number,
 * or -1 with errno: ESTALE when if_revision lost, EBUSY while another change
 * of one of the entries is PENDING, ENOSPC, EIO.  audit_id NULL: nothing for
 * the outbox.
 */
int64_t		 store_begin(struct store *, const struct revision *,
		    size_t count, int64_t if_revision, const char *audit_id,
		    const json_t *audit_record);
/*
 * Ends it: COMMITTED makes each `after` the entry, UNDONE leaves them; record
 * replaces the one in the outbox (NULL: that one stays, its "success" set by
 * the state) and releases it for delivery.  0 or -1 with errno; on -1 nothing
 * has changed.
 */
int		 store_end(struct store *, int64_t change,
		    enum revision_state, const json_t *audit_record);
/* A change that touches nothing outside: begin and commit in one. */
int64_t		 store_change(struct store *, const struct revision *,
		    size_t count, const char *audit_id,
		    const json_t *audit_record);

/* What a crash left PENDING, oldest first; caller frees with revisions_free. */
int		 store_pending(struct store *, struct revision **,
		    size_t *countp);
void		 revisions_free(struct revision *, size_t count);

/*
 * Revisions are kept up to a number, and an age beside the newest one; the
 * oldest go when a change ends.  PENDING ones stay.
 */
#define STORE_REVISIONS	5000
#define STORE_REVISION_DAYS 730

/*
 * The revisions kept with a number of at least from, oldest first, until each
 * says false.  Their documents are as on disk, secrets sealed or erased;
 * borrowed, as all of it.  0 or -1 with errno.
 */
int		 store_history(struct store *, int64_t from,
		    bool (*each)(const struct revision *, void *), void *);
/* One document of it with what can be told of its secrets; or NULL. */
json_t		*store_reveal(const struct store *, const struct revision *,
		    const json_t *disk);
/*
 * Writes every document anew, and that value, in one transaction; 0 or -1 with
 * errno.
 */
int		 store_rewrite(struct store *, const char *name,
		    const char *value);

/* The outbox: released records not yet acknowledged by the audit role. */
json_t		*store_outbox(struct store *);	/* [[audit_id, record], ...] */
/* Nothing where there is one of that id, held by a change or not. */
int		 store_outbox_add(struct store *, const char *audit_id,
		    const json_t *record);
/* True as well when the store does not say. */
bool		 store_outbox_has(struct store *, const char *audit_id);
int		 store_outbox_done(struct store *, const char *audit_id);

/* Single values that are not configuration ("setup_closed", ...). */
char		*store_value(struct store *, const char *name);	/* caller frees */
int		 store_set_value(struct store *, const char *name,
		    const char *value);	/* NULL removes it */
/* Those whose names begin so: {rest of the name: value}; a new reference. */
json_t		*store_values(struct store *, const char *prefix);

#endif
