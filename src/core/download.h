/*
 * Downloads that wait to be fetched: what each is, for whom, how long.  The
 * URL has a token that is good for this one file, once, and (unless it was
 * asked for over the Unix socket) from the same address only.
 */
#ifndef HF_DOWNLOAD_H
#define HF_DOWNLOAD_H

#include <jansson.h>
#include <stdbool.h>

struct call;
struct connection;

/*
 * Of a job's log: takes fd over.  The URL, a secret (freezero_str), or NULL
 * when there are too many.
 */
char	*download_file(struct call *, json_int_t job, const char *filename,
	    bool buffered, int fd);
/*
 * Runs a method with an output for this call (core.download) and answers it
 * with the job's id and the URL, or the refusal.
 */
void	 download_run(struct call *);

/*
 * Somebody fetches it: 0, and a MSG_TRANSFER_FILE was sent or will be; or the
 * HTTP status that says why not.
 */
unsigned int	 download_fetch(struct connection *, json_int_t job,
	    const char *token);
/* The connection is gone. */
void	 download_forget(struct connection *);

#endif
