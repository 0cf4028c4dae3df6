/*
 * The part of auth.* that is about sessions and tokens: what its methods' rows
 * in auth.c name.
 */
#ifndef HF_SYSTEM_AUTH_H
#define HF_SYSTEM_AUTH_H

#include "core/call.h"
#include "core/method.h"

extern const struct event	auth_events[];
extern const struct field	auth_generate_params[], auth_terminate_params[];
extern const struct field	auth_token, auth_session_list;
extern const char *const	auth_sessions_read[], *const auth_sessions_write[];

void	auth_sessions(struct call *);
void	auth_generate_token(struct call *);
void	auth_terminate(struct call *);
void	auth_terminate_others(struct call *);

#endif
