/*
 * The first moments of every role but the monitor: channel on fd 3, HELLO,
 * then the set-up messages, until START.
 */
#ifndef HF_STARTUP_H
#define HF_STARTUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ipc.h"

#define STARTUP_FD	3
#define STARTUP_PAGE_MAX ((size_t)32 << 20)	/* the web interface */

/* What the monitor knows of the machine and of how it was started. */
struct facts {
	char		*hostname;
	char		*cpu_model;
	uint64_t	 memory;		/* bytes */
	uint32_t	 cores, physical_cores;
	int64_t		 boot_time;		/* seconds since the epoch */
	int64_t		 boot_clock;		/* the same by boottime_ms() */
	char		*boot_id;		/* UUID of this start */
	char		*host_id;		/* 64 hex digits, fixed */
	char		*timezone;		/* "Europe/Berlin" */
	char		*manufacturer, *product, *product_version, *serial;
	char		*machine_boot;		/* the kernel's boot_id */
	bool		 fips_module;		/* OpenSSL has its provider */
	bool		 instance;		/* not a packaged machine */
	bool		 kernel_audit;		/* it may be changed */
	bool		 import;		/* what runs is taken over at
						   the first start */
	bool		 expose;		/* services may listen anywhere */
	char		*listen_address;	/* else only here */
	uint16_t	 ssh_port;		/* first tcpport; 0: the table's */
	char		*web_listening;		/* "127.0.0.1:8443", a line
						   each */
	char		*certificate;		/* the machine's own, PEM */
	char		*missing;		/* what the kernel lacks, a line
						   each; "" */
};

void	facts_put(struct wire_out *, const struct facts *);
/* 0 or -1; free with facts_free in both cases. */
int	facts_get(struct wire_in *, struct facts *);
void	facts_free(struct facts *);

/* Listeners of the audit role: the kernel's records, of a machine or of what
 * began in an instance. */
#define KERNEL_OF_MACHINE	"kernel audit"
#define KERNEL_OF_INSTANCE	"kernel audit, instance"

struct listener {
	char	*address;	/* "127.0.0.1:8443" or the socket's path */
	int	 fd;
};

struct startup {
	int		 peer_fds[ROLE_COUNT];	/* -1 where there is none */
	struct listener	*listeners;
	size_t		 nlisteners;
	char		*certificate, *key;	/* PEM; the key is secret */
	struct facts	 facts;
	char		*boot_id;	/* the front roles know no more */
	int		 page_fd;	/* web/page.h; -1: there is none */
};

/*
 * Says HELLO and collects until START, blocking; a breach is fatal.  The
 * descriptors belong to the caller.
 */
void	startup_receive(enum role self, struct startup *);
void	startup_free(struct startup *);	/* not the descriptors */

/* Identifies this very build; compared in HELLO. */
const char *startup_build(void);

#endif
