/*
 * libFuzzer: records of the kernel's audit, one after the other, each with its
 * type and its length in front (two bytes each), become events and these
 * records of valid JSON.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "audit/kernel_record.h"
#include "lib/json.h"
#include "lib/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
ended(struct kernel_event *event, void *arg)
{
	static struct names *names;
	struct kernel_record record;
	char *text;

	if (names == NULL)
		names = names_new(-1);
	if (kernel_event_counts(event, *(bool *)arg)) {
		kernel_record_make(event, names, &record);
		text = json_text(record.source.event_data);
		if (text == NULL || record.event[0] == '\0')
			abort();
		freezero_str(text);
		json_decref(record.source.event_data);
	}
	kernel_event_free(event);
}

static void
take(struct kernel_events *events, uint16_t type, struct span text, int64_t now)
{
	struct kernel_head head;

	if (kernel_head(&text, &head))
		kernel_events_take(events, type, &head, text, now);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool machine = size % 2 == 0;
	struct kernel_events *events = kernel_events_new(ended, &machine);
	int64_t now = 0;
	uint16_t type;
	size_t len;

	for (; size > 4; now += 100) {
		type = (uint16_t)(1000 + (data[0] << 8 | data[1]) % 900);
		len = (size_t)data[2] << 8 | data[3];
		data += 4;
		size -= 4;
		if (len > size)
			len = size;
		take(events, type, (struct span){ (const char *)data, len },
		    now);
		data += len;
		size -= len;
	}
	(void)kernel_events_age(events, INT64_MAX);
	kernel_events_free(events);
	return 0;
}
