/*
 * What the namespaces made up for the tests bring along; made_up.c puts it
 * beside the product's.
 */
#ifndef HF_MADE_UP_H
#define HF_MADE_UP_H

#include "core/method.h"
#include "services/catalog.h"

extern const struct resource	made_up_first, made_up_second;
extern const struct resource	made_up_outside, made_up_shelf, made_up_thing;

/* Behind the product's, in this order. */
extern const struct output	made_up_outputs[2];
extern const struct daemon	made_up_daemons[2];
extern const struct service	made_up_service;

/* Where they came to stand. */
extern int	made_up_output, made_up_daemon, made_up_service_id;

char	*made_up_render_one(const struct change *, char **);
char	*made_up_render_both(const struct change *, char **);
void	 made_up_rejected(struct change *, const char *);
void	 made_up_verify(struct change *);

#endif
