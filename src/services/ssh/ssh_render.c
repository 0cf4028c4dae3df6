/*
 * sshd_config from the settings.
 */
#include "services/ssh/ssh_render.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/xalloc.h"
#include "services/ssh/conf.h"
#include "services/ssh/directives.h"
#include "services/ssh/ssh_key_files.h"

const char *const ssh_host_key_types[] = { "ed25519", "ecdsa", "rsa", NULL };

/* clang-format off */
const char *const ssh_sftp_log_levels[] = {
	"", "QUIET", "FATAL", "ERROR", "INFO", "VERBOSE", "DEBUG", "DEBUG2",
	"DEBUG3", NULL
};
const char *const ssh_sftp_log_facilities[] = {
	"", "DAEMON", "USER", "AUTH", "LOCAL0", "LOCAL1", "LOCAL2", "LOCAL3",
	"LOCAL4", "LOCAL5", "LOCAL6", "LOCAL7", NULL
};
/* clang-format on */
const char *const ssh_weak_ciphers[] = { "AES128-CBC", "NONE", NULL };

#define PENALTIES_FROM 908 /* OpenSSH */
#define LISTEN_MAX 64 /* addresses that are exempt from them */

static const char *const header[] = {
	"Written by Holdfast; changes made here are overwritten.",
	"Auxiliary parameters come first: sshd takes the first value it reads.",
};
#define HEADER_LINES (sizeof(header) / sizeof(header[0]))

static bool
begins_match(const struct config_line *line)
{
	return line->kind == LINE_DIRECTIVE && line->keyword_len == 5 &&
	    strncasecmp(line->keyword, "Match", 5) == 0;
}

/* Lines before the first Match, and from it on. */
static void
count_lines(const char *options, unsigned int *global, unsigned int *match)
{
	struct config_line line;
	size_t at = 0;
	unsigned int number = 0;

	*global = *match = 0;
	while (config_next_line(options, strlen(options), &at, &number, &line))
		if (*match > 0 || begins_match(&line))
			++*match;
		else
			++*global;
}

/* One part of the auxiliary parameters, each line a line. */
static void
put_auxiliary(struct conf *conf, const char *options, bool match_part)
{
	struct config_line line;
	size_t at = 0;
	unsigned int number = 0;
	bool in_match = false;
	char *comment;

	while (
	    config_next_line(options, strlen(options), &at, &number, &line)) {
		if (begins_match(&line))
			in_match = true;
		if (in_match != match_part)
			continue;
		comment = directive_met_by_comment(&line);
		if (comment != NULL)
			conf_comment(conf, comment, strlen(comment));
		else
			conf_line(conf, line.start, line.len);
		free(comment);
	}
}

#define SFTP_WORDS 5

/* sshd's own sftp-server, and what it logs. */
static void
sftp_words(const struct ssh_config *c, const char *words[SFTP_WORDS])
{
	const char *level = ssh_sftp_log_levels[c->sftp_log_level];
	const char *facility = ssh_sftp_log_facilities[c->sftp_log_facility];

	words[0] = "internal-sftp";
	words[1] = "-l";
	words[2] = *level == '\0' ? "ERROR" : level;
	words[3] = "-f";
	words[4] = *facility == '\0' ? "AUTH" : facility;
}

static void
put_sftp(struct conf *conf, const struct ssh_config *c)
{
	const char *words[1 + SFTP_WORDS] = { "sftp" };

	/* A second definition of a subsystem is an error, not ignored. */
	if (directives_has_global(c->options, "Subsystem", "sftp"))
		return;
	sftp_words(c, words + 1);
	conf_words(conf, "Subsystem", 1 + SFTP_WORDS, words);
}

/*
 * Of Port, ListenAddress and HostKey every line adds to the others, so ours
 * stand back when the auxiliary parameters have one.
 */
static void
put_listen(struct conf *conf, const struct ssh_config *c,
    const struct ssh_surroundings *around)
{
	size_t i;

	if (!directives_has_global(c->options, "Port", NULL))
		conf_int(conf, "Port", c->tcpport);
	if (directives_has_global(c->options, "ListenAddress", NULL))
		return;
	for (i = 0; around->listen != NULL && around->listen[i] != NULL; i++)
		conf_word(conf, "ListenAddress", around->listen[i]);
}

static void
put_host_key(struct conf *conf, unsigned int type, unsigned int slot)
{
	char *file = ssh_key_file(type, slot);

	conf_word(conf, "HostKey", file);
	free(file);
}

/* Of several keys of a type sshd proves itself by the first, and tells all. */
static void
put_host_keys(struct conf *conf, const struct ssh_config *c)
{
	unsigned int i, slot;

	if (directives_has_global(c->options, "HostKey", NULL) ||
	    directives_has_global(c->options, "HostDSAKey", NULL))
		return;
	for (i = 0; ssh_host_key_types[i] != NULL; i++) {
		slot = c->second_host_keys >> i & 1u;
		put_host_key(conf, i, slot);
		if (c->new_host_keys & (1u << i))
			put_host_key(conf, i, !slot);
	}
}

const char *
ssh_render_certificate(const struct ssh_config *c, unsigned int type)
{
	const char *const all[SSH_KEY_TYPES] = { c->host_ed25519_certificate,
		c->host_ecdsa_certificate, c->host_rsa_certificate };

	return all[type];
}

/* sshd finds out which of the keys one is of. */
static void
put_host_certificates(struct conf *conf, const struct ssh_config *c)
{
	static const char *const files[SSH_KEY_TYPES] = { SSH_FOLDER
		"/" SSH_HOST_CERT_FILE("ed25519"),
		SSH_FOLDER "/" SSH_HOST_CERT_FILE("ecdsa"),
		SSH_FOLDER "/" SSH_HOST_CERT_FILE("rsa") };
	unsigned int i;

	if (directives_has_global(c->options, "HostCertificate", NULL))
		return;
	for (i = 0; i < SSH_KEY_TYPES; i++)
		if (ssh_render_certificate(c, i) != NULL)
			conf_word(conf, "HostCertificate", files[i]);
}

/* Where nothing is known of the installed OpenSSH its own choice stands. */
static void
put_algorithms(struct conf *conf, const struct ssh_config *c,
    const struct ssh_installed *installed)
{
	static const char *const keywords[ALGORITHMS_COUNT] = {
		[ALGORITHMS_KEX] = "KexAlgorithms",
		[ALGORITHMS_HOST_KEY] = "HostKeyAlgorithms",
		[ALGORITHMS_CIPHER] = "Ciphers",
		[ALGORITHMS_MAC] = "MACs",
	};
	static const char cbc[] = "+aes128-cbc";
	unsigned int kind;
	char *offer;

	for (kind = 0; kind < ALGORITHMS_COUNT; kind++) {
		const char *words[] = { NULL, NULL, NULL };
		size_t n = 0;

		offer = ssh_hardening_offer(
		    c->hardening, kind, installed, c->kept_host_keys);
		if (offer != NULL)
			words[n++] = offer;
		/* "NONE" changes nothing: OpenSSH has no such cipher. */
		if (kind == ALGORITHMS_CIPHER &&
		    c->weak_ciphers & WEAK_CIPHER_AES128_CBC)
			words[n++] = offer != NULL ? cbc + 1 : cbc;
		if (n > 0)
			conf_list(conf, keywords[kind], ',', words);
		free(offer);
	}
	if (c->hardening != HARDENING_COMPATIBLE)
		conf_word(conf, "ModuliFile", SSH_MODULI_FILE);
	if (ssh_hardening_rsa_bits(c->hardening) != 0)
		conf_int(conf, "RequiredRSASize",
		    ssh_hardening_rsa_bits(c->hardening));
}

/*
 * Who connects and does not log in holds a place; one address is to hold at
 * most half of those after which others are turned away.  An IPv6 client owns
 * a /64.  OpenSSH 9.8 makes addresses wait that misbehave, but not those of
 * this machine, by which changes are verified.
 */
static void
put_limits(struct conf *conf, const struct ssh_config *c,
    const struct ssh_surroundings *around)
{
	/* Of these sshd takes the last value that it reads. */
	static const char *const limits[][2] = {
		{ "MaxStartups", "40:30:120" },
		{ "PerSourceMaxStartups", "20" },
		{ "PerSourceNetBlockSize", "32:64" },
	};
	const char *exempt[LISTEN_MAX + 3] = { "127.0.0.0/8", "::1/128" };
	const char *const *listen = around->listen;
	size_t i, n = 2;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (!directives_has_global(c->options, limits[i][0], NULL))
			conf_word(conf, limits[i][0], limits[i][1]);
	if (around->installed.version < PENALTIES_FROM)
		return;
	for (i = 0; listen != NULL && listen[i] != NULL && n < LISTEN_MAX; i++)
		if (strchr(listen[i], '%') == NULL &&
		    strncmp(listen[i], "127.", 4) != 0 &&
		    strcmp(listen[i], "::1") != 0)
			exempt[n++] = listen[i];
	conf_list(conf, "PerSourcePenaltyExemptList", ',', exempt);
}

/* Where there are none, nothing depends on their files. */
static void
put_certificates(struct conf *conf, const struct ssh_config *c)
{
	if (c->user_ca_keys != NULL && c->user_ca_keys[0] != NULL)
		conf_word(
		    conf, "TrustedUserCAKeys", SSH_FOLDER "/" SSH_USER_CA_FILE);
	if (c->revoked_keys != NULL && c->revoked_keys[0] != NULL)
		conf_word(conf, "RevokedKeys", SSH_FOLDER "/" SSH_REVOKED_FILE);
}

static void
put_global(struct conf *conf, const struct ssh_config *c,
    const struct ssh_surroundings *around)
{
	put_sftp(conf, c);
	conf_bool(conf, "UseDNS", false);
	conf_int(conf, "ClientAliveCountMax", 3);
	conf_int(conf, "ClientAliveInterval", 15);
	conf_word(conf, "VersionAddendum", "none");
	put_listen(conf, c, around);
	put_host_keys(conf, c);
	put_host_certificates(conf, c);
	put_algorithms(conf, c, &around->installed);
	put_limits(conf, c, around);
	conf_word(conf, "PermitRootLogin",
	    around->root_password_login ? "yes" : "prohibit-password");
	conf_bool(conf, "AllowTcpForwarding", c->tcpfwd);
	conf_word(conf, "Compression", c->compression ? "delayed" : "no");
	conf_bool(conf, "PasswordAuthentication", false);
	conf_bool(conf, "KbdInteractiveAuthentication", false);
	conf_bool(conf, "GSSAPIAuthentication", c->kerberosauth);
	conf_bool(conf, "PubkeyAuthentication", true);
	put_certificates(conf, c);
	conf_bool(conf, "UsePAM", true);
	conf_bool(conf, "PrintMotd", false); /* pam_motd shows it */
	if (around->banner)
		conf_word(conf, "Banner", SSH_BANNER_FILE);
	conf_word(conf, "SetEnv", "LC_ALL=C.UTF-8");
}

static void
put_password_block(struct conf *conf, const char *criterion, const char *name)
{
	conf_match(conf, criterion, name);
	conf_bool(conf, "PasswordAuthentication", true);
	conf_bool(conf, "KbdInteractiveAuthentication", true);
}

static void
put_password_blocks(struct conf *conf, const struct ssh_config *c,
    const struct ssh_surroundings *around)
{
	const char *const *users = around->password_users;
	size_t i;

	if (!c->passwordauth)
		return;
	for (i = 0; users != NULL && users[i] != NULL; i++)
		put_password_block(conf, "User", users[i]);
	for (i = 0; c->password_login_groups[i] != NULL; i++)
		put_password_block(conf, "Group", c->password_login_groups[i]);
}

/* Never a password by itself: what asks for a code is PAM. */
static void
put_codes(struct conf *conf, bool password)
{
	static const char *const methods[] = { "publickey,keyboard-interactive",
		"keyboard-interactive" };

	conf_words(conf, "AuthenticationMethods", password ? 2 : 1, methods);
	conf_bool(conf, "PasswordAuthentication", false);
	conf_bool(conf, "KbdInteractiveAuthentication", true);
}

static bool
is_among(const char *name, const char *const *names)
{
	size_t i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/*
 * Those who are asked for a second factor: a key and the code, and where
 * passwords are accepted the password and the code.  Before the blocks of
 * passwords, which say less.
 */
static void
put_code_blocks(struct conf *conf, const struct ssh_config *c,
    const struct ssh_surroundings *around)
{
	const char *const *asked = around->code_users;
	const char *const *users = around->password_users;
	size_t i;

	if (asked == NULL || asked[0] == NULL)
		return;
	for (i = 0; c->passwordauth && users != NULL && users[i] != NULL; i++)
		if (is_among(users[i], asked)) {
			conf_match(conf, "User", users[i]);
			put_codes(conf, true);
		}
	for (i = 0; c->passwordauth && c->password_login_groups[i] != NULL;
	     i++) {
		conf_match_users(conf, c->password_login_groups[i], asked);
		put_codes(conf, true);
	}
	conf_match_users(conf, NULL, asked);
	put_codes(conf, false);
}

/*
 * Those who only transfer files: what sshd does by itself, their shell cannot
 * refuse.  Their other settings (how they log in) stand in the blocks behind.
 */
static void
put_transfer_block(struct conf *conf, const struct ssh_surroundings *around)
{
	static const char *const off[] = { "AllowAgentForwarding",
		"AllowStreamLocalForwarding", "AllowTcpForwarding",
		"GatewayPorts", "PermitTTY", "PermitTunnel", "PermitUserRC",
		"X11Forwarding" };
	size_t i;

	if (around->transfer_users == NULL || around->transfer_users[0] == NULL)
		return;
	conf_match_users(conf, NULL, around->transfer_users);
	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		conf_bool(conf, off[i], false);
}

/* There is no program but sshd's own in such a folder. */
static void
put_rooted_blocks(struct conf *conf, const struct ssh_config *c,
    const struct ssh_surroundings *around)
{
	const struct ssh_rooted *user = around->rooted_users;
	const char *begin;
	char *folder;

	for (; user != NULL && user->user != NULL; user++) {
		const char *words[SFTP_WORDS + 2];

		sftp_words(c, words);
		begin = strrchr(user->home, '/');
		if (begin == NULL)
			begin = user->home;
		folder = xstrndup(user->home, (size_t)(begin - user->home));
		words[SFTP_WORDS] = "-d";
		words[SFTP_WORDS + 1] = begin;
		conf_match(conf, "User", user->user);
		conf_word(conf, "ChrootDirectory", folder);
		conf_words(conf, "ForceCommand", SFTP_WORDS + 2, words);
		free(folder);
	}
}

char *
ssh_render(const struct ssh_config *c, const struct ssh_surroundings *around,
    char **whyp)
{
	struct conf conf = { 0 };
	size_t i;

	for (i = 0; i < HEADER_LINES; i++)
		conf_comment(&conf, header[i], strlen(header[i]));
	put_auxiliary(&conf, c->options, false);
	put_global(&conf, c, around);
	put_transfer_block(&conf, around);
	put_rooted_blocks(&conf, c, around);
	put_code_blocks(&conf, c, around);
	put_password_blocks(&conf, c, around);
	put_auxiliary(&conf, c->options, true);
	return conf_finish(&conf, whyp);
}

unsigned int
ssh_render_sent_line(
    const char *rendered, const char *options, unsigned int line)
{
	unsigned int global, match, total = 0;
	const char *p;

	count_lines(options, &global, &match);
	for (p = rendered; (p = strchr(p, '\n')) != NULL; p++)
		total++;
	if (line > HEADER_LINES && line <= HEADER_LINES + global)
		return line - (unsigned int)HEADER_LINES;
	if (line <= total && line > total - match)
		return global + line - (total - match);
	return 0;
}
