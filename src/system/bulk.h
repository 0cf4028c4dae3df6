/*
 * core.bulk: one method called many times, one call after the other.
 */
#ifndef HF_BULK_H
#define HF_BULK_H

#include "core/method.h"

extern const struct field bulk_params[];
extern const struct field bulk_result;

/* The functions of its row. */
char	*bulk_lock(const json_t *params);
json_t	*bulk_redact(const json_t *given);
bool	 bulk_accept(struct call *);
void	 bulk_run(struct call *);
void	 bulk_abort(struct call *);

#endif
