/*
 * The task keytab-read: what a keytab from elsewhere holds, and the same keys
 * as a keytab that has nothing else in it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/keytab.h"
#include "lib/xalloc.h"
#include "worker/tasks.h"

/* People send what base64(1) prints: the lines are joined in place. */
static void
join(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++)
		if (!isspace((unsigned char)*text))
			*to++ = *text;
	*to = '\0';
}

static bool
has_strong(const struct keytab *keytab)
{
	size_t i;

	for (i = 0; i < keytab->count; i++)
		if (keytab->entries[i].strong)
			return true;
	return false;
}

static void
put(struct wire_out *out, const struct keytab *keytab)
{
	struct wire_out file = { 0 };
	const struct keytab_entry *e;
	char *text;

	wire_put_raw(&file, KEYTAB_VERSION, 2);
	for (e = keytab->entries; e < keytab->entries + keytab->count; e++)
		wire_put_raw(&file, e->record, e->len);
	text = base64_encode(file.data, file.len);
	wire_put_str(out, text);
	freezero_str(text);
	wire_free(&file);
	for (e = keytab->entries; e < keytab->entries + keytab->count; e++) {
		wire_put_str(out, e->principal);
		wire_put_u32(out, e->version);
		wire_put_str(out, e->encryption);
	}
}

static int
read_keytab(char *text, struct wire_out *out, const char **why)
{
	struct keytab keytab = { 0 };
	uint8_t *data;
	size_t len;
	int error = EINVAL;

	join(text);
	*why = "This is not the Base64 of a keytab";
	if ((data = base64_decode(text, KEYTAB_MAX, &len)) == NULL)
		return EINVAL;
	if (keytab_parse(data, len, &keytab, why) == 0) {
		*why = "The keytab has only keys of DES and RC4, which are no "
		       "longer safe: it needs one of AES";
		if (has_strong(&keytab)) {
			put(out, &keytab);
			error = 0;
		}
	}
	keytab_free(&keytab);
	freezero(data, len);
	return error;
}

int
task_keytab_read(struct wire_in *in, struct wire_out *out, const char **why)
{
	char *text = wire_get_str(in, KEYTAB_TEXT_MAX);
	int error = EPROTO;

	if (wire_end(in) == 0)
		error = read_keytab(text, out, why);
	freezero_str(text);
	return error;
}
