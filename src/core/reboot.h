/*
 * What takes effect only after the machine was started anew: a table of
 * reasons, raised and cleared, kept in the store until the next real start.
 */
#ifndef HF_REBOOT_H
#define HF_REBOOT_H

#include <jansson.h>

struct store;

/* Loads what is stored; those of an earlier start of the machine are over. */
void	 reboot_start(struct store *, const char *boot_id);
void	 reboot_stop(void);

/*
 * By its code, one of the table's.  0, or -1 with errno: then nothing is
 * changed (EINVAL: no such code).  Raised or cleared again changes nothing.
 */
int	 reboot_raise(const char *code);
int	 reboot_clear(const char *code);

/* [{code, reason}], in the table's order; and as system.reboot.info has it. */
json_t	*reboot_reasons(void);
json_t	*reboot_info(void);

#endif
