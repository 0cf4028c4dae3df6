/*
 * What systemd says of a unit (org.freedesktop.systemd1(5)), and what that
 * means for a service, in our states and in words.
 */
#ifndef HF_MONITOR_UNIT_H
#define HF_MONITOR_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "lib/message.h"

struct unit {
	char		load[24], active[24], result[32];
	uint32_t	main_pid;	/* 0: none */
	uint32_t	exec_pid;	/* of the newest main process */
	int32_t		exec_code;	/* CLD_EXITED ... (sigaction(2)) */
	int32_t		exec_status;
	bool		condition;	/* met at the last start */
	char		invocation[33];	/* of the last start, hex; "" none */
};

/* From the answer to GetAll; 0, or a negative errno. */
int	unit_parse(sd_bus_message *, struct unit *);

enum service_state unit_state(const struct unit *);

/*
 * Why it is not running, to stand behind the name of the service: "exited with
 * code 255"; "" when it was not started or ended as it should.
 */
void	unit_why(const struct unit *, const char *name, char *text, size_t);

/* What the end of a job says when it is not "done", as above. */
const char *unit_job_result(const char *result);

#endif
