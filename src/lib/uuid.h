/*
 * New names that nothing else has.
 */
#ifndef HF_UUID_H
#define HF_UUID_H

#define UUID_LEN	37	/* with the NUL */

/* A random UUID, RFC 9562 section 5.4. */
void	uuid_new(char text[static UUID_LEN]);

#endif
