/*
 * Events of the kernel's audit: see kernel_event.h.
 */
#include "audit/kernel_event.h"

#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

struct kernel_events {
	struct kernel_event *open[KERNEL_OPEN_MAX]; /* oldest first */
	size_t count;
	void (*ended)(struct kernel_event *, void *);
	void *arg;
};

struct span
kernel_event_line(const struct kernel_event *event, uint16_t type)
{
	size_t i;

	for (i = 0; i < event->count; i++)
		if (event->lines[i].type == type)
			return (struct span){ event->text + event->lines[i].at,
				event->lines[i].len };
	return (struct span){ "", 0 };
}

void
kernel_event_free(struct kernel_event *event)
{
	if (event == NULL)
		return;
	/* Arguments of programs may be secrets. */
	freezero(event->text, event->size);
	free(event);
}

struct kernel_events *
kernel_events_new(void (*ended)(struct kernel_event *, void *), void *arg)
{
	struct kernel_events *events = xcalloc(1, sizeof(*events));

	events->ended = ended;
	events->arg = arg;
	return events;
}

void
kernel_events_free(struct kernel_events *events)
{
	if (events == NULL)
		return;
	while (events->count > 0)
		kernel_event_free(events->open[--events->count]);
	free(events);
}

static void
end_at(struct kernel_events *events, size_t i)
{
	struct kernel_event *event = events->open[i];

	events->count--;
	for (; i < events->count; i++)
		events->open[i] = events->open[i + 1];
	events->ended(event, events->arg); /* transferred */
}

/* Its place; a new one when it is the first of its event. */
static size_t
place_of(
    struct kernel_events *events, const struct kernel_head *head, int64_t now)
{
	struct kernel_event *event;
	size_t i;

	for (i = events->count; i > 0; i--)
		if (events->open[i - 1]->serial == head->serial)
			return i - 1;
	if (events->count == KERNEL_OPEN_MAX)
		end_at(events, 0);
	event = xcalloc(1, sizeof(*event));
	event->serial = head->serial;
	event->time_us = head->time_us;
	event->since = now;
	events->open[events->count] = event;
	return events->count++;
}

static void
add_line(struct kernel_event *event, uint16_t type, struct span text)
{
	char *larger;

	if (event->count == KERNEL_LINES_MAX ||
	    text.len > KERNEL_TEXT_MAX - event->len) {
		event->cut++;
		return;
	}
	if (event->len + text.len > event->size) {
		larger = xmalloc(2 * event->size + text.len);
		if (event->len > 0)
			memcpy(larger, event->text, event->len);
		freezero(event->text, event->size);
		event->text = larger;
		event->size = 2 * event->size + text.len;
	}
	if (text.len > 0)
		memcpy(event->text + event->len, text.at, text.len);
	event->lines[event->count++] =
	    (struct kernel_line){ type, event->len, text.len };
	event->len += text.len;
}

void
kernel_events_take(struct kernel_events *events, uint16_t type,
    const struct kernel_head *head, struct span text, int64_t now)
{
	size_t i = place_of(events, head, now);

	if (type == AUDIT_EOE)
		end_at(events, i);
	else
		add_line(events->open[i], type, text);
}

bool
kernel_events_age(struct kernel_events *events, int64_t now)
{
	while (
	    events->count > 0 && now - events->open[0]->since >= KERNEL_WAIT_MS)
		end_at(events, 0);
	return events->count > 0;
}
