/*
 * ssh.probe: what an SSH server offers and does, seen from outside; this
 * machine's own compared with its settings.
 */
#ifndef HF_SSH_PROBE_H
#define HF_SSH_PROBE_H

#include "core/method.h"

extern const struct field ssh_probe_params[];
extern const struct field ssh_probe_result;
extern const struct field ssh_last_probe_result;

char	*ssh_probe_suffix(const json_t *params);
bool	 ssh_probe_accept(struct call *);
void	 ssh_probe_run(struct call *);
void	 ssh_last_probe_run(struct call *);

/* Of holdfast.status: {time, findings: number} of the last one, or null. */
void	 ssh_probe_status(json_t *status);

#endif
