/*
 * Certificates of users: see ssh_user_ca.h.
 */
#include "services/ssh/ssh_user_ca.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/change.h"
#include "lib/json.h"
#include "lib/ssh_certificate.h"
#include "lib/ssh_key.h"
#include "lib/xalloc.h"
#include "services/ssh/ssh.h"
#include "services/ssh/ssh_fields.h"

#define RSA_BITS_LEAST 2048

static bool
is_among(const char *text, char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

/* NULL: sshd would take it as one that signs. */
static const char *
ca_problem(const char *line)
{
	size_t bits = ssh_key_rsa_bits(line);
	const char *why = ssh_key_problem(line);

	if (why == NULL && bits != 0 && bits < RSA_BITS_LEAST)
		why = "is an RSA key of fewer than 2048 bits";
	return why;
}

/* A certificate stands for the key that it is about. */
static const char *
revoked_problem(const char *line)
{
	struct ssh_certificate cert;
	const char *why;

	if (!ssh_certificate_is(line))
		return ssh_key_problem(line);
	if (ssh_certificate_read(line, &cert, &why) == 0)
		why = NULL;
	ssh_certificate_free(&cert);
	return why;
}

static void
check_list(struct change *change, const char *field, char *const *old,
    char *const *new, const char *(*problem)(const char *))
{
	const char *why;
	size_t i;

	for (i = 0; new[i] != NULL; i++) {
		if (is_among(new[i], old))
			continue;
		why = strchr(new[i], '\n') != NULL ? "is more than one line" :
						     problem(new[i]);
		if (why != NULL)
			verr_add(
			    change->errors, field, "Entry %zu %s", i + 1, why);
	}
}

/* Is there one of a that is not in b? */
static bool
has_more(char *const *a, char *const *b)
{
	for (; *a != NULL; a++)
		if (!is_among(*a, b))
			return true;
	return false;
}

static void
refuse(struct change *change, const char *field, const char *what)
{
	verr_add_errno(change->errors, EPERM, field,
	    "Only a full administrator may %s", what);
}

/* Who signs certificates lets anybody in, as anybody. */
void
ssh_user_ca_check(struct change *change)
{
	const struct ssh_config *old = change->old, *new = change->new;

	check_list(change, "user_ca_keys", old->user_ca_keys, new->user_ca_keys,
	    ca_problem);
	check_list(change, "revoked_keys", old->revoked_keys, new->revoked_keys,
	    revoked_problem);
	if (change->full_admin)
		return;
	if (has_more(new->user_ca_keys, old->user_ca_keys) ||
	    has_more(old->user_ca_keys, new->user_ca_keys))
		refuse(change, "user_ca_keys", "say who signs certificates");
	if (has_more(old->revoked_keys, new->revoked_keys))
		refuse(change, "revoked_keys", "have a key believed again");
}

/* A comment first, so that a file that is there is never empty. */
static char *
render(const struct change *change, const char *member)
{
	const json_t *entry =
	    change_view(change, &ssh_resource, ssh_resource.entry);
	const json_t *key;
	char *text = NULL;
	size_t size = 0, i;
	FILE *file = open_memstream(&text, &size);

	if (file == NULL)
		abort();
	fputs("# Written by Holdfast; changes made here are overwritten.\n",
	    file);
	json_array_foreach(json_object_get(entry, member), i, key)
		fprintf(file, "%s\n", json_string_value(key));
	if (fclose(file) != 0)
		abort();
	return text;
}

char *
ssh_user_ca_render(const struct change *change, char **whyp)
{
	(void)whyp;
	return render(change, "user_ca_keys");
}

char *
ssh_revoked_render(const struct change *change, char **whyp)
{
	(void)whyp;
	return render(change, "revoked_keys");
}
