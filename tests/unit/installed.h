/*
 * What the OpenSSH of Debian 12 and 13 has: `ssh -V`, `ssh -Q kex`,
 * `ssh -Q HostKeyAlgorithms`, `ssh -Q cipher`, `ssh -Q mac`.
 */
#ifndef HF_TEST_INSTALLED_H
#define HF_TEST_INSTALLED_H

#include "services/ssh/ssh_hardening.h"

/* clang-format off */
static const struct ssh_installed installed_debian_12 = {
	.version = 902,
	.lists = {
		[ALGORITHMS_KEX] =
		    "diffie-hellman-group1-sha1\n"
		    "diffie-hellman-group14-sha1\n"
		    "diffie-hellman-group14-sha256\n"
		    "diffie-hellman-group16-sha512\n"
		    "diffie-hellman-group18-sha512\n"
		    "diffie-hellman-group-exchange-sha1\n"
		    "diffie-hellman-group-exchange-sha256\n"
		    "ecdh-sha2-nistp256\n"
		    "ecdh-sha2-nistp384\n"
		    "ecdh-sha2-nistp521\n"
		    "curve25519-sha256\n"
		    "curve25519-sha256@libssh.org\n"
		    "sntrup761x25519-sha512\n"
		    "sntrup761x25519-sha512@openssh.com\n",
		[ALGORITHMS_HOST_KEY] =
		    "ssh-ed25519\n"
		    "ssh-ed25519-cert-v01@openssh.com\n"
		    "sk-ssh-ed25519@openssh.com\n"
		    "sk-ssh-ed25519-cert-v01@openssh.com\n"
		    "ecdsa-sha2-nistp256\n"
		    "ecdsa-sha2-nistp256-cert-v01@openssh.com\n"
		    "ecdsa-sha2-nistp384\n"
		    "ecdsa-sha2-nistp384-cert-v01@openssh.com\n"
		    "ecdsa-sha2-nistp521\n"
		    "ecdsa-sha2-nistp521-cert-v01@openssh.com\n"
		    "sk-ecdsa-sha2-nistp256@openssh.com\n"
		    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com\n"
		    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com\n"
		    "ssh-dss\n"
		    "ssh-dss-cert-v01@openssh.com\n"
		    "ssh-rsa\n"
		    "ssh-rsa-cert-v01@openssh.com\n"
		    "rsa-sha2-256\n"
		    "rsa-sha2-256-cert-v01@openssh.com\n"
		    "rsa-sha2-512\n"
		    "rsa-sha2-512-cert-v01@openssh.com\n",
		[ALGORITHMS_CIPHER] =
		    "3des-cbc\n"
		    "aes128-cbc\n"
		    "aes192-cbc\n"
		    "aes256-cbc\n"
		    "aes128-ctr\n"
		    "aes192-ctr\n"
		    "aes256-ctr\n"
		    "aes128-gcm@openssh.com\n"
		    "aes256-gcm@openssh.com\n"
		    "chacha20-poly1305@openssh.com\n",
		[ALGORITHMS_MAC] =
		    "hmac-sha1\n"
		    "hmac-sha1-96\n"
		    "hmac-sha2-256\n"
		    "hmac-sha2-512\n"
		    "hmac-md5\n"
		    "hmac-md5-96\n"
		    "umac-64@openssh.com\n"
		    "umac-128@openssh.com\n"
		    "hmac-sha1-etm@openssh.com\n"
		    "hmac-sha1-96-etm@openssh.com\n"
		    "hmac-sha2-256-etm@openssh.com\n"
		    "hmac-sha2-512-etm@openssh.com\n"
		    "hmac-md5-etm@openssh.com\n"
		    "hmac-md5-96-etm@openssh.com\n"
		    "umac-64-etm@openssh.com\n"
		    "umac-128-etm@openssh.com\n",
	},
};
static const struct ssh_installed installed_debian_13 = {
	.version = 1000,
	.lists = {
		[ALGORITHMS_KEX] =
		    "diffie-hellman-group1-sha1\n"
		    "diffie-hellman-group14-sha1\n"
		    "diffie-hellman-group14-sha256\n"
		    "diffie-hellman-group16-sha512\n"
		    "diffie-hellman-group18-sha512\n"
		    "diffie-hellman-group-exchange-sha1\n"
		    "diffie-hellman-group-exchange-sha256\n"
		    "ecdh-sha2-nistp256\n"
		    "ecdh-sha2-nistp384\n"
		    "ecdh-sha2-nistp521\n"
		    "curve25519-sha256\n"
		    "curve25519-sha256@libssh.org\n"
		    "sntrup761x25519-sha512\n"
		    "sntrup761x25519-sha512@openssh.com\n"
		    "mlkem768x25519-sha256\n",
		[ALGORITHMS_HOST_KEY] =
		    "ssh-ed25519\n"
		    "ssh-ed25519-cert-v01@openssh.com\n"
		    "sk-ssh-ed25519@openssh.com\n"
		    "sk-ssh-ed25519-cert-v01@openssh.com\n"
		    "ecdsa-sha2-nistp256\n"
		    "ecdsa-sha2-nistp256-cert-v01@openssh.com\n"
		    "ecdsa-sha2-nistp384\n"
		    "ecdsa-sha2-nistp384-cert-v01@openssh.com\n"
		    "ecdsa-sha2-nistp521\n"
		    "ecdsa-sha2-nistp521-cert-v01@openssh.com\n"
		    "sk-ecdsa-sha2-nistp256@openssh.com\n"
		    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com\n"
		    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com\n"
		    "ssh-rsa\n"
		    "ssh-rsa-cert-v01@openssh.com\n"
		    "rsa-sha2-256\n"
		    "rsa-sha2-256-cert-v01@openssh.com\n"
		    "rsa-sha2-512\n"
		    "rsa-sha2-512-cert-v01@openssh.com\n",
		[ALGORITHMS_CIPHER] =
		    "3des-cbc\n"
		    "aes128-cbc\n"
		    "aes192-cbc\n"
		    "aes256-cbc\n"
		    "aes128-ctr\n"
		    "aes192-ctr\n"
		    "aes256-ctr\n"
		    "aes128-gcm@openssh.com\n"
		    "aes256-gcm@openssh.com\n"
		    "chacha20-poly1305@openssh.com\n",
		[ALGORITHMS_MAC] =
		    "hmac-sha1\n"
		    "hmac-sha1-96\n"
		    "hmac-sha2-256\n"
		    "hmac-sha2-512\n"
		    "hmac-md5\n"
		    "hmac-md5-96\n"
		    "umac-64@openssh.com\n"
		    "umac-128@openssh.com\n"
		    "hmac-sha1-etm@openssh.com\n"
		    "hmac-sha1-96-etm@openssh.com\n"
		    "hmac-sha2-256-etm@openssh.com\n"
		    "hmac-sha2-512-etm@openssh.com\n"
		    "hmac-md5-etm@openssh.com\n"
		    "hmac-md5-96-etm@openssh.com\n"
		    "umac-64-etm@openssh.com\n"
		    "umac-128-etm@openssh.com\n",
	},
};
/* clang-format on */

#endif
