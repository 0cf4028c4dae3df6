/*
 * Another machine's API, Holdfast's or TrueNAS's: JSON-RPC over WebSocket over
 * TLS, one call at a time, until a deadline.  What comes back is bounded, and
 * nobody's word but the other machine's.
 */
#ifndef HF_WORKER_API_CLIENT_H
#define HF_WORKER_API_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct api_server {
	const char	*host;		/* name or address */
	uint16_t	 port;
	bool		 verify;	/* its certificate, by our authorities */
	/* Of its certificate, SHA-256: this one it has to be; "": any. */
	const char	*fingerprint;
	int64_t		 deadline;	/* of connecting; boottime_ms() */
	int64_t		 end;		/* of all else, the same */
};

struct api_client;

/* Before the sandbox: the authorities, and what names are resolved with. */
void	api_client_prepare(void);

/*
 * 0 or an errno with *why, of the module's until the next of its functions:
 * EHOSTUNREACH, EKEYREJECTED (another certificate), EPROTO.
 */
int	api_client_open(const struct api_server *, struct api_client **,
	    const char **why);
void	api_client_free(struct api_client *);	/* NULL is fine */

/*
 * The result of a call; params are stolen.  NULL with *why as above: what the
 * other machine says is quoted as plain text without the secret (may be
 * NULL).
 */
json_t	*api_client_call(struct api_client *, const char *method,
	    json_t *params, const char *secret, const char **why);
/* The same of a method that is a job, when that has succeeded. */
json_t	*api_client_job(struct api_client *, const char *method,
	    json_t *params, const char **why);

#endif
