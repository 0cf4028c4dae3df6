/*
 * The certificate that the web role shows: which one is system.general's to
 * say.  The role is told of it first of all whenever it comes, as of access.h;
 * what it cannot use it refuses, and keeps the one it has (of a new process:
 * the machine's own, which the monitor gives it).
 *
 * chain is PEM, the page's certificate first; key its private key.  Both NULL:
 * the machine's own.
 */
#ifndef HF_CORE_PAGE_CERTIFICATE_H
#define HF_CORE_PAGE_CERTIFICATE_H

#include "lib/ipc.h"

/* From now on, copied.  What comes of it is an alert. */
void	page_certificate_set(const char *chain, const char *key);
/*
 * The same where it is not known whether the role can use it: done gets NULL,
 * or why not (borrowed), and then the one there was stays.  One at a time.
 */
void	page_certificate_try(const char *chain, const char *key,
	    void (*done)(const char *why, void *), void *arg);

/* The web role came (back), went, and said MSG_CERTIFICATE_USED. */
void	page_certificate_connected(struct ipc *);
void	page_certificate_gone(void);
void	page_certificate_message(struct ipc_msg *);

#endif
