/*
 * The methods that every config and CRUD resource has, for their tables.
 */
#ifndef HF_CRUD_H
#define HF_CRUD_H

#include "core/call.h"

/* .config; .query and .get_instance; .create, .update and .delete */
void	resource_config_run(struct call *);
void	resource_query_run(struct call *);
void	resource_instance_run(struct call *);
void	resource_create_run(struct call *);
void	resource_update_run(struct call *);
void	resource_delete_run(struct call *);

/* Parameters of .get_instance and .delete: an id (and query options). */
extern const struct field	instance_params[];
extern const struct field	id_params[];

#endif
