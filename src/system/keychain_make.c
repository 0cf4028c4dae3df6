/*
 * keychaincredential.generate_ssh_key_pair: a worker makes the keys.  The API
 * has no parameter for it; ours says of which type.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/op.h"
#include "core/turn.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "system/keychain_internal.h"

#define COMMENT "holdfast"
#define RSA_BITS_MIN 3072
#define RSA_BITS_MAX 8192 /* more take minutes to make */

/* clang-format off */
static const char *const key_types[] = { "ED25519", "ECDSA", "RSA", NULL };
static const struct {
	const char *type;
	int64_t bits; /* -1: any */
	int64_t usual;
	const char *name; /* RFC 4253, 5656, 8709 */
} kinds[] = {
	{ "ED25519", 0, 0, "ssh-ed25519" },
	{ "ECDSA", 256, 256, "ecdsa-sha2-nistp256" },
	{ "ECDSA", 384, 256, "ecdsa-sha2-nistp384" },
	{ "ECDSA", 521, 256, "ecdsa-sha2-nistp521" },
	{ "RSA", -1, 4096, "ssh-rsa" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct field options[] = {
	{ .name = "type", .type = F_ENUM, .choices = key_types,
	  .def = "\"ED25519\"", .label = "Type",
	  .doc = "Which kind of keys." },
	{ .name = "bits", .type = F_INT, .def = "null", .flags = FF_NULL,
	  .unit = "bits", .min = 256, .max = RSA_BITS_MAX, .label = "Bits",
	  .doc = "RSA: 3072 or more; ECDSA: 256, 384 or 521; null: 4096, 256." },
	FIELD_END
};
const struct field keychain_generate_params[] = {
	{ .name = "options", .type = F_OBJECT, .fields = options,
	  .flags = FF_OWN, .def = "{}", .doc = "Which keys to make." },
	FIELD_END
};
static const struct field pair_fields[] = {
	{ .name = "private_key", .type = F_STR, .max = STRING_LONG,
	  .flags = FF_REQUIRED, .doc = "The private key; kept nowhere here." },
	{ .name = "public_key", .type = F_STR, .max = STRING_LONG,
	  .flags = FF_REQUIRED, .doc = "The public key." },
	FIELD_END
};
const struct field keychain_generated = { .name = "result", .type = F_OBJECT,
	.fields = pair_fields, .flags = FF_REQUIRED,
	.model = "KeychainCredentialGenerateSshKeyPairResult",
	.doc = "The two keys." };
/* clang-format on */

static struct turns turns = { .at_once = 2 };

bool
keychain_enter(struct call *call, void (*begin)(void *))
{
	if (turn_enter(&turns, NULL, call_user(call), begin, call) == 0)
		return true;
	call_fail(call, EBUSY, "Too many keys and connections at once");
	return false;
}

void
keychain_leave(void)
{
	turn_leave(&turns);
}

json_t *
keychain_made(const struct op_reply *reply)
{
	struct wire_in in = reply->body;
	json_t *pair = NULL;
	char *private, *public, *line;

	if (reply->error != 0)
		return NULL;
	private = wire_get_str(&in, KEY_TEXT_MAX);
	public = wire_get_str(&in, KEY_TEXT_MAX);
	if (wire_end(&in) == 0) {
		line = xasprintf("%s %s", public, COMMENT);
		pair = json_pack(
		    "{s:s, s:s}", "private_key", private, "public_key", line);
		free(line);
	}
	freezero_str(private);
	free(public);
	return pair;
}

static void
made(const struct op_reply *reply, void *arg)
{
	struct call *call = arg;
	json_t *pair = keychain_made(reply);

	keychain_leave();
	if (pair != NULL)
		call_reply(call, pair);
	else
		call_fail(call, reply->error != 0 ? reply->error : EIO,
		    "The keys could not be made: %s", reply->text);
}

/* An index of kinds; their number: there is none such. */
static size_t
kind_of(const char *type, int64_t bits)
{
	int64_t known;
	size_t i;

	for (i = 0; i < KINDS; i++) {
		known = kinds[i].bits;
		if (strcmp(kinds[i].type, type) != 0)
			continue;
		if (bits == -1      ? known == -1 || known == kinds[i].usual :
			known == -1 ? bits >= RSA_BITS_MIN :
				      bits == known)
			break;
	}
	return i;
}

static void
generate(void *arg)
{
	struct call *call = arg;
	const json_t *given = call_param(call, 0);
	int64_t bits = json_int(given, "bits", -1);
	size_t kind = kind_of(json_str(given, "type", ""), bits);
	struct wire_out body = { 0 };

	wire_put_str(&body, kinds[kind].name);
	wire_put_u32(&body, (uint32_t)(bits != -1 ? bits : kinds[kind].usual));
	op_worker(TASK_KEY_MAKE, &body, made, call);
	wire_free(&body);
}

void
keychain_generate_run(struct call *call)
{
	const json_t *given = call_param(call, 0);
	const char *type = json_str(given, "type", "");

	if (kind_of(type, json_int(given, "bits", -1)) == KINDS)
		call_fail_attribute(call, EINVAL, "options.bits",
		    "%s keys are not made with so many bits", type);
	else
		keychain_enter(call, generate);
}
