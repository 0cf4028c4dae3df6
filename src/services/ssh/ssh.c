/*
 * The SSH service as a resource: its table, methods, the rules across its
 * fields and what it is rendered from.
 */
#include "services/ssh/ssh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/change.h"
#include "core/confirm.h"
#include "core/core.h"
#include "core/crud.h"
#include "core/op.h"
#include "core/query.h"
#include "core/resource.h"
#include "core/ssh_codes.h"
#include "core/ssh_proof.h"
#include "core/ssh_list.h"
#include "lib/json.h"
#include "lib/transfer.h"
#include "lib/xalloc.h"
#include "services/catalog.h"
#include "services/kerberos/kerberos.h"
#include "services/ssh/conf.h"
#include "services/ssh/directives.h"
#include "services/ssh/shown.h"
#include "services/ssh/ssh_bind.h"
#include "services/ssh/ssh_complaint.h"
#include "services/ssh/ssh_dry_run.h"
#include "services/ssh/ssh_edits.h"
#include "services/ssh/ssh_fields.h"
#include "services/ssh/ssh_host_cert.h"
#include "services/ssh/ssh_host_keys.h"
#include "services/ssh/ssh_idle.h"
#include "services/ssh/ssh_installed.h"
#include "services/ssh/ssh_interfaces.h"
#include "services/ssh/ssh_limit.h"
#include "services/ssh/ssh_override.h"
#include "services/ssh/ssh_pam_watch.h"
#include "services/ssh/ssh_probe.h"
#include "services/ssh/ssh_render.h"
#include "services/ssh/ssh_rotate.h"
#include "services/ssh/ssh_sessions.h"
#include "services/ssh/ssh_user_ca.h"
#include "services/ssh/ssh_upload.h"

#define SSH_ENTRY 1

#define SELF ssh_config
static const struct field ssh_fields[] = { SSH_CONFIG(AS_FIELD) FIELD_END };
#undef SELF

/* clang-format off */
static const struct field update_params[] = {
	{ .name = "data", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = ssh_fields, .model = "SSHUpdate",
	  .doc = "The settings to change." },
	FIELD_END
};

static const struct field entry_result[] = {
	{ .name = "result", .type = F_OBJECT, .fields = ssh_fields,
	  .model = "SSHEntry", .doc = "The SSH settings." },
	FIELD_END
};

static const struct field interface_name[] = {
	{ .name = "name", .type = F_STR, .doc = "Name of an interface." },
	FIELD_END
};

static const struct field choices_result[] = {
	{ .name = "result", .type = F_DICT, .fields = interface_name,
	  .doc = "Names of interfaces." },
	FIELD_END
};
/* clang-format on */

/*
 * The list, or only those that are not in old; NULL-terminated array of
 * borrowed strings, the caller frees the array.
 */
static char **
added(char *const *list, char *const *old)
{
	size_t i, j, n = 0;
	char **out;

	for (i = 0; list[i] != NULL; i++)
		continue;
	out = xcalloc(i + 1, sizeof(*out));
	for (i = 0; list[i] != NULL; i++) {
		for (j = 0; old[j] != NULL; j++)
			if (strcmp(list[i], old[j]) == 0)
				break;
		if (old[j] == NULL)
			out[n++] = list[i];
	}
	return out;
}

static bool
same_list(char *const *a, char *const *b)
{
	size_t i;

	for (i = 0; a[i] != NULL && b[i] != NULL; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return a[i] == b[i];
}

static void
check_twice(struct change *change, const char *field, char *const *list)
{
	size_t i, j;

	for (i = 0; list[i] != NULL; i++)
		for (j = 0; j < i; j++)
			if (strcmp(list[i], list[j]) == 0) {
				verr_add(change->errors, field,
				    "%s is listed more than once", list[i]);
				break;
			}
}

static void
check_interfaces(struct change *change)
{
	const struct ssh_config *old = change->old, *new = change->new;

	if (same_list(old->bindiface, new->bindiface))
		return;
	check_twice(change, "bindiface", new->bindiface);
	if (new->bindiface[0] != NULL && !core_facts()->expose)
		verr_add(change->errors, "bindiface",
		    "This instance serves %s only; start it with --expose to "
		    "choose interfaces",
		    core_facts()->listen_address);
}

static void
check_groups(struct change *change)
{
	const struct ssh_config *old = change->old, *new = change->new;
	size_t i;

	if (same_list(old->password_login_groups, new->password_login_groups))
		return;
	check_twice(
	    change, "password_login_groups", new->password_login_groups);
	for (i = 0; new->password_login_groups[i] != NULL; i++)
		if (!conf_name_ok(new->password_login_groups[i]))
			verr_add(change->errors, "password_login_groups",
			    "\"%s\" cannot be the name of a group",
			    new->password_login_groups[i]);
}

static void
check_options(struct change *change)
{
	const struct ssh_config *old = change->old, *new = change->new;

	if (strcmp(old->options, new->options) == 0)
		return;
	directives_check_auxiliary(
	    new->options, change->full_admin, change->errors);
	if (!core_facts()->expose &&
	    directives_has_global(new->options, "ListenAddress", NULL))
		verr_add(change->errors, "options",
		    "ListenAddress: this instance serves %s only; start it "
		    "with --expose to choose addresses",
		    core_facts()->listen_address);
}

static void
set_kept(struct change *change, struct ssh_config *new, uint32_t types)
{
	json_object_set_new(
	    change->after, "kept_host_keys", ssh_host_keys_names(types));
	new->kept_host_keys = types;
}

/*
 * Clients that know only one type of our host keys would take us for somebody
 * else without it.  So what was offered stays until it is removed by name;
 * meanwhile they learn the others (ssh_config(5), UpdateHostKeys).
 */
static void
check_host_keys(struct change *change)
{
	const struct ssh_config *old = change->old;
	struct ssh_config *new = change->new;
	uint32_t now, withdrawn, kept = old->kept_host_keys;

	now = ssh_hardening_host_keys(new->hardening, ssh_installed());
	withdrawn = ssh_hardening_host_keys(old->hardening, ssh_installed());
	if (new->kept_host_keys & ~(kept | withdrawn))
		verr_add(change->errors, "kept_host_keys",
		    "Types can be removed, not added");
	kept = ((kept & new->kept_host_keys) | withdrawn) & ~now;
	if (kept != new->kept_host_keys)
		set_kept(change, new, kept);
}

/*
 * Which files the keys are in is no setting, and who certified them neither:
 * a reset leaves it as it is.
 */
static void
keep_host_key_files(struct change *change)
{
	static const char *const members[] = { "new_host_keys",
		"second_host_keys", "host_ed25519_certificate",
		"host_ecdsa_certificate", "host_rsa_certificate" };
	struct ssh_config *new = change->new;
	const struct ssh_config *old = change->old;
	size_t i;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_object_set(change->after, members[i],
		    json_object_get(change->before, members[i]));
	new->new_host_keys = old->new_host_keys;
	new->second_host_keys = old->second_host_keys;
}

static void
ssh_check(struct change *change)
{
	if (change->all != NULL && change->before != NULL)
		keep_host_key_files(change);
	if (ssh_edits_replaced_by(change)) {
		change->beside_wanted = true;
		ssh_edits_account(change);
	}
	check_host_keys(change);
	check_interfaces(change);
	check_groups(change);
	check_options(change);
	ssh_user_ca_check(change);
	/* As they are stored, where they are kept. */
	if (change->all == NULL)
		ssh_host_cert_check(change);
}

/* "a, b", malloc'd; NULL when it is empty so far. */
static void
append_name(char **names, const char *name)
{
	char *longer = xasprintf("%s%s%s", *names == NULL ? "" : *names,
	    *names == NULL ? "" : ", ", name);

	free(*names);
	*names = longer;
}

static void
lookup_certificates(struct change *change)
{
	if (change->all == NULL)
		ssh_host_cert_lookup(change);
	else
		change_continue(change);
}

static void
interfaces_known(int error, const char *text, void *arg)
{
	struct change *change = arg;
	const struct ssh_config *old = change->old, *new = change->new;
	char **names = added(new->bindiface, old->bindiface), *wrong = NULL;
	size_t i;

	for (i = 0; names[i] != NULL && error == 0; i++)
		if (!ssh_interfaces_has(names[i]))
			append_name(&wrong, names[i]);
	if (error != 0)
		verr_add_errno(change->errors, error, "bindiface",
		    "The interfaces could not be asked for: %s", text);
	else if (wrong != NULL)
		verr_add(change->errors, "bindiface",
		    "The following interfaces are not valid: %s", wrong);
	free(wrong);
	free(names);
	lookup_certificates(change);
}

static void
lookup_interfaces(struct change *change)
{
	const struct ssh_config *new = change->new;

	if (new->bindiface[0] != NULL)
		ssh_interfaces_ask(interfaces_known, change);
	else
		lookup_certificates(change);
}

static void
groups_known(const struct op_reply *reply, void *arg)
{
	struct change *change = arg;
	const struct ssh_config *old = change->old, *new = change->new;
	char **names =
	    added(new->password_login_groups, old->password_login_groups);
	struct wire_in body = reply->body;
	uint32_t count, i;
	uint8_t exists;

	if (reply->error != 0)
		verr_add_errno(change->errors, reply->error,
		    "password_login_groups",
		    "The groups could not be looked up: %s", reply->text);
	else {
		count = wire_get_u32(&body);
		for (i = 0; i < count && names[i] != NULL; i++) {
			exists = wire_get_u8(&body);
			if (!exists)
				verr_add(change->errors,
				    "password_login_groups",
				    "The group \"%s\" does not exist",
				    names[i]);
		}
		if (wire_end(&body) == -1 || names[i] != NULL)
			verr_add_errno(change->errors, EPROTO,
			    "password_login_groups",
			    "The groups could not be looked up");
	}
	free(names);
	lookup_interfaces(change);
}

static void
ssh_lookup(struct change *change)
{
	const struct ssh_config *old = change->old, *new = change->new;
	char **names =
	    added(new->password_login_groups, old->password_login_groups);
	struct wire_out body = { 0 };
	uint32_t count = 0;
	size_t i;

	while (names[count] != NULL)
		count++;
	if (count > 0) {
		wire_put_u32(&body, count);
		for (i = 0; i < count; i++)
			wire_put_str(&body, names[i]);
		op_worker(TASK_LOOKUP_GROUPS, &body, groups_known, change);
		wire_free(&body);
	} else
		lookup_interfaces(change);
	free(names);
}

/* sshd would do without a key that it cannot load; clients would not. */
static bool
host_key_at_fault(struct change *change, const char *complaint)
{
	static const char begin[] = SSH_KEY_COMPLAINT;
	const char *at = strstr(complaint, begin);
	char *file, *attribute;
	int type;

	if (at == NULL)
		return false;
	at += sizeof(begin) - 1;
	file = xstrndup(at, strcspn(at, "\r\n"));
	type = ssh_key_type_at(file);
	attribute = type == -1 ?
	    xstrdup("options") :
	    xasprintf("host_%s_key", ssh_host_key_types[type]);
	verr_add(change->errors, attribute,
	    "sshd cannot load its host key %s: put that file in order, or "
	    "replace the key (ssh.rotate_host_keys)",
	    file);
	free(attribute);
	free(file);
	return true;
}

void
ssh_rejected(struct change *change, const char *complaint)
{
	const struct ssh_config *new = change->new;
	char *text;

	if (host_key_at_fault(change, complaint))
		return;
	/* What another resource brought into it is not the options' fault. */
	if (change->resource != &ssh_resource)
		return;
	text = ssh_complaint(
	    complaint, change->steps[OUTPUT_SSHD_CONFIG].content, new->options);
	verr_add(change->errors, "options", "%s", text);
	free(text);
}

static void
ssh_initial(json_t *entry)
{
	if (core_facts()->ssh_port != 0)
		json_object_set_new(
		    entry, "tcpport", json_integer(core_facts()->ssh_port));
}

/* Who may log in with a password, unless every way in is closed to it. */
static bool
may_use_password(const json_t *user)
{
	return json_bool(user, "ssh_password_enabled", false) &&
	    !json_bool(user, "password_disabled", false) &&
	    !json_bool(user, "locked", false);
}

/*
 * The names, NULL at the end, as long as users is kept; the caller frees the
 * array.  *rootp: is root among them?
 */
static const char **
password_users(const json_t *users, bool *rootp)
{
	const char **names =
	    xcalloc(json_array_size(users) + 1, sizeof(*names));
	size_t i, n = 0;
	json_t *user;

	*rootp = false;
	json_array_foreach(users, i, user) {
		if (!may_use_password(user))
			continue;
		names[n++] = json_str(user, "username", "");
		if (json_int(user, "uid", -1) == 0)
			*rootp = true;
	}
	return names;
}

/* As password_users: those whose shell transfers files and does nothing else. */
static const char **
transfer_users(const json_t *users)
{
	const char **names =
	    xcalloc(json_array_size(users) + 1, sizeof(*names));
	size_t i, n = 0;
	json_t *user;

	json_array_foreach(users, i, user)
		if (strcmp(json_str(user, "shell", ""), TRANSFER_SHELL) == 0)
			names[n++] = json_str(user, "username", "");
	return names;
}

/* Of these, those who are kept in a folder; ends with a NULL. */
static struct ssh_rooted *
rooted_users(const json_t *users)
{
	struct ssh_rooted *list =
	    xcalloc(json_array_size(users) + 1, sizeof(*list));
	size_t i, n = 0;
	json_t *user;

	json_array_foreach(users, i, user) {
		if (strcmp(json_str(user, "shell", ""), TRANSFER_SHELL) != 0 ||
		    !json_bool(user, "sftp_chroot", false))
			continue;
		list[n].user = json_str(user, "username", "");
		list[n++].home = json_str(user, "home", "");
	}
	return list;
}

static char *
render(const struct change *change, const struct ssh_config *config,
    const json_t *users, char **whyp)
{
	const json_t *shown =
	    change_view(change, resource_find("system.advanced"), 1);
	const char **asked = ssh_codes_users(change);
	const char **transfer = transfer_users(users);
	struct ssh_rooted *rooted = rooted_users(users);
	struct ssh_surroundings around = { 0 };
	const char **names;
	char **addresses = NULL, *text;
	const char *port;

	if (!core_facts()->expose) {
		addresses = xcalloc(2, sizeof(*addresses));
		addresses[0] =
		    listen_split(core_facts()->listen_address, &port);
	} else if (config->bindiface[0] != NULL)
		addresses = ssh_interfaces_addresses(config->bindiface);
	around.listen = (const char *const *)addresses;
	around.code_users = asked;
	around.transfer_users = transfer;
	around.rooted_users = rooted;
	around.installed = *ssh_installed();
	around.banner = *json_str(shown, "login_banner", "") != '\0';
	names = password_users(users, &around.root_password_login);
	around.password_users = names;
	text = ssh_render(config, &around, whyp);
	free(names);
	ssh_interfaces_free_addresses(addresses);
	free(rooted);
	free(transfer);
	free(asked);
	return text;
}

char *
ssh_render_output(const struct change *change, char **whyp)
{
	const json_t *entry = change_view(change, &ssh_resource, SSH_ENTRY);

	if (entry == NULL) {
		*whyp = xstrdup("the SSH settings are not stored");
		return NULL;
	}
	return ssh_render_entry(change, entry, -1, whyp);
}

/* In the array alone: the entries are others'. */
static void
set_root_password(json_t *users, bool enabled)
{
	json_t *user, *copy;
	size_t i;

	json_array_foreach(users, i, user)
		if (json_int(user, "uid", -1) == 0) {
			copy = json_deep_copy(user);
			json_object_set_new(copy, "ssh_password_enabled",
			    json_boolean(enabled));
			json_array_set_new(users, i, copy);
			return;
		}
}

char *
ssh_render_entry(const struct change *change, const json_t *entry,
    int root_password, char **whyp)
{
	struct ssh_config config = { 0 };
	json_t *users;
	char *text;

	schema_to_struct(ssh_fields, entry, &config);
	users = change_view_all(change, resource_find("user"));
	if (root_password != -1)
		set_root_password(users, root_password == 1);
	text = render(change, &config, users, whyp);
	json_decref(users);
	schema_struct_free(ssh_fields, &config);
	return text;
}

static void
ssh_extend(json_t *entry)
{
	struct ssh_config config = { 0 };

	schema_to_struct(ssh_fields, entry, &config);
	json_object_set_new(
	    entry, "overridden", ssh_override_fields(&config, ssh_installed()));
	schema_struct_free(ssh_fields, &config);
}

static void
choices_known(int error, const char *text, void *arg)
{
	struct call *call = arg;

	if (error != 0)
		call_fail(call, error,
		    "The interfaces could not be asked for: %s", text);
	else
		call_reply(call, ssh_interfaces_choices());
}

/* Without them an exposed instance would be rendered for no address. */
static void
gathered(int error, const char *text, void *arg)
{
	void (**done)(void) = arg;

	if (error != 0)
		core_problem("interfaces",
		    "The interfaces could not be asked for: %s", text);
	(*done)();
}

static void
installed_known(int error, const char *text, void *arg)
{
	if (error != 0)
		core_problem("openssh",
		    "The installed OpenSSH could not be asked what it has, "
		    "its own choice of algorithms stands: %s",
		    text);
	else
		core_problem_clear("openssh");
	ssh_interfaces_ask(gathered, arg);
}

static void
sessions_known(void)
{
	ssh_idle_resume();
	ssh_limit_review();
	ssh_bind_follow();
	ssh_rotate_resume();
}

/* The settings, or who is here. */
static void
changed(void)
{
	ssh_idle_review();
	ssh_limit_review();
	ssh_bind_review();
	ssh_host_cert_review();
	kerberos_review();
}

static void
edits_known(void *arg)
{
	ssh_installed_ask(installed_known, arg);
}

static void
ssh_gather(void (*done)(void))
{
	static void (*then)(void);

	then = done;
	ssh_pam_watch();
	ssh_list_on_begin(sessions_known);
	ssh_edits_gather(edits_known, &then);
}

static void
service_changed(enum service_id service)
{
	if (service == SERVICE_SSH)
		ssh_idle_review();
}

static void
bindiface_choices_run(struct call *call)
{
	ssh_interfaces_ask(choices_known, call);
}

/* A server limits how many connections of one address it takes at once. */
static char *
probe_lock(const json_t *params)
{
	const char *host = json_string_value(json_array_get(params, 0));

	return xasprintf("ssh_probe %s", host == NULL ? "" : host);
}

static const char *const read_roles[] = { "SSH_READ", NULL };
static const char *const sessions_roles[] = { "AUTH_SESSIONS_READ", NULL };
static const char *const probe_roles[] = { "SSH_READ",
	"KEYCHAIN_CREDENTIAL_WRITE", NULL };
static const char *const write_roles[] = { "SSH_WRITE", NULL };
static const char *const choices_roles[] = { "NETWORK_INTERFACE_READ",
	"READONLY_ADMIN", "SSH_READ", NULL };

/* clang-format off */
static const struct method ssh_methods[] = {
	{ .name = "ssh.bindiface_choices", .kind = KIND_CHOICES,
	  .auth = AUTH_ROLE, .roles = choices_roles, .result = choices_result,
	  .doc = "The interfaces that bindiface may name.",
	  .run = bindiface_choices_run },
	{ .name = "ssh.checkin", .auth = AUTH_ROLE, .roles = write_roles,
	  .own = true, .params = confirm_params,
	  .audit = "Confirm SSH configuration",
	  .doc = "Confirms the change of SSH that waits, after an "
	  "administrator's login.", .run = confirm_checkin_run },
	{ .name = "ssh.checkin_waiting", .auth = AUTH_ROLE,
	  .roles = read_roles, .own = true, .result = &confirm_seconds,
	  .doc = "How long a change of SSH still waits for ssh.checkin.",
	  .run = confirm_waiting_run },
	{ .name = "ssh.config", .kind = KIND_CONFIG, .auth = AUTH_ROLE,
	  .roles = read_roles, .result = entry_result,
	  .doc = "The SSH settings.", .run = resource_config_run },
	{ .name = "ssh.edited_files", .auth = AUTH_ROLE, .own = true,
	  .result = &ssh_edited_list,
	  .doc = "What somebody else wrote into sshd_config, or beside it.",
	  .run = ssh_edited_run },
	{ .name = "ssh.foreign_edits", .auth = AUTH_ROLE, .own = true,
	  .params = ssh_edits_params, .result = &ssh_edits_result,
	  .audit = "Deal with foreign edits of sshd_config:",
	  .audit_suffix = ssh_edits_suffix,
	  .doc = "Says what becomes of what somebody else wrote into "
	  "sshd_config.", .run = ssh_edits_run },
	{ .name = "ssh.host_keys", .auth = AUTH_ROLE, .own = true,
	  .roles = read_roles, .result = &ssh_host_keys_result,
	  .doc = "The host keys by which clients know this machine.",
	  .run = ssh_host_keys_run },
	{ .name = "ssh.import_report", .auth = AUTH_ROLE, .own = true,
	  .result = &ssh_import_last,
	  .doc = "What the last import of a foreign sshd_config left out, and "
	  "what sshd does otherwise since.", .run = ssh_import_report_run },
	{ .name = "ssh.last_probe", .auth = AUTH_ROLE, .own = true,
	  .roles = read_roles, .result = &ssh_last_probe_result,
	  .doc = "What the last probe of this machine saw.",
	  .run = ssh_last_probe_run },
	{ .name = "ssh.probe", .auth = AUTH_ROLE, .own = true,
	  .roles = probe_roles, .job = true, .job_lock = probe_lock,
	  .params = ssh_probe_params, .result = &ssh_probe_result,
	  .audit = "Probe SSH server", .audit_suffix = ssh_probe_suffix,
	  .doc = "Sees from outside what an SSH server offers.",
	  .accept = ssh_probe_accept, .run = ssh_probe_run },
	{ .name = "ssh.rotate_host_keys", .auth = AUTH_ROLE, .own = true,
	  .params = ssh_rotate_params, .result = &ssh_host_keys_result,
	  .audit = "Rotate SSH host keys", .audit_suffix = ssh_rotate_suffix,
	  .doc = "Replaces host keys so that clients learn the new ones.",
	  .run = ssh_rotate_run },
	{ .name = "ssh.sessions", .kind = KIND_QUERY, .auth = AUTH_ROLE,
	  .roles = sessions_roles, .own = true, .params = query_params,
	  .result = &ssh_session_list, .doc = "Who is here by SSH.",
	  .run = ssh_sessions_run },
	{ .name = "ssh.terminate_session", .auth = AUTH_ROLE, .own = true,
	  .params = ssh_terminate_params, .result = &ssh_terminated,
	  .audit = "Terminate SSH session",
	  .audit_suffix = ssh_terminate_suffix,
	  .doc = "Ends an SSH session with all that it started.",
	  .run = ssh_terminate_session_run },
	{ .name = "ssh.update", .kind = KIND_UPDATE, .auth = AUTH_ROLE,
	  .roles = write_roles, .params = update_params,
	  .result = entry_result, .audit = "Update SSH configuration",
	  .doc = "Changes SSH settings.", .run = resource_update_run },
	{ .name = "ssh.upload_options", .kind = KIND_UPDATE,
	  .auth = AUTH_ROLE, .own = true, .roles = write_roles, .job = true,
	  .pipe = PIPE_INPUT, .input_max = SSH_UPLOAD_MAX,
	  .params = update_params, .result = entry_result,
	  .audit = "Update SSH configuration",
	  .doc = "As ssh.update, the auxiliary parameters being the file.",
	  .run = ssh_upload_options_run },
	METHOD_END
};

static const struct event ssh_events[] = {
	{ .name = "ssh.checkin_waiting", .own = true, .auth = AUTH_ROLE,
	  .roles = read_roles,
	  .doc = "A change of SSH begins to wait, or no longer does." },
	{ .name = "ssh.sessions", .auth = AUTH_ROLE, .roles = sessions_roles,
	  .own = true, .doc = "SSH sessions that begin and end." },
	EVENT_END
};

static const struct confirming ssh_confirming = {
	.event = "ssh.checkin_waiting", .prove = ssh_proof
};

const struct resource ssh_resource = {
	.name = "ssh", .doc = "The OpenSSH server.", .kind = RESOURCE_CONFIG,
	.role_prefix = "SSH", .verbose_name = "SSH", .methods = ssh_methods,
	.fields = ssh_fields, .size = sizeof(struct ssh_config),
	.entry = SSH_ENTRY, .check = ssh_check, .lookup = ssh_lookup,
	.initial = ssh_initial, .extend = ssh_extend, .gather = ssh_gather,
	.events = ssh_events, .confirmed_by = &ssh_confirming,
	.dry_run = ssh_dry_run, .status = ssh_probe_status,
	.changed = changed, .service_changed = service_changed,
	.interfaces_changed = ssh_bind_follow
};
/* clang-format on */
