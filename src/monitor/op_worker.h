/* The loop that workers are watched on. */
#ifndef HF_MONITOR_OP_WORKER_H
#define HF_MONITOR_OP_WORKER_H

#include <uv.h>

void	op_worker_loop(uv_loop_t *);

#endif
