/*
 * The namespaces that make up the system itself; each in a file of its own.
 */
#ifndef HF_SYSTEM_H
#define HF_SYSTEM_H

#include "core/method.h"

struct change;
struct task_run;

/* Of those whose changes may keep administrators out (account_confirm.c). */
extern const struct confirming account_confirming;

extern const struct resource advanced_resource;	/* advanced.c */
extern const struct resource api_key_resource;	/* api_key.c */
extern const struct resource config_resource;	/* config.c */
extern const struct resource core_resource;	/* namespace_core.c */
extern const struct resource auth_resource;	/* auth.c */
extern const struct resource user_resource;	/* user.c */
extern const struct resource general_resource;	/* general.c */
extern const struct resource group_resource;	/* group.c */
extern const struct resource system_resource;	/* system.c */
extern const struct resource alert_resource;	/* alert.c */
extern const struct resource privilege_resource; /* privilege.c */
extern const struct resource reboot_resource;	/* reboot.c */
extern const struct resource twofactor_resource;	/* twofactor.c */
extern const struct resource security_resource;	/* security.c */
extern const struct resource security_info_resource;
extern const struct resource service_resource;	/* service.c */
extern const struct resource audit_resource;	/* audit.c */
extern const struct resource sudo_resource;	/* sudo.c */
extern const struct resource holdfast_resource;	/* holdfast.c */
extern const struct resource keychain_resource;	/* keychain.c */

/* Of the scheduler's table (user_until.c). */
void	user_until_task(struct task_run *, const json_t *args);

/* The same (service_time.c). */
void	service_time_task(struct task_run *, const json_t *args);

/* The same (audit_config.c). */
void	audit_prune_task(struct task_run *, const json_t *args);

/* The same (audit_heads.c). */
void	audit_send_head_task(struct task_run *, const json_t *args);

/* Where the page listens, a new array; NULL: where --listen says (general.c). */
json_t	*general_listening(void);

/* Certificates changed: the page's may be among them (general.c). */
void	general_certificate(void);

/* OUTPUT_ACCOUNTS, a struct renderer's function (account_render.c). */
char	*account_render_output(const struct change *, char **whyp);

#endif
