/*
 * Services that run for a time: service.control START with "for".  When it is
 * over they are stopped; a start of the machine in between changes nothing.
 */
#ifndef HF_SYSTEM_SERVICE_TIME_H
#define HF_SYSTEM_SERVICE_TIME_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Before a start: for so long, 0: without an end.  0 or -1 with errno, then it
 * is as it was.
 */
int	 service_time_start(int service, int64_t seconds);
/*
 * It was stopped, or did not start.  comes_back: the stop may be taken back,
 * and then its end counts again.
 */
void	 service_time_stopped(int service, bool comes_back);
/* The machine starts: is its time not over yet?  One that is over goes. */
bool	 service_time_goes_on(int service);
/* When it stops, as {"$date"}, or null; a new reference. */
json_t	*service_time_end(int service);
/* Core was started. */
void	 service_time_resume(void);

#endif
