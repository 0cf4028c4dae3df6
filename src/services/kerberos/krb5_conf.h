/*
 * /etc/krb5.conf from the realms, and what the monitor accepts of it.
 */
#ifndef HF_KRB5_CONF_H
#define HF_KRB5_CONF_H

#include <jansson.h>
#include <stddef.h>

#define KRB5_CONF_MARK "# Written by Holdfast;"
/*
 * Where libkrb5 looks for what accounts let in (.k5login) instead of their
 * homes: there is no such folder, so nobody opens a way in by a file.
 */
#define KRB5_LOGIN_FOLDER "/etc/holdfast/k5login"

/*
 * Realms as kerberos.realm.query has them; the first is the default one.  The
 * content, malloc'd; empty when there is none.
 */
char	*krb5_conf_render(const json_t *realms);

/*
 * struct output's vet: lines that krb5_conf_render() could have written, of no
 * other section or relation (a plug-in's, an include).
 */
int	 krb5_conf_vet(const char *content, size_t len, char **whyp);

#endif
