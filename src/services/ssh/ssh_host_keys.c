/*
 * The host keys as core knows them: see ssh_host_keys.h.
 */
#include "services/ssh/ssh_host_keys.h"

#include <stdlib.h>
#include <string.h>

#include "core/alert.h"
#include "core/call.h"
#include "core/core.h"
#include "lib/json.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_fields.h"
#include "services/ssh/ssh_host_cert.h"
#include "services/ssh/ssh_installed.h"
#include "services/ssh/ssh_learn.h"

#define TEXT_MAX 8192
#define DAMAGED "SshHostKeyDamaged"

/* clang-format off */
static const struct field entry_fields[] = {
	{ .name = "type", .type = F_ENUM, .flags = FF_REQUIRED,
	  .choices = ssh_host_key_types, .doc = "Its type." },
	{ .name = "replaces", .type = F_BOOL, .flags = FF_REQUIRED,
	  .doc = "Is it a new one, which sshd does not prove itself by yet?" },
	{ .name = "public_key", .type = F_STR, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "As known_hosts has it; null: it is not to be had." },
	{ .name = "problem", .type = F_STR, .flags = FF_REQUIRED | FF_NULL,
	  .doc = "Why sshd could not load it; null: it could." },
	{ .name = "certificate", .type = F_OBJECT,
	  .flags = FF_REQUIRED | FF_NULL, .fields = ssh_host_cert_fields,
	  .doc = "What its certificate says; null: it has none." },
	FIELD_END
};
static const struct field entry_row = { .name = "item", .type = F_OBJECT,
	.fields = entry_fields, .doc = "A host key." };
const struct field ssh_host_keys_result = { .name = "result",
	.type = F_ARRAY, .fields = &entry_row, .flags = FF_REQUIRED,
	.doc = "The host keys in use." };
/* clang-format on */

static struct ssh_key_known known[SSH_KEY_TYPES][SSH_KEY_SLOTS];

/* --- What the monitor says ------------------------------------------------- */

static int
learn_one(struct wire_in *body, struct ssh_key_known *key)
{
	uint8_t state = wire_get_u8(body);

	free(key->public);
	free(key->why);
	key->public = wire_get_str(body, TEXT_MAX);
	key->why = wire_get_str(body, TEXT_MAX);
	key->state = SSH_KEY_ABSENT;
	if (key->public == NULL || key->why == NULL ||
	    state >= SSH_KEY_STATE_COUNT)
		return -1;
	key->state = (enum ssh_key_state)state;
	return 0;
}

static int
learn(struct wire_in body)
{
	unsigned int type, slot;
	int r = 0;

	for (type = 0; type < SSH_KEY_TYPES; type++)
		for (slot = 0; slot < SSH_KEY_SLOTS; slot++)
			if (learn_one(&body, &known[type][slot]) == -1)
				r = -1;
	return wire_end(&body) == -1 ? -1 : r;
}

void
ssh_host_keys_ask(void (*done)(int, const char *, void *), void *arg)
{
	ssh_learn(MSG_OP_SSH_HOST_KEYS, learn, "a malformed list of host keys",
	    done, arg);
}

const struct ssh_key_known *
ssh_host_key_known(unsigned int type, unsigned int slot)
{
	return &known[type][slot];
}

/* --- What the settings say ------------------------------------------------- */

uint32_t
ssh_host_keys_bits(const json_t *entry, const char *member)
{
	const json_t *list = json_object_get(entry, member), *name;
	uint32_t types = 0;
	size_t i, at;

	json_array_foreach(list, at, name)
		for (i = 0; ssh_host_key_types[i] != NULL; i++)
			if (strcmp(json_string_value(name),
				ssh_host_key_types[i]) == 0)
				types |= 1u << i;
	return types;
}

json_t *
ssh_host_keys_names(uint32_t types)
{
	json_t *names = json_array();
	size_t i;

	for (i = 0; ssh_host_key_types[i] != NULL; i++)
		if (types & (1u << i))
			json_array_append_new(
			    names, json_string(ssh_host_key_types[i]));
	return names;
}

unsigned int
ssh_host_key_slot(const json_t *entry, unsigned int type)
{
	return ssh_host_keys_bits(entry, "second_host_keys") >> type & 1u;
}

uint32_t
ssh_host_keys_offered(const json_t *entry)
{
	const char *name = json_str(entry, "hardening", "");
	int i;

	for (i = 0; ssh_hardenings[i] != NULL; i++)
		if (strcmp(ssh_hardenings[i], name) == 0)
			return ssh_hardening_host_keys(i, ssh_installed()) |
			    ssh_host_keys_bits(entry, "kept_host_keys");
	return 0;
}

uint32_t
ssh_host_keys_slots(const json_t *entry, unsigned int type)
{
	unsigned int slot = ssh_host_key_slot(entry, type);
	uint32_t slots = 0;

	if (ssh_host_keys_offered(entry) >> type & 1u)
		slots = 1u << slot;
	if (ssh_host_keys_bits(entry, "new_host_keys") >> type & 1u)
		slots |= 1u << !slot;
	return slots;
}

static const json_t *
settings(void)
{
	if (core_store() == NULL)
		return NULL;
	return store_get(core_store(), "ssh", ssh_resource.entry);
}

/* --- What is told of them -------------------------------------------------- */

/* NULL: sshd could load it. */
static const char *
problem_of(const struct ssh_key_known *key)
{
	switch (key->state) {
	case SSH_KEY_GOOD:
		return NULL;
	case SSH_KEY_DAMAGED:
		return key->why;
	default:
		return "it is not there";
	}
}

static json_t *
shown(const json_t *entry, unsigned int type, bool replaces)
{
	unsigned int slot = ssh_host_key_slot(entry, type);
	const struct ssh_key_known *key = &known[type][replaces ? !slot : slot];

	return json_pack("{s:s, s:b, s:s?, s:s?, s:o}", "type",
	    ssh_host_key_types[type], "replaces", replaces, "public_key",
	    key->state == SSH_KEY_GOOD ? key->public : NULL, "problem",
	    problem_of(key), "certificate", ssh_host_cert_of(entry, type, key));
}

json_t *
ssh_host_keys_list(void)
{
	const json_t *entry = settings();
	uint32_t offered = ssh_host_keys_offered(entry);
	uint32_t new = ssh_host_keys_bits(entry, "new_host_keys");
	json_t *list = json_array();
	unsigned int type;

	for (type = 0; type < SSH_KEY_TYPES; type++) {
		if (offered & (1u << type))
			json_array_append_new(list, shown(entry, type, false));
		if (new &(1u << type))
			json_array_append_new(list, shown(entry, type, true));
	}
	return list;
}

static void
judge_type(const json_t *entry, unsigned int type)
{
	uint32_t slots = ssh_host_keys_slots(entry, type);
	const char *name = ssh_host_key_types[type], *problem = NULL;
	unsigned int slot;

	for (slot = 0; slot < SSH_KEY_SLOTS && problem == NULL; slot++)
		if (slots & (1u << slot))
			problem = problem_of(&known[type][slot]);
	if (problem != NULL)
		alert_raise(DAMAGED, name,
		    json_pack("{s:s, s:s}", "type", name, "reason", problem));
	else
		alert_clear(DAMAGED, name);
	ssh_host_cert_judge(entry, type);
}

void
ssh_host_keys_judge(void)
{
	const json_t *entry = settings();
	unsigned int type;

	for (type = 0; type < SSH_KEY_TYPES; type++)
		judge_type(entry, type);
}

static void
known_now(int error, const char *text, void *arg)
{
	struct call *call = arg;

	if (error != 0) {
		call_fail(call, error,
		    "The host keys could not be asked for: %s", text);
		return;
	}
	ssh_host_keys_judge();
	call_reply(call, ssh_host_keys_list());
}

void
ssh_host_keys_run(struct call *call)
{
	ssh_host_keys_ask(known_now, call);
}
