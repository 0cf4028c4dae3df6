/*
 * ssh.upload_options: auxiliary parameters that are too large for a frame of
 * the API, as a file.
 */
#ifndef HF_SSH_UPLOAD_H
#define HF_SSH_UPLOAD_H

#include "core/call.h"

/* Bytes of the file. */
#define SSH_UPLOAD_MAX	STRING_LONG

/* A struct method's function; its parameter is that of ssh.update. */
void	ssh_upload_options_run(struct call *);

#endif
