/*
 * Network interfaces, for Bind Interfaces.
 */
#include "services/ssh/ssh_interfaces.h"

#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "services/ssh/ssh_learn.h"

#define LOOPBACK "lo"
#define LOOPBACK_ADDRESS "127.0.0.1"
#define INTERFACES_MAX 4096

struct interface {
	char *name, *address;
};

static struct interface *known;
static size_t known_count;

static void
forget(void)
{
	size_t i;

	for (i = 0; i < known_count; i++) {
		free(known[i].name);
		free(known[i].address);
	}
	free(known);
	known = NULL;
	known_count = 0;
}

static int
learn(struct wire_in body)
{
	uint32_t i, count = wire_get_u32(&body);

	forget();
	if (count > INTERFACES_MAX)
		return -1;
	known = xcalloc(count + 1, sizeof(*known));
	for (i = 0; i < count; i++) {
		known[i].name = wire_get_str(&body, 256);
		known[i].address = wire_get_str(&body, 256);
		known_count = i + 1;
	}
	if (wire_end(&body) == 0)
		return 0;
	forget();
	return -1;
}

void
ssh_interfaces_ask(void (*done)(int, const char *, void *), void *arg)
{
	ssh_learn(MSG_OP_INTERFACES, learn, "a malformed list of interfaces",
	    done, arg);
}

bool
ssh_interfaces_has(const char *name)
{
	size_t i;

	for (i = 0; i < known_count; i++)
		if (strcmp(known[i].name, name) == 0)
			return strcmp(name, LOOPBACK) != 0;
	return false;
}

json_t *
ssh_interfaces_choices(void)
{
	json_t *choices = json_object();
	size_t i;

	for (i = 0; i < known_count; i++)
		if (strcmp(known[i].name, LOOPBACK) != 0)
			json_object_set_new(
			    choices, known[i].name, json_string(known[i].name));
	return choices;
}

/* Takes over address; one that is there already is dropped. */
static size_t
add_address(char **addresses, size_t n, char *address)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(addresses[i], address) == 0) {
			free(address);
			return n;
		}
	addresses[n] = address;
	return n + 1;
}

static bool
is_named(const struct interface *interface, char *const *names)
{
	size_t i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], interface->name) == 0)
			return true;
	return false;
}

char **
ssh_interfaces_addresses(char *const *names)
{
	char **addresses = xcalloc(known_count + 2, sizeof(*addresses));
	const struct interface *k;
	size_t n;

	n = add_address(addresses, 0, xstrdup(LOOPBACK_ADDRESS));
	for (k = known; k < known + known_count; k++) {
		if (!is_named(k, names) || *k->address == '\0')
			continue;
		n = add_address(addresses, n, xstrdup(k->address));
	}
	return addresses;
}

void
ssh_interfaces_free_addresses(char **addresses)
{
	size_t i;

	for (i = 0; addresses != NULL && addresses[i] != NULL; i++)
		free(addresses[i]);
	free(addresses);
}
