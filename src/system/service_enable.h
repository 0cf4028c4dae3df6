/*
 * Whether a service starts with the machine: service.update.  The store says
 * it, and where systemd runs services, their units follow.
 */
#ifndef HF_SYSTEM_SERVICE_ENABLE_H
#define HF_SYSTEM_SERVICE_ENABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct call;

/* Of the catalog, -1: there is none of that name. */
int	service_by_name(const char *name);
/* As it is stored. */
bool	service_enabled(int service);
/*
 * In a turn of its own; answers the call with the service's id.  seconds: it is
 * taken back after so long unless it is confirmed; 0: never.
 */
void	service_enable(struct call *, int service, bool enable,
	    int64_t seconds);
/* As resource's put_back. */
void	service_enable_put_back(struct call *, const json_t *kept);
/*
 * At start: the units are as the store says, where it says something, whatever
 * a crash left or somebody else did since.
 */
void	service_enable_follow(void);

#endif
