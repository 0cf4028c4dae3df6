/*
 * certificate.*: certificates with their chains and private keys, and the
 * requests for some.  A worker reads them (certificate_check.c); what is kept
 * is what it wrote anew, and what it found in it.  One entry is the machine's
 * own, self-signed one: the monitor makes it and has its key, what it says is
 * known from each start on.
 */
#include "system/certificate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/core.h"
#include "core/crud.h"
#include "core/query.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/certificate_internal.h"
#include "system/system.h"

#define SHOWN_SECONDS 60 /* "expired" follows from the time */
#define END_OF_ONE "-----END CERTIFICATE-----\n"

/* As TrueNAS numbers them. */
enum { TYPE_EXISTING = 8, TYPE_REQUEST = 32 };

/* clang-format off */
static const struct field text_item = { .name = "item", .type = F_STR,
	.max = CERTIFICATE_TEXT_MAX, .doc = "One of them." };

/* Kept: what a worker found in it.  Shown: what follows from others. */
#define KEPT	(FF_NULL | FF_READONLY | FF_KEPT)
#define SHOWN	(FF_READONLY)
#define TOLD_STR(id, text)						\
	{ .name = id, .type = F_STR, .flags = KEPT, .def = "null",	\
	  .max = CERTIFICATE_TEXT_MAX, .doc = text }
#define TOLD_INT(id, text)						\
	{ .name = id, .type = F_INT, .flags = KEPT, .def = "null",	\
	  .doc = text }
#define NO_ACME(id, kind)						\
	{ .name = id, .type = kind, .flags = FF_NULL | FF_READONLY,	\
	  .def = "null", .doc = "Always null: there is no ACME." }
#define NO_PATH(id)							\
	{ .name = id, .type = F_STR, .flags = FF_NULL | FF_READONLY,	\
	  .def = "null",						\
	  .doc = "Always null: certificates are no files here." }
#define NAME_ROW							\
	{ .name = "name", .type = F_STR, .flags = FF_REQUIRED | FF_UNIQUE, \
	  .min = 1, .max = 120, .pattern = "[A-Za-z0-9_-]+",		\
	  .pattern_message = "A name has letters, digits, _ and - only", \
	  .label = "Name", .doc = "What it is called here." }
#define TRUSTED_ROW							\
	{ .name = "add_to_trusted_store", .type = F_BOOL, .def = "false", \
	  .flags = FF_UNBUILT, .label = "Add to Trusted Store",		\
	  .doc = "Believe what it signed." }

const struct field certificate_fields[] = {
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,
	  .doc = "Id of the entry." },
	{ .name = "type", .type = F_INT, .flags = SHOWN, .def = "8",
	  .doc = "8: a certificate; 32: a request." },
	NAME_ROW,
	{ .name = "certificate", .type = F_STR, .def = "null",
	  .flags = FF_NULL, .max = CERTIFICATE_TEXT_MAX, .label = "Certificate",
	  .source = "RFC 7468", .doc = "It and its chain, PEM." },
	{ .name = "privatekey", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_SECRET, .max = KEY_TEXT_MAX,
	  .label = "Private Key", .source = "RFC 5958",
	  .doc = "Its private key, PEM; null of the machine's own." },
	{ .name = "CSR", .type = F_STR, .def = "null", .flags = FF_NULL,
	  .max = CERTIFICATE_TEXT_MAX, .label = "Signing Request",
	  .source = "RFC 2986", .doc = "The request, PEM." },
	{ .name = "passphrase", .type = F_STR, .def = "null",
	  .flags = FF_NULL | FF_SECRET | FF_UNSTORED, .max = 1023,
	  .label = "Passphrase",
	  .doc = "What the private key is encrypted with." },
	NO_ACME("acme_uri", F_STR),
	NO_ACME("domains_authenticators", F_DICT),
	{ .name = "renew_days", .type = F_INT, .def = "null", .min = 1,
	  .max = 30, .flags = FF_NULL | FF_UNBUILT, .unit = "days",
	  .doc = "Days before its end that ACME renews it: there is none." },
	NO_ACME("acme", F_DICT),
	TRUSTED_ROW,
	NO_PATH("root_path"), NO_PATH("certificate_path"),
	NO_PATH("privatekey_path"), NO_PATH("csr_path"),
	{ .name = "cert_type", .type = F_STR, .flags = SHOWN,
	  .def = "\"CERTIFICATE\"", .doc = "Always CERTIFICATE." },
	{ .name = "cert_type_existing", .type = F_BOOL, .flags = SHOWN,
	  .def = "true", .doc = "Is it a certificate?" },
	{ .name = "cert_type_CSR", .type = F_BOOL, .flags = SHOWN,
	  .def = "false", .doc = "Is it a request?" },
	{ .name = "cert_type_CA", .type = F_BOOL, .flags = SHOWN,
	  .def = "false", .doc = "Always false." },
	{ .name = "chain_list", .type = F_ARRAY, .fields = &text_item,
	  .flags = SHOWN, .def = "[]",
	  .doc = "Each certificate of it, its own first." },
	TOLD_INT("key_length", "Bits of its key."),
	TOLD_STR("key_type", "RSA, EC or ED25519."),
	TOLD_STR("country", "Of its subject."),
	TOLD_STR("state", "Of its subject."),
	TOLD_STR("city", "Of its subject."),
	TOLD_STR("organization", "Of its subject."),
	TOLD_STR("organizational_unit", "Of its subject."),
	TOLD_STR("common", "The common name of its subject."),
	{ .name = "san", .type = F_ARRAY, .fields = &text_item, .flags = KEPT,
	  .def = "null", .doc = "The names and addresses that it is for." },
	TOLD_STR("email", "Of its subject."),
	TOLD_STR("DN", "Its subject as a whole."),
	TOLD_INT("subject_name_hash", "A hash of its subject, OpenSSL's."),
	{ .name = "extensions", .type = F_DICT, .flags = FF_READONLY | FF_KEPT,
	  .def = "{}", .doc = "Its extensions as text." },
	TOLD_STR("digest_algorithm", "The hash of its signature."),
	TOLD_INT("lifetime", "Days from its beginning to its end."),
	TOLD_STR("from", "When it begins, UTC."),
	TOLD_STR("until", "When it ends, UTC."),
	TOLD_INT("serial", "Its serial number; null of a larger one."),
	{ .name = "chain", .type = F_BOOL, .flags = SHOWN | FF_NULL,
	  .def = "null", .doc = "Are there more certificates than its own?" },
	TOLD_STR("fingerprint", "Its SHA-1 fingerprint."),
	{ .name = "expired", .type = F_BOOL, .flags = SHOWN | FF_NULL,
	  .def = "null", .doc = "Is its end over?" },
	{ .name = "parsed", .type = F_BOOL, .flags = SHOWN, .def = "true",
	  .doc = "Always true: what cannot be read is not kept." },
	{ .name = "begins", .type = F_ANY, .def = "null",
	  .flags = KEPT | FF_DATE | FF_OWN, .doc = "When it begins." },
	{ .name = "ends", .type = F_ANY, .def = "null",
	  .flags = KEPT | FF_DATE | FF_OWN, .doc = "When it ends." },
	{ .name = "serial_hex", .type = F_STR, .def = "null", .max = 128,
	  .flags = KEPT | FF_OWN, .doc = "Its serial number in hex." },
	{ .name = "fingerprint_sha256", .type = F_STR, .def = "null",
	  .flags = KEPT | FF_OWN, .doc = "Its SHA-256 fingerprint." },
	{ .name = "builtin", .type = F_BOOL, .def = "false",
	  .flags = FF_READONLY | FF_KEPT | FF_OWN,
	  .doc = "Is it the machine's own, self-signed one?" },
	{ .name = "used_by", .type = F_ARRAY, .fields = &text_item,
	  .flags = SHOWN | FF_OWN, .def = "[]",
	  .doc = "The namespaces whose settings use it." },
	IF_REVISION_ROW,
	FIELD_END
};

static const struct field update_fields[] = {
	NAME_ROW, TRUSTED_ROW,
	{ .name = "renew_days", .type = F_INT, .def = "null", .min = 1,
	  .max = 30, .flags = FF_NULL | FF_UNBUILT, .unit = "days",
	  .doc = "There is no ACME." },
	IF_REVISION_ROW,
	FIELD_END
};
static const struct field update_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the certificate." },
	{ .name = "certificate_update", .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = update_fields, .model = "CertificateUpdate",
	  .doc = "What to change of it." },
	FIELD_END
};
static const struct field delete_params[] = {
	{ .name = "id", .type = F_INT, .flags = FF_REQUIRED,
	  .doc = "Id of the certificate." },
	{ .name = "force", .type = F_BOOL, .def = "false",
	  .doc = "Of no effect: what is used is not removed." },
	FIELD_END
};
const struct field certificate_shown = { .name = "result", .type = F_OBJECT,
	.fields = certificate_fields, .model = "CertificateEntry",
	.doc = "The certificate." };
static const struct field entries = { .name = "result", .type = F_ARRAY,
	.fields = &certificate_shown, .doc = "The certificates." };
static const struct field choices_result[] = {
	{ .name = "result", .type = F_DICT, .flags = FF_REQUIRED,
	  .doc = "Each as its own name." },
	FIELD_END
};
/* clang-format on */

bool
certificate_is_own(const json_t *entry)
{
	return json_bool(entry, "builtin", false);
}

int64_t
certificate_own(void)
{
	json_t *all = store_list(core_store(), certificate_resource.name);
	json_t *entry;
	int64_t id = -1;
	size_t i;

	json_array_foreach(all, i, entry)
		if (certificate_is_own(entry))
			id = json_int(entry, "id", -1);
	json_decref(all);
	return id;
}

/* --- What the page may show ------------------------------------------------ */

static bool
is_over(const json_t *entry)
{
	json_int_t ends =
	    json_int(json_object_get(entry, "ends"), "$date", INT64_MAX);

	return ends / 1000 <= time(NULL);
}

static const char *
unfit(const json_t *entry)
{
	const char *kind = json_str(entry, "key_type", "");

	if (certificate_is_own(entry))
		return NULL;
	if (!json_is_string(json_object_get(entry, "certificate")))
		return "This is a request, not yet a certificate";
	if (!json_is_string(json_object_get(entry, "privatekey")))
		return "Its private key is not here";
	if (is_over(entry))
		return "It has expired";
	/* CA/Browser Forum's rules have neither; no browser takes them. */
	if (strcmp(kind, "ED25519") == 0 ||
	    (strcmp(kind, "EC") == 0 && json_int(entry, "key_length", 0) > 384))
		return "Browsers take certificates of RSA, P-256 and P-384 "
		       "only: nobody could open the page";
	return NULL;
}

const char *
certificate_unfit(const struct change *c, int64_t id)
{
	const json_t *entry = change_view(c, &certificate_resource, id);

	return entry != NULL ? unfit(entry) : "There is none such";
}

bool
certificate_of_page(
    const struct change *c, int64_t id, const char **chainp, const char **keyp)
{
	const json_t *entry = NULL;

	*chainp = *keyp = NULL;
	if (id != -1)
		entry = change_view(c, &certificate_resource, id);
	if (id == -1 || certificate_is_own(entry))
		return true;
	*chainp = json_str(entry, "certificate", NULL);
	*keyp = json_str(entry, "privatekey", NULL);
	if (*chainp != NULL && *keyp != NULL)
		return true;
	*chainp = *keyp = NULL;
	return false;
}

json_t *
certificate_choices(void)
{
	json_t *all = store_list(core_store(), certificate_resource.name);
	json_t *choices = json_object(), *entry;
	size_t i;
	char *id;

	json_array_foreach(all, i, entry) {
		if (unfit(entry) != NULL)
			continue;
		id = xasprintf("%lld", (long long)json_int(entry, "id", 0));
		json_object_set_new(
		    choices, id, json_string(json_str(entry, "name", "")));
		free(id);
	}
	json_decref(all);
	return choices;
}

/* --- Entries as they are shown ---------------------------------------------- */

static json_t *
split(const char *chain)
{
	json_t *list = json_array();
	const char *end;

	for (; (end = strstr(chain, END_OF_ONE)) != NULL; chain = end) {
		end += strlen(END_OF_ONE);
		json_array_append_new(
		    list, json_stringn(chain, (size_t)(end - chain)));
	}
	return list;
}

static json_t *
used_by(const json_t *entry)
{
	const json_t *general =
	    store_get(core_store(), general_resource.name, 1);
	json_int_t of_page = json_int(general, "ui_certificate", -1);

	if (of_page == json_int(entry, "id", 0) ||
	    (of_page == -1 && certificate_is_own(entry)))
		return json_pack("[s]", general_resource.name);
	return json_array();
}

static void
extend(json_t *entry)
{
	bool request;
	json_t *list;

	if (certificate_is_own(entry))
		json_object_update(
		    entry, (json_t *)(uintptr_t)certificate_own_told());
	request = json_is_string(json_object_get(entry, "CSR"));
	list = split(json_str(entry, "certificate", ""));
	json_object_set_new(entry, "type",
	    json_integer(request ? TYPE_REQUEST : TYPE_EXISTING));
	json_object_set_new(entry, "cert_type_CSR", json_boolean(request));
	json_object_set_new(
	    entry, "cert_type_existing", json_boolean(!request));
	json_object_set_new(entry, "chain",
	    request ? json_null() : json_boolean(json_array_size(list) > 1));
	json_object_set_new(entry, "chain_list", list);
	json_object_set_new(entry, "expired",
	    request ? json_null() : json_boolean(is_over(entry)));
	json_object_set_new(entry, "used_by", used_by(entry));
}

static void
changed(void)
{
	general_certificate();
	certificate_watch();
}

static const struct resource *const extended_from[] = { &general_resource,
	NULL };

/* --- Methods -------------------------------------------------------------- */

static char *
create_lock(const json_t *params)
{
	(void)params;
	return xstrdup("cert_create");
}

static char *
update_lock(const json_t *params)
{
	(void)params;
	return xstrdup("cert_update");
}

static char *
delete_lock(const json_t *params)
{
	(void)params;
	return xstrdup("cert_delete");
}

static char *
name_suffix(const json_t *params)
{
	const char *name = json_str(json_array_get(params, 0), "name", NULL);

	return name != NULL ? xstrdup(name) : NULL;
}

static char *
id_suffix(const json_t *params)
{
	const json_t *stored = NULL;

	if (core_store() != NULL)
		stored = store_get(core_store(), certificate_resource.name,
		    json_integer_value(json_array_get(params, 0)));
	return stored != NULL ? xstrdup(json_str(stored, "name", "")) : NULL;
}

static const char *const read_roles[] = { "CERTIFICATE_READ", NULL };
static const char *const write_roles[] = { "CERTIFICATE_WRITE", NULL };
static const char *const choices_roles[] = { "CERTIFICATE_READ",
	"READONLY_ADMIN", NULL };

/* clang-format off */
#define CHOICES(id, text, function)					\
	{ .name = "certificate." id, .kind = KIND_CHOICES,		\
	  .auth = AUTH_ROLE, .roles = choices_roles,			\
	  .result = choices_result, .doc = text, .run = function }

static const struct method methods[] = {
	{ .name = "certificate.create", .kind = KIND_CREATE,
	  .auth = AUTH_ROLE, .roles = write_roles, .job = true,
	  .job_lock = create_lock, .params = certificate_create_params,
	  .result = &certificate_shown, .audit = "Certificate create:",
	  .audit_suffix = name_suffix,
	  .doc = "Keeps a certificate or a request, or makes a request.",
	  .run = certificate_create_run },
	{ .name = "certificate.delete", .kind = KIND_DELETE,
	  .auth = AUTH_ROLE, .roles = write_roles, .job = true,
	  .job_lock = delete_lock, .params = delete_params,
	  .audit = "Certificate delete:", .audit_suffix = id_suffix,
	  .doc = "Removes a certificate or a request.",
	  .run = resource_delete_run },
	CHOICES("ec_curve_choices", "The curves that keys are made on.",
	    certificate_curves_run),
	CHOICES("extended_key_usage_choices",
	    "The uses that a request may ask for.", certificate_usages_run),
	{ .name = "certificate.get_instance", .kind = KIND_INSTANCE,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = instance_params,
	  .result = &certificate_shown, .doc = "One certificate.",
	  .run = resource_instance_run },
	{ .name = "certificate.query", .kind = KIND_QUERY,
	  .auth = AUTH_ROLE, .roles = read_roles, .params = query_params,
	  .result = &entries, .doc = "The certificates and requests there are.",
	  .run = resource_query_run },
	{ .name = "certificate.update", .kind = KIND_UPDATE,
	  .auth = AUTH_ROLE, .roles = write_roles, .job = true,
	  .job_lock = update_lock, .params = update_params,
	  .result = &certificate_shown, .audit = "Certificate update:",
	  .audit_suffix = id_suffix, .doc = "Changes what it is called.",
	  .run = resource_update_run },
	METHOD_END
};

const struct resource certificate_resource = {
	.name = "certificate", .doc = "Certificates and their private keys.",
	.kind = RESOURCE_CRUD, .role_prefix = "CERTIFICATE",
	.verbose_name = "Certificate", .methods = methods,
	.fields = certificate_fields, .check = certificate_check,
	.lookup = certificate_lookup, .gather = certificate_gather,
	.extend = extend, .extended_from = extended_from,
	.shown_seconds = SHOWN_SECONDS, .changed = changed
};
/* clang-format on */
