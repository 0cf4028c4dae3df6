/*
 * What workers do: one function a task, from the members of its message to
 * those of the answer (services/catalog.h has both).
 */
#ifndef HF_WORKER_TASKS_H
#define HF_WORKER_TASKS_H

#include "lib/wire.h"
#include "services/catalog.h"

struct work {
	/*
	 * Before the sandbox: what needs the file system beyond what the task
	 * may read.  May be NULL.
	 */
	void	(*prepare)(void);
	/*
	 * Reads all of in, writes out.  0, or an errno with *why set to text
	 * for people (static).  Members that do not parse are EPROTO.
	 */
	int	(*run)(struct wire_in *in, struct wire_out *out,
		    const char **why);
};

int	task_hash_password(struct wire_in *, struct wire_out *, const char **);

int	task_derive_keys(struct wire_in *, struct wire_out *, const char **);

void	task_groups_prepare(void);
int	task_lookup_groups(struct wire_in *, struct wire_out *, const char **);

int	task_keytab_read(struct wire_in *, struct wire_out *, const char **);

int	task_certificate_read(struct wire_in *, struct wire_out *,
	    const char **);
int	task_certificate_request(struct wire_in *, struct wire_out *,
	    const char **);

int	task_key_make(struct wire_in *, struct wire_out *, const char **);
int	task_key_read(struct wire_in *, struct wire_out *, const char **);

void	task_reach_prepare(void);
void	task_host_keys_prepare(void);
int	task_ssh_host_keys(struct wire_in *, struct wire_out *, const char **);
int	task_ssh_login(struct wire_in *, struct wire_out *, const char **);

int	task_remote_setup(struct wire_in *, struct wire_out *, const char **);

int	task_ssh_offer(struct wire_in *, struct wire_out *, const char **);

void	task_post_prepare(void);
int	task_post(struct wire_in *, struct wire_out *, const char **);
void	task_ssh_probe_prepare(void);
int	task_ssh_probe(struct wire_in *, struct wire_out *, const char **);

#endif
