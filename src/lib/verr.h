/*
 * The errors of one call's arguments, all of them, each with the path of the
 * attribute at fault, as the API reports them: [[attribute, message, errno]].
 */
#ifndef HF_VERR_H
#define HF_VERR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct verr;

struct verr	*verr_new(void);
void		 verr_free(struct verr *);
bool		 verr_any(const struct verr *);
size_t		 verr_count(const struct verr *);

/* attribute NULL is JSON null.  errno EINVAL unless verr_add_errno. */
void		 verr_add(struct verr *, const char *attribute,
		    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void		 verr_add_errno(struct verr *, int error, const char *attribute,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * A prefix for attributes added from now on ("ssh_update"), so that a
 * resource's own checks need not know the name of the call; NULL for none.
 */
void		 verr_prefix(struct verr *, const char *);

/* "[EINVAL] a: text\n" for each, as `reason` wants it; caller frees. */
char		*verr_reason(const struct verr *);
/* [[attribute, message, errno], ...]; a new reference. */
json_t		*verr_extra(const struct verr *);

#endif
