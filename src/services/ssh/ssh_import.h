/*
 * The import of a foreign sshd_config: what it means as settings of ours, with
 * sshd itself as the reference.  Nothing is changed here; the file is parsed
 * in core, and the monitor's children ask sshd what it makes of it and of what
 * would be rendered.
 */
#ifndef HF_SSH_IMPORT_H
#define HF_SSH_IMPORT_H

#include <jansson.h>

#include "core/schema.h"
#include "services/ssh/ssh_files.h"

struct import_result {
	int		 error;		/* errno; 0: the rest is set */
	const char	*text;		/* for people, when it is not 0 */
	json_t		*extra;		/* {lines: [...]}, or NULL */
	json_t		*data;		/* of ssh.update */
	/* Root may log in with a password: 1 or 0; -1: it has none. */
	int		 root_password;
	/* {not_taken, differences, not_compared}, as import_report_fields. */
	json_t		*report;
};

/*
 * The files stay until done, what the result points to during it.  also: files
 * that are taken over although sshd_config does not include them, as of
 * flat_make(); NULL.
 */
void	 ssh_import(const struct ssh_files *, const json_t *also,
	    void (*done)(const struct import_result *, void *), void *arg);

/* Rows of the report, for the table of a result. */
#define SSH_IMPORT_REPORT_ROWS						\
	{ .name = "not_taken", .type = F_ARRAY,				\
	  .fields = &ssh_import_line, .flags = FF_REQUIRED,		\
	  .doc = "Lines that were left out, as they have no effect." },	\
	{ .name = "differences", .type = F_ARRAY,			\
	  .fields = &ssh_import_difference, .flags = FF_REQUIRED,	\
	  .doc = "What sshd does otherwise than before." },		\
	{ .name = "not_compared", .type = F_ARRAY,			\
	  .fields = &ssh_import_match, .flags = FF_REQUIRED,		\
	  .doc = "Match blocks that no connection could be asked for." }

extern const struct field ssh_import_line, ssh_import_difference,
		    ssh_import_match;

#endif
