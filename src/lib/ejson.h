/*
 * Extended JSON: values that JSON has no form for travel as objects with one
 * member that begins with a dollar sign (a date with two).  They keep that
 * form inside Holdfast too; what is done here is to tell them from other
 * objects and to see that they are what they claim to be.
 *
 *	{"$date": milliseconds since the epoch, UTC}
 *	{"$type": "date", "$value": "YYYY-MM-DD"}
 *	{"$time": "HH:MM:SS[.ffffff]"}
 *	{"$set": [...]}		members are no arrays, sets or plain objects
 *	{"$ipv4_interface": "a.b.c.d/len"}
 *	{"$ipv6_interface": "addr/len"}
 */
#ifndef HF_EJSON_H
#define HF_EJSON_H

#include <jansson.h>

enum ejson_kind {
	EJSON_PLAIN,		/* any other value */
	EJSON_DATETIME,
	EJSON_DATE,
	EJSON_TIME,
	EJSON_SET,
	EJSON_IPV4_INTERFACE,
	EJSON_IPV6_INTERFACE
};

/* What it claims to be, by its members' names alone. */
enum ejson_kind	 ejson_kind(const json_t *);

/*
 * Checks a value and everything in it, and gives each interface its one form
 * (with a length, as inet_ntop(3) writes addresses).  0, or -1 with *whyp a
 * static text that quotes nothing.  The value is at most JSON_DEPTH_MAX deep.
 */
int		 ejson_check(json_t *, const char **whyp);

#endif
