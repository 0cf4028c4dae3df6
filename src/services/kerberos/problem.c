/*
 * Why no ticket is accepted: what sshd does not say to anybody.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/alert.h"
#include "core/core.h"
#include "lib/json.h"
#include "lib/xalloc.h"
#include "services/kerberos/kerberos.h"

#define ALERT "KerberosLoginImpossible"
#define SSH_ENTRY 1

static bool
wanted(void)
{
	return json_bool(
	    store_get(core_store(), "ssh", SSH_ENTRY), "kerberosauth", false);
}

/*
 * "host/NAME@REALM", NAME that of this machine, short or with its domain:
 * which one sshd asks for is libkrb5's to find out, in /etc/hosts and DNS.
 */
static bool
is_of_host(const char *principal)
{
	const char *own = core_facts()->hostname, *name = principal + 5;
	size_t len = strcspn(own, "."), end = strcspn(name, "@");

	if (strncmp(principal, "host/", 5) != 0 || end < len ||
	    strncasecmp(name, own, len) != 0)
		return false;
	/* Either without a domain, or both with the same. */
	return end == len || (name[len] == '.' && own[len] == '\0') ||
	    (strlen(own) == end && strncasecmp(name, own, end) == 0);
}

static bool
has_host_key(const json_t *keytabs)
{
	const json_t *keytab, *key;
	size_t i, k;

	json_array_foreach(keytabs, i, keytab)
		json_array_foreach(
		    json_object_get(keytab, "principals"), k, key)
			if (is_of_host(json_str(key, "principal", "-----")))
				return true;
	return false;
}

char *
kerberos_problem(void)
{
	json_t *realms, *keytabs;
	char *problem = NULL;

	if (core_store() == NULL || !wanted())
		return NULL;
	realms = store_list(core_store(), kerberos_realm_resource.name);
	keytabs = store_list(core_store(), kerberos_keytab_resource.name);
	if (json_array_size(realms) == 0)
		problem = xstrdup("there is no realm");
	else if (json_array_size(keytabs) == 0)
		problem = xstrdup("there is no keytab");
	else if (!has_host_key(keytabs))
		problem = xasprintf("no keytab has a key of host/%s, and that "
				    "is what clients get tickets for",
		    core_facts()->hostname);
	json_decref(realms);
	json_decref(keytabs);
	return problem;
}

void
kerberos_review(void)
{
	char *problem = kerberos_problem();

	if (problem != NULL)
		alert_raise(ALERT, NULL, json_pack("{s:s}", "reason", problem));
	else
		alert_clear(ALERT, NULL);
	free(problem);
}
