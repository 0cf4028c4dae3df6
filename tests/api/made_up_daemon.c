/*
 * made-up-daemon FILE STATE: listens on the port that FILE names and writes what
 * it runs by to STATE, FILE's own text; SIGHUP reads it again.  Its words make
 * it misbehave: "die" ends it, "lie" makes it say something else.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char text[4096];

static int
read_text(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n;
	int port = 0;

	if (f == NULL)
		return -1;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	if (strstr(text, "word die\n") != NULL) {
		fputs("it says that I die\n", stderr);
		exit(3);
	}
	return sscanf(text, "port %d", &port) == 1 ? port : -1;
}

static int
listen_on(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((unsigned short)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd == -1 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    listen(fd, 5) == -1) {
		perror("made-up-daemon");
		exit(4);
	}
	return fd;
}

static void
write_state(const char *path)
{
	char name[512];
	FILE *f;

	snprintf(name, sizeof(name), "%s.new", path);
	if ((f = fopen(name, "w")) == NULL)
		exit(5);
	if (strstr(text, "word lie\n") != NULL)
		fputs("lies\n", f);
	else
		fputs(text, f);
	if (fclose(f) != 0 || rename(name, path) == -1)
		exit(5);
}

int
main(int argc, char *argv[])
{
	sigset_t set;
	int sig, port, now, fd;

	if (argc != 3)
		return 2;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	mkdir("/run/made-up", 0755);
	if ((port = read_text(argv[1])) == -1)
		return 2;
	write_state(argv[2]);
	fd = listen_on(port);
	while (sigwait(&set, &sig) == 0 && sig == SIGHUP) {
		if ((now = read_text(argv[1])) != port && now != -1) {
			close(fd);
			fd = listen_on(now);
			port = now;
		}
		write_state(argv[2]);
	}
	return 0;
}
