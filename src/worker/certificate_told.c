/*
 * What a certificate or a request says, for people and programs: by the names
 * and in the forms of certificate.query.  All of it is somebody else's text.
 */
#include "worker/certificate.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include "lib/json.h"
#include "lib/xalloc.h"

#define EXTENSIONS_MAX 32
#define NAMES_MAX 256 /* of a subject alternative name */
#define SERIAL_BYTES 32 /* RFC 5280 section 4.1.2.2: 20 at most */
#define DAY (24 * 60 * 60)

/* clang-format off */
static const struct {
	int type;
	const char *group; /* of a curve; NULL: any */
	int least, most; /* bits */
	const char *name;
} kinds[] = {
	{ EVP_PKEY_RSA, NULL, 2048, 8192, "RSA" },
	{ EVP_PKEY_EC, "prime256v1", 256, 256, "EC" },
	{ EVP_PKEY_EC, "secp384r1", 384, 384, "EC" },
	{ EVP_PKEY_EC, "secp521r1", 521, 521, "EC" },
	{ EVP_PKEY_ED25519, NULL, 253, 256, "ED25519" },
};

static const struct {
	const char *member;
	int nid;
} parts[] = {
	{ "country", NID_countryName },
	{ "state", NID_stateOrProvinceName },
	{ "city", NID_localityName },
	{ "organization", NID_organizationName },
	{ "organizational_unit", NID_organizationalUnitName },
	{ "common", NID_commonName },
	{ "email", NID_pkcs9_emailAddress },
};
/* clang-format on */

const char *
certificate_key_kind(const EVP_PKEY *key)
{
	char group[64] = "";
	size_t i, len;
	int bits;

	if (key == NULL)
		return NULL;
	bits = EVP_PKEY_get_bits(key);
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
		EVP_PKEY_get_group_name(key, group, sizeof(group), &len);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].type == EVP_PKEY_get_base_id(key) &&
		    (kinds[i].group == NULL ||
			strcmp(kinds[i].group, group) == 0) &&
		    bits >= kinds[i].least && bits <= kinds[i].most)
			return kinds[i].name;
	return NULL;
}

/* Null where it is no text. */
static void
tell(json_t *told, const char *member, const char *text, size_t len)
{
	json_t *value = NULL;

	/* A NUL within is how one name is made to look like another. */
	if (memchr(text, '\0', len) == NULL)
		value = json_stringn(text, len);
	json_object_set_new(told, member, value != NULL ? value : json_null());
}

/* What was written to it, as text; it is freed. */
static json_t *
text_of(BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);
	json_t *text = NULL;

	if (len > 0 && memchr(data, '\0', (size_t)len) == NULL)
		text = json_stringn(data, (size_t)len);
	BIO_free(bio);
	return text;
}

static void
tell_subject(json_t *told, const X509_NAME *name)
{
	const X509_NAME_ENTRY *entry;
	unsigned char *text;
	size_t i;
	char *line;
	int at, len;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		json_object_set_new(told, parts[i].member, json_null());
		at = X509_NAME_get_index_by_NID(name, parts[i].nid, -1);
		entry = X509_NAME_get_entry(name, at);
		if (entry == NULL)
			continue;
		len =
		    ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
		if (len >= 0) {
			tell(told, parts[i].member, (char *)text, (size_t)len);
			OPENSSL_free(text);
		}
	}
	line = X509_NAME_oneline(name, NULL, 0);
	if (line != NULL)
		tell(told, "DN", line, strlen(line));
	OPENSSL_free(line);
}

static void
tell_names(json_t *told, const STACK_OF(X509_EXTENSION) * extensions)
{
	GENERAL_NAMES *names =
	    X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
	json_t *list = json_array(), *text;
	BIO *bio;
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names) && i < NAMES_MAX; i++) {
		if ((bio = BIO_new(BIO_s_mem())) == NULL)
			break;
		GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, i));
		if ((text = text_of(bio)) != NULL)
			json_array_append_new(list, text);
	}
	GENERAL_NAMES_free(names);
	json_object_set_new(told, "san", list);
}

static void
tell_extensions(json_t *told, const STACK_OF(X509_EXTENSION) * extensions)
{
	json_t *all = json_object(), *text;
	X509_EXTENSION *one;
	char name[80];
	BIO *bio;
	int i;

	for (i = 0; i < sk_X509_EXTENSION_num(extensions) && i < EXTENSIONS_MAX;
	     i++) {
		one = sk_X509_EXTENSION_value(extensions, i);
		snprintf(name, sizeof(name), "%s",
		    OBJ_nid2sn(OBJ_obj2nid(X509_EXTENSION_get_object(one))));
		name[0] = (char)toupper((unsigned char)name[0]);
		if ((bio = BIO_new(BIO_s_mem())) == NULL)
			break;
		X509V3_EXT_print(bio, one, X509V3_EXT_PARSE_UNKNOWN, 0);
		if ((text = text_of(bio)) != NULL)
			json_object_set_new(all, name, text);
	}
	json_object_set_new(told, "extensions", all);
}

static void
tell_key(json_t *told, const EVP_PKEY *key)
{
	const char *kind = certificate_key_kind(key);

	json_object_set_new(
	    told, "key_type", kind != NULL ? json_string(kind) : json_null());
	json_object_set_new(told, "key_length",
	    kind != NULL ? json_integer(EVP_PKEY_get_bits(key)) : json_null());
}

/* The hash, as people say it: "SHA256". */
static void
tell_digest(json_t *told, int signature)
{
	int hash = NID_undef;

	OBJ_find_sigid_algs(signature, &hash, NULL);
	json_object_set_new(told, "digest_algorithm",
	    hash != NID_undef ? json_string(OBJ_nid2sn(hash)) : json_null());
}

json_t *
certificate_request_told(X509_REQ *request)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
	json_t *told = json_object();

	tell_subject(told, X509_REQ_get_subject_name(request));
	tell_names(told, extensions);
	tell_extensions(told, extensions);
	tell_key(told, X509_REQ_get0_pubkey(request));
	tell_digest(told, X509_REQ_get_signature_nid(request));
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return told;
}

/* --- What a certificate says besides --------------------------------------- */

/* "Sun Nov 22 02:00:00 2026", as the API has it, and when that is. */
static time_t
tell_time(
    json_t *told, const char *member, const char *date, const ASN1_TIME *time)
{
	char text[64] = "";
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return 0;
	strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm);
	json_object_set_new(told, member, json_string(text));
	json_object_set_new(told, date, json_date(timegm(&tm)));
	return timegm(&tm);
}

static void
tell_fingerprint(
    json_t *told, const char *member, const X509 *certificate, const EVP_MD *md)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char text[3 * EVP_MAX_MD_SIZE + 1] = "";
	unsigned int len = 0, i;

	if (X509_digest(certificate, md, hash, &len) != 1)
		len = 0;
	for (i = 0; i < len; i++)
		snprintf(&text[3 * (size_t)i], 4, "%02X:", hash[i]);
	if (len > 0)
		text[3 * (size_t)len - 1] = '\0';
	json_object_set_new(
	    told, member, len > 0 ? json_string(text) : json_null());
}

/* A number where JSON readers have room for it; the digits in any case. */
static void
tell_serial(json_t *told, const X509 *certificate)
{
	BIGNUM *number =
	    ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
	json_t *value = json_null();
	char *hex;

	json_object_set_new(told, "serial_hex", json_null());
	if (number != NULL && BN_num_bytes(number) <= SERIAL_BYTES &&
	    (hex = BN_bn2hex(number)) != NULL) {
		tell(told, "serial_hex", hex, strlen(hex));
		if (BN_num_bits(number) < 63)
			value = json_integer(strtoll(hex, NULL, 16));
		OPENSSL_free(hex);
	}
	json_object_set_new(told, "serial", value);
	BN_free(number);
}

json_t *
certificate_told(const X509 *certificate)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	const STACK_OF(X509_EXTENSION) *extensions =
	    X509_get0_extensions(certificate);
	json_t *told = json_object();
	time_t from, until;

	tell_subject(told, subject);
	tell_names(told, extensions);
	tell_extensions(told, extensions);
	tell_key(told, X509_get0_pubkey(certificate));
	tell_digest(told, X509_get_signature_nid(certificate));
	from =
	    tell_time(told, "from", "begins", X509_get0_notBefore(certificate));
	until =
	    tell_time(told, "until", "ends", X509_get0_notAfter(certificate));
	json_object_set_new(
	    told, "lifetime", json_integer((until - from) / DAY));
	json_object_set_new(told, "subject_name_hash",
	    json_integer(
		(json_int_t)X509_NAME_hash_ex(subject, NULL, NULL, NULL)));
	tell_fingerprint(told, "fingerprint", certificate, EVP_sha1());
	tell_fingerprint(told, "fingerprint_sha256", certificate, EVP_sha256());
	tell_serial(told, certificate);
	return told;
}
