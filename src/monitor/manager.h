/*
 * The service manager: takes core's requests for a service one after the
 * other and has them carried out, daemon after daemon, in one of two ways: by
 * our own supervisor or by systemd.
 */
#ifndef HF_MONITOR_MANAGER_H
#define HF_MONITOR_MANAGER_H

#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/message.h"
#include "lib/wire.h"
#include "services/catalog.h"

#define REPORT_WHY_MAX	1024

/* What a way knows of a daemon. */
struct service_report {
	enum service_state state;
	pid_t	pid;			/* its main process; 0: none */
	char	why[REPORT_WHY_MAX];	/* its last end, or why it cannot
					   run; "" */
};

/*
 * A way to run daemons.  It is given one verb of a daemon at a time, and of the
 * daemons of a service to one after the other; it answers each with
 * service_events.done(), at once or later.
 */
struct service_way {
	void	(*run)(enum daemon_id, enum service_verb);
	/* 0, or an errno with why in the report: it cannot be known now. */
	int	(*report)(enum daemon_id, struct service_report *);
	/* Ends what ends with us; calls stopped() once, maybe at once. */
	void	(*stop)(void (*stopped)(void));
};

/*
 * What a way tells, by functions of the manager's, so that a way can be
 * tested without it.
 */
struct service_events {
	/* The verb at work is done; text is for people when error is not 0. */
	void	(*done)(enum daemon_id, int error, const char *text);
	/* The state changed without being asked to. */
	void	(*changed)(enum daemon_id);
	/*
	 * Before a start: true when what the service needs is there (host
	 * keys), else false with a line for people, valid until the next call.
	 */
	bool	(*prepared)(enum daemon_id, const char **whyp);
};

extern const struct service_events manager_events;

/*
 * Before the loop: what each service needs before its first start.  What
 * fails is tried again and told when the service is started.
 */
void		manager_prepare(void);
void		manager_start(const struct service_way *);
/* Has a daemon do that without being asked by core, and how it is now. */
void		manager_run(enum daemon_id, enum service_verb);
enum service_state manager_state(enum daemon_id);
/* Answers all that waits, then as the way's stop(). */
void		manager_stop(void (*stopped)(void));
/* Adds [str problem] of each service in trouble; returns how many. */
uint32_t	manager_problems(struct wire_out *);

#endif
