/*
 * The kernel's audit, as the settings ask for it: see audit_kernel.h.
 *
 * It is asked for again at each start and each change, one request at a time;
 * what is wrong with it is a problem that status shows.
 */
#include "system/audit_kernel.h"

#include <stdlib.h>

#include "core/core.h"
#include "core/entry.h"
#include "core/op.h"
#include "core/security.h"
#include "lib/json.h"
#include "lib/message.h"
#include "lib/verr.h"
#include "lib/xalloc.h"
#include "system/system.h"

#define PROBLEM "kernel-audit"
#define TEXT_MAX 1024

/* clang-format off */
static const char *const state_names[] = {
	[KERNEL_AUDIT_OFF] = "OFF", [KERNEL_AUDIT_ON] = "ON",
	[KERNEL_AUDIT_ABSENT] = "ABSENT", [KERNEL_AUDIT_LOCKED] = "LOCKED",
	[KERNEL_AUDIT_TAKEN] = "TAKEN", [KERNEL_AUDIT_FAILED] = "FAILED",
	[KERNEL_AUDIT_STATE_COUNT] = NULL
};

const struct field audit_kernel_shown[] = {
	{ .name = "state", .type = F_ENUM, .choices = state_names,
	  .flags = FF_REQUIRED, .doc = "Whether our rules are in it; if not, "
	  "why: nobody asked, there is none for us, it is locked, another "
	  "Holdfast has it, or something failed." },
	{ .name = "rules", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "How many of ours." },
	{ .name = "problem", .type = F_STR, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "What is wrong." },
	FIELD_END
};
/* clang-format on */

static struct {
	uint8_t state; /* enum kernel_audit_state */
	uint32_t rules;
	char *problem; /* NULL: none */
	bool rules_wanted, locked, panics;
	bool asked, again;
} kernel;

static void ask(void);

static void
take_answer(uint8_t state, uint32_t rules, const char *problem)
{
	free(kernel.problem);
	kernel.problem = *problem != '\0' ? xstrdup(problem) : NULL;
	kernel.state =
	    state < KERNEL_AUDIT_STATE_COUNT ? state : KERNEL_AUDIT_FAILED;
	kernel.rules = rules;
	if (kernel.problem != NULL)
		core_problem(PROBLEM, "The kernel's audit: %s", problem);
	else
		core_problem_clear(PROBLEM);
	entry_extend_again(&audit_resource);
}

static void
answered(const struct op_reply *reply, void *arg)
{
	struct wire_in body = reply->body;
	uint8_t state;
	uint32_t rules;
	char *problem;

	(void)arg;
	kernel.asked = false;
	if (reply->error != 0)
		take_answer(KERNEL_AUDIT_FAILED, 0, reply->text);
	else {
		state = wire_get_u8(&body);
		rules = wire_get_u32(&body);
		problem = wire_get_str(&body, TEXT_MAX);
		if (wire_end(&body) == 0)
			take_answer(state, rules, problem);
		free(problem);
	}
	if (kernel.again)
		ask();
}

static void
ask(void)
{
	struct wire_out body = { 0 };

	kernel.again = kernel.asked;
	if (kernel.asked)
		return;
	kernel.asked = true;
	wire_put_u8(&body, kernel.rules_wanted);
	wire_put_u8(&body, kernel.locked);
	wire_put_u8(&body, kernel.panics);
	op_request(MSG_OP_KERNEL_AUDIT, &body, -1, answered, NULL);
	wire_free(&body);
}

void
audit_kernel_changed(const json_t *entry)
{
	if (!core_facts()->kernel_audit || entry == NULL)
		return;
	kernel.rules_wanted = json_bool(entry, "kernel_rules", true);
	kernel.locked = json_bool(entry, "kernel_lock", false);
	kernel.panics = json_bool(entry, "kernel_panic", false);
	ask();
}

/* What only a start of the machine undoes, or stops it, is agreed to. */
static void
check_severe(struct change *c, const char *field)
{
	if (!json_bool(c->after, field, false))
		return;
	if (core_facts()->instance)
		verr_add(c->errors, field,
		    "Only on a machine that is given to Holdfast");
	else if (!json_bool(c->after, "kernel_rules", true))
		verr_add(c->errors, field, "It needs kernel_rules");
	else if (!json_bool(c->after, "kernel_consent", false))
		verr_add(c->errors, field, "It needs kernel_consent");
}

void
audit_kernel_check(struct change *c)
{
	if (security_stig() && !json_bool(c->after, "kernel_rules", true))
		verr_add(c->errors, "kernel_rules", "They stay in STIG mode");
	check_severe(c, "kernel_lock");
	check_severe(c, "kernel_panic");
}

json_t *
audit_kernel_state(void)
{
	return json_pack("{s:s, s:I, s:s?}", "state", state_names[kernel.state],
	    "rules", (json_int_t)kernel.rules, "problem", kernel.problem);
}

bool
audit_kernel_on(void)
{
	return kernel.state == KERNEL_AUDIT_ON && kernel.problem == NULL;
}
