/*
 * The roles' entry points, one process each.  A role that returns ends with
 * that exit code.
 */
#ifndef HF_ROLES_H
#define HF_ROLES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/role.h"

struct monitor_options {
	const char	*instance;	/* DIR; NULL: a packaged machine */
	const char	*listen;	/* "ADDR:PORT" */
	int		 ready_fd;	/* -1: none */
	uint16_t	 ssh_port;	/* 0: the table's default */
	bool		 import;
	bool		 expose;
	bool		 kernel_audit;	/* of an instance */
	bool		 journal;	/* of an instance */
};

int	monitor_main(const struct monitor_options *);
int	web_main(enum role self);	/* ROLE_WEB or ROLE_LOCAL */
int	core_main(void);
int	audit_main(void);
int	journal_main(void);
int	worker_main(const char *name);	/* of its task */

#endif
