/*
 * Turns for what is slow on purpose, as hashing is: so many at a time, the
 * others wait, bounded in all, per address and per account, so that nobody
 * keeps others waiting for long.
 */
#ifndef HF_TURN_H
#define HF_TURN_H

struct turn;

struct turns {
	unsigned int	 at_once;
	unsigned int	 running, count;	/* those that wait */
	struct turn	*waiting;		/* the oldest first */
};

/*
 * Calls run, now or when it is its turn; whoever was called ends with
 * turn_leave().  -1: too many are waiting, it will not be called.  address
 * NULL: only the account counts.
 */
int	turn_enter(struct turns *, const char *address, const char *account,
	    void (*run)(void *), void *arg);
void	turn_leave(struct turns *);

#endif
