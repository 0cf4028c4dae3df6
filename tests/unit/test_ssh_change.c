/*
 * The steps of a change of the SSH settings that are SSH's own: the rules
 * across fields, the questions to others, the verification.  Core and monitor
 * are played by this test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/call.h"
#include "core/change.h"
#include "core/core.h"
#include "core/op.h"
#include "core/resource.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_fields.h"

static struct facts facts;
static json_t *stored;

/* What the others answer. */
static const char *groups_known; /* "adm,users" */
static int op_error;
static char *effective, *of_user; /* sshd -T, and -T -C */
static uint8_t service_state;
static uint16_t listening;
static unsigned int silent_for; /* status questions */
static bool answers;
static struct ssh_offer_text {
	char *lists[10];
} offered;
static unsigned int wrong_for; /* offers */

/* What came of it. */
static bool continued, verified;
static char *problem;
static unsigned int statuses, offers, specs;

const struct facts *
core_facts(void)
{
	return &facts;
}

struct store *
core_store(void)
{
	return NULL;
}

const json_t *
store_get(const struct store *store, const char *resource, int64_t id)
{
	(void)store;
	assert_string_equal(resource, "ssh");
	assert_int_equal(id, 1);
	return stored;
}

void
resource_config_run(struct call *call)
{
	(void)call;
	fail();
}

void
resource_update_run(struct call *call)
{
	(void)call;
	fail();
}

void
call_fail(struct call *call, int error, const char *fmt, ...)
{
	(void)call;
	(void)fmt;
	(void)error;
	fail();
}

void
call_reply(struct call *call, json_t *result)
{
	(void)call;
	json_decref(result);
	fail();
}

void
change_continue(struct change *change)
{
	(void)change;
	assert_false(continued);
	continued = true;
}

void
change_verified(struct change *change, const char *what)
{
	(void)change;
	assert_false(verified);
	verified = true;
	problem = what == NULL ? NULL : xstrdup(what);
}

/* No loop: what is to be done later is done when the test asks. */
static struct later {
	struct later *next;
	void (*run)(void *);
	void *arg;
	op_done *done;
	struct wire_out body;
	int error;
} * laters;
static unsigned int waited_ms;

static struct later *
add_later(void)
{
	struct later *l = xcalloc(1, sizeof(*l)), **end;

	for (end = &laters; *end != NULL; end = &(*end)->next)
		continue;
	*end = l;
	return l;
}

void
core_after(unsigned int milliseconds, void (*run)(void *), void *arg)
{
	struct later *l = add_later();

	waited_ms += milliseconds;
	usleep(milliseconds * 1000);
	l->run = run;
	l->arg = arg;
}

static void
run_all(void)
{
	struct later *l;

	while ((l = laters) != NULL) {
		laters = l->next;
		if (l->done != NULL) {
			struct op_reply reply = {
				.error = l->error, .text = "it broke", .fd = -1
			};

			wire_in_init(&reply.body, l->body.data, l->body.len);
			l->done(&reply, l->arg);
		} else
			l->run(l->arg);
		wire_free(&l->body);
		free(l);
	}
}

static void
put_status(struct wire_out *out)
{
	bool up = statuses++ >= silent_for;

	wire_put_u8(out, service_state);
	wire_put_u32(out, 1);
	wire_put_u32(out, 4711);
	wire_put_u32(out, up ? 1 : 0);
	if (up) {
		wire_put_str(out, "127.0.0.1");
		wire_put_u16(out, listening);
	}
	wire_put_str(
	    out, service_state == STATE_RUNNING ? "" : "exit code 255");
}

void
op_request(enum message_type type, const struct wire_out *body, int fd,
    op_done *done, void *arg)
{
	struct later *l = add_later();
	struct wire_in in;
	char *text;

	assert_int_equal(fd, -1);
	l->done = done;
	l->arg = arg;
	l->error = op_error;
	if (body != NULL)
		wire_in_init(&in, body->data, body->len);
	switch (type) {
	case MSG_OP_INTERFACES:
		wire_put_u32(&l->body, 3);
		wire_put_str(&l->body, "lo");
		wire_put_str(&l->body, "127.0.0.1");
		wire_put_str(&l->body, "eth0");
		wire_put_str(&l->body, "192.0.2.1");
		wire_put_str(&l->body, "eth0");
		wire_put_str(&l->body, "fe80::1");
		break;
	case MSG_OP_EFFECTIVE:
		assert_int_equal(wire_get_u32(&in), OUTPUT_SSHD_CONFIG);
		text = effective;
		if (wire_get_u32(&in) == 1) {
			char *spec = wire_get_str(&in, 200);

			assert_memory_equal(spec, "user=bea,", 9);
			free(spec);
			specs++;
			text = of_user;
		}
		assert_int_equal(wire_end(&in), 0);
		wire_put_bytes(&l->body, text, strlen(text));
		break;
	case MSG_OP_SERVICE_STATUS:
		assert_int_equal(wire_get_u32(&in), SERVICE_SSH);
		put_status(&l->body);
		break;
	default:
		fail();
	}
}

void
op_worker(
    enum task_id task, const struct wire_out *body, op_done *done, void *arg)
{
	struct later *l = add_later();
	struct wire_in in;
	uint32_t i, count;
	char *text;

	l->done = done;
	l->arg = arg;
	l->error = op_error;
	wire_in_init(&in, body->data, body->len);
	if (task == TASK_LOOKUP_GROUPS) {
		count = wire_get_u32(&in);
		wire_put_u32(&l->body, count);
		for (i = 0; i < count; i++) {
			text = wire_get_str(&in, 100);
			wire_put_u8(
			    &l->body, strstr(groups_known, text) != NULL);
			free(text);
		}
		assert_int_equal(wire_end(&in), 0);
		return;
	}
	assert_int_equal(task, TASK_SSH_OFFER);
	text = wire_get_str(&in, 100);
	assert_string_equal(text, "127.0.0.1");
	free(text);
	assert_int_equal(wire_get_u16(&in), listening);
	wire_put_u8(&l->body, answers);
	wire_put_str(&l->body, "SSH-2.0-x");
	for (i = 0; i < 10; i++)
		wire_put_str(&l->body,
		    offers < wrong_for && i == 2 ? "none" : offered.lists[i]);
	offers++;
}

static struct change change;
static struct ssh_config old, new;

static int
set_up(void **state)
{
	static const char lists[][40] = { "kex", "ssh-ed25519", "c", "c", "m",
		"m", "none", "none", "", "" };
	size_t i;

	(void)state;
	memset(&facts, 0, sizeof(facts));
	facts.listen_address = (char *)"127.0.0.1";
	stored = schema_defaults(ssh_resource.fields);
	schema_to_struct(ssh_resource.fields, stored, &old);
	schema_to_struct(ssh_resource.fields, stored, &new);
	memset(&change, 0, sizeof(change));
	change.resource = &ssh_resource;
	change.old = &old;
	change.new = &new;
	change.errors = verr_new();
	change.full_admin = true;
	change.running = true;
	change.content = xstrdup("PrintMotd no\nPort 2222\n");
	groups_known = "";
	op_error = 0;
	effective =
	    xstrdup("port 2222\nlistenaddress 127.0.0.1:2222\n"
		    "printmotd no\nkexalgorithms kex\nciphers c\nmacs m\n"
		    "compression no\nhostkeyalgorithms ssh-ed25519\n"
		    "hostkey /etc/ssh/ssh_host_ed25519_key\n");
	of_user = xstrdup("port 2222\nx11forwarding yes\n");
	service_state = STATE_RUNNING;
	listening = 2222;
	answers = true;
	for (i = 0; i < 10; i++)
		offered.lists[i] = xstrdup(lists[i]);
	silent_for = wrong_for = statuses = offers = specs = waited_ms = 0;
	continued = verified = false;
	problem = NULL;
	return 0;
}

static int
tear_down(void **state)
{
	size_t i;

	(void)state;
	schema_struct_free(ssh_resource.fields, &old);
	schema_struct_free(ssh_resource.fields, &new);
	json_decref(stored);
	verr_free(change.errors);
	free(change.content);
	free(effective);
	free(of_user);
	free(problem);
	for (i = 0; i < 10; i++)
		free(offered.lists[i]);
	return 0;
}

/* Applies the members sent and goes through check and lookup. */
static char *
errors_of(const char *json)
{
	json_t *sent = json_loads(json, 0, NULL);
	json_t *all = json_deep_copy(stored);
	char *text;

	assert_non_null(sent);
	json_object_update(all, sent);
	schema_struct_free(ssh_resource.fields, &new);
	memset(&new, 0, sizeof(new));
	schema_to_struct(ssh_resource.fields, all, &new);
	verr_free(change.errors);
	change.errors = verr_new();
	continued = false;
	ssh_resource.check(&change);
	ssh_resource.lookup(&change);
	run_all();
	assert_true(continued);
	text =
	    verr_any(change.errors) ? verr_reason(change.errors) : xstrdup("");
	json_decref(all);
	json_decref(sent);
	return text;
}

static void
expect(const char *json, const char *wanted)
{
	char *errors = errors_of(json);

	if (*wanted == '\0' ? *errors != '\0' : strstr(errors, wanted) == NULL)
		fail_msg("%s: wanted \"%s\", got \"%s\"", json, wanted, errors);
	free(errors);
}

static void
test_groups(void **state)
{
	(void)state;
	groups_known = "adm,users";
	expect("{\"password_login_groups\": [\"adm\", \"users\"]}", "");
	expect("{\"password_login_groups\": [\"adm\", \"nosuch\"]}",
	    "[EINVAL] password_login_groups: The group \"nosuch\" does not");
	expect("{\"password_login_groups\": [\"adm\", \"adm\"]}",
	    "adm is listed more than once");
	expect("{\"password_login_groups\": [\"*\"]}",
	    "\"*\" cannot be the name of a group");
	op_error = EIO;
	expect("{\"password_login_groups\": [\"adm\"]}",
	    "[EIO] password_login_groups: The groups could not be looked up");
	/* The current value is accepted, whatever became of the group. */
	json_object_set_new(
	    stored, "password_login_groups", json_pack("[s]", "gone"));
	schema_struct_free(ssh_resource.fields, &old);
	memset(&old, 0, sizeof(old));
	schema_to_struct(ssh_resource.fields, stored, &old);
	expect("{\"password_login_groups\": [\"gone\"]}", "");
}

static void
test_interfaces(void **state)
{
	char *text, *why = NULL;

	(void)state;
	expect("{\"bindiface\": [\"eth0\"]}",
	    "[EINVAL] bindiface: This instance serves 127.0.0.1 only");
	expect("{\"bindiface\": [\"nosuch0\", \"lo\"]}",
	    "The following interfaces are not valid: nosuch0, lo");
	facts.expose = true;
	expect("{\"bindiface\": [\"eth0\"]}", "");
	text = ssh_render_output(&change, &why);
	assert_non_null(strstr(text,
	    "ListenAddress 127.0.0.1\n"
	    "ListenAddress 192.0.2.1\nListenAddress fe80::1%eth0\n"));
	free(text);
	expect("{\"bindiface\": [\"eth0\", \"eth0\"]}", "more than once");
	expect("{\"bindiface\": []}", "");
	text = ssh_render_output(&change, &why);
	assert_null(strstr(text, "ListenAddress"));
	free(text);
}

static void
test_options(void **state)
{
	(void)state;
	expect("{\"options\": \"PermitRotLogin no\"}",
	    "[EINVAL] options: "
	    "line 1: Bad configuration option: PermitRotLogin\n");
	expect("{\"options\": \"ListenAddress 0.0.0.0\"}",
	    "options: ListenAddress: this instance serves 127.0.0.1 only");
	expect("{\"options\": \"ClientAliveInterval 30\"}", "");
	change.full_admin = false;
	expect("{\"options\": \"ForceCommand /bin/x\"}",
	    "ForceCommand runs or loads code: only a full administrator");
	/* What stands there already is no change. */
	expect("{\"options\": \"\"}", "");
	facts.expose = true;
	expect("{\"options\": \"ListenAddress 0.0.0.0\"}", "");
}

static void
test_rejected(void **state)
{
	char *errors;

	(void)state;
	free(errors_of("{\"options\": \"MaxSessions 1\\nPort x\"}"));
	free(change.content);
	change.content = ssh_render_output(&change, &errors);
	ssh_resource.rejected(&change,
	    "/x line 4: Badly formatted port "
	    "number.\n");
	errors = verr_reason(change.errors);
	assert_string_equal(
	    errors, "[EINVAL] options: line 2: Badly formatted port number.\n");
	free(errors);
}

static void
test_initial_and_stored(void **state)
{
	char *text, *why = NULL;

	(void)state;
	facts.ssh_port = 2222;
	facts.listen_address = (char *)"127.0.0.1:8443";
	ssh_resource.initial(stored);
	text = ssh_render_output(NULL, &why);
	assert_non_null(strstr(text, "Port 2222\nListenAddress 127.0.0.1\n"));
	free(text);
}

static void
verify(void)
{
	ssh_resource.verify(&change);
	run_all();
	assert_true(verified);
}

static void
test_verified(void **state)
{
	(void)state;
	verify();
	if (problem != NULL)
		fail_msg("%s", problem);
	assert_int_equal(statuses, 2);
	assert_int_equal(offers, 1);
}

static void
test_not_running(void **state)
{
	(void)state;
	change.running = false;
	verify();
	assert_null(problem);
	assert_int_equal(statuses, 0);
}

static void
test_not_effective(void **state)
{
	(void)state;
	free(change.content);
	change.content = xstrdup("PrintMotd yes\n");
	verify();
	assert_string_equal(
	    problem, "sshd does not have \"PrintMotd yes\" in effect");
	assert_int_equal(statuses, 0);
}

static void
test_blocks(void **state)
{
	(void)state;
	free(change.content);
	change.content = xstrdup("PrintMotd no\nMatch Group x\nMaxSessions 1\n"
				 "Match User bea\nX11Forwarding yes\n");
	verify();
	assert_null(problem);
	assert_int_equal(specs, 1);
}

static void
test_block_not_effective(void **state)
{
	(void)state;
	free(change.content);
	change.content = xstrdup("Match User bea\nX11Forwarding no\n");
	verify();
	assert_non_null(strstr(problem, "X11Forwarding no"));
}

/* Slow to come up, and an old process that answers first. */
static void
test_patience(void **state)
{
	(void)state;
	silent_for = 2;
	wrong_for = 2;
	verify();
	assert_null(problem);
	assert_int_equal(offers, 3);
	assert_true(waited_ms > 0);
}

static void
test_silent_probe(void **state)
{
	(void)state;
	answers = false;
	verify();
	assert_null(problem);
}

static void
test_broken(void **state)
{
	(void)state;
	op_error = EIO;
	verify();
	assert_string_equal(problem, "it broke");
}

/* These take as long as the patience lasts. */
static void
test_wrong_offer(void **state)
{
	(void)state;
	wrong_for = UINT32_MAX;
	verify();
	assert_string_equal(problem,
	    "sshd offers the ciphers \"none\", but "
	    "\"c\" is set");
}

static void
test_not_listening(void **state)
{
	(void)state;
	listening = 2223;
	verify();
	assert_string_equal(problem,
	    "sshd does not listen on 127.0.0.1 port "
	    "2222");
}

static void
test_dead(void **state)
{
	(void)state;
	service_state = STATE_FAILED;
	verify();
	assert_string_equal(problem, "sshd does not run: exit code 255");
	assert_int_equal(offers, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_groups),
		TEST(test_interfaces),
		TEST(test_options),
		TEST(test_rejected),
		TEST(test_initial_and_stored),
		TEST(test_verified),
		TEST(test_not_running),
		TEST(test_not_effective),
		TEST(test_blocks),
		TEST(test_block_not_effective),
		TEST(test_patience),
		TEST(test_silent_probe),
		TEST(test_broken),
		TEST(test_wrong_offer),
		TEST(test_not_listening),
		TEST(test_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
