/*
 * user.*: for now the first administrator (design section 6): set up once,
 * closed for ever by a stored flag.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/account.h"
#include "core/audit.h"
#include "core/call.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/op.h"
#include "core/serial.h"
#include "core/setup_code.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/xalloc.h"
#include "system/system.h"

#define PASSWORD_MAX 512 /* CRYPT_MAX_PASSPHRASE_SIZE, crypt(3) */

static const char *const administrators[] = { "root", "truenas_admin", NULL };

/* clang-format off */
static const struct field setup_options[] = {
	{ .name = "ec2", .type = F_CONST, .def = "null",
	  .doc = "Always null: not such an instance." },
	{ .name = "setup_code", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_SECRET | FF_OWN, .max = 64,
	  .doc = "The code that the first start printed; needed over TCP." },
	FIELD_END
};

static const struct field setup_params[] = {
	{ .name = "username", .type = F_ENUM, .choices = administrators,
	  .flags = FF_REQUIRED, .doc = "The account to become the "
	  "administrator." },
	{ .name = "password", .type = F_STR, .flags = FF_REQUIRED | FF_SECRET,
	  .max = STRING_MAX, .doc = "Its password." },
	{ .name = "options", .type = F_OBJECT, .fields = setup_options,
	  .model = "UserSetupLocalAdministratorOptions", .def = "{}",
	  .doc = "More of it." },
	FIELD_END
};

static const struct field boolean = { .name = "result", .type = F_BOOL,
	.flags = FF_REQUIRED, .doc = "Is there an administrator?" };
/* clang-format on */

static void
has_administrator_run(struct call *call)
{
	call_reply(call, json_boolean(account_administrator_set_up()));
}

struct setup {
	struct call *call;
	json_t *user;
	int64_t revision;
	char audit_id[UUID_LEN];
	json_t *record;
};

static void
setup_free(struct setup *s)
{
	json_decref(s->user);
	json_decref(s->record);
	free(s);
	serial_leave();
}

static void
recorded(int error, void *arg)
{
	struct call *call = arg;

	(void)error; /* it is in the outbox */
	call_audited(call);
	call_reply(call, NULL);
}

static void
monitor_told(const struct op_reply *reply, void *arg)
{
	(void)arg;
	if (reply->error != 0)
		log_warn("setup.code", "%s", reply->text);
}

static void
accounts_installed(int error, const char *text, void *arg)
{
	struct setup *s = arg;

	if (error != 0) {
		json_object_set(s->record, "success", json_false());
		store_end(
		    core_store(), s->revision, REVISION_UNDONE, s->record);
		call_audited(s->call);
		audit_send_outbox(s->record, false, NULL, NULL);
		call_fail(
		    s->call, error, "The account could not be made: %s", text);
		setup_free(s);
		return;
	}
	if (store_set_value(core_store(), "administrator",
		json_str(s->user, "username", "")) == -1 ||
	    store_end(core_store(), s->revision, REVISION_COMMITTED,
		s->record) == -1) {
		/* PENDING: the next start finishes it. */
		call_fail(s->call, errno, "The account could not be stored: %s",
		    strerror(errno));
		setup_free(s);
		return;
	}
	store_set_value(core_store(), "setup_code", NULL);
	op_request(MSG_OP_ADMIN_READY, NULL, -1, monitor_told, NULL);
	log_info("setup.done", "%s is the administrator",
	    json_str(s->user, "username", ""));
	audit_send_outbox(s->record, false, recorded, s->call);
	setup_free(s);
}

static json_t *
account_entry(const char *username, const char *hash)
{
	bool root = strcmp(username, "root") == 0;

	/* clang-format off */
	return json_pack("{s:i, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:[i], s:b, "
	    "s:b, s:b, s:b, s:b}",
	    "id", root ? 1 : 2, "uid", root ? 0 : 950, "gid", root ? 0 : 950,
	    "username", username,
	    "full_name", root ? "root" : "Local Administrator",
	    "home", root ? "/root" : "/home/truenas_admin",
	    "shell", "/bin/bash", "unixhash", hash, "groups", 544,
	    "builtin", root, "immutable", 1, "locked", 0,
	    "password_disabled", 0, "ssh_password_enabled", 0);
	/* clang-format on */
}

static void
hashed(const struct op_reply *reply, void *arg)
{
	struct setup *s = arg;
	struct wire_in body = reply->body;
	const char *username = json_string_value(call_param(s->call, 0));
	struct revision r = { .time = time(NULL), .resource = xstrdup("user") };
	char *hash = wire_get_str(&body, 512);

	if (reply->error != 0 || wire_end(&body) == -1) {
		call_fail(s->call, reply->error != 0 ? reply->error : EPROTO,
		    "The password could not be hashed: %s", reply->text);
		setup_free(s);
		goto out;
	}
	s->user = account_entry(username, hash);
	s->record =
	    audit_method_call(s->call, s->call->session != NULL, true, true);
	core_uuid(s->audit_id);
	json_object_set_new(s->record, "audit_id", json_string(s->audit_id));
	r.who = xstrdup(call_user(s->call));
	r.origin = xstrdup(call_origin(s->call));
	r.entry = json_int(s->user, "id", 0);
	r.after = s->user;
	s->revision =
	    store_begin(core_store(), &r, 1, -1, s->audit_id, s->record);
	if (s->revision == -1) {
		call_fail(s->call, errno, "The account could not be stored: %s",
		    strerror(errno));
		setup_free(s);
		goto out;
	}
	account_install(s->user, accounts_installed, s);
out:
	freezero_str(hash);
	free(r.who);
	free(r.origin);
	free(r.resource);
}

/* In the queue of changes: looked at again when it is its turn. */
static void
setup_start(void *arg)
{
	struct setup *s = arg;
	struct wire_out out = { 0 };

	if (account_administrator_set_up()) {
		call_fail(
		    s->call, EEXIST, "Local administrator is already set up");
		setup_free(s);
		return;
	}
	wire_put_str(&out, json_string_value(call_param(s->call, 1)));
	op_worker(TASK_HASH_PASSWORD, &out, hashed, s);
	wire_free(&out);
}

/* Root on the Unix socket is believed; others show the code. */
static bool
entitled(const struct call *call)
{
	const char *code = json_str(call_param(call, 2), "setup_code", "");

	const struct session *s = call->session;

	if (s != NULL && session_internal(s))
		return true;
	return setup_code_is(code);
}

static void
check_password(const char *password, size_t len, struct verr *errors)
{
	if (len == 0)
		verr_add(
		    errors, "password", "An administrator needs a password");
	else if (len >= PASSWORD_MAX)
		verr_add(errors, "password", "At most %d bytes are possible",
		    PASSWORD_MAX - 1);
	else if (strpbrk(password, "\r\n") != NULL)
		verr_add(errors, "password",
		    "A line break cannot be typed in at a login prompt");
}

static void
setup_run(struct call *call)
{
	const json_t *password = call_param(call, 1);
	struct verr *errors;
	struct setup *s;

	if (core_store() == NULL) {
		call_fail(call, EIO, "%s", core_store_refused());
		return;
	}
	if (account_administrator_set_up()) {
		call_fail(
		    call, EEXIST, "Local administrator is already set up");
		return;
	}
	errors = verr_new();
	if (!entitled(call))
		verr_add_errno(errors, EPERM, "options.setup_code",
		    "The one-time code of the first start is needed here");
	check_password(
	    json_string_value(password), json_string_length(password), errors);
	if (verr_any(errors)) {
		call_fail_invalid(call, errors);
		return;
	}
	verr_free(errors);
	s = xcalloc(1, sizeof(*s));
	s->call = call;
	serial_enter(setup_start, s);
}

/* clang-format off */
static const struct method methods[] = {
	{ .name = "user.has_local_administrator_set_up", .auth = AUTH_NONE,
	  .result = &boolean, .doc = "Is there an administrator already?",
	  .run = has_administrator_run },
	{ .name = "user.setup_local_administrator", .auth = AUTH_NONE,
	  .params = setup_params, .audit = "Set up local administrator",
	  .doc = "Makes the first administrator.", .run = setup_run },
	METHOD_END
};

const struct resource user_resource = {
	.name = "user", .doc = "Accounts.", .kind = RESOURCE_SERVICE,
	.role_prefix = "ACCOUNT", .verbose_name = "User",
	.methods = methods, .output = -1, .service = -1
};
/* clang-format on */
