/*
 * Logins that are not core's: see source_login.h.
 */
#include "audit/source_login.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/boottime.h"
#include "lib/json.h"
#include "lib/ssh_certificate.h"
#include "lib/tally.h"
#include "lib/xalloc.h"

#define TURN_MS 5000

struct login_failures {
	struct sources *sources;
	struct tally *tally;
	uv_timer_t timer;
};

static json_t *
text(const char *value)
{
	return value != NULL ? source_text(value, strlen(value)) : json_null();
}

static json_t *
number(const char *value)
{
	return json_integer(value != NULL ? strtoll(value, NULL, 10) : -1);
}

static json_t *
name(const char *value)
{
	return text(value != NULL ? value : "");
}

/*
 * Of a login by certificate what it says of itself, and who signed it: sshd
 * tells the whole of it ("publickey TYPE BASE64").
 */
static json_t *
certificate(const char *how)
{
	static const char way[] = "publickey ";
	struct ssh_certificate cert;
	json_t *told = NULL;
	const char *why;

	for (; how != NULL; how = strchr(how, '\n')) {
		how += *how == '\n';
		if (strncmp(how, way, sizeof(way) - 1) != 0 ||
		    !ssh_certificate_is(how + sizeof(way) - 1))
			continue;
		/* As a text: serials have 64 bits. */
		if (ssh_certificate_read(how + sizeof(way) - 1, &cert, &why) ==
		    0)
			told =
			    json_pack("{s:s, s:o, s:s}", "key_id", cert.key_id,
				"serial", json_sprintf("%" PRIu64, cert.serial),
				"signed_by", cert.ca);
		ssh_certificate_free(&cert);
		break;
	}
	return told;
}

/* audit.json's AuditEventSystemLoginEventData, and what we know besides. */
static json_t *
event_data(const struct login *l, const char *type)
{
	const struct login_ids *ids = &l->ids;
	json_t *call;

	/* clang-format off */
	call = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "tty", text(l->tty), "SYSCALL", "",
	    "auid", number(ids->auid), "AUID", name(ids->auid_name),
	    "uid", number(ids->uid), "UID", name(ids->uid_name),
	    "gid", number(ids->gid), "GID", name(ids->gid_name));
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:n}",
	    "type", type, "proctitle", name(l->program), "syscall", call,
	    "target", text(l->target), "how", text(l->how),
	    "error", text(l->why), "raw_lines");
	/* clang-format on */
}

static void
append(struct sources *sources, const struct login *l, const char *event,
    const char *type, bool success)
{
	struct source_record r = { .service = "SYSTEM",
		.event = event,
		.username = l->username,
		.address = l->address,
		.session = l->session,
		.origin = l->origin,
		.success = success };
	json_t *cert;

	r.event_data = event_data(l, type);
	cert = certificate(l->how);
	if (cert != NULL)
		json_object_set_new(r.event_data, "certificate", cert);
	source_append(sources, &r);
}

void
source_login_began(struct sources *sources, const struct login *l)
{
	append(sources, l, "LOGIN", "BEGAN", true);
}

void
source_login_ended(struct sources *sources, const struct login *l)
{
	append(sources, l, "CREDENTIAL", "ENDED", true);
}

void
source_login_probed(struct sources *sources, const struct login *l)
{
	append(sources, l, "LOGIN", "PROBE", false);
}

static const char *
or_nothing(const char *value)
{
	return value != NULL ? value : "";
}

/* A sum: so many more, between then and then. */
static void
tell_sum(const struct tally_sum *sum, void *arg)
{
	struct login_failures *f = arg;
	struct login l = { .program = sum->what,
		.username = sum->account,
		.address = sum->source };
	struct source_record r = { .service = "SYSTEM",
		.event = "LOGIN",
		.username = sum->account,
		.address = sum->source,
		.sum = true };
	int64_t seconds = (sum->until - sum->from + 999) / 1000;

	r.event_data = event_data(&l, "REFUSED");
	json_object_set_new(
	    r.event_data, "count", json_integer((json_int_t)sum->count));
	json_object_set_new(
	    r.event_data, "seconds", json_integer((json_int_t)seconds));
	source_append(f->sources, &r);
}

static void
turn(uv_timer_t *timer)
{
	struct login_failures *f = timer->data;

	if (!tally_turn(f->tally, boottime_ms()))
		uv_timer_stop(timer);
}

void
source_login_refused(struct login_failures *f, const struct login *l)
{
	if (tally_one(f->tally, boottime_ms(), or_nothing(l->program),
		or_nothing(l->username), or_nothing(l->address)))
		append(f->sources, l, "LOGIN", "REFUSED", false);
	if (!uv_is_active((uv_handle_t *)&f->timer))
		uv_timer_start(&f->timer, turn, TURN_MS, TURN_MS);
}

struct login_failures *
login_failures_new(uv_loop_t *loop, struct sources *sources)
{
	struct login_failures *f = xcalloc(1, sizeof(*f));

	f->sources = sources;
	f->tally = tally_new(TALLY_SINGLY, tell_sum, f);
	uv_timer_init(loop, &f->timer);
	f->timer.data = f;
	return f;
}

void
login_failures_flush(struct login_failures *f)
{
	tally_flush(f->tally);
}

static void
closed(uv_handle_t *handle)
{
	struct login_failures *f = handle->data;

	tally_free(f->tally);
	free(f);
}

void
login_failures_free(struct login_failures *f)
{
	if (f != NULL)
		uv_close((uv_handle_t *)&f->timer, closed);
}
