/*
 * The files of the host keys, as root and the monitor's children see them.
 *
 * Each type has two slots, files of their own: while a key is replaced both
 * are there, and which one counts is what sshd_config says.  So it changes
 * with that file, at once, and comes back with it.
 */
#ifndef HF_SSH_KEY_FILES_H
#define HF_SSH_KEY_FILES_H

#include <stdbool.h>

#define SSH_KEY_TYPES	3	/* ssh_host_key_types has so many */
#define SSH_KEY_SLOTS	2

/* How sshd says that it cannot load one, in a check that says all is well. */
#define SSH_KEY_COMPLAINT "Unable to load host key: "

enum ssh_key_state {
	SSH_KEY_ABSENT,
	SSH_KEY_GOOD,
	SSH_KEY_DAMAGED,	/* sshd could not load it */
	SSH_KEY_STATE_COUNT
};

enum ssh_key_verb {
	SSH_KEY_MAKE,	/* a new pair, in place of what is there */
	SSH_KEY_DROP	/* both files go; of none such is fine */
};

/* Types are indexes of ssh_host_key_types.  The path; malloc'd. */
char	*ssh_key_file(unsigned int type, unsigned int slot);
/* The type whose key's path stands at the end of the text; -1: none. */
int	 ssh_key_type_at(const char *text);

/*
 * What is there.  *publicp: "type base64" of a good one, *whyp: what is wrong
 * with a damaged one, as ssh-keygen says it; both malloc'd, else NULL.
 */
enum ssh_key_state ssh_key_look(unsigned int type, unsigned int slot,
	    char **publicp, char **whyp);

/* 0, or -1 with *whyp (malloc'd); on disk when it returns. */
int	 ssh_key_make(unsigned int type, unsigned int slot, char **whyp);
int	 ssh_key_drop(unsigned int type, unsigned int slot, char **whyp);

/* Does a text of sshd_config name it as a host key? */
bool	 ssh_key_is_named(unsigned int type, unsigned int slot,
	    const char *config);

#endif
