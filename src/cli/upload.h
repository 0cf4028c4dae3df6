/*
 * A file for a job: POST /_upload over an instance's Unix socket.
 */
#ifndef HF_CLI_UPLOAD_H
#define HF_CLI_UPLOAD_H

#include <jansson.h>

#include "cli/client.h"

/*
 * Calls a method that takes a file; the instance as for client_open(), params
 * (an array) is stolen.  *answerp becomes the job's id; it is an error object
 * when the server refused, NULL when lost.
 */
enum client_answer upload_file(const char *instance, const char *method,
    json_t *params, const char *text, json_t **answerp);

#endif
