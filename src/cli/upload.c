/*
 * A file for a job: see upload.h.  The form is RFC 7578's, the answer HTTP/1.1
 * (RFC 9112) with a body of little JSON, or a line of text.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/upload.h"
#include "lib/json.h"
#include "lib/xalloc.h"

#define ANSWER_MAX ((size_t)64 * 1024)
#define BOUNDARY "holdfast-bb0c6f1d2e9a47f0" /* in nobody's file */

/* 0 or -1 with errno. */
static int
send_all(int fd, const char *text, size_t len)
{
	ssize_t sent;

	while (len > 0) {
		sent = send(fd, text, len, MSG_NOSIGNAL);
		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1)
			return -1;
		text += sent;
		len -= (size_t)sent;
	}
	return 0;
}

/* The form's parts are lines; what holds the boundary cannot be sent. */
static int
send_form(int fd, const char *data, const char *text)
{
	char *head, *form, *first;
	const char *last = "\r\n--" BOUNDARY "--\r\n";
	int rc = -1;

	first = xasprintf("--" BOUNDARY "\r\n"
			  "Content-Disposition: form-data; name=\"data\"\r\n"
			  "\r\n%s\r\n"
			  "--" BOUNDARY "\r\n"
			  "Content-Disposition: form-data; name=\"file\"; "
			  "filename=\"file\"\r\n\r\n",
	    data);
	form = xasprintf("%s%s%s", first, text, last);
	head = xasprintf("POST /_upload HTTP/1.1\r\n"
			 "Host: localhost\r\n"
			 "Connection: close\r\n"
			 "Content-Type: multipart/form-data; boundary=" BOUNDARY
			 "\r\n"
			 "Content-Length: %zu\r\n\r\n",
	    strlen(form));
	if (send_all(fd, head, strlen(head)) == 0 &&
	    send_all(fd, form, strlen(form)) == 0)
		rc = 0;
	free(head);
	freezero_str(form);
	free(first);
	return rc;
}

/* All until the server closes; malloc'd, NULL with errno. */
static char *
receive_all(int fd)
{
	char *text = xcalloc(1, ANSWER_MAX);
	size_t len = 0;
	ssize_t got;

	while (len < ANSWER_MAX - 1) {
		got = read(fd, text + len, ANSWER_MAX - 1 - len);
		if (got == -1 && errno == EINTR)
			continue;
		/* A server that refuses the rest of a form may reset. */
		if (got == 0 || (got == -1 && len > 0))
			return text;
		if (got == -1)
			break;
		len += (size_t)got;
	}
	free(text);
	return NULL;
}

static enum client_answer
understand(const char *answer, json_t **answerp)
{
	const char *body = strstr(answer, "\r\n\r\n"), *why;
	json_t *object = NULL, *id;
	enum client_answer got = ANSWER_LOST;

	if (strncmp(answer, "HTTP/1.1 ", 9) != 0 || body == NULL) {
		complain("the server speaks no HTTP");
		return ANSWER_LOST;
	}
	body += 4;
	if (strncmp(answer + 9, "200 ", 4) != 0) {
		*answerp = json_pack("{s:i, s:s, s:{s:i, s:s}}", "code", -32001,
		    "message", "Method call error", "data", "error", EINVAL,
		    "reason", *body != '\0' ? body : answer);
		return ANSWER_ERROR;
	}
	object = json_parse(body, strlen(body), &why);
	if (json_is_integer(id = json_object_get(object, "job_id"))) {
		*answerp = json_incref(id);
		got = ANSWER_RESULT;
	} else
		complain("the server's answer names no job");
	json_decref(object);
	return got;
}

enum client_answer
upload_file(const char *instance, const char *method, json_t *params,
    const char *text, json_t **answerp)
{
	json_t *call =
	    json_pack("{s:s, s:o}", "method", method, "params", params);
	int fd = client_socket(instance);
	enum client_answer got = ANSWER_LOST;
	char *data, *answer = NULL;

	*answerp = NULL;
	if (fd == -1) {
		complain("%s", strerror(errno));
		json_decref(call);
		return ANSWER_LOST;
	}
	data = json_text(call);
	/* What the server says of a form that it refuses is there to read. */
	if (strstr(text, BOUNDARY) != NULL)
		complain("the file holds the boundary of its form");
	else if (send_form(fd, data, text) == -1 && errno != EPIPE)
		complain("%s", strerror(errno));
	else if ((answer = receive_all(fd)) == NULL)
		complain("no answer: %s", strerror(errno));
	else
		got = understand(answer, answerp);
	close(fd);
	free(answer);
	free(data);
	json_decref(call);
	return got;
}
