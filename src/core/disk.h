/*
 * The room where Holdfast keeps its state: an alert before there is none.
 */
#ifndef HF_DISK_H
#define HF_DISK_H

#include <stdbool.h>

/* From now on, once a minute; and at once, for who asks. */
void	disk_watch(void);
void	disk_look(void);
/* Is there so little room that a store cannot be opened? */
bool	disk_full(void);
/*
 * For what makes room again: gives back some of the little that is kept for
 * it.  false: there is nothing left.
 */
bool	 disk_draw(void);

#endif
