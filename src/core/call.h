/*
 * One request in progress, from its frame to its answer.  A method's run
 * function reads the validated parameters and answers exactly once, now or
 * later; the connection may be gone by then, which call_* take care of.
 */
#ifndef HF_CALL_H
#define HF_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/method.h"
#include "lib/verr.h"

struct session;
struct connection;
struct pipe;

struct call {
	const struct method	*method;
	json_t			*params;	/* validated, defaults filled */
	json_t			*given;		/* as sent, for the audit */
	struct connection	*connection;	/* NULL once it is gone */
	struct session		*session;	/* NULL: none; kept while we run */
	int64_t			 since;		/* boottime_ms() when it came */
	char			*id;		/* JSON text; NULL: notification */
	struct job		*job;		/* when the method is a job */
	struct pipe		*pipe;		/* core/pipe.h; NULL: none */
	struct call		*next;		/* of the same connection */
	char			*description;	/* for the audit; NULL: not yet */
	bool			 audited;	/* see call_audited */
	bool			 subscribes;	/* as core/legacy.h says it */
	/* Takes the answer (stolen) instead of a client, once. */
	void			(*taker)(json_t *answer, bool success, void *);
	void			*taker_arg;
	void			*data;		/* the method's own, in progress */
	void			(*free_data)(void *);
};

/* Code of an error object that names attributes. */
#define CALL_INVALID_PARAMS	(-32602)

/*
 * Answers with an error object as it is (stolen) after the audit record, if
 * the method has one, is on disk; ends the call.
 */
void	 call_refuse(struct call *, json_t *error);
/* The error objects. */
json_t	*call_error(int code, const char *message);
json_t	*call_method_error(int error, const char *reason, json_t *extra);
json_t	*call_invalid_error(const struct verr *);
void	 call_free(struct call *);
/*
 * Answers with a result or an error object (stolen; NULL: not at all); it is
 * no longer one of its connection's.
 */
void	 call_detach(struct call *, json_t *answer, bool success);

/* Parameter i, borrowed. */
const json_t	*call_param(const struct call *, size_t i);

/* Answers; the result is stolen.  NULL result is JSON null. */
void	 call_reply(struct call *, json_t *result);
/* The same where the result's text is at hand; no job, nothing audited. */
void	 call_reply_text(struct call *, const char *result);
/* -32001 with [ERRNAME] text. */
void	 call_fail(struct call *, int error, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* The same with a free-form extra (stolen). */
void	 call_fail_extra(struct call *, int error, json_t *extra,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* -32602 with all errors; steals (frees) them. */
void	 call_fail_invalid(struct call *, struct verr *);
/* The same with one, of the form that the API has where a method says so. */
void	 call_fail_attribute(struct call *, int error, const char *attribute,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* -32602, naming no attribute: what is asked for does not exist. */
void	 call_fail_absent(struct call *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

bool	 call_has_role(const struct call *, const char *role);
bool	 call_full_admin(const struct call *);
/* For audit records and revisions: name of the user, origin. */
const char *call_user(const struct call *);
const char *call_origin(const struct call *);

/*
 * A method that changes something on its own, outside the pipeline, sets this
 * before it answers when it already wrote its audit record (setup,
 * login); otherwise call_reply and call_fail record METHOD_CALL for methods
 * with an audit text, and the answer waits until the record is on disk.
 */
void	 call_audited(struct call *);

#endif
