/*
 * What an SSH server offers: reads its identification and its KEXINIT.
 */
#include "services/ssh/ssh_offer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"

#define LINE_LEN_MAX 8192 /* of lines before the version */
#define LINES_MAX 1024
#define VERSION_LEN_MAX 255 /* with CR LF */
#define PACKETS_MAX 32 /* that may precede KEXINIT */

struct reader {
	const uint8_t *data;
	size_t len, at;
};

static uint32_t
number(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static bool
printable(const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] < ' ' || p[i] > '~')
			return false;
	return true;
}

static enum ssh_offer_state
bad(const char **why, const char *text)
{
	*why = text;
	return OFFER_BAD;
}

/* The version line and those before it; section 4.2. */
static enum ssh_offer_state
parse_version(struct reader *in, struct ssh_offer *offer, const char **why)
{
	const uint8_t *line, *end;
	size_t len, lines;

	for (lines = 0; lines < LINES_MAX; lines++) {
		line = in->data + in->at;
		end = memchr(line, '\n', in->len - in->at);
		if (end == NULL && in->len - in->at > LINE_LEN_MAX)
			return bad(
			    why, "a line before the version is too long");
		if (end == NULL)
			return OFFER_MORE;
		len = (size_t)(end - line);
		in->at += len + 1;
		if (len > 0 && line[len - 1] == '\r')
			len--;
		if (len < 4 || memcmp(line, "SSH-", 4) != 0)
			continue;
		if (len > VERSION_LEN_MAX - 2 || !printable(line, len))
			return bad(why, "the version line is malformed");
		offer->banner = xstrndup((const char *)line, len);
		if (strncmp(offer->banner, "SSH-2.0-", 8) != 0 &&
		    strncmp(offer->banner, "SSH-1.99-", 9) != 0)
			return bad(why, "it does not speak SSH 2");
		return OFFER_DONE;
	}
	return bad(why, "too many lines before the version");
}

enum ssh_offer_state
ssh_packet_parse(const uint8_t *data, size_t len, const uint8_t **payload,
    size_t *payload_len, size_t *used, const char **why)
{
	uint32_t packet_len, padding;

	if (len < 5)
		return OFFER_MORE;
	packet_len = number(data);
	padding = data[4];
	if (packet_len < 12 || packet_len > SSH_PACKET_MAX ||
	    (packet_len + 4) % 8 != 0)
		return bad(why, "a packet's length is wrong");
	if (padding < 4 || padding + 2 > packet_len)
		return bad(why, "a packet's padding is wrong");
	if (len - 4 < packet_len)
		return OFFER_MORE;
	*payload = data + 5;
	*payload_len = packet_len - padding - 1;
	*used = 4 + packet_len;
	return OFFER_DONE;
}

/* The next one of those that came. */
static enum ssh_offer_state
next_packet(struct reader *in, struct reader *payload, const char **why)
{
	enum ssh_offer_state state;
	size_t used;

	payload->at = 0;
	state = ssh_packet_parse(in->data + in->at, in->len - in->at,
	    &payload->data, &payload->len, &used, why);
	if (state == OFFER_DONE)
		in->at += used;
	return state;
}

/* Section 7.1: a cookie, ten name-lists, a boolean, four reserved bytes. */
static enum ssh_offer_state
parse_kexinit(struct reader *in, struct ssh_offer *offer, const char **why)
{
	uint32_t len;
	size_t i;

	in->at = 1 + SSH_COOKIE_LEN;
	for (i = 0; i < LIST_COUNT; i++) {
		if (in->at > in->len || in->len - in->at < 4)
			return bad(why, "its KEXINIT is too short");
		len = number(in->data + in->at);
		in->at += 4;
		if (len > in->len - in->at)
			return bad(why, "its KEXINIT is too short");
		if (!printable(in->data + in->at, len))
			return bad(why, "a list of its KEXINIT is malformed");
		offer->lists[i] =
		    xstrndup((const char *)in->data + in->at, len);
		in->at += len;
	}
	if (in->len - in->at != 5)
		return bad(why, "its KEXINIT has a wrong length");
	return OFFER_DONE;
}

static enum ssh_offer_state
parse(struct reader *in, struct ssh_offer *offer, const char **why)
{
	struct reader payload;
	enum ssh_offer_state state;
	unsigned int packets;

	state = parse_version(in, offer, why);
	for (packets = 0; packets < PACKETS_MAX && state == OFFER_DONE;
	     packets++) {
		state = next_packet(in, &payload, why);
		if (state != OFFER_DONE)
			return state;
		switch (payload.data[0]) {
		case SSH_MSG_KEXINIT:
			offer->used = in->at;
			offer->kexinit = (size_t)(payload.data - in->data);
			offer->kexinit_len = payload.len;
			offer->packets = packets + 1;
			return parse_kexinit(&payload, offer, why);
		case SSH_MSG_IGNORE:
		case SSH_MSG_DEBUG:
			break;
		case SSH_MSG_DISCONNECT:
			return bad(why, "it ended the connection");
		default:
			return bad(why, "it sent something else than KEXINIT");
		}
	}
	return state == OFFER_DONE ? bad(why, "it sent no KEXINIT") : state;
}

enum ssh_offer_state
ssh_offer_parse(
    const uint8_t *data, size_t len, struct ssh_offer *offer, const char **why)
{
	struct reader in = { .data = data, .len = len };
	enum ssh_offer_state state;

	memset(offer, 0, sizeof(*offer));
	state = parse(&in, offer, why);
	if (state == OFFER_MORE && len >= SSH_OFFER_MAX)
		state = bad(why, "it sent too much before its KEXINIT");
	if (state != OFFER_DONE)
		ssh_offer_free(offer);
	return state;
}

void
ssh_offer_free(struct ssh_offer *offer)
{
	size_t i;

	free(offer->banner);
	for (i = 0; i < LIST_COUNT; i++)
		free(offer->lists[i]);
	memset(offer, 0, sizeof(*offer));
}
