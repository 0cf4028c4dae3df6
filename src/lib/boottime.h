/* The clock of deadlines. */
#ifndef HF_BOOTTIME_H
#define HF_BOOTTIME_H

#include <stdint.h>

/* Milliseconds since the machine's start, suspended time included. */
int64_t	boottime_ms(void);

#endif
