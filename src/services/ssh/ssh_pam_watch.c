/*
 * Our lines in sshd's PAM service, as core sees them: see ssh_pam_watch.h.
 */
#include "services/ssh/ssh_pam_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/op.h"
#include "core/scheduler.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define TASK "ssh.pam"
#define ALERT "SshSecondFactorOff"
#define TEXT_MAX 256

struct looking {
	void (*done)(void *);
	void *arg;
	struct task_run *run;
};

/* What is missing still, malloc'd; NULL: nothing. */
static char *
missing_of(const struct op_reply *reply)
{
	struct wire_in body = reply->body;
	char *missing;
	uint8_t there;

	if (reply->error != 0)
		return xstrdup(reply->text);
	missing = wire_get_str(&body, TEXT_MAX);
	there = wire_get_u8(&body);
	if (wire_end(&body) == -1) {
		free(missing);
		return xstrdup("malformed");
	}
	if (*missing != '\0')
		log_warn("ssh.pam", "%s%s", missing,
		    there ? ": it was put back" : "");
	if (!there)
		return missing;
	free(missing);
	return NULL;
}

static void
looked(const struct op_reply *reply, void *arg)
{
	struct looking *l = arg;
	char *missing = missing_of(reply);

	if (missing != NULL)
		alert_raise(ALERT, NULL, json_pack("{s:s}", "what", missing));
	else
		alert_clear(ALERT, NULL);
	free(missing);
	if (l->run != NULL)
		task_done(l->run, NULL);
	if (l->done != NULL)
		l->done(l->arg);
	free(l);
}

static void
look(bool repair, struct looking what)
{
	struct looking *l = xcalloc(1, sizeof(*l));
	struct wire_out out = { 0 };

	*l = what;
	wire_put_u8(&out, repair);
	op_request(MSG_OP_SSH_PAM, &out, -1, looked, l);
	wire_free(&out);
}

void
ssh_pam_watch(void)
{
	json_t *daily = json_pack("{s:s, s:s}", "minute", "15", "hour", "1");

	if (scheduler_cron(TASK, daily, TASK, NULL) == -1)
		log_warn("ssh.schedule", "%s", strerror(errno));
	json_decref(daily);
	look(false, (struct looking){ .run = NULL });
}

void
ssh_pam_task(struct task_run *run, const json_t *args)
{
	(void)args;
	look(false, (struct looking){ .run = run });
}

void
ssh_pam_repair(void (*done)(void *), void *arg)
{
	look(true, (struct looking){ .done = done, .arg = arg });
}
