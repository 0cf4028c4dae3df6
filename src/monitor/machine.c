/* What the monitor knows of the machine: fit to start, and facts for core. */
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <openssl/crypto.h>

#include "lib/boottime.h"
#include "lib/file.h"
#include "lib/sandbox.h"
#include "lib/xalloc.h"
#include "monitor/machine.h"

#define HOST_ID_FILE "host-id"
#define HOST_ID_BYTES 32
#define TEXT_MAX 256
#define CPUINFO_MAX (8 * 1024 * 1024)

/* The value of NAME= in os-release(5), without its quotes; "" if absent. */
static void
release_value(const char *text, const char *name, char *value, size_t size)
{
	size_t n = strlen(name), len;

	value[0] = '\0';
	for (; *text != '\0'; text += len + (text[len] == '\n' ? 1 : 0)) {
		len = strcspn(text, "\n");
		if (len <= n || strncmp(text, name, n) != 0 || text[n] != '=')
			continue;
		text += n + 1;
		len -= n + 1;
		if (len >= 2 && (*text == '"' || *text == '\'')) {
			text++;
			len -= 2;
		}
		snprintf(value, size, "%.*s", (int)len, text);
		return;
	}
}

int
machine_known(const char *os_release)
{
	char id[TEXT_MAX], like[TEXT_MAX], version[TEXT_MAX];
	char *rest = like, *word;

	release_value(os_release, "ID", id, sizeof(id));
	release_value(os_release, "ID_LIKE", like, sizeof(like));
	release_value(os_release, "VERSION_ID", version, sizeof(version));
	if (strcmp(id, "debian") == 0)
		return strcmp(version, "12") == 0 || strcmp(version, "13") == 0;
	while ((word = strsep(&rest, " ")) != NULL)
		if (strcmp(word, "debian") == 0)
			return 1;
	return 0;
}

int
machine_check(char *why, size_t size)
{
	const char *reason = NULL;
	char *text = NULL;
	size_t len;
	int known;

	if (geteuid() != 0) {
		snprintf(why, size, "must be started by root");
		return -1;
	}
	known = file_read_at(AT_FDCWD, "/etc/os-release", 65536, &text, &len) ==
		0 &&
	    machine_known(text);
	free(text);
	if (!known) {
		snprintf(why, size,
		    "this is not Debian 12 or 13 (see /etc/os-release): use "
		    "one of them");
		return -1;
	}
	if (sandbox_supported(&reason) == -1) {
		snprintf(why, size, "%s", reason);
		return -1;
	}
	return 0;
}

static char *
read_line(const char *path)
{
	char *text = NULL;
	size_t len;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || file_read_fd(fd, 4096, &text, &len) == -1)
		text = xstrdup("");
	if (fd != -1)
		close(fd);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* Packages and cores as /proc/cpuinfo numbers them. */
static void
read_processors(struct facts *facts)
{
	char *text = NULL, *rest, *line, *value;
	long package = 0, core, seen[1024];
	size_t len, n = 0, i;
	int fd;

	fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	if (fd == -1 || file_read_fd(fd, CPUINFO_MAX, &text, &len) == -1)
		text = xstrdup("");
	if (fd != -1)
		close(fd);
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if ((value = strchr(line, ':')) == NULL)
			continue;
		value += value[1] == ' ' ? 2 : 1;
		if (facts->cpu_model == NULL &&
		    strncmp(line, "model name", 10) == 0)
			facts->cpu_model = xstrndup(value, TEXT_MAX);
		else if (strncmp(line, "physical id", 11) == 0)
			package = strtol(value, NULL, 10) << 16;
		else if (strncmp(line, "core id", 7) == 0) {
			core = package | strtol(value, NULL, 10);
			for (i = 0; i < n && seen[i] != core; i++)
				;
			if (i == n && n < sizeof(seen) / sizeof(seen[0]))
				seen[n++] = core;
		}
	}
	free(text);
	facts->cores = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	facts->physical_cores = n == 0 ? facts->cores : (uint32_t)n;
	if (facts->cpu_model == NULL)
		facts->cpu_model = xstrdup("");
}

/* /etc/localtime is a link into the time zone database. */
static char *
read_timezone(void)
{
	static const char base[] = "/zoneinfo/";
	char target[PATH_MAX];
	const char *name;
	ssize_t n;

	n = readlink("/etc/localtime", target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		if ((name = strstr(target, base)) != NULL)
			return xstrdup(name + sizeof(base) - 1);
	}
	return xstrdup("UTC");
}

static char *
hex(const unsigned char *bytes, size_t n)
{
	char *text = xcalloc(1, n * 2 + 1);
	size_t i;

	for (i = 0; i < n; i++)
		snprintf(text + i * 2, 3, "%02x", bytes[i]);
	return text;
}

static int
read_host_id(int dir_fd, char **idp)
{
	unsigned char bytes[HOST_ID_BYTES];
	char *text = NULL, *id;
	size_t len;

	if (file_read_at(dir_fd, HOST_ID_FILE, 4096, &text, &len) == 0 &&
	    strspn(text, "0123456789abcdef") == sizeof(bytes) * 2) {
		text[sizeof(bytes) * 2] = '\0';
		*idp = text;
		return 0;
	}
	free(text);
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -1;
	id = hex(bytes, sizeof(bytes));
	text = xasprintf("%s\n", id);
	if (file_install(dir_fd, HOST_ID_FILE, text, strlen(text), 0600, 0, 0,
		NULL) == -1) {
		free(text);
		free(id);
		return -1;
	}
	free(text);
	*idp = id;
	return 0;
}

/* What the kernel lacks of the sandbox's tables, a line each. */
static char *
missing_text(void)
{
	const char *const *missing = sandbox_missing();
	char *text = xstrdup(""), *longer;

	for (; *missing != NULL; missing++) {
		longer = xasprintf("%s%s\n", text, *missing);
		free(text);
		text = longer;
	}
	return text;
}

static bool
has_fips_module(void)
{
	const char *folder = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
	const char *suffix = OPENSSL_info(OPENSSL_INFO_DSO_EXTENSION);
	char *path = xasprintf("%s/fips%s", folder, suffix);
	bool has = access(path, F_OK) == 0;

	free(path);
	return has;
}

char *
machine_boot(void)
{
	return read_line("/proc/sys/kernel/random/boot_id");
}

int
machine_facts(int dir_fd, struct facts *facts, char *why, size_t size)
{
	unsigned char random[16];
	char hostname[TEXT_MAX] = "";
	struct sysinfo info;
	char *text;

	memset(facts, 0, sizeof(*facts));
	if (read_host_id(dir_fd, &facts->host_id) == -1 ||
	    getrandom(random, sizeof(random), 0) != sizeof(random)) {
		snprintf(
		    why, size, "the instance's host-id: %s", strerror(errno));
		return -1;
	}
	gethostname(hostname, sizeof(hostname) - 1);
	facts->hostname = xstrdup(hostname);
	read_processors(facts);
	if (sysinfo(&info) == 0)
		facts->memory = (uint64_t)info.totalram * info.mem_unit;
	/* Starting an instance is its boot. */
	facts->boot_time = (int64_t)time(NULL);
	facts->boot_clock = boottime_ms();
	random[6] = (unsigned char)((random[6] & 0x0f) | 0x40);
	random[8] = (unsigned char)((random[8] & 0x3f) | 0x80);
	text = hex(random, sizeof(random));
	facts->boot_id = xasprintf("%.8s-%.4s-%.4s-%.4s-%.12s", text, text + 8,
	    text + 12, text + 16, text + 20);
	free(text);
	facts->timezone = read_timezone();
	facts->manufacturer = read_line("/sys/class/dmi/id/sys_vendor");
	facts->product = read_line("/sys/class/dmi/id/product_name");
	facts->product_version = read_line("/sys/class/dmi/id/product_version");
	facts->serial = read_line("/sys/class/dmi/id/product_serial");
	facts->missing = missing_text();
	facts->machine_boot = machine_boot();
	facts->fips_module = has_fips_module();
	return 0;
}
