/*
 * What a change of SSH's settings would do, without doing it.
 */
#ifndef HF_SSH_DRY_RUN_H
#define HF_SSH_DRY_RUN_H

struct change;

/*
 * A struct resource's function.  Answers {diff, accounts: [{username, before,
 * after, loses_access}], overridden}: the lines of sshd_config that go and
 * come, of each account by which ways it could log in, and the settings that
 * auxiliary parameters say otherwise (ssh_override_list).
 */
void	ssh_dry_run(struct change *);

#endif
