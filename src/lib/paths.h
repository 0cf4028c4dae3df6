/*
 * Fixed places inside the mount namespace that every role lives in.  In an
 * instance they are bind mounts of folders of DIR, on a packaged machine the
 * folders themselves.
 */
#ifndef HF_PATHS_H
#define HF_PATHS_H

#define PATH_PACKAGED	"/var/lib/holdfast"	/* what an instance has in DIR */
#define PATH_STATE	"/run/holdfast/state"	/* _hfcore, 0700 */
#define PATH_AUDIT	"/run/holdfast/audit"	/* _hfaudit, 0700 */
#define PATH_HELD	"/run/holdfast/held"	/* root's: monitor/held.h */
#define FILE_REQUEST	"request.json"	/* in PATH_STATE: core/request.h */
#define PATH_SOCKET	"/run/middleware/middlewared.sock"

#endif
