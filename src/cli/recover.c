/*
 * holdfast recover: an account that nobody gets in with any more.  Where the
 * server runs it is asked; where it does not, a file in its folder asks its
 * next start (core/request.h), with the password hashed.
 */
#include <sys/stat.h>
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/password.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/paths.h"
#include "lib/xalloc.h"

#define METHOD "holdfast.recover"

struct wish {
	const char *username;
	bool password, unlock, second_factor;
};

static int
wish_read(const struct invocation *invocation, struct wish *w)
{
	char *const *word = invocation->argv;

	if (invocation->argc < 1) {
		complain("recover NAME [password] [unlock] [second-factor]");
		return -1;
	}
	*w = (struct wish){ .username = *word++ };
	if (*word == NULL)
		w->password = w->unlock = w->second_factor = true;
	for (; *word != NULL; word++) {
		if (strcmp(*word, "password") == 0)
			w->password = true;
		else if (strcmp(*word, "unlock") == 0)
			w->unlock = true;
		else if (strcmp(*word, "second-factor") == 0)
			w->second_factor = true;
		else {
			complain("password, unlock, or second-factor?  Not %s",
			    *word);
			return -1;
		}
	}
	return 0;
}

/* The method's parameter; NULL: no UTF-8. */
static json_t *
parameter(const struct wish *w, const char *member, const char *secret)
{
	json_t *given = json_pack("{s:s, s:b, s:b}", "username", w->username,
	    "unlock", w->unlock, "unset_second_factor", w->second_factor);
	json_t *text = json_string(secret);

	if (given != NULL && w->password && text != NULL)
		json_object_set(given, member, text);
	if (text == NULL || given == NULL) {
		complain("name and password must be UTF-8");
		json_decref(given);
		given = NULL;
	}
	json_decref(text);
	return given;
}

static enum exit_code
ask(const struct invocation *invocation, const struct wish *w,
    struct client *client, const char *password)
{
	json_t *given = parameter(w, "password", password), *answer = NULL;
	enum exit_code code;

	if (given == NULL)
		return EXIT_USAGE;
	code = client_outcome(
	    client_call(client, METHOD, json_pack("[o]", given), &answer),
	    answer, invocation->json);
	if (code == EXIT_DONE)
		printf("%s is recovered.\n", w->username);
	json_decref(answer);
	return code;
}

/* --- Without a server ----------------------------------------------------- */

/* yescrypt, as the server itself hashes; free it. */
static char *
hash_of(const char *password)
{
	char *setting = crypt_gensalt_ra("$y$", 0, NULL, 0), *hash = NULL;
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	const char *made;

	if (setting != NULL) {
		made = crypt_r(password, setting, data);
		if (made != NULL && *made == '$')
			hash = xstrdup(made);
	}
	free(setting);
	freezero(data, sizeof(*data));
	return hash;
}

/* The server's user reads it, as the folder is his. */
static int
leave(const char *instance, const json_t *request)
{
	char *path =
	    xasprintf("%s/state", instance != NULL ? instance : PATH_PACKAGED);
	char *text = json_text(request);
	struct stat st;
	int folder, rc = -1;

	folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder != -1 && fstat(folder, &st) == 0 && (st.st_mode & 077) == 0)
		rc = file_install(folder, FILE_REQUEST, text, strlen(text),
		    0600, st.st_uid, st.st_gid, NULL);
	if (rc == -1)
		complain("%s: %s", path, strerror(errno));
	if (folder != -1)
		close(folder);
	freezero_str(text);
	free(path);
	return rc;
}

static enum exit_code
ask_next_start(const struct invocation *invocation, const struct wish *w,
    const char *password)
{
	enum exit_code code = EXIT_SERVER;
	char *hash = w->password ? hash_of(password) : xstrdup("");
	json_t *given, *request;

	if (hash == NULL) {
		complain("the password can not be hashed");
		return code;
	}
	given = parameter(w, "hash", hash);
	freezero_str(hash);
	if (given == NULL)
		return EXIT_USAGE;
	request = json_pack("{s:o}", METHOD, given);
	if (leave(invocation->instance, request) == 0) {
		printf("%s will be recovered when Holdfast starts.\n",
		    w->username);
		code = EXIT_DONE;
	}
	json_decref(request);
	return code;
}

enum exit_code
command_recover(const struct invocation *invocation)
{
	char password[PASSWORD_SIZE] = "";
	enum exit_code code = EXIT_USAGE;
	struct client *client;
	struct wish w;

	if (wish_read(invocation, &w) == -1)
		return EXIT_USAGE;
	if (geteuid() != 0) {
		complain("recover: only root may do this");
		return EXIT_USAGE;
	}
	client = client_open(invocation->instance);
	if (w.password && password_read("new password", password) == -1)
		code = EXIT_USAGE;
	else if (client != NULL)
		code = ask(invocation, &w, client, password);
	else
		code = ask_next_start(invocation, &w, password);
	explicit_bzero(password, sizeof(password));
	client_close(client);
	return code;
}
