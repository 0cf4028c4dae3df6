/*
 * ssh.probe.
 *
 * No password is ever sent, not even to this machine: one that is wrong is
 * refused in any case, so that it would prove nothing and leave a failed login
 * of root behind.  What the server says to a login with no method (RFC 4252
 * section 5.2) tells which ones it would take.  Forwarding cannot be tried
 * without a login at all; sshd's own word on a connection of root's stands for
 * it.
 */
#include "services/ssh/ssh_probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/audit.h"
#include "core/call.h"
#include "core/change.h"
#include "core/op.h"
#include "core/rate.h"
#include "core/resource.h"
#include "lib/base64.h"
#include "lib/json.h"
#include "lib/ssh_key.h"
#include "lib/uuid.h"
#include "lib/xalloc.h"
#include "services/kerberos/kerberos.h"
#include "services/ssh/directives.h"
#include "services/ssh/shown.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_findings.h"
#include "services/ssh/ssh_hardening.h"
#include "services/ssh/ssh_host_cert.h"
#include "services/ssh/ssh_installed.h"
#include "services/ssh/ssh_names.h"
#include "services/ssh/ssh_probe_checks.h"
#include "services/ssh/ssh_reply.h"
#include "services/ssh/ssh_report.h"
#include "services/ssh/ssh_verify.h"

#define PROBE_MS 20000
#define USER_DEFAULT "root"
#define ROOT_SPEC "user=root,host=localhost,addr=127.0.0.1"
#define KEY_BLOB_MAX (16 * 1024)

struct probe {
	struct call *call;
	char *host; /* NULL: this machine */
	uint16_t port;
	const char *user;
	char *effective, *effective_root;
	char *address; /* of this machine's sshd */
	char farewell[UUID_LEN]; /* "": of another one */
};

static json_t *last; /* of this machine */

/* clang-format off */
const struct field ssh_probe_params[] = {
	{ .name = "host", .type = F_STR, .def = "null", .flags = FF_NULL,
	  .min = 1, .max = 253, .pattern = "[A-Za-z0-9_.:%-]+",
	  .pattern_message = "This is neither a name nor an address",
	  .doc = "Name or address of a server; null: this machine's own." },
	{ .name = "port", .type = F_INT, .def = "22", .min = 1, .max = 65535,
	  .doc = "Its TCP port." },
	{ .name = "user", .type = F_STR, .def = "\"" USER_DEFAULT "\"",
	  .min = 1, .max = 32, .pattern = "[A-Za-z0-9_.][A-Za-z0-9_.@$-]*",
	  .pattern_message = "This cannot be the name of a user",
	  .doc = "Whose methods of authentication are asked for." },
	FIELD_END
};

const struct field ssh_probe_result = { .name = "result", .type = F_DICT,
	.flags = FF_REQUIRED, .doc = "What was seen: banner, kex, host_keys, "
	"ciphers, macs, compression, auth_methods, timing, checks, findings." };
const struct field ssh_last_probe_result = { .name = "result",
	.type = F_DICT, .flags = FF_REQUIRED | FF_NULL,
	.doc = "The last one of this machine; null: none since the start." };
/* clang-format on */

static void
probe_free(struct probe *p)
{
	free(p->host);
	free(p->effective);
	free(p->effective_root);
	free(p->address);
	free(p);
}

char *
ssh_probe_suffix(const json_t *params)
{
	const char *host = json_string_value(json_array_get(params, 0));

	if (host == NULL)
		return NULL;
	return xasprintf("%s port %lld", host,
	    (long long)json_integer_value(json_array_get(params, 1)));
}

/* Others are asked by who may store how to reach them, and not by the row. */
bool
ssh_probe_accept(struct call *call)
{
	if (json_is_null(call_param(call, 0))) {
		if (call_has_role(call, "SSH_READ"))
			return true;
		call_fail(call, EACCES, "Not authorized");
		return false;
	}
	if (!call_has_role(call, "KEYCHAIN_CREDENTIAL_WRITE")) {
		call_fail_attribute(call, EPERM, "ssh_probe.host",
		    "Probing other hosts takes KEYCHAIN_CREDENTIAL_WRITE");
		return false;
	}
	if (!rate_allow("ssh.probe", call_user(call))) {
		call_fail(call, EBUSY, "Rate Limit Exceeded");
		return false;
	}
	return true;
}

/* A name-list as an array; markers, which are no algorithms, left out. */
static json_t *
names_json(const char *list, bool markers)
{
	json_t *names = json_array();
	const char *at = NULL, *p;
	size_t len;

	while ((p = ssh_names_next(list, &at, &len)) != NULL)
		if (markers ||
		    (strncmp(p, "kex-strict-", 11) != 0 &&
			strncmp(p, "ext-info-", 9) != 0))
			json_array_append_new(names, json_stringn(p, len));
	return names;
}

/* Of both directions. */
static json_t *
both_json(const char *in, const char *out)
{
	json_t *names = names_json(in, true);
	const char *at = NULL, *p;
	size_t len;

	while ((p = ssh_names_next(out, &at, &len)) != NULL)
		if (!ssh_names_have(in, p, len))
			json_array_append_new(names, json_stringn(p, len));
	return names;
}

static json_t *
host_keys_json(const struct ssh_report *r)
{
	json_t *keys = json_array();
	const struct ssh_host_key *key;

	for (key = r->host_keys; key < r->host_keys + r->nhost_keys; key++)
		json_array_append_new(keys,
		    json_pack("{s:s, s:s, s:o, s:o}", "algorithm",
			key->algorithm, "type", key->type, "bits",
			key->bits == 0 ? json_null() : json_integer(key->bits),
			"fingerprint",
			*key->fingerprint == '\0' ?
			    json_null() :
			    json_string(key->fingerprint)));
	return keys;
}

static json_t *
reached(uint32_t microseconds)
{
	return microseconds == 0 ? json_null() :
				   json_real(microseconds / 1000.0);
}

static json_t *
text_or_null(const char *text)
{
	return *text == '\0' ? json_null() : json_string(text);
}

static json_t *
report_json(const struct probe *p, const struct ssh_report *r)
{
	const char *const *lists = (const char *const *)r->offer.lists;
	json_t *result = json_pack("{s:o, s:s, s:i, s:s, s:s, s:s}", "host",
	    p->host == NULL ? json_null() : json_string(p->host), "address",
	    r->address, "port", (int)p->port, "banner", r->offer.banner, "user",
	    p->user, "tool", "Holdfast " HF_VERSION);

	json_object_set_new(result, "time", json_date(time(NULL)));
	json_object_set_new(result, "problem", text_or_null(r->problem));
	json_object_set_new(result, "kex", names_json(lists[LIST_KEX], false));
	json_object_set_new(
	    result, "markers", ssh_probe_markers(lists[LIST_KEX]));
	json_object_set_new(result, "host_keys", host_keys_json(r));
	json_object_set_new(result, "ciphers",
	    both_json(lists[LIST_CIPHER_IN], lists[LIST_CIPHER_OUT]));
	json_object_set_new(
	    result, "macs", both_json(lists[LIST_MAC_IN], lists[LIST_MAC_OUT]));
	json_object_set_new(result, "compression",
	    both_json(lists[LIST_COMPRESSION_IN], lists[LIST_COMPRESSION_OUT]));
	json_object_set_new(result, "auth_methods",
	    *r->methods == '\0' ? json_null() : names_json(r->methods, true));
	json_object_set_new(result, "group_exchange_bits",
	    r->group_bits == 0 ? json_null() : json_integer(r->group_bits));
	json_object_set_new(result, "used",
	    json_pack("{s:o, s:o}", "kex", text_or_null(r->kex), "cipher",
		text_or_null(r->cipher)));
	json_object_set_new(result, "timing",
	    json_pack("{s:o, s:o, s:o, s:o}", "connected",
		reached(r->connected), "offered", reached(r->greeted),
		"secured", reached(r->exchanged), "finished",
		reached(r->finished)));
	return result;
}

/* Of the keys in one user's authorized_keys; our table holds them valid. */
static void
judge_keys(json_t *findings, const json_t *user)
{
	const char *line = json_str(user, "sshpubkey", ""), *at, *end;
	struct ssh_key_facts facts;
	uint8_t *blob;
	char *text;
	size_t len;

	for (; (at = strstr(line, "ssh-rsa ")) != NULL; line = at) {
		at += 8;
		end = at + strcspn(at, " \n");
		text = xstrndup(at, (size_t)(end - at));
		blob = base64_decode(text, KEY_BLOB_MAX, &len);
		if (blob != NULL && ssh_key_describe(blob, len, &facts) == 0 &&
		    strcmp(facts.type, "ssh-rsa") == 0)
			ssh_finding_key(findings,
			    json_str(user, "username", ""), facts.bits);
		free(blob);
		free(text);
		at = end;
	}
}

/* sshd offers tickets whether it can read one or not. */
static void
judge_kerberos(json_t *findings)
{
	char *problem = kerberos_problem();

	if (problem != NULL)
		ssh_finding(findings, "kerberosauth", "LOW", problem,
		    "sshd_config(5) GSSAPIStrictAcceptorCheck",
		    "Add the realm and a keytab of this host, or turn "
		    "kerberosauth off");
	free(problem);
}

static void
judge_ca(json_t *findings, const char *key)
{
	size_t bits = ssh_key_rsa_bits(key);

	if (bits != 0)
		ssh_finding_key(findings, "who signs certificates of users",
		    (unsigned int)bits);
}

/* What the settings themselves say. */
static void
judge_settings(json_t *findings, const json_t *config)
{
	const json_t *name;
	json_t *users = change_view_all(NULL, resource_find("user")), *user;
	size_t i;

	json_array_foreach(json_object_get(config, "weak_ciphers"), i, name)
		if (strcmp(json_string_value(name), "NONE") == 0)
			ssh_finding(findings, "weak_ciphers NONE", "LOW",
			    "it is set and changes nothing: OpenSSH has no "
			    "such cipher",
			    "sshd_config(5) Ciphers",
			    "Remove it from weak_ciphers");
	json_array_foreach(json_object_get(config, "kept_host_keys"), i, name)
		ssh_finding(findings, "kept_host_keys", "LOW",
		    "a type of host key is offered that hardening does not "
		    "have",
		    "ssh_config(5) UpdateHostKeys",
		    "Remove it once clients know the other keys");
	json_array_foreach(json_object_get(config, "user_ca_keys"), i, name)
		judge_ca(findings, json_string_value(name));
	ssh_host_cert_findings(findings, config);
	judge_kerberos(findings);
	ssh_probe_directives(findings, json_str(config, "options", ""));
	json_array_foreach(users, i, user)
		judge_keys(findings, user);
	json_decref(users);
}

static void
own_result(const struct probe *p, const struct ssh_report *r, json_t *result,
    json_t *findings)
{
	const json_t *config =
	    change_view(NULL, &ssh_resource, ssh_resource.entry);
	const struct ssh_probe_seen seen = { .report = r,
		.effective = p->effective,
		.effective_root = p->effective_root,
		.config = config };

	json_object_set_new(
	    result, "checks", ssh_probe_checks(&seen, p->user, findings));
	judge_settings(findings, config);
}

static void
keep_last(json_t *result)
{
	json_decref(last);
	last = json_incref(result);
}

static void
answer(struct probe *p, const struct ssh_report *r)
{
	const json_t *config =
	    change_view(NULL, &ssh_resource, ssh_resource.entry);
	json_t *result = report_json(p, r), *findings = json_array();
	bool fips = p->host == NULL &&
	    strcmp(json_str(config, "hardening", ""), "FIPS") == 0;

	ssh_findings(findings, r, p->user, fips);
	if (p->host == NULL)
		own_result(p, r, result, findings);
	else
		json_object_set_new(result, "checks", json_array());
	json_object_set_new(result, "findings", findings);
	if (p->host == NULL)
		keep_last(result);
	call_reply(p->call, result);
}

static void
looked(const struct op_reply *reply, void *arg)
{
	struct probe *p = arg;
	struct wire_in body = reply->body;
	struct ssh_report r = { 0 };

	if (reply->error != 0)
		call_fail(
		    p->call, reply->error, "The probe failed: %s", reply->text);
	else if (ssh_report_get(&body, &r) == -1)
		call_fail(p->call, EPROTO, "The probe's report is malformed");
	else if (*r.offer.banner == '\0')
		call_fail(p->call, ECONNREFUSED, "%s port %u: %s", r.address,
		    (unsigned int)p->port, r.problem);
	else
		answer(p, &r);
	ssh_report_free(&r);
	probe_free(p);
}

static void
look_at(struct probe *p, const char *host)
{
	struct wire_out body = { 0 };

	wire_put_u8(&body, p->host != NULL);
	wire_put_u8(&body, p->host == NULL);
	wire_put_str(&body, host);
	wire_put_u16(&body, p->port);
	wire_put_str(&body, p->user);
	wire_put_u32(&body, PROBE_MS);
	wire_put_str(&body, p->farewell);
	op_worker(TASK_SSH_PROBE, &body, looked, p);
	wire_free(&body);
}

/* Without the audit role's word it says nothing, and is recorded as others. */
static void
announced(int error, const char *text, void *arg)
{
	struct probe *p = arg;

	(void)text;
	if (error != 0)
		p->farewell[0] = '\0';
	look_at(p, ssh_verify_reachable(p->address));
}

/*
 * Before sshd writes down that somebody came and showed nothing, the audit
 * role knows a word that nobody else does.
 */
static void
announce(struct probe *p)
{
	json_t *data;

	uuid_new(p->farewell);
	data = json_pack("{s:s}", "token", p->farewell);
	audit_ask(MSG_AUDIT_PROBE, data, announced, p);
	json_decref(data);
}

static void
ask_effective(struct probe *p, const char *spec, op_done *done)
{
	struct wire_out body = { 0 };

	wire_put_u32(&body, OUTPUT_SSHD_CONFIG);
	wire_put_u32(&body, spec == NULL ? 0 : 1);
	if (spec != NULL)
		wire_put_str(&body, spec);
	op_request(MSG_OP_EFFECTIVE, &body, -1, done, p);
	wire_free(&body);
}

/*
 * Takes the text of MSG_OP_EFFECTIVE (malloc'd); false: the call failed, and
 * the probe is gone.
 */
static bool
take_effective(struct probe *p, const struct op_reply *reply, char **textp)
{
	struct wire_in body = reply->body;
	const char *text = NULL;
	size_t len = 0;

	if (reply->error == 0)
		text = wire_get_bytes(&body, &len);
	if (text != NULL && wire_end(&body) == 0) {
		*textp = xstrndup(text, len);
		return true;
	}
	call_fail(p->call, reply->error != 0 ? reply->error : EPROTO,
	    "sshd's configuration could not be read");
	probe_free(p);
	return false;
}

static void
root_known(const struct op_reply *reply, void *arg)
{
	struct probe *p = arg;

	if (!take_effective(p, reply, &p->effective_root))
		return;
	p->address = ssh_verify_listen(p->effective, 0, &p->port);
	if (p->address == NULL) {
		call_fail(p->call, ECONNREFUSED, "sshd listens nowhere");
		probe_free(p);
	} else
		announce(p);
}

static void
global_known(const struct op_reply *reply, void *arg)
{
	struct probe *p = arg;

	if (take_effective(p, reply, &p->effective))
		ask_effective(p, ROOT_SPEC, root_known);
}

void
ssh_probe_run(struct call *call)
{
	struct probe *p = xcalloc(1, sizeof(*p));
	const char *host = json_string_value(call_param(call, 0));

	p->call = call;
	p->host = host == NULL ? NULL : xstrdup(host);
	p->port = (uint16_t)json_integer_value(call_param(call, 1));
	p->user = json_string_value(call_param(call, 2));
	if (host != NULL)
		look_at(p, host);
	else
		ask_effective(p, NULL, global_known);
}

void
ssh_last_probe_run(struct call *call)
{
	call_reply(call, last == NULL ? json_null() : json_incref(last));
}

void
ssh_probe_status(json_t *status)
{
	json_t *probe = json_null();

	if (last != NULL)
		probe = json_pack("{s:O, s:I}", "time",
		    json_object_get(last, "time"), "findings",
		    (json_int_t)json_array_size(
			json_object_get(last, "findings")));
	json_object_set_new(status, "ssh_probe", probe);
}
