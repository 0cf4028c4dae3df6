/*
 * What others need to know of users.
 */
#ifndef HF_USER_H
#define HF_USER_H

#include <jansson.h>
#include <stdbool.h>

/*
 * The stored unixhash of an account that was there before Holdfast: its hash
 * is in shadow(5) alone, and stays as it is.
 */
#define USER_HASH_KEPT	"="

/* Is it Holdfast that writes this account into the account files? */
bool	user_is_rendered(const json_t *user);

#endif
