/*
 * Runs one system call inside another process, as root and ptrace can, and
 * prints its result: what would the kernel answer to that process if it were
 * taken over?
 *
 *	inject PID open PATH		openat, read only
 *	inject PID exec PATH		execve
 *	inject PID connect ADDRESS PORT	socket, then connect (TCP over IPv4)
 *	inject PID ptrace TARGET	PTRACE_SEIZE of that process
 *
 * Prints "0" (or the descriptor) when it was allowed, a negative errno when
 * not, "killed" when the kernel ended the process for trying.
 */
#include <arpa/inet.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define PC(r) ((r).rip)
#define SP(r) ((r).rsp)
#define RESULT(r) ((r).rax)
#define CODE 0x050fUL /* syscall */
#define CODE_MASK 0xffffUL
#elif defined(__aarch64__)
#define PC(r) ((r).pc)
#define SP(r) ((r).sp)
#define RESULT(r) ((r).regs[0])
#define CODE 0xd4000001UL /* svc #0 */
#define CODE_MASK 0xffffffffUL
#endif

#define ROOM 4096 /* below the stack pointer */

static pid_t pid;
static struct user_regs_struct saved;

static void
fail(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
set_registers(struct user_regs_struct *r)
{
	struct iovec iov = { .iov_base = r, .iov_len = sizeof *r };

	if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov) == -1)
		fail("PTRACE_SETREGSET");
#ifdef __aarch64__
	int none = -1;

	iov.iov_base = &none;
	iov.iov_len = sizeof none;
	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &iov);
#endif
}

static void
get_registers(struct user_regs_struct *r)
{
	struct iovec iov = { .iov_base = r, .iov_len = sizeof *r };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov) == -1)
		fail("PTRACE_GETREGSET");
}

static void
load_arguments(struct user_regs_struct *r, long number, const long *args)
{
#if defined(__x86_64__)
	r->rax = (unsigned long)number;
	r->orig_rax = (unsigned long)-1; /* nothing to restart */
	r->rdi = (unsigned long)args[0];
	r->rsi = (unsigned long)args[1];
	r->rdx = (unsigned long)args[2];
	r->r10 = (unsigned long)args[3];
#elif defined(__aarch64__)
	int i;

	r->regs[8] = (unsigned long)number;
	for (i = 0; i < 4; i++)
		r->regs[i] = (unsigned long)args[i];
#endif
}

/* Words at that place of the other process. */
static void
copy_out(unsigned long to, const void *data, size_t len)
{
	size_t at;
	long word;

	for (at = 0; at < len; at += sizeof word) {
		word = 0;
		memcpy(&word, (const char *)data + at,
		    len - at < sizeof word ? len - at : sizeof word);
		if (ptrace(PTRACE_POKEDATA, pid, to + at, word) == -1)
			fail("PTRACE_POKEDATA");
	}
}

/* The next stop by SIGTRAP; other signals wait. */
static bool
wait_trap(void)
{
	int status;

	for (;;) {
		if (waitpid(pid, &status, __WALL) == -1)
			fail("waitpid");
		if (!WIFSTOPPED(status))
			return false;
		if (WSTOPSIG(status) == SIGTRAP)
			return true;
		if (WSTOPSIG(status) == SIGSYS)
			return false;
		if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0) == -1)
			return false;
	}
}

/* One system call there; ends the program when it is killed for it. */
static long
call(long number, long a, long b, long c, long d)
{
	const long args[4] = { a, b, c, d };
	struct user_regs_struct r = saved;

	load_arguments(&r, number, args);
	set_registers(&r);
	if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0) == -1)
		fail("PTRACE_SINGLESTEP");
	if (!wait_trap()) {
		puts("killed");
		exit(0);
	}
	get_registers(&r);
	return (long)RESULT(r);
}

static long
attempt(int argc, char *argv[], unsigned long memory)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	const unsigned long none[1] = { 0 };
	long fd;

	if (strcmp(argv[2], "open") == 0) {
		copy_out(memory, argv[3], strlen(argv[3]) + 1);
		return call(SYS_openat, AT_FDCWD, (long)memory,
		    O_RDONLY | O_CLOEXEC, 0);
	}
	if (strcmp(argv[2], "exec") == 0) {
		copy_out(memory, argv[3], strlen(argv[3]) + 1);
		copy_out(memory + 2048, none, sizeof none);
		return call(SYS_execve, (long)memory, (long)memory + 2048,
		    (long)memory + 2048, 0);
	}
	if (strcmp(argv[2], "connect") == 0 && argc == 5) {
		sin.sin_port = htons((uint16_t)atoi(argv[4]));
		if (inet_pton(AF_INET, argv[3], &sin.sin_addr) != 1)
			exit(2);
		fd =
		    call(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0, 0);
		if (fd < 0)
			return fd;
		copy_out(memory, &sin, sizeof sin);
		return call(SYS_connect, fd, (long)memory, sizeof sin, 0);
	}
	if (strcmp(argv[2], "ptrace") == 0)
		return call(SYS_ptrace, PTRACE_SEIZE, atol(argv[3]), 0, 0);
	fprintf(stderr, "inject: wrong arguments\n");
	exit(2);
}

int
main(int argc, char *argv[])
{
	unsigned long memory;
	long code, result;
	int status;

	if (argc < 4)
		return 2;
	pid = (pid_t)atol(argv[1]);
	if (ptrace(PTRACE_ATTACH, pid, 0, 0) == -1)
		fail("PTRACE_ATTACH");
	if (waitpid(pid, &status, __WALL) == -1 || !WIFSTOPPED(status))
		fail("waitpid");
	get_registers(&saved);
	errno = 0;
	code = ptrace(PTRACE_PEEKTEXT, pid, PC(saved), 0);
	if (errno != 0)
		fail("PTRACE_PEEKTEXT");
	if (ptrace(PTRACE_POKETEXT, pid, PC(saved),
		(code & (long)~CODE_MASK) | (long)CODE) == -1)
		fail("PTRACE_POKETEXT");
	memory = (SP(saved) - ROOM) & ~15UL;
	result = attempt(argc, argv, memory);
	printf("%ld\n", result);
	fflush(stdout);
	if (result < 0 || strcmp(argv[2], "exec") != 0) {
		ptrace(PTRACE_POKETEXT, pid, PC(saved), code);
		set_registers(&saved);
	}
	if (ptrace(PTRACE_DETACH, pid, 0, 0) == -1)
		fail("PTRACE_DETACH");
	return 0;
}
