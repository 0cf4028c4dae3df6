/*
 * Names of the errnos that travel on the wire: Linux's and the API's own.
 */
#ifndef HF_ERROR_H
#define HF_ERROR_H

enum {
	ENOMETHOD = 201,
	ESERVICESTARTFAILURE = 202,
	ENOTAUTHENTICATED = 207
};

/* "EINVAL"; "EUNKNOWN" when there is none. */
const char	*error_name(int error);

#endif
