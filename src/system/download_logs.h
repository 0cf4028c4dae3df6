/*
 * Of core.*: what core.download takes and gives, and the logs of jobs.
 */
#ifndef HF_DOWNLOAD_LOGS_H
#define HF_DOWNLOAD_LOGS_H

#include "core/schema.h"

struct call;

extern const struct field	download_params[], download_result;
extern const struct field	download_logs_params[], download_url;

void	download_logs_run(struct call *);

#endif
