/*
 * Keytabs: the keys of Kerberos principals as MIT's file of version 2 has them
 * (MIT Kerberos documentation, "Keytab file format"), and the file that
 * Holdfast makes of several.  Reading is pure and strict; it is for a process
 * without privileges, as the bytes come from elsewhere.
 */
#ifndef HF_KEYTAB_H
#define HF_KEYTAB_H

#include <stddef.h>
#include <stdint.h>

#define KEYTAB_MAX	((size_t)256 * 1024)	/* bytes */
#define KEYTAB_ENTRIES	1024
/*
 * How a file of ours begins: its version, then a hole of 20 bytes (a negative
 * length, which every reader passes over) that says whose it is.
 */
#define KEYTAB_VERSION	"\x05\x02"
#define KEYTAB_MARK	KEYTAB_VERSION "\xff\xff\xff\xec" "Written by Holdfast."

struct keytab_entry {
	char		*principal;	/* "host/nas.example@EXAMPLE" */
	uint32_t	 version;	/* of the key (kvno) */
	const char	*encryption;	/* static: "aes256-cts-hmac-sha1-96" */
	int		 strong;	/* 0: of those that no longer are */
	/* The record with its length, within what was read. */
	const uint8_t	*record;
	size_t		 len;
};

struct keytab {
	struct keytab_entry	*entries;
	size_t			 count;
};

/*
 * 0, or -1 with *why (static).  The entries point into data; free with
 * keytab_free(), also after -1.
 */
int	keytab_parse(const uint8_t *data, size_t len, struct keytab *,
	    const char **why);
void	keytab_free(struct keytab *);

#endif
