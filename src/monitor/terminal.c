/*
 * The terminals of the web shell: see terminal.h.
 */
#include "monitor/terminal.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/xalloc.h"
#include "monitor/child.h"
#include "monitor/instance.h"
#include "monitor/monitor.h"
#include "monitor/proc.h"
#include "monitor/processes.h"

#define TERMINALS_MAX 64
#define NAME_MAX_BYTES 256
#define COLUMNS 80
#define ROWS 24
#define SIZE_MAX_CELLS 4096 /* columns, or rows */
#define END_SECONDS 30 /* of the child that sees to the end */
#define LEAVE_MS 2000 /* to go by themselves when it is hung up */
#define LOOK_MS 50
#define LOGIN "/bin/login"

struct terminal {
	struct terminal *next;
	uint32_t number;
	pid_t pid; /* of login */
	int master;
	/*
	 * Our own: while login hangs its terminal up to have it for itself,
	 * nobody else has it, which would be the end of it.
	 */
	int slave;
	dev_t device;
	bool ending;
};

/* Who wants to log in. */
struct entrant {
	char *user;
	uid_t uid;
	char *address; /* "": the Unix socket */
};

static uv_loop_t *loop;
static struct terminal *terminals;
static uint32_t last_number;
static size_t nterminals;

void
terminals_start(uv_loop_t *on)
{
	loop = on;
}

/* --- The end ---------------------------------------------------------------- */

struct out {
	dev_t device;
	pid_t spared; /* 0: nobody */
};

/* In this namespace: another one's terminals have the same numbers. */
static bool
has_terminal(const struct proc *p, const void *arg)
{
	const struct out *out = arg;
	struct namespace_id id;

	return (dev_t)(unsigned int)p->tty == out->device &&
	    p->pid != out->spared && instance_namespace(p->fd, &id) == 0 &&
	    namespace_same(&id, monitor_namespace());
}

struct look {
	const struct out *out;
	bool found;
};

static void
look_at(const struct proc *p, void *arg)
{
	struct look *look = arg;

	look->found |= has_terminal(p, look->out);
}

/* Until nobody but the spared one has it, or for so long. */
static bool
all_left(const struct out *out)
{
	struct look look = { .out = out };
	int waited;

	for (waited = 0; waited < LEAVE_MS; waited += LOOK_MS) {
		look.found = false;
		if (proc_each(look_at, &look) == 0 && !look.found)
			return true;
		poll(NULL, 0, LOOK_MS);
	}
	return false;
}

/*
 * In a child.  Not by hanging the terminal up: that is the end of login, which
 * would not close PAM's session.  Its shell is told to go; who stays all the
 * same is killed, all at once: without the leader of their session nobody
 * knows whose the others were.
 */
static int
see_out(void *arg, char *text, size_t size)
{
	struct out *out = arg;

	(void)text;
	(void)size;
	proc_signal(has_terminal, out, SIGHUP);
	if (!all_left(out))
		proc_signal(has_terminal, out, SIGKILL);
	out->spared = 0;
	return all_left(out) || proc_end(has_terminal, out) != -1 ? 0 : -1;
}

static void
seen_out(const char *text, void *arg)
{
	(void)text;
	(void)arg;
}

/* It stays in the list until login ended. */
static void
terminal_end(struct terminal *t)
{
	struct out out = { .device = t->device, .spared = t->pid };

	if (t->ending)
		return;
	t->ending = true;
	child_ask(loop, see_out, &out, END_SECONDS, seen_out, NULL);
}

void
terminals_end(void)
{
	struct terminal *t;

	for (t = terminals; t != NULL; t = t->next)
		terminal_end(t);
}

static void
login_ended(pid_t pid, int status, void *arg)
{
	struct terminal **at = &terminals, *t = arg;
	struct wire_out body = { 0 };
	char reason[64];

	log_info("terminal.over", "%u: login[%d] %s", t->number, (int)pid,
	    child_reason(status, reason, sizeof(reason)));
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	nterminals--;
	close(t->master);
	close(t->slave);
	wire_put_u32(&body, t->number);
	processes_send(ROLE_CORE, MSG_TERMINAL_OVER, 0, &body, NULL, 0);
	wire_free(&body);
	free(t);
}

/* --- The beginning ---------------------------------------------------------- */

static int
pty_open(struct terminal *t)
{
	struct winsize size = { .ws_row = ROWS, .ws_col = COLUMNS };
	struct termios modes;
	struct stat st;

	t->slave = -1;
	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->master == -1)
		return -1;
	/* Not by its name: that could be somebody else's file. */
	if (unlockpt(t->master) == 0)
		t->slave = ioctl(
		    t->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->slave == -1 || fstat(t->slave, &st) == -1 ||
	    tcgetattr(t->slave, &modes) == -1)
		return -1;
	t->device = st.st_rdev;
	modes.c_iflag |= IUTF8;
	if (tcsetattr(t->slave, TCSANOW, &modes) == -1 ||
	    ioctl(t->master, TIOCSWINSZ, &size) == -1)
		return -1;
	return 0;
}

/* The child, with the terminal as 3. */
static void __attribute__((noreturn)) run_login(const struct entrant *who)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
			     "/usr/bin:/sbin:/bin";
	static char term[] = "TERM=xterm-256color";
	char *environment[] = { path, term, NULL };
	char login[] = "login", known[] = "-f", host[] = "-h", end[] = "--";
	char *argv[7] = { login, known };
	size_t n = 2;
	const struct passwd *account;

	if (who->address[0] != '\0') {
		argv[n++] = host;
		argv[n++] = who->address;
	}
	argv[n++] = end;
	argv[n] = who->user;
	if (setsid() == -1 || ioctl(3, TIOCSCTTY, 0) == -1 ||
	    dup2(3, STDIN_FILENO) == -1 || dup2(3, STDOUT_FILENO) == -1 ||
	    dup2(3, STDERR_FILENO) == -1 || chdir("/") == -1)
		_exit(127);
	umask(022);
	/* The files may have changed since core looked. */
	account = getpwnam(who->user);
	if (account == NULL || account->pw_uid != who->uid) {
		dprintf(STDERR_FILENO, "This account is another one now.\r\n");
		_exit(1);
	}
	execve(LOGIN, argv, environment);
	dprintf(STDERR_FILENO, "%s: %s\r\n", LOGIN, strerror(errno));
	_exit(127);
}

static int
entrant_read(struct wire_in *body, struct entrant *who)
{
	struct in6_addr in6;
	struct in_addr in;
	const unsigned char *p;

	who->user = wire_get_str(body, NAME_MAX_BYTES);
	who->uid = wire_get_u32(body);
	who->address = wire_get_str(body, INET6_ADDRSTRLEN);
	if (wire_end(body) == -1 || who->user[0] == '\0' || who->user[0] == '-')
		return -1;
	for (p = (const unsigned char *)who->user; *p != '\0'; p++)
		if (*p <= ' ' || *p == 0x7f || *p == ':' || *p == '/')
			return -1;
	return who->address[0] == '\0' ||
		inet_pton(AF_INET, who->address, &in) == 1 ||
		inet_pton(AF_INET6, who->address, &in6) == 1 ?
	    0 :
	    -1;
}

/* 0 or an errno. */
static int
terminal_open(struct terminal *t, const struct entrant *who)
{
	int error = 0;

	if (pty_open(t) == -1)
		error = errno;
	else if ((t->pid = child_fork(&t->slave, 1)) == 0)
		run_login(who);
	else if (t->pid == -1)
		error = errno;
	if (error != 0 && t->master != -1)
		close(t->master);
	if (error != 0 && t->slave != -1)
		close(t->slave);
	return error;
}

static void
terminal_begin(const struct operation_ticket *ticket, const struct entrant *who)
{
	struct terminal *t = xcalloc(1, sizeof(*t));
	struct wire_out members = { 0 };
	int error = terminal_open(t, who);

	if (error != 0) {
		operations_reply(ticket, error, "opening a terminal", NULL, -1);
		free(t);
		return;
	}
	t->number = ++last_number;
	t->next = terminals;
	terminals = t;
	nterminals++;
	child_watch(t->pid, login_ended, t);
	log_info("terminal.open", "%u: login[%d] of uid %u", t->number,
	    (int)t->pid, who->uid);
	wire_put_u32(&members, t->number);
	operations_reply(ticket, 0, NULL, &members, t->master);
	wire_free(&members);
}

void
op_terminal(const struct operation_ticket *ticket, struct wire_in *body)
{
	struct entrant who = { 0 };

	if (entrant_read(body, &who) == -1)
		operations_reply(ticket, EINVAL, "malformed request", NULL, -1);
	else if (nterminals >= TERMINALS_MAX)
		operations_reply(ticket, EBUSY, "too many terminals", NULL, -1);
	else
		terminal_begin(ticket, &who);
	free(who.user);
	free(who.address);
}

/* --- What is open ----------------------------------------------------------- */

static struct terminal *
terminal_find(uint32_t number)
{
	struct terminal *t = terminals;

	while (t != NULL && t->number != number)
		t = t->next;
	return t;
}

int
op_terminal_size(struct operation_call *call)
{
	uint32_t number = wire_get_u32(&call->body);
	struct winsize size = { 0 };
	struct terminal *t = terminal_find(number);

	size.ws_col = wire_get_u16(&call->body);
	size.ws_row = wire_get_u16(&call->body);
	if (wire_end(&call->body) == -1 || size.ws_col > SIZE_MAX_CELLS ||
	    size.ws_row > SIZE_MAX_CELLS)
		return operation_fail(call, EINVAL, "malformed request");
	/* Over meanwhile: there is nothing to be sized. */
	if (t != NULL && ioctl(t->master, TIOCSWINSZ, &size) == -1)
		return operation_fail(
		    call, errno, "its size: %s", strerror(errno));
	return 0;
}

int
op_terminal_end(struct operation_call *call)
{
	uint32_t number = wire_get_u32(&call->body);
	struct terminal *t = terminal_find(number);

	if (wire_end(&call->body) == -1)
		return operation_fail(call, EINVAL, "malformed request");
	if (t != NULL)
		terminal_end(t);
	return 0;
}
