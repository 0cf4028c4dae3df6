/*
 * Why the machine has to be started anew: see reboot.h.
 */
#include "core/reboot.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/event.h"
#include "core/store.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define PREFIX "reboot/"

/* The codes are the API's (stig.json, "reboot_reasons"). */
/* clang-format off */
static const struct {
	const char *code, *reason;
} reasons[] = {
	{ "FIPS", "Whether only FIPS 140 validated cryptography is used was "
	  "changed." },
	{ "GPOSSTIG", "Whether the rules of the STIG hold was changed." },
};
/* clang-format on */

#define COUNT (sizeof(reasons) / sizeof(reasons[0]))

static struct {
	struct store *store;
	char *boot_id;
	bool raised[COUNT];
} reboot;

/* The start of the machine that it was raised in; value NULL: removed. */
static int
save(size_t i, const char *value)
{
	char *name = xasprintf(PREFIX "%s", reasons[i].code);
	int result = -1;

	if (reboot.store == NULL)
		errno = EIO;
	else
		result = store_set_value(reboot.store, name, value);
	free(name);
	return result;
}

void
reboot_start(struct store *store, const char *boot_id)
{
	json_t *stored;
	const char *of;
	size_t i;

	reboot.store = store;
	reboot.boot_id = xstrdup(boot_id);
	if (store == NULL)
		return;
	stored = store_values(store, PREFIX);
	for (i = 0; i < COUNT; i++) {
		of =
		    json_string_value(json_object_get(stored, reasons[i].code));
		reboot.raised[i] = of != NULL && strcmp(of, boot_id) == 0;
		if (of != NULL && !reboot.raised[i] && save(i, NULL) == -1)
			log_warn("reboot.store", "%s: %s", reasons[i].code,
			    strerror(errno));
	}
	json_decref(stored);
}

void
reboot_stop(void)
{
	free(reboot.boot_id);
	memset(&reboot, 0, sizeof(reboot));
}

static int
set(const char *code, bool raised)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		if (strcmp(reasons[i].code, code) == 0)
			break;
	if (i == COUNT) {
		errno = EINVAL;
		return -1;
	}
	if (reboot.raised[i] == raised)
		return 0;
	if (save(i, raised ? reboot.boot_id : NULL) == -1)
		return -1;
	reboot.raised[i] = raised;
	log_info(
	    "reboot.required", "%s %s", code, raised ? "raised" : "cleared");
	event_send("system.reboot.info", EVENT_CHANGED, NULL, reboot_info());
	return 0;
}

int
reboot_raise(const char *code)
{
	return set(code, true);
}

int
reboot_clear(const char *code)
{
	return set(code, false);
}

json_t *
reboot_reasons(void)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < COUNT; i++)
		if (reboot.raised[i])
			json_array_append_new(list,
			    json_pack("{s:s, s:s}", "code", reasons[i].code,
				"reason", reasons[i].reason));
	return list;
}

json_t *
reboot_info(void)
{
	return json_pack("{s:s, s:o}", "boot_id", reboot.boot_id,
	    "reboot_required_reasons", reboot_reasons());
}
