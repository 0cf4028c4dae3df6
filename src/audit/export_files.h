/*
 * The reports that exports leave in the folder of the log:
 * reports/USER/UUID.FORMAT.tar.gz, each user's in a folder of its own.
 */
#ifndef HF_AUDIT_EXPORT_FILES_H
#define HF_AUDIT_EXPORT_FILES_H

#include <stdint.h>

#define EXPORT_FOLDER	"reports"
/* A user's oldest goes when there are more: whoever reads fills no disk. */
#define EXPORT_FILES_MAX 32

/* The folder of that user, made when it is not there; -1 with errno. */
int	 export_folder(int dirfd, const char *user);
/* In such a folder: removes what is more than EXPORT_FILES_MAX. */
void	 export_limit(int folder);
/* The archive of that user and name, for reading, or -1 with errno. */
int	 export_open(int dirfd, const char *user, const char *name);
/* Removes all that are older than that time.  0 or -1 with errno. */
int	 export_expire(int dirfd, int64_t before);

#endif
