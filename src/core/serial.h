/*
 * One thing at a time: changes of configuration and of services' states wait
 * for each other, in the order they came.
 */
#ifndef HF_SERIAL_H
#define HF_SERIAL_H

#include <stdbool.h>

/* Runs now or later; whoever runs ends with serial_leave(). */
void	serial_enter(void (*run)(void *), void *);
void	serial_leave(void);
bool	serial_busy(void);

#endif
