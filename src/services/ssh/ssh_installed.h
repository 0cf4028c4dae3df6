/*
 * What the installed OpenSSH is and has, as the monitor found it; asked for
 * once a start, before the files are rendered.
 */
#ifndef HF_SSH_INSTALLED_H
#define HF_SSH_INSTALLED_H

#include "services/ssh/ssh_hardening.h"

/* done(0, NULL, arg), or with errno and text: then nothing is known. */
void	ssh_installed_ask(void (*done)(int, const char *, void *), void *arg);
/* Kept here; version 0 and no lists before it was asked for. */
const struct ssh_installed *ssh_installed(void);

#endif
