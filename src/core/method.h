/*
 * A method of the API is a row of a table: who may call it, what it takes and
 * gives, what the audit log says of it, and the function that carries it out.
 * A method that is not in a table does not exist.
 */
#ifndef HF_METHOD_H
#define HF_METHOD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/schema.h"
#include "lib/message.h"
#include "services/catalog.h"

struct call;		/* one request in progress: core/call.h */

enum method_auth {
	AUTH_NONE,	/* without a session, rate limited */
	AUTH_SESSION,	/* any session */
	AUTH_ROLE	/* one of .roles, or FULL_ADMIN */
};

enum method_kind { KIND_PLAIN, KIND_QUERY, KIND_INSTANCE, KIND_CONFIG,
    KIND_CREATE, KIND_UPDATE, KIND_DELETE, KIND_CHOICES };

/* How many jobs may wait for a lock beside the one that has it. */
enum job_queue { JOB_QUEUE_DEFAULT, JOB_QUEUE_NONE, JOB_QUEUE_ONE,
    JOB_QUEUE_ENDLESS };

/* What goes with a job besides parameters and result: core/pipe.h. */
enum method_pipe { PIPE_NONE, PIPE_INPUT, PIPE_OUTPUT };

struct method {
	const char		*name;		/* "ssh.update" */
	const char		*doc;
	enum method_kind	 kind;
	enum method_auth	 auth;
	const char *const	*roles;		/* NULL: FULL_ADMIN only */
	const struct field	*params;	/* NULL: none */
	const struct field	*result;	/* one row; NULL: null */
	bool			 job;
	/* The lock under which its jobs wait for each other; malloc'd. */
	char			*(*job_lock)(const json_t *params);
	enum job_queue		 job_queue;	/* how many wait for it */
	/* Who sees its jobs besides their owners; NULL: nobody. */
	const char *const	*job_read_roles;
	/*
	 * Asks a running job to end early, by job_stopped(), now or later;
	 * it may still end otherwise.  NULL: it cannot be stopped.
	 */
	void			(*abort)(struct call *);
	/*
	 * The parameters as the audit log and core.get_jobs show them, where
	 * the table does not say it all: they carry those of another method.
	 * Takes them as they were sent; new reference.  NULL: by the table.
	 */
	json_t			*(*redact)(const json_t *given);
	/*
	 * Of a method without roles: does without a connection, as a call of
	 * core.bulk has none.  What needs a role is about the machine.
	 */
	bool			 bulk;
	/* Of a job: not without it, unless it is optional. */
	enum method_pipe	 pipe;
	bool			 pipe_optional;
	uint64_t		 input_max;	/* bytes, all files together;
						   0: LIMIT_UPLOAD */
	unsigned int		 input_files;	/* at most; 0: one */
	bool			 unlimited;	/* not rate limited */
	bool			 own;		/* Holdfast's, not TrueNAS's */
	bool			 repairs;	/* goes on while changes are
						   refused: audit_refuses() */
	const char		*audit;		/* text; NULL: not audited */
	/*
	 * What follows the audit text ("START ssh"), from validated params;
	 * malloc'd, or NULL for nothing.  May be NULL.
	 */
	char			*(*audit_suffix)(const json_t *params);
	/*
	 * Before a job is made of it: what is refused at once.  True: go on;
	 * false: it has answered.  May be NULL.
	 */
	bool			(*accept)(struct call *);
	/*
	 * Carries it out; answers with call_reply or call_fail*, now or later.
	 */
	void			(*run)(struct call *);
};
#define METHOD_END	{ .name = NULL }

struct session;
struct source;		/* one running source of events: core/event.h */

/* What can be subscribed to; see core/event.h. */
struct event {
	const char		*name;		/* "core.get_jobs" */
	const char		*doc;
	enum method_auth	 auth;
	const char *const	*roles;		/* NULL: FULL_ADMIN only */
	bool			 own;		/* Holdfast's, not TrueNAS's */
	/* May this session hear of this one?  NULL: yes. */
	bool			(*may_read)(const struct session *,
				    const json_t *id, const json_t *fields);
	/*
	 * A source instead: it runs for one subscriber, from start (whose
	 * result is its own) to stop.  arguments: the members it takes, those
	 * passed are validated; NULL: none.
	 */
	const struct field	*arguments;
	void			*(*start)(struct source *,
				    const json_t *arguments);
	void			(*stop)(void *);
};
#define EVENT_END	{ .name = NULL }

/*
 * An inner one is no namespace of the API: entries that are kept beside those
 * of another resource, without methods, events or a name for others.
 */
enum resource_kind { RESOURCE_SERVICE, RESOURCE_CONFIG, RESOURCE_CRUD,
    RESOURCE_INNER };

struct change;		/* core/change.h */

/* Of what a change does beside files: see struct resource. */
enum beside {
	BESIDE_DO,	/* all files and daemons are as they shall be */
	BESIDE_KEEP,	/* it is stored */
	BESIDE_UNDO	/* it is taken back, after BESIDE_DO was begun */
};

/* How a change of a resource is confirmed (core/confirm.h). */
struct confirming {
	const char	*event;		/* "ssh.checkin_waiting"; NULL:
					   config's alone */
	/*
	 * Did an administrator get in since then (boottime_ms())?  done gets
	 * NULL, or one line of what is missing, without a full stop.
	 */
	void		(*prove)(int64_t since,
			    void (*done)(const char *missing, void *), void *);
};

/* What a namespace of the API is made of. */
struct resource {
	const char		*name;		/* "ssh" */
	const char		*doc;
	enum resource_kind	 kind;
	const char		*role_prefix;	/* "SSH"; NULL */
	const char		*verbose_name;
	const struct method	*methods;
	const struct event	*events;	/* besides its own; NULL */
	/* The rest for RESOURCE_CONFIG and RESOURCE_CRUD. */
	const struct field	*fields;
	size_t			 size;		/* of the struct of the fields;
						   0: there is none */
	int64_t			 entry;		/* id of a config's one entry */
	/* Its secrets are shown to full administrators only, whoever writes. */
	bool			 guarded;
	/*
	 * The rules across fields.  Errors on the bare field name: the prefix
	 * (ssh_update) is set.  May edit other entries too (change_edit).
	 */
	void			(*check)(struct change *);
	/*
	 * What needs asking others (do these groups exist?); calls
	 * change_continue when done.  May be NULL.
	 */
	void			(*lookup)(struct change *);
	/* What differs from the table in a new instance's entry; may be NULL. */
	void			(*initial)(json_t *entry);
	/*
	 * Sets the members that are not stored but follow from others; is
	 * called again when an entry of those named changes.  May be NULL.
	 */
	void			(*extend)(json_t *entry);
	const struct resource *const *extended_from;	/* NULL at the end */
	/*
	 * What extend sets depends on the time as well: it is asked again
	 * after so many seconds.  0: it does not.
	 */
	unsigned int		 shown_seconds;
	/*
	 * The truth is not in the store: all entries, asked for anew each time
	 * (done steals the array, NULL: the errno and text), and a change of
	 * one, which ends with change_applied (before and after are in the
	 * change).  Such a change is not taken back: it is done or not done,
	 * and core/outside.h says which, also after a crash.  What takes long
	 * is a job, and keeps other changes waiting by its lock only.  Both or
	 * neither.
	 */
	void			(*ask)(void (*done)(json_t *entries, int error,
				    const char *text, void *), void *);
	void			(*apply)(struct change *);
	/*
	 * What edits of its entries do to the machine beside files, as the
	 * last of a change; ends by change_beside_done().  What a crash leaves
	 * is ended by gather.  At most one resource of a change has it.
	 */
	void			(*beside)(struct change *, enum beside);
	/*
	 * What rendering needs to know of the machine, asked for once before
	 * the files are rendered at start; ends by calling done.  May be NULL.
	 */
	void			(*gather)(void (*done)(void));
	/*
	 * At the start of the machine (or instance), once, after the files
	 * were brought in order; ends by calling done.  May be NULL.
	 */
	void			(*boot)(void (*done)(void));
	/*
	 * What a change of it answers with, where that is not its entry; a
	 * new reference.  May be NULL.
	 */
	json_t			*(*answer)(const struct change *);
	/*
	 * Of an update with the member dry_run, which is its own: all checks
	 * passed and the files are rendered; ends by change_answer().
	 */
	void			(*dry_run)(struct change *);
	/* Adds what holdfast.status shows of it; may be NULL. */
	void			(*status)(json_t *status);
	/* More than saying so counts when it is confirmed; may be NULL. */
	const struct confirming	*confirmed_by;
	/*
	 * What confirm_service() kept was not confirmed: it is so again, as a
	 * call that nobody made and that is answered.
	 */
	void			(*put_back)(struct call *, const json_t *kept);
	/* Something of it changed: after its event.  May be NULL. */
	void			(*changed)(void);
	/* A service's state may have changed; may be NULL. */
	void			(*service_changed)(enum service_id);
	/* Interfaces or addresses came or went; may be NULL. */
	void			(*interfaces_changed)(void);
};

/* How an output is made: a pure function of the store's content. */
struct renderer {
	int	 output;	/* enum output_id */
	/* The resources that it is made from, NULL at the end. */
	const struct resource *const *from;
	/*
	 * The file's content, malloc'd, or NULL with *whyp (malloc'd).
	 * Entries as of change_view(); the change is the one in progress, or
	 * NULL when rendering what is stored (at start).
	 */
	char	*(*render)(const struct change *, char **whyp);
	/*
	 * The daemon refused the content with this text: add the error to the
	 * field at fault, if it can be told.  May be NULL.
	 */
	void	(*rejected)(struct change *, const char *complaint);
	/*
	 * Of a file that others edit too: does what lies there forbid that
	 * the change replaces it?  Asked before anything is touched, ends by
	 * change_looked(); at start such a file is left alone.  NULL: it is
	 * replaced.
	 */
	void	(*look)(struct change *);
};

/* How core deals with a daemon whose files change. */
struct daemon_rule {
	int		 daemon;	/* enum daemon_id */
	const int	*reads;		/* enum output_id, -1 at the end */
	/* How it takes a change when it runs. */
	enum service_verb verb;
	/*
	 * From outside: does what is installed and runs equal what was
	 * rendered?  Calls change_verified.  May be NULL.
	 */
	void		(*verify)(struct change *);
	/*
	 * Before anything is touched, of every change that is checked and
	 * rendered: may it be made?  Calls change_guarded.  May be NULL.
	 */
	void		(*guard)(struct change *);
};

/* All of them, NULL and -1 at the end; src/registry.c. */
extern const struct resource *const	resources[];
extern const struct renderer		renderers[];
extern const struct daemon_rule	daemon_rules[];

#endif
