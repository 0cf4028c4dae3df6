/*
 * The seccomp filter of a transfer: see confine.h.  By hand (seccomp(2)), as
 * this program has no libraries.
 */
#include "scponly/confine.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the filter does not know this processor"
#endif

#define OTHER_ABI 0x40000000 /* x32's calls, which have other numbers */
#define PLACE ((size_t)64 * 1024)
#define PLACE_BITS 46 /* of addresses; all processors have more */
#define TRIES 32
#define PATH_LONGEST 64
#define RULES_MAX 96

/* clang-format off */
static const int refused[] = {
	/* other processes */
#ifdef __NR_fork
	__NR_fork, __NR_vfork,
#endif
	__NR_clone, __NR_clone3, __NR_ptrace, __NR_process_vm_readv,
	__NR_process_vm_writev, __NR_pidfd_getfd,
	/* namespaces, what is mounted */
	__NR_unshare, __NR_setns, __NR_mount, __NR_umount2, __NR_pivot_root,
	__NR_chroot, __NR_move_mount, __NR_open_tree, __NR_fsopen,
	/* parts of the kernel that have been the way into it */
	__NR_io_uring_setup, __NR_io_uring_enter, __NR_io_uring_register,
	__NR_bpf, __NR_userfaultfd, __NR_perf_event_open, __NR_keyctl,
	__NR_add_key, __NR_request_key, __NR_personality,
};
static const int sockets[] = { __NR_socket, __NR_socketpair };
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define AT(member) ((uint32_t)offsetof(struct seccomp_data, member))
#define LOAD(where) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, where)
#define IF_EQUAL(value, yes, no)                                               \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
#define REFUSE RETURN(SECCOMP_RET_ERRNO | EPERM)
#define END RETURN(SECCOMP_RET_KILL_PROCESS)
#define ALLOW RETURN(SECCOMP_RET_ALLOW)

struct rules {
	struct sock_filter rule[RULES_MAX];
	unsigned short count;
};

static void
add(struct rules *rules, const struct sock_filter *some, size_t count)
{
	memcpy(rules->rule + rules->count, some, count * sizeof(*some));
	rules->count = (unsigned short)(rules->count + count);
}

/* The low half of an argument: both processors are little-endian. */
static void
put_execve(struct rules *rules, const char *path)
{
	uint64_t place = (uint64_t)(uintptr_t)path;
	const struct sock_filter part[] = {
		IF_EQUAL(__NR_execveat, 5, 0),
		IF_EQUAL(__NR_execve, 0, 6),
		LOAD(AT(args[0])),
		IF_EQUAL((uint32_t)place, 0, 2),
		LOAD(AT(args[0]) + 4),
		IF_EQUAL((uint32_t)(place >> 32), 1, 0),
		END,
		ALLOW,
	};

	add(rules, part, COUNT(part));
}

static void
put_rules(struct rules *rules, const char *path, bool logs)
{
	const struct sock_filter head[] = {
		LOAD(AT(arch)),
		IF_EQUAL(ARCHITECTURE, 1, 0),
		END,
		LOAD(AT(nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, OTHER_ABI, 0, 1),
		END,
	};
	const struct sock_filter last[] = { ALLOW };
	size_t i;

	add(rules, head, COUNT(head));
	put_execve(rules, path);
	for (i = 0; i < COUNT(refused); i++) {
		const struct sock_filter part[] = {
			IF_EQUAL((uint32_t)refused[i], 0, 1),
			REFUSE,
		};

		add(rules, part, COUNT(part));
	}
	for (i = 0; i < COUNT(sockets); i++) {
		const struct sock_filter part[] = {
			IF_EQUAL((uint32_t)sockets[i], 0, 4),
			LOAD(AT(args[0])),
			IF_EQUAL(logs ? AF_UNIX : AF_UNSPEC, 0, 1),
			ALLOW,
			REFUSE,
		};

		add(rules, part, COUNT(part));
	}
	add(rules, last, COUNT(last));
}

_Static_assert(6 + 8 + 2 * COUNT(refused) + 5 * COUNT(sockets) + 1 <= RULES_MAX,
    "all rules have room");

/* A copy of the text at an address that nobody can guess, or NULL. */
static const char *
hide(const char *path)
{
	unsigned long long drawn;
	uintptr_t place;
	unsigned int i;
	size_t offset;
	char *page;

	for (i = 0; i < TRIES; i++) {
		if (getrandom(&drawn, sizeof(drawn), 0) != sizeof(drawn))
			return NULL;
		offset = (size_t)(drawn >> PLACE_BITS) % (PLACE - PATH_LONGEST);
		place = (uintptr_t)(drawn % (1ULL << PLACE_BITS)) &
		    ~(uintptr_t)(PLACE - 1);
		page = mmap((void *)place, PLACE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (page != (char *)place)
			continue;
		memcpy(page + offset, path, strlen(path) + 1);
		return page + offset;
	}
	return NULL;
}

const char *
confine(const char *path, bool logs)
{
	static struct rules rules;
	struct sock_fprog program = { .filter = rules.rule };
	const char *hidden;

	if (strlen(path) >= PATH_LONGEST || (hidden = hide(path)) == NULL)
		return NULL;
	put_rules(&rules, hidden, logs);
	program.len = rules.count;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		return NULL;
	explicit_bzero(&rules, sizeof(rules));
	return hidden;
}
