/*
 * The first moments of a role: HELLO, the set-up messages, START; and the
 * facts of the machine, which travel among them.
 */
#include <sys/stat.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/startup.h"
#include "lib/xalloc.h"

#define TEXT_MAX 4096
#define PEM_MAX (256 * 1024)
#define LISTENERS_MAX 32

/* A build id is 20 bytes as a rule; longer ones are cut. */
#define BUILD_ID_MAX 32

void
facts_put(struct wire_out *out, const struct facts *facts)
{
	wire_put_str(out, facts->hostname);
	wire_put_str(out, facts->cpu_model);
	wire_put_u64(out, facts->memory);
	wire_put_u32(out, facts->cores);
	wire_put_u32(out, facts->physical_cores);
	wire_put_u64(out, (uint64_t)facts->boot_time);
	wire_put_u64(out, (uint64_t)facts->boot_clock);
	wire_put_str(out, facts->boot_id);
	wire_put_str(out, facts->host_id);
	wire_put_str(out, facts->timezone);
	wire_put_str(out, facts->manufacturer);
	wire_put_str(out, facts->product);
	wire_put_str(out, facts->product_version);
	wire_put_str(out, facts->serial);
	wire_put_str(out, facts->machine_boot);
	wire_put_u8(out, facts->fips_module);
	wire_put_u8(out, facts->instance);
	wire_put_u8(out, facts->kernel_audit);
	wire_put_u8(out, facts->import);
	wire_put_u8(out, facts->expose);
	wire_put_str(out, facts->listen_address);
	wire_put_u16(out, facts->ssh_port);
	wire_put_str(out, facts->web_listening);
	wire_put_str(out, facts->certificate);
	wire_put_str(out, facts->missing);
}

int
facts_get(struct wire_in *in, struct facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	facts->hostname = wire_get_str(in, TEXT_MAX);
	facts->cpu_model = wire_get_str(in, TEXT_MAX);
	facts->memory = wire_get_u64(in);
	facts->cores = wire_get_u32(in);
	facts->physical_cores = wire_get_u32(in);
	facts->boot_time = (int64_t)wire_get_u64(in);
	facts->boot_clock = (int64_t)wire_get_u64(in);
	facts->boot_id = wire_get_str(in, TEXT_MAX);
	facts->host_id = wire_get_str(in, TEXT_MAX);
	facts->timezone = wire_get_str(in, TEXT_MAX);
	facts->manufacturer = wire_get_str(in, TEXT_MAX);
	facts->product = wire_get_str(in, TEXT_MAX);
	facts->product_version = wire_get_str(in, TEXT_MAX);
	facts->serial = wire_get_str(in, TEXT_MAX);
	facts->machine_boot = wire_get_str(in, TEXT_MAX);
	facts->fips_module = wire_get_u8(in) != 0;
	facts->instance = wire_get_u8(in) != 0;
	facts->kernel_audit = wire_get_u8(in) != 0;
	facts->import = wire_get_u8(in) != 0;
	facts->expose = wire_get_u8(in) != 0;
	facts->listen_address = wire_get_str(in, TEXT_MAX);
	facts->ssh_port = wire_get_u16(in);
	facts->web_listening = wire_get_str(in, TEXT_MAX);
	facts->certificate = wire_get_str(in, TEXT_MAX);
	facts->missing = wire_get_str(in, TEXT_MAX);
	return wire_end(in);
}

void
facts_free(struct facts *facts)
{
	free(facts->hostname);
	free(facts->cpu_model);
	free(facts->boot_id);
	free(facts->host_id);
	free(facts->timezone);
	free(facts->manufacturer);
	free(facts->product);
	free(facts->product_version);
	free(facts->serial);
	free(facts->machine_boot);
	free(facts->listen_address);
	free(facts->web_listening);
	free(facts->certificate);
	free(facts->missing);
	memset(facts, 0, sizeof(*facts));
}

/* Looks through one segment of notes, elf(5); true when it was there. */
static bool
read_notes(const char *at, size_t left, char *text)
{
	const ElfW(Nhdr) * note;
	size_t i, name_len, desc_len;

	while (left >= sizeof(*note)) {
		note = (const void *)at;
		at += sizeof(*note);
		left -= sizeof(*note);
		name_len = (note->n_namesz + (size_t)3) & ~(size_t)3;
		desc_len = (note->n_descsz + (size_t)3) & ~(size_t)3;
		if (name_len + desc_len > left)
			break;
		if (note->n_type == NT_GNU_BUILD_ID &&
		    note->n_namesz == sizeof(ELF_NOTE_GNU) &&
		    memcmp(at, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0) {
			at += name_len;
			for (i = 0; i < note->n_descsz && i < BUILD_ID_MAX; i++)
				snprintf(text + 2 * i, 3, "%02x",
				    (unsigned char)at[i]);
			return true;
		}
		at += name_len + desc_len;
		left -= name_len + desc_len;
	}
	return false;
}

/* Called for the first object only, which is the program. */
static int
find_build_id(struct dl_phdr_info *info, size_t size, void *arg)
{
	const ElfW(Phdr) *segment = info->dlpi_phdr;
	size_t i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++, segment++)
		if (segment->p_type == PT_NOTE &&
		    read_notes(
			(const char *)(info->dlpi_addr + segment->p_vaddr),
			segment->p_memsz, arg))
			break;
	return 1;
}

const char *
startup_build(void)
{
	static char build[sizeof(HF_VERSION) + 1 + 2 * BUILD_ID_MAX + 1];
	char *id = build + sizeof(HF_VERSION);
	struct stat st;

	if (build[0] != '\0')
		return build;
	dl_iterate_phdr(find_build_id, id);
	/* A linker that writes none: the file itself, then. */
	if (id[0] == '\0' && stat("/proc/self/exe", &st) == 0)
		snprintf(id, 2 * BUILD_ID_MAX + 1, "%llx-%llx-%llx",
		    (unsigned long long)st.st_dev,
		    (unsigned long long)st.st_ino,
		    (unsigned long long)st.st_ctim.tv_sec);
	memcpy(build, HF_VERSION, sizeof(HF_VERSION) - 1);
	build[sizeof(HF_VERSION) - 1] = '+';
	return build;
}

static int
take_fd(struct ipc_msg *msg)
{
	int fd = msg->fds[0];

	msg->fds[0] = -1; /* transferred */
	return fd;
}

static void
take_peer(struct startup *startup, enum role self, struct ipc_msg *msg)
{
	uint8_t role = wire_get_u8(&msg->body);

	if (wire_end(&msg->body) == -1 || role >= ROLE_COUNT ||
	    role == ROLE_MONITOR || role == self)
		fatal("PEER of the monitor is malformed");
	/* Again: that peer was restarted before we began. */
	if (startup->peer_fds[role] != -1)
		close(startup->peer_fds[role]);
	startup->peer_fds[role] = take_fd(msg);
}

static void
take_listener(struct startup *startup, struct ipc_msg *msg)
{
	char *address = wire_get_str(&msg->body, TEXT_MAX);

	if (wire_end(&msg->body) == -1 || startup->nlisteners == LISTENERS_MAX)
		fatal("LISTEN of the monitor is malformed");
	startup->listeners = xreallocarray(startup->listeners,
	    startup->nlisteners + 1, sizeof(*startup->listeners));
	startup->listeners[startup->nlisteners].address = address;
	startup->listeners[startup->nlisteners].fd = take_fd(msg);
	startup->nlisteners++;
}

static void
take_tls(struct startup *startup, struct ipc_msg *msg)
{
	if (startup->certificate != NULL)
		fatal("the monitor sent TLS twice");
	startup->certificate = wire_get_str(&msg->body, PEM_MAX);
	startup->key = wire_get_str(&msg->body, PEM_MAX);
	if (wire_end(&msg->body) == -1)
		fatal("TLS of the monitor is malformed");
}

static void
take_facts(struct startup *startup, struct ipc_msg *msg)
{
	facts_free(&startup->facts);
	if (facts_get(&msg->body, &startup->facts) == -1)
		fatal("FACTS of the monitor are malformed");
}

static void
take_boot(struct startup *startup, struct ipc_msg *msg)
{
	free(startup->boot_id);
	startup->boot_id = wire_get_str(&msg->body, TEXT_MAX);
	if (wire_end(&msg->body) == -1)
		fatal("BOOT of the monitor is malformed");
}

static void
take_page(struct startup *startup, struct ipc_msg *msg)
{
	if (startup->page_fd != -1)
		fatal("the monitor sent PAGE twice");
	startup->page_fd = take_fd(msg);
}

static void
say_hello(enum role self)
{
	struct wire_out out = { 0 };

	wire_put_u32(&out, MESSAGE_PROTOCOL);
	wire_put_str(&out, startup_build());
	if (ipc_send_blocking(STARTUP_FD, self, ROLE_MONITOR, MSG_HELLO, 0,
		&out, NULL, 0) == -1)
		_exit(1); /* the monitor is gone; nobody reads a line */
	wire_free(&out);
}

/* A full log pipe must cost lines, not stop the role. */
static void
log_nonblocking(void)
{
	struct stat st;
	int flags;

	if (fstat(STDERR_FILENO, &st) == -1 || !S_ISFIFO(st.st_mode))
		return;
	if ((flags = fcntl(STDERR_FILENO, F_GETFL)) != -1)
		(void)fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
}

/* Whether START has come. */
static bool
take(struct startup *startup, enum role self, struct ipc_msg *msg)
{
	switch (msg->type) {
	case MSG_PEER:
		take_peer(startup, self, msg);
		return false;
	case MSG_LISTEN:
		take_listener(startup, msg);
		return false;
	case MSG_TLS:
		take_tls(startup, msg);
		return false;
	case MSG_FACTS:
		take_facts(startup, msg);
		return false;
	case MSG_BOOT:
		take_boot(startup, msg);
		return false;
	case MSG_PAGE:
		take_page(startup, msg);
		return false;
	case MSG_START:
		return true;
	case MSG_STOP:
		_exit(0);
	default:
		fatal("the monitor sent %s before START",
		    message_info(msg->type)->name);
	}
}

void
startup_receive(enum role self, struct startup *startup)
{
	struct ipc_msg msg;
	bool started = false;
	unsigned int i;
	void *body;

	memset(startup, 0, sizeof(*startup));
	startup->page_fd = -1;
	for (i = 0; i < ROLE_COUNT; i++)
		startup->peer_fds[i] = -1;
	log_nonblocking();
	/* Nothing that the role starts may inherit the channel. */
	if (fcntl(STARTUP_FD, F_SETFD, FD_CLOEXEC) == -1)
		fatal("no channel to the monitor on descriptor %d", STARTUP_FD);
	say_hello(self);
	while (!started) {
		if (ipc_recv_blocking(
			STARTUP_FD, self, ROLE_MONITOR, &msg, &body) == -1) {
			if (errno != EPIPE)
				fatal("the monitor's channel: %s",
				    strerror(errno));
			_exit(1);
		}
		started = take(startup, self, &msg);
		for (i = 0; i < msg.nfds; i++)
			if (msg.fds[i] != -1)
				close(msg.fds[i]);
		/* It may have been the TLS key. */
		freezero(body, msg.body.len);
	}
}

void
startup_free(struct startup *startup)
{
	size_t i;

	for (i = 0; i < startup->nlisteners; i++)
		free(startup->listeners[i].address);
	free(startup->listeners);
	startup->listeners = NULL;
	startup->nlisteners = 0;
	free(startup->certificate);
	freezero_str(startup->key);
	startup->certificate = startup->key = NULL;
	free(startup->boot_id);
	startup->boot_id = NULL;
	facts_free(&startup->facts);
}
