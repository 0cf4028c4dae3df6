/*
 * holdfastd --take-back: what nobody confirmed before the machine was started
 * anew is put back, before sshd reads it and without core
 * (debian/holdfast-take-back.service).  Within the same boot, and the second
 * time, it does nothing; while a monitor runs, it is refused.
 */
#ifndef HF_MONITOR_TAKE_BACK_H
#define HF_MONITOR_TAKE_BACK_H

/* The exit code. */
int	take_back_main(void);

#endif
