/*
 * What the command line takes as parameters of a method.
 */
#ifndef HF_CLI_ARGUMENT_H
#define HF_CLI_ARGUMENT_H

#include <jansson.h>

/*
 * JSON, "-" for JSON on standard input, or a text without quotes when it is a
 * plain word: letters first, and nothing that JSON is written with.  NULL with
 * *problem, a static or thread-local text.
 */
json_t	*argument_json(const char *, const char **problem);
/* The same, but what is no JSON is a text, as midclt takes it. */
json_t	*argument_or_text(const char *, const char **problem);

#endif
