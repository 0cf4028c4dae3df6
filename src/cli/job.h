/*
 * Waiting for a job of the server.
 */
#ifndef HF_CLI_JOB_H
#define HF_CLI_JOB_H

#include <jansson.h>

#include "cli/client.h"

enum job_progress {
	JOB_BAR,		/* when standard error is a terminal */
	JOB_DESCRIPTIONS	/* each new one, a line on standard error */
};

/*
 * Waits for the job's end, with its progress on standard error.  *answerp
 * becomes its result, or its error in the form of a call's.  Interrupted from
 * the keyboard, it says that the job goes on and ends the program.
 */
enum client_answer job_await(struct client *, json_int_t id,
    enum job_progress, json_t **answerp);

#endif
