/*
 * Up- and downloads as core sees them: a connection with one request over
 * HTTP (message.h, PROTOCOL_TRANSFER).  An upload logs in like any client,
 * then calls one method with what it sends as its input.
 */
#ifndef HF_TRANSFER_H
#define HF_TRANSFER_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/ipc.h"

struct connection;

/* MSG_TRANSFER_*; 0, or -1: the front role lies, or is broken. */
int	 transfer_message(struct connection *, struct ipc_msg *);
/* The connection is gone. */
void	 transfer_forget(struct connection *);

/* Ends the request with a status and a text (NULL: the usual one). */
void	 transfer_status(struct connection *, unsigned int status,
	    const char *text);
/* A descriptor to read from or write to; it stays the caller's. */
void	 transfer_file(struct connection *, const char *filename, bool whole,
	    int fd);

#endif
