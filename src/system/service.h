/*
 * The services' states, for others than service.*.
 */
#ifndef HF_SYSTEM_SERVICE_H
#define HF_SYSTEM_SERVICE_H

#include <jansson.h>

/*
 * Asks the monitor for all; done gets a new array of entries as service.query
 * shows them, with "listening", "last_exit" and "failed" besides.
 */
void	service_gather(void (*done)(json_t *, void *), void *arg);

#endif
