/*
 * Calls of strangers per method and address: see rate.h.
 */
#include "core/rate.h"

#include <stdint.h>
#include <time.h>

#include "core/core.h"
#include "core/limits.h"
#include "lib/boottime.h"

#define PROBES 8

struct window {
	uint64_t key;
	int64_t start; /* 0: free */
	unsigned int calls;
};

static struct window windows[LIMIT_RATE_KEYS];

/* FNV-1a from a random start, so that nobody can aim at a window. */
static uint64_t
key_of(const char *method, const char *address)
{
	static uint64_t seed;
	uint64_t h;

	if (seed == 0) {
		seed = (uint64_t)core_random(UINT32_MAX) << 32;
		seed |= core_random(UINT32_MAX) | 1;
	}
	h = seed;
	for (; *method != '\0'; method++)
		h = (h ^ (unsigned char)*method) * 1099511628211u;
	h = (h ^ '@') * 1099511628211u;
	for (; *address != '\0'; address++)
		h = (h ^ (unsigned char)*address) * 1099511628211u;
	return h;
}

bool
rate_allow(const char *method, const char *address)
{
	uint64_t key = key_of(method, address);
	struct window *w, *oldest = NULL;
	int64_t now = boottime_ms();
	unsigned int i;

	for (i = 0; i < PROBES; i++) {
		w = &windows[(key + i) % LIMIT_RATE_KEYS];
		if (w->start != 0 && w->key == key)
			break;
		if (oldest == NULL || w->start < oldest->start)
			oldest = w;
	}
	if (i == PROBES) {
		w = oldest;
		w->start = 0;
	}
	if (w->start == 0 || now - w->start >= LIMIT_RATE_SECONDS * 1000) {
		w->key = key;
		w->start = now > 0 ? now : 1;
		w->calls = 0;
	}
	if (w->calls >= LIMIT_RATE_CALLS)
		return false;
	w->calls++;
	return true;
}
