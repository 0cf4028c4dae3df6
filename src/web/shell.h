/*
 * A web shell as the front roles see it: a WebSocket whose first message has a
 * token (protocol.json "shell"), for which core gives an end of a terminal.
 * From then on what comes is typed and what the terminal shows goes out, as it
 * is; neither is kept longer than the other side takes to take it.
 */
#ifndef HF_WEB_SHELL_H
#define HF_WEB_SHELL_H

#include <stddef.h>

struct web_client;

/* The first message was read whole: its text. */
void	web_shell_begin(struct web_client *, const char *text, size_t len);
/* Core's answer; the descriptor is taken when *fdp becomes -1. */
void	web_shell_open(struct web_client *, int *fdp);
/* From the first message on: what comes is typed. */
void	web_shell_typed(struct web_client *, const void *, size_t);
/* The client took what there was. */
void	web_shell_go_on(struct web_client *);
/* What the terminal still shows goes out; it is being closed. */
void	web_shell_drain(struct web_client *);
/* NULL is fine: there is none. */
void	web_shell_free(struct web_client *);

#endif
