/*
 * What a request's headers say.
 */
#ifndef HF_WEB_REQUEST_H
#define HF_WEB_REQUEST_H

#include <stdbool.h>

#include "web/web.h"

/* A header's value; -1 when it is absent or longer than size. */
int	request_header(struct web_client *, char *value, size_t size,
	    enum lws_token_indexes);

/* May this client begin one more transfer? */
bool	request_transfer_room(struct web *, const struct web_client *);
/*
 * Begins it: the connection is answered by transfer.c.  number: the job's, of
 * a download.
 */
void	request_transfer(struct web_client *, enum transfer_kind,
	    const char *number);

#endif
