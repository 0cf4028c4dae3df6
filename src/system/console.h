/*
 * Console messages: the last lines of the system log, and each that comes, for
 * full administrators, as a line may say anything.  An event's source.
 */
#ifndef HF_SYSTEM_CONSOLE_H
#define HF_SYSTEM_CONSOLE_H

#include <jansson.h>

struct source;

/* .start and .stop of the event (core/method.h). */
void	*console_start(struct source *, const json_t *arguments);
void	 console_stop(void *);

#endif
