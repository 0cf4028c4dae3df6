/*
 * holdfastd with more namespaces, for what nothing in the product does yet, or
 * not so that a test could make it fail: jobs with files here, resources and a
 * service in the files beside this one.
 *
 * The product's tables under other names; in their place such as have room for
 * ours behind them, filled before main().
 */
#define daemon_rules product_daemon_rules
#define daemons product_daemons
#define outputs product_outputs
#define renderers product_renderers
#define resources product_resources
#define services product_services
#define daemon_count product_daemon_count
#define output_count product_output_count
#define service_count product_service_count
#include "../../src/registry.c"
#include "../../src/services/catalog.c"
#undef daemon_rules
#undef daemons
#undef outputs
#undef renderers
#undef resources
#undef services
#undef daemon_count
#undef output_count
#undef service_count
#undef COUNT

#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/call.h"
#include "core/connection.h"
#include "core/core.h"
#include "core/job.h"
#include "core/pipe.h"
#include "lib/xalloc.h"
#include "made_up.h"

#define RESOURCES_MAX 64
extern struct daemon_rule daemon_rules[];
extern struct daemon daemons[];
extern struct output outputs[];
extern struct renderer renderers[];
extern const struct resource *resources[];
extern struct service services[];
extern int daemon_count, output_count, service_count;
struct daemon_rule daemon_rules[DAEMONS_MAX + 1];
struct daemon daemons[DAEMONS_MAX];
struct output outputs[OUTPUTS_MAX];
struct renderer renderers[OUTPUTS_MAX + 1];
const struct resource *resources[RESOURCES_MAX];
struct service services[SERVICES_MAX];
int daemon_count, output_count, service_count;

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

/* As if the caller came from elsewhere, and what it sends could be read. */
static void
open_run(struct call *call)
{
	struct connection *c = call->connection;

	free(c->address);
	c->address = xstrdup("192.0.2.1");
	c->secure = false;
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
	{ .name = "made_up.open", .auth = AUTH_NONE, .result = &any,
	  .doc = "Takes the caller's encryption away.", .run = open_run },
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

static const struct resource *const ours[] = { &made_up_resource,
	&made_up_first, &made_up_outside, &made_up_second, &made_up_shelf,
	&made_up_thing, NULL };

static void
fill_resources(void)
{
	const struct resource *const *from;
	size_t n = 0;

	for (from = product_resources; *from != NULL; from++)
		resources[n++] = *from;
	for (from = ours; *from != NULL && n < RESOURCES_MAX - 1; from++)
		resources[n++] = *from;
}

static void
fill_service(void)
{
	int i;

	for (i = 0; i < product_service_count; i++)
		services[i] = product_services[i];
	made_up_service_id = i;
	services[i] = made_up_service;
	service_count = i + 1;
	for (i = 0; i < product_daemon_count; i++) {
		daemons[i] = product_daemons[i];
		daemon_rules[i] = product_daemon_rules[i];
	}
	made_up_daemon = i;
	for (; i < product_daemon_count + 2; i++) {
		daemons[i] = made_up_daemons[i - made_up_daemon];
		daemons[i].service = (enum service_id)made_up_service_id;
	}
	daemon_count = i;
}

/* Renderers stand in any order; one of ours is of one, the other of both. */
static void
fill_outputs(void)
{
	static const struct resource *const of_one[] = { &made_up_first, NULL };
	static const struct resource *const of_both[] = { &made_up_first,
		&made_up_second, NULL };
	int i, n = 0;

	for (i = 0; i < product_output_count; i++)
		outputs[i] = product_outputs[i];
	while (product_renderers[n].output != -1) {
		renderers[n] = product_renderers[n];
		n++;
	}
	made_up_output = i;
	outputs[i] = made_up_outputs[0];
	outputs[i + 1] = made_up_outputs[1];
	output_count = i + 2;
	renderers[n++] = (struct renderer){ .output = i,
		.from = of_one,
		.render = made_up_render_one,
		.rejected = made_up_rejected };
	renderers[n++] = (struct renderer){ .output = i + 1,
		.from = of_both,
		.render = made_up_render_both,
		.rejected = made_up_rejected };
	renderers[n].output = -1;
}

/* The first reloads, the second is restarted. */
static void
fill_rules(void)
{
	static int reads[2][2];
	int i;

	for (i = 0; i < 2; i++) {
		reads[i][0] = made_up_output + i;
		reads[i][1] = -1;
		daemon_rules[made_up_daemon + i] =
		    (struct daemon_rule){ .daemon = made_up_daemon + i,
			    .reads = reads[i],
			    .verb = i == 0 ? VERB_RELOAD : VERB_RESTART,
			    .verify = made_up_verify };
	}
	daemon_rules[made_up_daemon + 2].daemon = -1;
}

static void __attribute__((constructor)) fill(void)
{
	fill_resources();
	fill_service();
	fill_outputs();
	fill_rules();
}
