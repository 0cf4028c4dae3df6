/*
 * Puts the fragments of one text message together: checks that they are
 * UTF-8 and bounds them, in characters, as the API measures.
 */
#ifndef HF_WEB_ASSEMBLY_H
#define HF_WEB_ASSEMBLY_H

#include <stddef.h>
#include <stdint.h>

/* Limits of the API, in characters. */
#define ASSEMBLY_ANONYMOUS	8192

struct assembly {
	char	*data;		/* may be a secret */
	size_t	 len, size;
	size_t	 characters;
	size_t	 limit;		/* in characters */
	uint8_t	 missing;	/* bytes of a character begun */
	uint8_t	 low, high;	/* what its next byte may be */
};

enum assembly_result { ASSEMBLY_OK, ASSEMBLY_TOO_LONG, ASSEMBLY_NOT_UTF8 };

void	assembly_init(struct assembly *, size_t limit);
/* Zeroes and frees the content; the struct may be used again. */
void	assembly_clear(struct assembly *);

/*
 * Adds one fragment.  Anything but ASSEMBLY_OK is final for this message:
 * its content is gone, further fragments must not be added.
 */
enum assembly_result assembly_add(struct assembly *, const void *data,
    size_t len);
/* After the last fragment: whether it ended within a character. */
enum assembly_result assembly_end(const struct assembly *);
/* The message was used: forget it (zeroed), ready for the next one. */
void	assembly_reset(struct assembly *);

#endif
