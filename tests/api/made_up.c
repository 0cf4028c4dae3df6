/*
 * holdfastd with one more namespace, for what no method of the product does
 * yet, or not so that a test could make it fail: jobs with files.
 */
#define resources product_resources
#include "../../src/registry.c"
#undef resources

#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/core.h"
#include "core/job.h"
#include "core/pipe.h"
#include "lib/xalloc.h"

/* In the place of the product's; filled before main(). */
#define RESOURCES_MAX 64
extern const struct resource *resources[];
const struct resource *resources[RESOURCES_MAX];

/* clang-format off */
static const struct field give_params[] = {
	{ .name = "size", .type = F_INT, .flags = FF_REQUIRED, .min = 0,
	  .max = 1 << 28, .doc = "Bytes." },
	{ .name = "fail", .type = F_BOOL, .def = "false",
	  .doc = "Fail in the end." },
	{ .name = "delay", .type = F_INT, .def = "0", .min = 0, .max = 60000,
	  .doc = "Milliseconds before it begins." },
	FIELD_END
};
static const struct field take_params[] = {
	{ .name = "max", .type = F_INT, .def = "1000000", .min = 0,
	  .max = 1 << 28, .doc = "Bytes of a file." },
	FIELD_END
};
static const struct field any = { .name = "result", .type = F_ANY,
	.flags = FF_REQUIRED, .doc = "Anything." };
/* clang-format on */

#define BLOCK 4096

/* Bytes that tell where they stand. */
static char *
pattern(size_t size)
{
	char *data = xmalloc(size + BLOCK + 1);
	size_t at;

	for (at = 0; at < size; at += BLOCK)
		snprintf(data + at, BLOCK + 1, "%*zu\n", BLOCK - 1, at / BLOCK);
	return data;
}

static void
given(struct call *call, int error)
{
	if (error != 0)
		call_fail(call, error, "Not taken");
	else if (json_is_true(call_param(call, 1)))
		call_fail(call, EFAULT, "As asked for");
	else
		call_reply(call, json_true());
}

static void
give(void *arg)
{
	struct call *call = arg;
	size_t size = (size_t)json_integer_value(call_param(call, 0));
	char *data = pattern(size);

	pipe_supply(call, data, size, given);
	free(data);
}

static void
give_run(struct call *call)
{
	job_log(call->job, "It begins.");
	core_after(
	    (unsigned int)json_integer_value(call_param(call, 2)), give, call);
}

/* The files, one after the other: length and digest of each. */
static void take_next(struct call *);

static void
taken(struct call *call, int error, void *data, size_t len)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	char hex[2 * SHA256_DIGEST_LENGTH + 1];
	json_t *list = call->data;
	size_t i;

	if (error == ENOENT) {
		call_reply(call, json_incref(list));
		return;
	}
	if (error != 0) {
		call_fail(call, error, "File %zu", json_array_size(list));
		return;
	}
	SHA256(data, len, digest);
	for (i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	json_array_append_new(list, json_pack("[I, s]", (json_int_t)len, hex));
	freezero(data, len + 1);
	if (json_array_size(list) == PIPE_FILES_MAX)
		call_reply(call, json_incref(list));
	else
		take_next(call);
}

static void
take_next(struct call *call)
{
	pipe_collect(call, (unsigned int)json_array_size(call->data),
	    (size_t)json_integer_value(call_param(call, 0)), taken);
}

static void
list_free(void *list)
{
	json_decref(list);
}

static void
take_run(struct call *call)
{
	call->data = json_array();
	call->free_data = list_free;
	take_next(call);
}

/* Looks at nothing of what it is sent. */
static void
ignore_run(struct call *call)
{
	call_reply(call, json_true());
}

/* clang-format off */
static const struct method methods[] = {
	{ .name = "made_up.give", .auth = AUTH_ROLE, .job = true,
	  .pipe = PIPE_OUTPUT, .params = give_params, .result = &any,
	  .doc = "Gives a file.", .run = give_run },
	{ .name = "made_up.take", .auth = AUTH_ROLE, .job = true,
	  .pipe = PIPE_INPUT, .input_files = PIPE_FILES_MAX,
	  .params = take_params, .result = &any,
	  .doc = "Takes files.", .run = take_run },
	{ .name = "made_up.take_one", .auth = AUTH_ROLE, .job = true,
	  .pipe = PIPE_INPUT, .input_max = 1000, .params = take_params,
	  .result = &any, .doc = "Takes a small file.", .run = take_run },
	{ .name = "made_up.ignore", .auth = AUTH_ROLE, .job = true,
	  .pipe = PIPE_INPUT, .result = &any,
	  .doc = "Takes a file and does not look at it.", .run = ignore_run },
	{ .name = "made_up.maybe", .auth = AUTH_ROLE, .job = true,
	  .pipe = PIPE_INPUT, .pipe_optional = true, .result = &any,
	  .doc = "Does without a file.", .run = ignore_run },
	METHOD_END
};

static const struct resource made_up_resource = {
	.name = "made_up", .doc = "Made up for tests.",
	.kind = RESOURCE_SERVICE, .verbose_name = "Made up",
	.methods = methods
};
/* clang-format on */

static void __attribute__((constructor)) fill(void)
{
	size_t i;

	for (i = 0; product_resources[i] != NULL; i++) {
		if (i + 2 >= RESOURCES_MAX)
			abort();
		resources[i] = product_resources[i];
	}
	resources[i] = &made_up_resource;
}
