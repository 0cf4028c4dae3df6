/*
 * Waits until another process is about to send a message of one type over one
 * of holdfastd's channels, and ends it with SIGKILL before the message goes
 * out, as root and ptrace can: a crash at exactly that place.
 *
 *	die_sending PID
 *
 * It is compiled for that type (-DTYPE=MSG_..., -I of the sources).
 * Prints "ready" once the process is watched; ends with 0 when it was killed.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/message.h"

#if defined(__x86_64__)
#define NUMBER(r) ((r).orig_rax)
#define ARGUMENT(r) ((r).rsi)
#elif defined(__aarch64__)
#define NUMBER(r) ((r).regs[8])
#define ARGUMENT(r) ((r).regs[1])
#endif

static pid_t pid;

static void
fail(const char *what)
{
	fprintf(stderr, "die_sending: %s: %s\n", what, strerror(errno));
	exit(2);
}

static bool
peek(uint64_t from, void *to, size_t len)
{
	struct iovec here = { .iov_base = to, .iov_len = len };
	struct iovec there = { .iov_base = (void *)(uintptr_t)from,
		.iov_len = len };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)len;
}

/* The type is what a channel's packet begins with. */
static bool
sends_it(void)
{
	struct user_regs_struct r;
	struct iovec registers = { .iov_base = &r, .iov_len = sizeof r };
	struct msghdr message;
	struct iovec first;
	uint16_t its;

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &registers) == -1)
		return false;
	if (NUMBER(r) != SYS_sendmsg && NUMBER(r) != SYS_sendmmsg)
		return false;
	return peek(ARGUMENT(r), &message, sizeof message) &&
	    message.msg_iovlen > 0 &&
	    peek((uintptr_t)message.msg_iov, &first, sizeof first) &&
	    first.iov_len >= sizeof its &&
	    peek((uintptr_t)first.iov_base, &its, sizeof its) && its == TYPE;
}

int
main(int argc, char **argv)
{
	int status, deliver;

	if (argc != 2)
		return 2;
	pid = atoi(argv[1]);
	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) == -1 ||
	    ptrace(PTRACE_INTERRUPT, pid, 0, 0) == -1)
		fail("PTRACE_SEIZE");
	puts("ready");
	fflush(stdout);
	while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
		deliver = 0;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			if (sends_it()) {
				kill(pid, SIGKILL);
				return 0;
			}
		} else if (status >> 16 == 0)
			deliver = WSTOPSIG(status);
		if (ptrace(PTRACE_SYSCALL, pid, 0, deliver) == -1)
			break;
	}
	fprintf(stderr, "die_sending: it ended by itself\n");
	return 1;
}
