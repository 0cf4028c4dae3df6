/*
 * seccomp: which system calls each role may still make, as one table.
 * Whatever is not listed answers EPERM.
 *
 * Nobody is given execve, ptrace, process_vm_*, mount, set*id, kill, bpf,
 * io_uring, keyctl, unshare, or anything that makes a process or a thread;
 * nobody maps memory executable.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/sandbox_internal.h"

/* Who: roles, and the worker that may connect. */
#define FRONT (ROLE_BIT(ROLE_WEB) | ROLE_BIT(ROLE_LOCAL))
#define CORE ROLE_BIT(ROLE_CORE)
#define AUDIT ROLE_BIT(ROLE_AUDIT)
#define WORKER ROLE_BIT(ROLE_WORKER)
#define JOURNAL ROLE_BIT(ROLE_JOURNAL)
#define CONNECT ROLE_BIT(ROLE_COUNT)
#define DISK (CORE | AUDIT)
#define FILES (CORE | AUDIT | WORKER | JOURNAL)
#define ALL (FRONT | CORE | AUDIT | WORKER | JOURNAL)

#define ARGS_MAX 3

/* A condition on an argument: (argument & mask) == value. */
struct condition {
	uint64_t mask; /* 0: none */
	uint64_t value;
	unsigned int index;
};

struct call {
	const char *name;
	unsigned int who;
	struct condition when[ARGS_MAX];
};

/* An int, a pointer that must be NULL, bits that must not be set. */
/* clang-format off */
#define IS(i, v)	{ 0xffffffffULL, (uint64_t)(uint32_t)(v), (i) }
#define IS_NULL(i)	{ UINT64_MAX, 0, (i) }
#define WITHOUT(i, v)	{ (uint64_t)(v), 0, (i) }
#define TYPE(i, v)	{ 0xffffffffULL &				\
	    ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK), (uint64_t)(v), (i) }

static const struct call calls[] = {
	/* Memory. */
	{ "brk",		ALL },
	{ "mmap",		ALL, { WITHOUT(2, PROT_EXEC) } },
	{ "mprotect",		ALL, { WITHOUT(2, PROT_EXEC) } },
	{ "munmap",		ALL },
	{ "mremap",		ALL },
	{ "madvise",		ALL },
	{ "futex",		ALL },
	{ "memfd_create",	ALL },

	/* Descriptors that are open already. */
	{ "read",		ALL },
	{ "readv",		ALL },
	{ "pread64",		ALL },
	{ "write",		ALL },
	{ "writev",		ALL },
	{ "lseek",		ALL },
	{ "close",		ALL },
	{ "fstat",		ALL },
	{ "newfstatat",		ALL },
	{ "fcntl",		ALL, { IS(1, F_GETFD) } },
	{ "fcntl",		ALL, { IS(1, F_SETFD) } },
	{ "fcntl",		ALL, { IS(1, F_GETFL) } },
	{ "fcntl",		ALL, { IS(1, F_SETFL) } },
	{ "fcntl",		ALL, { IS(1, F_DUPFD_CLOEXEC) } },
	{ "fcntl",		ALL, { IS(1, F_ADD_SEALS) } },
	{ "fcntl",		ALL, { IS(1, F_GET_SEALS) } },
	{ "ioctl",		ALL, { IS(1, FIONBIO) } },
	{ "ioctl",		ALL, { IS(1, FIOCLEX) } },
	{ "ioctl",		ALL, { IS(1, FIONREAD) } },

	/* The event loop. */
	{ "epoll_create1",	ALL },
	{ "epoll_ctl",		ALL },
	{ "epoll_wait",		ALL },
	{ "epoll_pwait",	ALL },
	{ "eventfd2",		ALL },
	{ "pipe2",		ALL },
	{ "poll",		ALL },
	{ "ppoll",		ALL },
	{ "timerfd_create",	ALL },
	{ "timerfd_settime",	ALL },

	/* The channels between the roles. */
	{ "recvmmsg",		ALL },
	{ "sendmmsg",		ALL },

	/* Time, chance, and what a process may know of itself. */
	{ "clock_getres",	ALL },
	{ "clock_gettime",	ALL },
	{ "clock_nanosleep",	ALL },
	{ "gettimeofday",	ALL },
	{ "nanosleep",		ALL },
	{ "time",		ALL },
	{ "getrandom",		ALL },
	{ "getegid",		ALL },
	{ "geteuid",		ALL },
	{ "getgid",		ALL },
	{ "getpid",		ALL },
	{ "getppid",		ALL },
	{ "getrlimit",		ALL },
	{ "getrusage",		ALL },
	{ "gettid",		ALL },
	{ "getuid",		ALL },
	{ "prlimit64",		ALL, { IS(0, 0), IS_NULL(2) } },
	{ "sched_getaffinity",	ALL },
	{ "sched_yield",	ALL },
	{ "sysinfo",		ALL },
	{ "uname",		ALL },

	/* Signals to itself; tgkill has a rule of its own below. */
	{ "restart_syscall",	ALL },
	{ "rt_sigaction",	ALL },
	{ "rt_sigprocmask",	ALL },
	{ "rt_sigreturn",	ALL },
	{ "sigaltstack",	ALL },

	{ "exit",		ALL },
	{ "exit_group",		ALL },

	/* Connections that were accepted, by us or for us. */
	{ "accept",		FRONT },
	{ "accept4",		FRONT | CORE },	/* of core: root's, for codes */
	{ "shutdown",		FRONT | CONNECT },
	{ "recvfrom",		FRONT | CONNECT },
	{ "sendto",		FRONT | CONNECT },
	{ "getpeername",	FRONT | CONNECT },
	{ "getsockname",	FRONT | CONNECT },
	{ "getsockopt",		FRONT | CONNECT | CORE | AUDIT },
	{ "setsockopt",		FRONT | CONNECT,
	    { IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY) } },
	/* Else each handshake with a client that keeps Nagle waits 40 ms. */
	{ "setsockopt",		FRONT,
	    { IS(1, IPPROTO_TCP), IS(2, TCP_QUICKACK) } },
	{ "setsockopt",		FRONT,
	    { IS(1, IPPROTO_TCP), IS(2, TCP_KEEPIDLE) } },
	{ "setsockopt",		FRONT,
	    { IS(1, IPPROTO_TCP), IS(2, TCP_KEEPINTVL) } },
	{ "setsockopt",		FRONT,
	    { IS(1, IPPROTO_TCP), IS(2, TCP_KEEPCNT) } },
	{ "setsockopt",		FRONT,
	    { IS(1, IPPROTO_TCP), IS(2, TCP_USER_TIMEOUT) } },
	{ "setsockopt",		FRONT,
	    { IS(1, SOL_SOCKET), IS(2, SO_KEEPALIVE) } },
	{ "setsockopt",		FRONT,
	    { IS(1, SOL_SOCKET), IS(2, SO_LINGER) } },
	{ "setsockopt",		FRONT,
	    { IS(1, SOL_SOCKET), IS(2, SO_SNDBUF) } },
	/* What programs say to /dev/log. */
	{ "recvmsg",		AUDIT },
	{ "setsockopt",		AUDIT,
	    { IS(1, SOL_SOCKET), IS(2, SO_PASSCRED) } },

	/* New connections: TCP only, no listening. */
	{ "socket",		CONNECT,
	    { IS(0, AF_INET), TYPE(1, SOCK_STREAM), IS(2, 0) } },
	{ "socket",		CONNECT,
	    { IS(0, AF_INET), TYPE(1, SOCK_STREAM), IS(2, IPPROTO_TCP) } },
	{ "socket",		CONNECT,
	    { IS(0, AF_INET6), TYPE(1, SOCK_STREAM), IS(2, 0) } },
	{ "socket",		CONNECT,
	    { IS(0, AF_INET6), TYPE(1, SOCK_STREAM), IS(2, IPPROTO_TCP) } },
	{ "connect",		CONNECT },

	/* Files to read; which ones, Landlock says. */
	{ "access",		FILES },
	{ "faccessat",		FILES },
	{ "faccessat2",		FILES },
	{ "getcwd",		FILES },
	{ "getdents64",		FILES },
	{ "lstat",		FILES },
	{ "open",		FILES },
	{ "openat",		FILES },
	{ "readlink",		FILES },
	{ "readlinkat",		FILES },
	{ "stat",		FILES },
	{ "statx",		FILES },

	/* Which files of the journal come, grow and go: sd_journal_get_fd(3). */
	{ "inotify_init1",	JOURNAL },
	{ "inotify_add_watch",	JOURNAL },
	{ "inotify_rm_watch",	JOURNAL },
	{ "fstatfs",		JOURNAL },

	/* Files to write. */
	{ "fallocate",		DISK },
	{ "fchmod",		DISK },
	{ "fcntl",		DISK, { IS(1, F_GETLK) } },
	{ "fcntl",		DISK, { IS(1, F_SETLK) } },
	{ "fcntl",		DISK, { IS(1, F_SETLKW) } },
	{ "fcntl",		DISK, { IS(1, F_OFD_GETLK) } },
	{ "fcntl",		DISK, { IS(1, F_OFD_SETLK) } },
	{ "fdatasync",		DISK },
	{ "flock",		DISK },
	{ "fstatfs",		DISK },
	{ "fsync",		DISK },
	{ "ftruncate",		DISK },
	{ "mkdir",		DISK },
	{ "mkdirat",		DISK },
	{ "msync",		DISK },
	{ "pwrite64",		DISK },
	{ "rename",		DISK },
	{ "renameat",		DISK },
	{ "renameat2",		DISK },
	{ "rmdir",		DISK },
	{ "umask",		DISK },
	{ "unlink",		DISK },
	{ "unlinkat",		DISK },

	{ NULL, 0 }
};

#ifdef HF_SANITIZERS
/* What the run-time of ASan and UBSan does beyond that when it reports. */
static const struct call sanitizer_calls[] = {
	{ "open",		ALL },	/* Landlock refuses the file itself */
	{ "openat",		ALL },
	{ "readlink",		ALL },
	{ "readlinkat",		ALL },
	{ "dup",		ALL },
	{ "pipe",		ALL },
	{ NULL, 0 }
};
#endif
/* clang-format on */

static void __attribute__((noreturn)) failed(const char *what, int error)
{
	fatal("the list of system calls: %s: %s", what, strerror(-error));
}

static void
allow(scmp_filter_ctx filter, const struct call *call)
{
	struct scmp_arg_cmp when[ARGS_MAX];
	unsigned int n;
	int number, error;

	/* Not on this architecture: a negative number, which adds nothing. */
	number = seccomp_syscall_resolve_name(call->name);
	if (number == __NR_SCMP_ERROR)
		fatal("libseccomp does not know %s", call->name);
	for (n = 0; n < ARGS_MAX && call->when[n].mask != 0; n++)
		when[n] = SCMP_CMP(call->when[n].index, SCMP_CMP_MASKED_EQ,
		    call->when[n].mask, call->when[n].value);
	error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, n, when);
	if (error != 0)
		failed(call->name, error);
}

static void
allow_table(scmp_filter_ctx filter, const struct call *table, unsigned int who)
{
	for (; table->name != NULL; table++)
		if (table->who & who)
			allow(filter, table);
}

/* What depends on the process, or answers otherwise than EPERM. */
static void
special_rules(scmp_filter_ctx filter)
{
	int error;

	/* abort() and raise(); the roles signal nobody else. */
	error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	if (error != 0)
		failed("tgkill", error);
	/* glibc then tries clone(), which is refused like all the others. */
	error = seccomp_rule_add(
	    filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (error != 0)
		failed("clone3", error);
}

void
seccomp_enter(enum role role, enum sandbox_network network)
{
	unsigned int who = ROLE_BIT(role);
	scmp_filter_ctx filter;
	int error;

	if (role == ROLE_WORKER && network == SANDBOX_CONNECT)
		who |= CONNECT;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL)
		fatal("the list of system calls: libseccomp does not start");
	/* Another architecture's calls (x32, i386) end the process. */
	error = seccomp_attr_set(
	    filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (error != 0)
		failed("other architectures", error);
	/* A tree rather than a chain: each call is looked up each time. */
	error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (error != 0)
		failed("optimisation", error);
	allow_table(filter, calls, who);
#ifdef HF_SANITIZERS
	allow_table(filter, sanitizer_calls, who);
#endif
	special_rules(filter);
	if ((error = seccomp_load(filter)) != 0)
		failed("seccomp", error);
	seccomp_release(filter);
}

void
sandbox_no_io_uring(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error;

	if (filter == NULL)
		fatal("io_uring: libseccomp does not start");
	error = seccomp_rule_add(
	    filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0);
	if (error == 0)
		error = seccomp_load(filter);
	if (error != 0)
		failed("io_uring", error);
	seccomp_release(filter);
}
