/*
 * JSON-RPC 2.0 calls over an instance's Unix socket: see client.h.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/output.h"
#include "cli/websocket.h"
#include "lib/json.h"
#include "lib/paths.h"
#include "lib/xalloc.h"

#define API_PATH "/api/current"
#define SOCKET_NAME "middlewared.sock"

struct client {
	struct websocket *websocket;
	json_int_t last_id;
};

/*
 * The folder's name may be longer than a socket address holds, so it is named
 * by its descriptor then.
 */
int
client_socket(const char *folder)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int folder_fd = -1, fd = -1, len, error;

	if (folder == NULL)
		len = snprintf(
		    address.sun_path, sizeof(address.sun_path), PATH_SOCKET);
	else
		len = snprintf(address.sun_path, sizeof(address.sun_path),
		    "%s/%s", folder, SOCKET_NAME);
	if (folder != NULL && len >= (int)sizeof(address.sun_path)) {
		folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (folder_fd == -1)
			return -1;
		snprintf(address.sun_path, sizeof(address.sun_path),
		    "/proc/self/fd/%d/%s", folder_fd, SOCKET_NAME);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		goto out;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
		error = errno;
		close(fd);
		fd = -1;
		errno = error;
	}
out:
	error = errno;
	if (folder_fd != -1)
		close(folder_fd);
	errno = error;
	return fd;
}

struct client *
client_open(const char *instance)
{
	struct client *client;
	struct websocket *websocket;
	const char *why, *where = instance == NULL ? PATH_SOCKET : instance;
	int fd;

	if ((fd = client_socket(instance)) == -1) {
		why = strerror(errno);
		if (errno == ECONNREFUSED || errno == ENOENT)
			why = instance != NULL ?
			    "no Holdfast is running there" :
			    "no Holdfast is running on this machine; "
			    "HOLDFAST_INSTANCE names an instance's folder";
		complain("%s: %s", where, why);
		return NULL;
	}
	if ((websocket = websocket_open(fd, API_PATH, &why)) == NULL) {
		complain("%s: %s", where, why);
		return NULL;
	}
	client = xcalloc(1, sizeof(*client));
	client->websocket = websocket;
	return client;
}

void
client_close(struct client *client)
{
	if (client == NULL)
		return;
	websocket_free(client->websocket);
	free(client);
}

/* Sends the request.  0 or -1. */
static int
request_send(struct client *client, const char *method, json_t *params)
{
	json_t *request;
	char *text = NULL;
	int result = -1;

	client->last_id++;
	request = json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id",
	    client->last_id, "method", method, "params", params);
	if (request != NULL)
		text = json_text(request);
	if (text == NULL)
		complain("the request can not be written as JSON");
	else if ((result = websocket_send(
		      client->websocket, text, strlen(text))) == -1)
		complain("%s", websocket_why(client->websocket));
	freezero_str(text);
	json_decref(request);
	return result;
}

/* The next message; NULL when there is none any more, which was said. */
static json_t *
message_receive(struct client *client)
{
	const char *text, *problem;
	json_t *message;
	size_t len;

	text = websocket_receive(client->websocket, &len);
	if (text == NULL) {
		complain("%s", websocket_why(client->websocket));
		return NULL;
	}
	if ((message = json_parse(text, len, &problem)) == NULL)
		complain("the server's answer is wrong: %s", problem);
	return message;
}

/* The reply to the last request; others and events are passed over. */
static json_t *
reply_receive(struct client *client)
{
	json_t *reply, *id;

	while ((reply = message_receive(client)) != NULL) {
		id = json_object_get(reply, "id");
		if (json_is_integer(id) &&
		    json_integer_value(id) == client->last_id)
			break;
		/* An envelope that the server could not read has no id. */
		if (json_is_null(id) && json_object_get(reply, "error") != NULL)
			break;
		json_decref(reply);
	}
	return reply;
}

json_t *
client_notification(struct client *client)
{
	json_t *message;

	while ((message = message_receive(client)) != NULL &&
	    !json_is_string(json_object_get(message, "method")))
		json_decref(message);
	return message;
}

void
client_patience(struct client *client, int seconds)
{
	websocket_patience(client->websocket, seconds);
}

enum client_answer
client_call(
    struct client *client, const char *method, json_t *params, json_t **answerp)
{
	enum client_answer kind = ANSWER_RESULT;
	json_t *reply, *answer;

	*answerp = NULL;
	if (request_send(client, method, params) == -1 ||
	    (reply = reply_receive(client)) == NULL)
		return ANSWER_LOST;
	if ((answer = json_object_get(reply, "error")) != NULL)
		kind = ANSWER_ERROR;
	else
		answer = json_object_get(reply, "result");
	if (answer == NULL) {
		complain("the server's answer is neither result nor error");
		kind = ANSWER_LOST;
	}
	*answerp = json_incref(answer);
	json_decref(reply);
	return kind;
}

enum exit_code
client_outcome(enum client_answer got, const json_t *answer, bool json)
{
	switch (got) {
	case ANSWER_RESULT:
		return EXIT_DONE;
	case ANSWER_ERROR:
		print_failure(answer, json);
		return EXIT_SERVER;
	case ANSWER_LOST:
		break;
	}
	return EXIT_UNREACHABLE;
}
