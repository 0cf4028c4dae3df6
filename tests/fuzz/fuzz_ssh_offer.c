/*
 * libFuzzer target: the bytes that an SSH server sends before its KEXINIT is
 * read, whole and cut short.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "services/ssh/ssh_offer.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
expect(int condition)
{
	if (!condition)
		abort();
}

/* What was read holds nothing that could harm a log line or a terminal. */
static void
check_printable(const char *text)
{
	for (; *text != '\0'; text++)
		expect(*text >= ' ' && *text <= '~');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ssh_offer offer;
	const char *why = NULL;
	enum ssh_offer_state whole, part;
	uint8_t *half;
	size_t i;

	whole = ssh_offer_parse(data, len, &offer, &why);
	if (whole == OFFER_DONE) {
		check_printable(offer.banner);
		for (i = 0; i < LIST_COUNT; i++)
			check_printable(offer.lists[i]);
	} else {
		expect(offer.banner == NULL);
		expect(whole != OFFER_BAD || why != NULL);
	}
	ssh_offer_free(&offer);

	/* Less of it says the same, or that more is needed. */
	half = xmemdup(data, len / 2 + 1 > len ? len : len / 2 + 1);
	part = ssh_offer_parse(half, len / 2, &offer, &why);
	expect(part == OFFER_MORE || part == whole);
	ssh_offer_free(&offer);
	free(half);
	return 0;
}
