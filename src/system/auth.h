/*
 * What the methods' rows in auth.c name: sessions and tokens (auth_session.c),
 * what a session is told of itself (auth_me.c), one-time passwords
 * (auth_onetime.c).
 */
#ifndef HF_SYSTEM_AUTH_H
#define HF_SYSTEM_AUTH_H

#include "core/call.h"
#include "core/method.h"
#include "core/session.h"

extern const struct event	auth_events[];
extern const struct field	auth_generate_params[], auth_terminate_params[];
extern const struct field	auth_token, auth_session_list;
extern const char *const	auth_sessions_read[], *const auth_sessions_write[];

extern const char *const	auth_onetime_roles[];
extern const struct field	auth_onetime_params[], auth_onetime_result;
extern const struct field	auth_me_result, auth_attribute_params[];

/* The object of auth.me; a new reference. */
json_t	*auth_user_info(const struct session *);

void	auth_me(struct call *);
void	auth_set_attribute(struct call *);
void	auth_generate_onetime(struct call *);
void	auth_sessions(struct call *);
void	auth_generate_token(struct call *);
void	auth_terminate(struct call *);
void	auth_terminate_others(struct call *);

#endif
