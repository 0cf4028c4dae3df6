/*
 * Each role in its sandbox: its ordinary work goes through, what it must not
 * do fails with an error.  Needs root, since a sandbox begins with dropping
 * it.
 */
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <arpa/inet.h>
#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include <setjmp.h>
#include <cmocka.h>

#include "lib/file.h"
#include "lib/ipc.h"
#include "lib/sandbox.h"
#include "lib/xalloc.h"

/* In a child: says what is wrong and ends. */
#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			dprintf(2, "%s:%d: %s: %s\n", __FILE__, __LINE__,      \
			    #condition, strerror(errno));                      \
			_exit(2);                                              \
		}                                                              \
	} while (0)
/* A refusal, not a success and not a missing file. */
#define REFUSED(call)                                                          \
	do {                                                                   \
		errno = 0;                                                     \
		CHECK((long)(call) == -1 &&                                    \
		    (errno == EPERM || errno == EACCES));                      \
	} while (0)

static char folder[] = "/tmp/hf-test-sandbox-XXXXXX";

struct run {
	enum role role;
	enum sandbox_network network;
	struct sandbox_path paths[3];
	int fd; /* role's own, see work */
	struct sockaddr_in address;
	void (*work)(const struct run *);
};

static bool
is_root(void)
{
	if (geteuid() == 0)
		return true;
	print_message("not root: entering a sandbox can not be tested\n");
	return false;
}

/* Runs in a child that has entered; its exit must be clean. */
static void
run_role(const struct run *run)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		alarm(60);
		sandbox_enter(run->role, run->paths, run->network);
		run->work(run);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		print_error("%s: wait status %#x\n", role_info(run->role)->name,
		    (unsigned int)status);
	assert_int_equal(status, 0);
}

static void
each_role(void (*work)(const struct run *))
{
	struct run run = { .paths = { { -1, 0 } }, .work = work };

	for (run.role = ROLE_WEB; run.role < ROLE_COUNT; run.role++)
		run_role(&run);
	run.role = ROLE_WORKER;
	run.network = SANDBOX_CONNECT;
	run_role(&run);
}

static void
allocate(void)
{
	char *blocks[64];
	size_t i, size;

	for (i = 0; i < 64; i++) {
		size = (size_t)1 << (i % 23);
		blocks[i] = xmalloc(size);
		memset(blocks[i], (int)i, size);
	}
	for (i = 0; i < 64; i++)
		blocks[i] = xreallocarray(blocks[i], i + 1, 300000);
	for (i = 0; i < 64; i++)
		free(blocks[i]);
}

static void
ticked(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
}

static void
woken(uv_async_t *async)
{
	uv_close((uv_handle_t *)async, NULL);
}

static void
loop(void)
{
	uv_loop_t l;
	uv_timer_t timer;
	uv_async_t async;

	CHECK(uv_loop_init(&l) == 0);
	CHECK(uv_timer_init(&l, &timer) == 0);
	CHECK(uv_timer_start(&timer, ticked, 5, 0) == 0);
	CHECK(uv_async_init(&l, &async, woken) == 0);
	CHECK(uv_async_send(&async) == 0);
	CHECK(uv_run(&l, UV_RUN_DEFAULT) == 0);
	CHECK(uv_loop_close(&l) == 0);
}

static void
memory_files(void)
{
	char *text = NULL;
	void *data;
	size_t len;
	int fd;

	CHECK((fd = memfd_sealed("x", "hello", 5)) != -1);
	CHECK(memfd_map(fd, 10, &data, &len) == 0 && len == 5);
	munmap(data, len);
	CHECK(file_read_fd(fd, 10, &text, &len) == 0 && len == 5);
	free(text);
	close(fd);
}

static void
ordinary(const struct run *run)
{
	uint8_t random[16];
	struct timespec now, short_time = { 0, 1000 };

	(void)run;
	allocate();
	loop();
	memory_files();
	CHECK(getentropy(random, sizeof(random)) == 0);
	CHECK(clock_gettime(CLOCK_BOOTTIME, &now) == 0);
	CHECK(nanosleep(&short_time, NULL) == 0);
	CHECK(getuid() == role_info(run->role)->uid);
	CHECK(getgroups(0, NULL) == 0 || errno == EPERM);
}

static void
test_ordinary(void **state)
{
	(void)state;
	if (!is_root())
		skip();
	each_role(ordinary);
}

static void
forbidden_processes(void)
{
	char *argv[] = { (char *)(uintptr_t) "true", NULL }, byte = 0;
	struct iovec part = { &byte, 1 };

	REFUSED(execve("/bin/true", argv, NULL));
	REFUSED(syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, NULL, 0));
	REFUSED(fork());
	REFUSED(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	REFUSED(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	REFUSED(process_vm_readv(getppid(), &part, 1, &part, 1, 0));
	REFUSED(process_vm_writev(getppid(), &part, 1, &part, 1, 0));
	REFUSED(kill(getppid(), 0));
	REFUSED(kill(-1, 0));
	REFUSED(syscall(SYS_tgkill, getppid(), getppid(), 0));
	CHECK(syscall(SYS_tgkill, getpid(), gettid(), 0) == 0);
	REFUSED(syscall(SYS_pidfd_open, getppid(), 0));
	errno = 0;
	CHECK(syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS);
}

static void
forbidden_privileges(void)
{
	REFUSED(setuid(0));
	REFUSED(setresuid(0, 0, 0));
	REFUSED(setgid(0));
	REFUSED(setgroups(0, NULL));
	REFUSED(mount("none", "/mnt", "tmpfs", 0, NULL));
	REFUSED(syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */));
	REFUSED(syscall(SYS_bpf, 0, NULL, 0));
	REFUSED(syscall(SYS_io_uring_setup, 1, NULL));
	REFUSED(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
	REFUSED(syscall(SYS_userfaultfd, 0));
	REFUSED(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0));
	REFUSED(prctl(PR_SET_DUMPABLE, 1));
	REFUSED(chroot("/"));
}

static void
forbidden_memory(void)
{
	void *page;

	errno = 0;
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	REFUSED(mprotect(page, 4096, PROT_READ | PROT_EXEC));
	munmap(page, 4096);
}

static void
forbidden_files(void)
{
	static const char *const paths[] = { "/etc/shadow", "/etc/passwd",
		"/etc", "/", "/proc/1/environ", "/proc/self/mem", "/dev/null",
		"/tmp" };
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		REFUSED(open(paths[i], O_RDONLY));
		REFUSED(syscall(SYS_openat2, AT_FDCWD, paths[i], NULL, 0));
	}
	REFUSED(open("/tmp/hf-test-new", O_WRONLY | O_CREAT, 0600));
	REFUSED(truncate("/etc/hostname", 0));
	REFUSED(chmod("/etc/hostname", 0666));
	REFUSED(symlink("/etc/passwd", "/tmp/hf-test-link"));
	REFUSED(mkdir("/tmp/hf-test-folder", 0700));
	REFUSED(unlink("/etc/hostname"));
}

static void
forbidden_network(const struct run *run)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(22) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int pair[2], fd;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
	REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
	REFUSED(socket(AF_PACKET, SOCK_RAW, 0));
	REFUSED(socket(AF_INET, SOCK_DGRAM, 0));
	REFUSED(socket(AF_INET6, SOCK_DGRAM, 0));
	REFUSED(socket(AF_INET, SOCK_STREAM, 262 /* MPTCP */));
	REFUSED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	if (run->network == SANDBOX_CONNECT) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CHECK(fd != -1);
		in.sin_port = 0;
		REFUSED(bind(fd, (struct sockaddr *)&in, sizeof(in)));
		REFUSED(listen(fd, 1));
		close(fd);
		return;
	}
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(socket(AF_INET6, SOCK_STREAM, 0));
	/* The call itself, whatever the descriptor. */
	REFUSED(connect(2, (struct sockaddr *)&in, sizeof(in)));
	REFUSED(connect(2, (struct sockaddr *)&un, sizeof(un)));
	REFUSED(bind(2, (struct sockaddr *)&in, sizeof(in)));
	REFUSED(listen(2, 1));
}

static void
forbidden(const struct run *run)
{
	forbidden_processes();
	forbidden_privileges();
	forbidden_memory();
	forbidden_files();
	forbidden_network(run);
	REFUSED(ioctl(2, 0x5401 /* TCGETS */, NULL));
	REFUSED(fcntl(2, F_SETOWN, getppid()));
}

static void
test_forbidden(void **state)
{
	(void)state;
	if (!is_root())
		skip();
	each_role(forbidden);
}

/* A listening socket on a free port of 127.0.0.1. */
static int
listening(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(address, 0, sizeof(*address));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)address, len), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	return fd;
}

static void
front_work(const struct run *run)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	const int on = 1;
	char byte;
	int fd;

	fd = accept4(run->fd, (struct sockaddr *)&from, &len,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	CHECK(fd != -1);
	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
	REFUSED(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &on, sizeof(on)));
	CHECK(getpeername(fd, (struct sockaddr *)&from, &len) == 0);
	CHECK(send(fd, "x", 1, MSG_NOSIGNAL) == 1);
	CHECK(recv(fd, &byte, 1, 0) == 1 ||
	    (errno == EAGAIN || errno == EWOULDBLOCK));
	CHECK(shutdown(fd, SHUT_WR) == 0);
	CHECK(close(fd) == 0);
}

static void
test_front(void **state)
{
	struct run run = { .paths = { { -1, 0 } }, .work = front_work };
	int client;

	(void)state;
	if (!is_root())
		skip();
	for (run.role = ROLE_WEB; run.role <= ROLE_LOCAL; run.role++) {
		run.fd = listening(&run.address);
		client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(
		    connect(client, (struct sockaddr *)&run.address,
			sizeof(run.address)),
		    0);
		run_role(&run);
		close(client);
		close(run.fd);
	}
}

static void
sql(sqlite3 *db, const char *text)
{
	char *error = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK) {
		dprintf(2, "%s: %s\n", text, error);
		_exit(2);
	}
}

static void
core_work(const struct run *run)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	char path[128];
	sqlite3 *db;
	int i;

	CHECK(getsockopt(run->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0);
	snprintf(path, sizeof(path), "%s/store.db", folder);
	for (i = 0; i < 2; i++) {
		CHECK(sqlite3_open(path, &db) == SQLITE_OK);
		/* Core has no folder for SQLite's temporary files. */
		sql(db,
		    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		    "PRAGMA temp_store=MEMORY");
		sql(db, "CREATE TABLE IF NOT EXISTS t (a)");
		sql(db,
		    "BEGIN; INSERT INTO t VALUES (randomblob(1000000));"
		    "INSERT INTO t SELECT a FROM t; COMMIT");
		sql(db, "SELECT a FROM t ORDER BY a");
		sql(db, "PRAGMA wal_checkpoint(TRUNCATE); VACUUM");
		CHECK(sqlite3_close(db) == SQLITE_OK);
	}
	snprintf(path, sizeof(path), "%s/store.db-wal", folder);
	CHECK(access(path, F_OK) == -1);
	snprintf(path, sizeof(path), "%s/store.db", folder);
	CHECK(unlink(path) == 0);
	snprintf(path, sizeof(path), "%s/socket", folder);
	REFUSED(mknod(path, S_IFSOCK | 0600, 0));
	REFUSED(symlink("/etc/passwd", path));
	/* Not by seccomp: this is Landlock's, the file is anybody's. */
	REFUSED(open("/etc/passwd", O_RDONLY));
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void
prepare_folder(struct run *run, int writable)
{
	uid_t uid = role_info(run->role)->uid;

	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chown(folder, uid, uid), 0);
	run->paths[0].fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	run->paths[0].writable = writable;
	run->paths[1].fd = -1;
}

static void
remove_folder(struct run *run)
{
	close(run->paths[0].fd);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
test_core(void **state)
{
	struct run run = { .role = ROLE_CORE, .work = core_work };
	int pair[2];

	(void)state;
	if (!is_root())
		skip();
	assert_int_equal(ipc_pair(pair), 0);
	run.fd = pair[0];
	prepare_folder(&run, 1);
	run_role(&run);
	remove_folder(&run);
	close(pair[0]);
	close(pair[1]);
}

static void
audit_work(const struct run *run)
{
	const int dir = run->paths[0].fd, on = 1;
	char data[16], control[256];
	struct iovec part = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	int fd;

	CHECK(mkdirat(dir, "2026", 0700) == 0);
	fd = openat(
	    dir, "2026/segment", O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd != -1);
	CHECK(file_write_all(fd, "record\n", 7) == 0);
	CHECK(fdatasync(fd) == 0 && ftruncate(fd, 3) == 0 && fsync(fd) == 0);
	CHECK(renameat(dir, "2026/segment", dir, "closed") == 0);
	CHECK(fsync(dir) == 0);
	CHECK(
	    setsockopt(run->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
	CHECK(recvmsg(run->fd, &msg, 0) == 4);
}

static void
test_audit(void **state)
{
	struct run run = { .role = ROLE_AUDIT, .work = audit_work };
	int pair[2];

	(void)state;
	if (!is_root())
		skip();
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	assert_int_equal(write(pair[1], "line", 4), 4);
	run.fd = pair[0];
	prepare_folder(&run, 1);
	run_role(&run);
	remove_folder(&run);
	close(pair[0]);
	close(pair[1]);
}

static void
journal_work(const struct run *run)
{
	const int dir = run->paths[0].fd;
	struct statfs fs;
	int fd;

	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	CHECK(fd != -1);
	CHECK(inotify_add_watch(fd, folder, IN_MODIFY) != -1);
	CHECK(fstatfs(dir, &fs) == 0);
	CHECK(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) != -1);
	REFUSED(openat(dir, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	REFUSED(mkdirat(dir, "new", 0700));
	REFUSED(open("/etc/passwd", O_RDONLY));
	REFUSED(socket(AF_INET, SOCK_STREAM, 0));
	REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
}

static void
test_journal(void **state)
{
	struct run run = { .role = ROLE_JOURNAL, .work = journal_work };

	(void)state;
	if (!is_root())
		skip();
	prepare_folder(&run, 0);
	run_role(&run);
	remove_folder(&run);
}

static void
worker_work(const struct run *run)
{
	static struct crypt_data data;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE], path[64];
	const char *hash;
	int fd;

	CHECK(crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) !=
	    NULL);
	hash = crypt_r("a password", setting, &data);
	CHECK(hash != NULL && strncmp(hash, "$y$", 3) == 0);
	CHECK(getgrnam("root") != NULL && getgrnam("no-such-group") == NULL);
	CHECK(openat(run->paths[0].fd, "group", O_RDWR) == -1);
	snprintf(path, sizeof(path), "/etc/hf-test-%d", (int)getpid());
	REFUSED(open(path, O_WRONLY | O_CREAT, 0600));
	if (run->network != SANDBOX_CONNECT)
		return;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(fd != -1);
	CHECK(connect(fd, (const struct sockaddr *)&run->address,
		  sizeof(run->address)) == 0 ||
	    errno == EINPROGRESS);
	CHECK(poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, 5000) ==
	    1);
	CHECK(send(fd, "x", 1, MSG_NOSIGNAL) == 1);
}

static void
test_worker(void **state)
{
	struct run run = { .role = ROLE_WORKER, .work = worker_work };

	(void)state;
	if (!is_root())
		skip();
	run.fd = listening(&run.address);
	run.paths[0].fd = open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	run.paths[1].fd = -1;
	run_role(&run);
	run.network = SANDBOX_CONNECT;
	run_role(&run);
	close(run.paths[0].fd);
	close(run.fd);
}

/* abort() still works: an assertion leaves the right signal. */
static void
test_abort(void **state)
{
	const struct sandbox_path none[] = { { -1, 0 } };
	int status;
	pid_t pid;

	(void)state;
	if (!is_root())
		skip();
	if ((pid = fork()) == 0) {
		signal(SIGABRT, SIG_DFL);
		sandbox_enter(ROLE_CORE, none, SANDBOX_NO_NETWORK);
		abort();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* A role dies with the monitor although the drop changes its user. */
static void
test_death_signal(void **state)
{
	const struct sandbox_path none[] = { { -1, 0 } };
	struct pollfd polled = { .events = 0 };
	int ends[2], status;
	char byte;
	pid_t middle;

	(void)state;
	if (!is_root())
		skip();
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	if ((middle = fork()) == 0) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			sandbox_enter(ROLE_CORE, none, SANDBOX_NO_NETWORK);
			CHECK(write(ends[1], "x", 1) == 1);
			poll(NULL, 0, 30000);
			_exit(0);
		}
		poll(NULL, 0, 30000);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	polled.fd = ends[0];
	assert_int_equal(poll(&polled, 1, 100), 0);
	kill(middle, SIGKILL);
	waitpid(middle, &status, 0);
	assert_int_equal(poll(&polled, 1, 5000), 1);
	close(ends[0]);
}

/* What an operation's child gets: root's rights, but these files only. */
static void
test_files_only(void **state)
{
	struct sandbox_path paths[3] = { { -1, 0 } };
	char name[80], *text;
	int status, i, fd;
	pid_t pid;
	struct run run = { .role = ROLE_CORE };
	size_t len;
	const char *const reads[] = { "/usr", "/lib" };

	(void)state;
	if (!is_root())
		skip();
	prepare_folder(&run, 1);
	if ((pid = fork()) == 0) {
		for (i = 0; i < 2; i++)
			paths[i].fd = open(reads[i], O_PATH | O_CLOEXEC);
		paths[2].fd = -1;
		/* One of them is a file, with fewer rights than a folder. */
		close(paths[1].fd);
		paths[1].fd = open("/etc/hostname", O_PATH | O_CLOEXEC);
		CHECK(sandbox_files_only(paths) == 0);
		CHECK(geteuid() == 0);
		CHECK(file_read_at(
			  AT_FDCWD, "/etc/hostname", 1000, &text, &len) == 0);
		REFUSED(open("/etc/hostname", O_WRONLY));
		REFUSED(open("/etc/shadow", O_RDONLY));
		snprintf(name, sizeof(name), "%s/x", folder);
		REFUSED(open(name, O_WRONLY | O_CREAT, 0600));
		CHECK((fd = open("/usr/bin/true", O_RDONLY)) != -1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	remove_folder(&run);
}

static void
test_texts(void **state)
{
	const char *const *missing = sandbox_missing();
	const char *reason = "";
	int abi = sandbox_landlock_abi(), n = 0;

	(void)state;
	for (; *missing != NULL; missing++, n++)
		assert_non_null(strstr(*missing, "Landlock"));
	assert_int_equal(n, abi >= 6 ? 0 : 6 - abi);
	if (abi > 0) {
		assert_int_equal(sandbox_supported(&reason), 0);
		assert_null(reason);
	} else {
		assert_int_equal(sandbox_supported(&reason), -1);
		assert_non_null(reason);
	}
}

/* Without root there is no drop, so there must be no role either. */
static void
test_no_root(void **state)
{
	const struct sandbox_path none[] = { { -1, 0 } };
	int status;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 2);
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) == -1)
			_exit(0);
		sandbox_enter(ROLE_CORE, none, SANDBOX_NO_NETWORK);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_no_root),
		cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_front),
		cmocka_unit_test(test_core),
		cmocka_unit_test(test_audit),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_worker),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_death_signal),
		cmocka_unit_test(test_files_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
