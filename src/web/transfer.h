/*
 * An up- or download: one HTTP request with its answer, after which the
 * connection ends.  The content goes through a pipe that core made, a piece
 * at a time: who reads slowly is written to slowly, and nothing is kept here.
 *
 *	transfer.c	its life, the answer, waiting
 *	upload.c	the request's parts into the pipe
 *	download.c	the pipe into the answer
 */
#ifndef HF_WEB_TRANSFER_H
#define HF_WEB_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/message.h"
#include "web/http.h"
#include "web/multipart.h"
#include "web/stream.h"
#include "web/web.h"

/* Read in one go; libwebsockets' first read may be larger. */
#define TRANSFER_PIECE	((size_t)16 << 10)
#define TRANSFER_STEPS	32	/* in one go before others get their turn */
#define TRANSFER_DATA_MAX ((size_t)64 << 10) /* of an upload's "data" */
#define TRANSFER_FILES_MAX 5

enum transfer_state {
	TRANSFER_DATA,		/* upload: "data" is being read */
	TRANSFER_WAITING,	/* core has the word */
	TRANSFER_RECEIVING,	/* upload: a file is being read */
	TRANSFER_SENDING,	/* download */
	TRANSFER_ANSWERING,	/* all that is to be sent is in out */
	TRANSFER_LINGERING	/* until the client has read it */
};

struct transfer {
	struct web_client *client;
	struct stream	 stream;
	enum transfer_state state;
	enum transfer_kind kind;
	enum transfer_credential credential_kind;
	char		*credential;	/* until it was sent */
	uint64_t	 moved;		/* the client read or wrote */
	bool		 again;		/* more to do at once */
	bool		 begin_due;	/* once core knows who it is */
	bool		 dead;		/* only its end is left */

	/* What the client sent, and has not been looked at. */
	uint64_t	 expected, got;	/* of the request's body */
	uint8_t		*in;
	size_t		 in_at, in_len, in_size;
	/* What it is to be sent. */
	uint8_t		*out;
	size_t		 out_at, out_len, out_size;

	struct multipart form;
	unsigned int	 parts;
	char		*data;		/* of the first part; the download's
					   number */
	size_t		 data_len;
	const uint8_t	*slice;		/* of a file, not yet written */
	size_t		 slice_len;

	/* Core's pipe. */
	int		 file;		/* -1: none */
	uv_poll_t	*file_poll;
	bool		 whole;		/* its end is the download's */
};

/* transfer.c */
/*
 * Core may be asked: BEGIN, the credential goes with it.  Waits for its word.
 */
void	transfer_begin(struct transfer *);
/* Tells core how the upload goes on, and waits for its word. */
void	transfer_next(struct transfer *, enum transfer_step);
/* Ends it with this answer. */
void	transfer_answer(struct transfer *, const struct http_answer *);
/* The same with a status, and a text or NULL. */
void	transfer_refuse(struct transfer *, unsigned int status,
	    const char *text);
/* Has these bytes sent after what waits already. */
void	transfer_put(struct transfer *, const void *data, size_t len);
/* What is waited for on the pipe: UV_READABLE or UV_WRITABLE. */
void	transfer_await_file(struct transfer *, int events);
void	transfer_close_file(struct transfer *);

/* upload.c: true when there may be more to do at once. */
bool	upload_step(struct transfer *);
/* download.c */
bool	download_step(struct transfer *);
/* Core sent the file: the headers. */
void	download_start(struct transfer *, const char *filename);
/* Core says that the download is whole: its last bytes. */
void	download_end(struct transfer *);

#endif
