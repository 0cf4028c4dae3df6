/*
 * What goes with a job besides its parameters and result: the files of an
 * upload, or the content of a download.  A method says in its row that it has
 * one (struct method, .pipe), and then its function either collects the input
 * or supplies the output.  Bytes go through a pipe of the kernel, whose other
 * end the front role has: neither side can grow the other.
 */
#ifndef HF_PIPE_H
#define HF_PIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/call.h"

#define PIPE_FILES_MAX	5	/* of an upload */

struct pipe;

/*
 * For methods.
 */
/*
 * Collects the index-th file (from 0) of the call's input whole in memory, at
 * most max bytes.  Calls done once, now or later, with 0 and the bytes
 * (malloc'd, to be freed by the caller, terminated by a NUL that is not
 * counted), or with an errno and NULL: EFBIG (more than max), ECONNABORTED
 * (the upload was cut short), ENOENT (there are not so many files).
 */
void	 pipe_collect(struct call *, unsigned int index, size_t max,
	    void (*done)(struct call *, int error, void *data, size_t len));
/*
 * Writes the whole output (copied), as fast as it is taken.  Calls done once,
 * now or later, with 0 or an errno: EPIPE (nobody wants it any more), EFBIG (a
 * buffered download would take more than LIMIT_DOWNLOAD_BUFFER).  The method
 * answers after that; a download whose job fails is cut.
 */
void	 pipe_supply(struct call *, const void *data, size_t len,
	    void (*done)(struct call *, int error));

/*
 * From now on done is called only after all was read by who fetches it.
 * false: of a buffered download nobody knows when it is.
 */
bool	 pipe_await_reader(struct call *);
/* The same from a file, from where it stands to its end; fd is stolen. */
void	 pipe_supply_file(struct call *, int fd,
	    void (*done)(struct call *, int error));

/* For call.c: the method has answered, nothing more is read or written. */
void	 pipe_leave(struct pipe *);	/* NULL is fine */

/*
 * For transfer.c and download.c.
 */
/* An input of at most so many files. */
struct pipe	*pipe_input(unsigned int files);
/* One more file: what to write it to, the caller's; -1 with errno. */
int		 pipe_next_file(struct pipe *);
/* No more files, and whether the last one is whole. */
void		 pipe_input_end(struct pipe *, bool whole);
/*
 * An output, and what to read it from (the caller's, -1 for a buffered one);
 * NULL with errno.
 */
struct pipe	*pipe_output(bool buffered, int *fdp);
/* What a buffered output holds, read only; the caller's, or -1 with errno. */
int		 pipe_buffer(struct pipe *);
/* Their own end is of no interest to them any more. */
void		 pipe_release(struct pipe *);	/* NULL is fine */

#endif
