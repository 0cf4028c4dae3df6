/*
 * certificate.create: what is given is kept as a change reads it; a request is
 * made by a worker first, before the change has its turn.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/core.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/certificate.h"
#include "system/certificate_internal.h"

#define PREFIX "certificate_create"
#define NAMES_MAX 64
#define PART_MAX 64 /* characters, RFC 5280 appendix A.1 */

#define IMPORTED "CERTIFICATE_CREATE_IMPORTED"
#define REQUEST "CERTIFICATE_CREATE_CSR"
#define IMPORTED_REQUEST "CERTIFICATE_CREATE_IMPORTED_CSR"
#define ACME "CERTIFICATE_CREATE_ACME"

/* clang-format off */
static const char *const types[] = { IMPORTED, REQUEST, IMPORTED_REQUEST,
	ACME, NULL };
static const char *const key_types[] = { "RSA", "EC", NULL };
static const char *const digests[] = { "SHA224", "SHA256", "SHA384", "SHA512",
	NULL };

/* In the API, and in OpenSSL. */
static const struct {
	const char *name, *group;
} curves[] = {
	{ "SECP256R1", "prime256v1" }, { "SECP384R1", "secp384r1" },
	{ "SECP521R1", "secp521r1" }, { "ed25519", "ED25519" },
};
static const char *const curve_names[] = { "SECP256R1", "SECP384R1",
	"SECP521R1", "ed25519", NULL };

/* In the API, and as of x509v3_config(5). */
static const struct word {
	const char *name, *text;
} uses[] = {
	{ "digital_signature", "digitalSignature" },
	{ "content_commitment", "nonRepudiation" },
	{ "key_encipherment", "keyEncipherment" },
	{ "data_encipherment", "dataEncipherment" },
	{ "key_agreement", "keyAgreement" },
	{ "key_cert_sign", "keyCertSign" },
	{ "crl_sign", "cRLSign" },
	{ "encipher_only", "encipherOnly" },
	{ "decipher_only", "decipherOnly" },
}, usages[] = {
	{ "ANY_EXTENDED_KEY_USAGE", "anyExtendedKeyUsage" },
	{ "CERTIFICATE_TRANSPARENCY", "1.3.6.1.4.1.11129.2.4.4" },
	{ "CLIENT_AUTH", "clientAuth" },
	{ "CODE_SIGNING", "codeSigning" },
	{ "EMAIL_PROTECTION", "emailProtection" },
	{ "IPSEC_IKE", "1.3.6.1.5.5.7.3.17" },
	{ "KERBEROS_PKINIT_KDC", "1.3.6.1.5.2.3.5" },
	{ "OCSP_SIGNING", "OCSPSigning" },
	{ "SERVER_AUTH", "serverAuth" },
	{ "SMARTCARD_LOGON", "1.3.6.1.4.1.311.20.2.2" },
	{ "TIME_STAMPING", "timeStamping" },
};
static const char *const usage_names[] = { "ANY_EXTENDED_KEY_USAGE",
	"CERTIFICATE_TRANSPARENCY", "CLIENT_AUTH", "CODE_SIGNING",
	"EMAIL_PROTECTION", "IPSEC_IKE", "KERBEROS_PKINIT_KDC", "OCSP_SIGNING",
	"SERVER_AUTH", "SMARTCARD_LOGON", "TIME_STAMPING", NULL };
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define FLAG(id, text) { .name = id, .type = F_BOOL, .def = "false",	\
	.doc = text }
#define ENABLED FLAG("enabled", "Is it in the request at all?")
#define CRITICAL FLAG("extension_critical",				\
	"Who does not know it refuses the certificate.")

static const struct field basic[] = {
	ENABLED,
	FLAG("ca", "It may sign certificates."),
	{ .name = "path_length", .type = F_INT, .def = "null", .min = 0,
	  .max = 100, .flags = FF_NULL,
	  .doc = "How many authorities may be below it." },
	CRITICAL, FIELD_END
};
static const struct field extended[] = {
	ENABLED,
	{ .name = "usages", .type = F_ENUMV, .choices = usage_names,
	  .def = "[]", .doc = "What it is for." },
	CRITICAL, FIELD_END
};
static const struct field usage[] = {
	ENABLED,
	FLAG("digital_signature", "Signs."),
	FLAG("content_commitment", "Signs what its owner stands for."),
	FLAG("key_encipherment", "Encrypts keys."),
	FLAG("data_encipherment", "Encrypts data."),
	FLAG("key_agreement", "Agrees on keys."),
	FLAG("key_cert_sign", "Signs certificates."),
	FLAG("crl_sign", "Signs lists of revoked certificates."),
	FLAG("encipher_only", "Key agreement to encrypt only."),
	FLAG("decipher_only", "Key agreement to decrypt only."),
	CRITICAL, FIELD_END
};
static const struct field extensions[] = {
	{ .name = "BasicConstraints", .type = F_OBJECT, .fields = basic,
	  .model = "BasicConstraintsModel", .def = "{}",
	  .doc = "Is it an authority's?" },
	{ .name = "ExtendedKeyUsage", .type = F_OBJECT, .fields = extended,
	  .model = "ExtendedKeyUsageModel", .def = "{}",
	  .doc = "What it is for." },
	{ .name = "KeyUsage", .type = F_OBJECT, .fields = usage,
	  .model = "KeyUsageModel", .def = "{}",
	  .doc = "What its key does." },
	FIELD_END
};
static const struct field name_item = { .name = "item", .type = F_STR,
	.min = 1, .max = 253, .pattern = "[A-Za-z0-9*._:@+-]+",
	.pattern_message = "This is no name or address",
	.doc = "A name, an address, or of email." };

#define PART(id, text, named) { .name = id, .type = F_STR, .def = "null", \
	.min = 1, .max = PART_MAX, .flags = FF_NULL, .doc = text, .label = named }

static const struct field create_fields[] = {
	{ .name = "name", .type = F_STR, .flags = FF_REQUIRED, .min = 1,
	  .max = 120, .pattern = "[A-Za-z0-9_-]+",
	  .pattern_message = "A name has letters, digits, _ and - only",
	  .label = "Name", .doc = "What it is called here." },
	{ .name = "create_type", .type = F_ENUM, .choices = types,
	  .flags = FF_REQUIRED, .label = "Type",
	  .doc = "What is given, or made; there is no ACME." },
	{ .name = "add_to_trusted_store", .type = F_BOOL, .def = "false",
	  .label = "Add to Trusted Store",
	  .doc = "Believe what it signed: refused." },
	{ .name = "certificate", .type = F_STR, .def = "null", .min = 1,
	  .flags = FF_NULL, .max = CERTIFICATE_TEXT_MAX, .label = "Certificate",
	  .doc = "It, then whose signed it, and so on: PEM." },
	{ .name = "privatekey", .type = F_STR, .def = "null", .min = 1,
	  .flags = FF_NULL | FF_SECRET, .max = KEY_TEXT_MAX,
	  .label = "Private Key",
	  .doc = "Its private key, PEM; null: that of the request csr_id." },
	{ .name = "CSR", .type = F_STR, .def = "null", .min = 1,
	  .flags = FF_NULL, .max = CERTIFICATE_TEXT_MAX,
	  .label = "Signing Request", .doc = "A request, PEM." },
	{ .name = "key_length", .type = F_INT, .def = "null",
	  .flags = FF_NULL, .min = 2048, .max = 4096, .unit = "bits",
	  .label = "Key Length", .doc = "Of RSA: 2048, 3072 or 4096." },
	{ .name = "key_type", .type = F_ENUM, .choices = key_types,
	  .def = "\"RSA\"", .label = "Key Type", .doc = "Of a request." },
	{ .name = "ec_curve", .type = F_ENUM, .choices = curve_names,
	  .def = "\"SECP384R1\"", .label = "EC Curve",
	  .doc = "Of EC; browsers take the first two." },
	{ .name = "passphrase", .type = F_STR, .def = "null", .min = 1,
	  .flags = FF_NULL | FF_SECRET, .max = 1023, .label = "Passphrase",
	  .doc = "What the private key is encrypted with." },
	PART("country", "Of the subject: two letters.", "Country"),
	PART("state", "Of the subject.", "State"),
	PART("city", "Of the subject.", "Locality"),
	PART("organization", "Of the subject.", "Organization"),
	PART("organizational_unit", "Of the subject.", "Organizational Unit"),
	PART("common", "Of the subject; names belong into san.",
	    "Common Name"),
	PART("email", "Of the subject.", "Email"),
	{ .name = "digest_algorithm", .type = F_ENUM, .choices = digests,
	  .def = "\"SHA256\"", .label = "Digest Algorithm",
	  .doc = "The hash of the request's signature." },
	{ .name = "san", .type = F_ARRAY, .fields = &name_item, .def = "[]",
	  .max = NAMES_MAX, .label = "Subject Alternative Name",
	  .doc = "The names and addresses that it is for." },
	{ .name = "cert_extensions", .type = F_OBJECT, .fields = extensions,
	  .model = "CertificateExtensions", .def = "{}",
	  .doc = "What the request asks for." },
	{ .name = "csr_id", .type = F_INT, .def = "null", .flags = FF_NULL,
	  .label = "Signing Request",
	  .doc = "The request whose answer it is: its key is taken." },
	FIELD_END
};
const struct field certificate_create_params[] = {
	{ .name = PREFIX, .type = F_OBJECT, .flags = FF_REQUIRED,
	  .fields = create_fields, .model = "CertificateCreateArgs",
	  .doc = "The new one." },
	FIELD_END
};
/* clang-format on */

/* --- Making a request ------------------------------------------------------ */

/* "critical,a,b", or "" where it is not wanted; malloc'd. */
static void
put_setting(struct wire_out *out, const json_t *given, const json_t *words)
{
	bool critical = json_bool(given, "extension_critical", false);
	char *text = xstrdup(""), *longer;
	const json_t *word;
	size_t i;

	json_array_foreach(words, i, word) {
		longer = xasprintf("%s%s%s", text,
		    *text != '\0'          ? "," :
			critical && i == 0 ? "critical," :
					     "",
		    json_string_value(word));
		free(text);
		text = longer;
	}
	wire_put_str(out, json_bool(given, "enabled", false) ? text : "");
	free(text);
}

static json_t *
basic_words(const json_t *given)
{
	json_int_t length = json_int(given, "path_length", -1);
	json_t *words = json_array();

	json_array_append_new(words,
	    json_string(
		json_bool(given, "ca", false) ? "CA:TRUE" : "CA:FALSE"));
	if (length >= 0)
		json_array_append_new(
		    words, json_sprintf("pathlen:%lld", (long long)length));
	return words;
}

static json_t *
use_words(const json_t *given)
{
	json_t *words = json_array();
	size_t i;

	for (i = 0; i < COUNT(uses); i++)
		if (json_bool(given, uses[i].name, false))
			json_array_append_new(words, json_string(uses[i].text));
	return words;
}

static json_t *
usage_words(const json_t *given)
{
	const json_t *list = json_object_get(given, "usages"), *one;
	json_t *words = json_array();
	size_t i, k;

	json_array_foreach(list, i, one)
		for (k = 0; k < COUNT(usages); k++)
			if (strcmp(usages[k].name, json_string_value(one)) == 0)
				json_array_append_new(
				    words, json_string(usages[k].text));
	return words;
}

static void
put_settings(struct wire_out *out, const json_t *given)
{
	static const struct {
		const char *name;
		json_t *(*words)(const json_t *);
	} all[] = { { "BasicConstraints", basic_words },
		{ "KeyUsage", use_words },
		{ "ExtendedKeyUsage", usage_words } };
	const json_t *one;
	json_t *words;
	size_t i;

	for (i = 0; i < COUNT(all); i++) {
		one = json_object_get(given, all[i].name);
		words = all[i].words(one);
		put_setting(out, one, words);
		json_decref(words);
	}
}

static const char *
kind_of(const json_t *given)
{
	const char *curve = json_str(given, "ec_curve", "");
	size_t i;

	if (strcmp(json_str(given, "key_type", ""), "EC") != 0)
		return "RSA";
	for (i = 0; i < COUNT(curves); i++)
		if (strcmp(curves[i].name, curve) == 0)
			return curves[i].group;
	return "";
}

static void
submit(struct call *call, json_t *data)
{
	json_object_set(
	    data, "name", json_object_get(call_param(call, 0), "name"));
	change_submit(
	    call, &certificate_resource, CHANGE_CREATE, -1, data, NULL);
	json_decref(data);
}

static void
made(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	struct wire_in in = reply->body;
	char *request, *key;

	if (reply->error != 0) {
		call_fail(call, reply->error, "%s", reply->text);
		return;
	}
	request = wire_get_str(&in, CERTIFICATE_TEXT_MAX);
	key = wire_get_str(&in, KEY_TEXT_MAX);
	if (wire_end(&in) == 0)
		submit(call,
		    json_pack("{s:s, s:s}", "CSR", request, "privatekey", key));
	else
		call_fail(call, EIO, "The request could not be made");
	free(request);
	freezero_str(key);
}

static void
make(struct call *call)
{
	static const char *const parts[CERTIFICATE_PARTS] = { "country",
		"state", "city", "organization", "organizational_unit",
		"common", "email" };
	const json_t *given = call_param(call, 0), *one;
	const json_t *names = json_object_get(given, "san");
	struct wire_out out = { 0 };
	size_t i;

	wire_put_str(&out, kind_of(given));
	wire_put_u32(&out, (uint32_t)json_int(given, "key_length", 2048));
	wire_put_str(&out, json_str(given, "digest_algorithm", ""));
	for (i = 0; i < CERTIFICATE_PARTS; i++)
		wire_put_str(&out, json_str(given, parts[i], ""));
	wire_put_u32(&out, (uint32_t)json_array_size(names));
	json_array_foreach(names, i, one)
		wire_put_str(&out, json_string_value(one));
	put_settings(&out, json_object_get(given, "cert_extensions"));
	op_worker(TASK_CERTIFICATE_REQUEST, &out, made, call);
	wire_free(&out);
}

/* --- What is given ---------------------------------------------------------- */

static bool
is_type(const json_t *given, const char *type)
{
	return strcmp(json_str(given, "create_type", ""), type) == 0;
}

static void
need(struct verr *errors, const json_t *given, const char *member)
{
	if (!json_is_string(json_object_get(given, member)))
		verr_add(errors, member, "Field required");
}

static void
check_request(struct verr *errors, const json_t *given)
{
	const char *country = json_str(given, "country", "AA");
	json_int_t bits = json_int(given, "key_length", 2048);

	need(errors, given, "common");
	if (json_array_size(json_object_get(given, "san")) == 0)
		verr_add(errors, "san",
		    "Browsers look at these names only: one is needed");
	if (strlen(country) != 2)
		verr_add(errors, "country", "It has two letters");
	if (bits != 2048 && bits != 3072 && bits != 4096)
		verr_add(errors, "key_length", "It is 2048, 3072 or 4096");
}

/* The key of the request that it answers, borrowed. */
static const char *
key_of_request(struct verr *errors, const json_t *given)
{
	json_int_t id = json_int(given, "csr_id", -1);
	const json_t *request;
	const char *key;

	if (id == -1)
		return NULL;
	request = store_get(core_store(), certificate_resource.name, id);
	key = json_is_string(json_object_get(request, "CSR")) ?
	    json_str(request, "privatekey", NULL) :
	    NULL;
	if (key == NULL)
		verr_add(errors, "csr_id",
		    "There is no request with the id %lld and a private key",
		    (long long)id);
	return key;
}

static void
check(struct verr *errors, const json_t *given)
{
	if (json_bool(given, "add_to_trusted_store", false))
		verr_add(errors, "add_to_trusted_store",
		    "This setting has no effect in this version of Holdfast "
		    "and cannot be changed yet");
	if (is_type(given, ACME))
		verr_add(errors, "create_type",
		    "This version of Holdfast has no ACME");
	if (is_type(given, REQUEST))
		check_request(errors, given);
	if (is_type(given, IMPORTED))
		need(errors, given, "certificate");
	if (is_type(given, IMPORTED_REQUEST))
		need(errors, given, "CSR");
	if (is_type(given, IMPORTED_REQUEST) ||
	    (is_type(given, IMPORTED) &&
		key_of_request(errors, given) == NULL &&
		json_int(given, "csr_id", -1) == -1))
		need(errors, given, "privatekey");
}

/* The members of the new entry. */
static json_t *
given_entry(const json_t *given)
{
	const char *text = is_type(given, IMPORTED) ? "certificate" : "CSR";
	json_t *data = json_object();
	const char *key = json_str(given, "privatekey", NULL);

	if (key == NULL) {
		key =
		    json_str(store_get(core_store(), certificate_resource.name,
				 json_int(given, "csr_id", -1)),
			"privatekey", "");
		json_object_set_new(data, "passphrase", json_null());
	} else
		json_object_set(
		    data, "passphrase", json_object_get(given, "passphrase"));
	json_object_set(data, text, json_object_get(given, text));
	json_object_set_new(data, "privatekey", json_string(key));
	return data;
}

void
certificate_create_run(struct call *call)
{
	const json_t *given = call_param(call, 0);
	struct verr *errors;

	if (core_store() == NULL) {
		call_fail(call, EIO, "%s", core_store_refused());
		return;
	}
	errors = verr_new();
	verr_prefix(errors, PREFIX);
	check(errors, given);
	if (verr_any(errors)) {
		call_fail_invalid(call, errors);
		return;
	}
	verr_free(errors);
	if (is_type(given, REQUEST))
		make(call);
	else
		submit(call, given_entry(given));
}

/* --- Choices ---------------------------------------------------------------- */

static json_t *
choices(const char *const *names)
{
	json_t *all = json_object();

	for (; *names != NULL; names++)
		json_object_set_new(all, *names, json_string(*names));
	return all;
}

void
certificate_curves_run(struct call *call)
{
	call_reply(call, choices(curve_names));
}

void
certificate_usages_run(struct call *call)
{
	call_reply(call, choices(usage_names));
}
