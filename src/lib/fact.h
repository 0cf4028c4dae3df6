/*
 * What programs of the machine tell the audit role: a datagram for each fact,
 * to a socket that only root can send to.  The programs that tell run as root
 * for somebody else (sshd, su, login, sudo), with a library of ours in them
 * (src/pam); what anybody may send to the system log is not believed.
 *
 *	u8 FACT_VERSION, then texts, each ended by a NUL: the kind of fact,
 *	then NAME=VALUE as often as there is something to say; of any bytes.
 *
 * The kinds, and what each of them names, stand in audit/source_fact.c.
 */
#ifndef HF_FACT_H
#define HF_FACT_H

#define FACT_SOCKET	"/run/holdfast/facts.sock"
#define FACT_VERSION	1
#define FACT_PACKET	((size_t)48 * 1024)	/* bytes, at most */
#define FACT_VALUE	((size_t)4096)		/* of a value; cut behind */
#define FACT_SECONDS	5	/* that sending may wait for room */

/* Where the libraries lie; not noexec, as dpkg runs scripts below /var/lib. */
#define FACT_FOLDER	"/var/lib/holdfast"
#define FACT_PAM_MODULE	"pam_holdfast_audit.so"
#define FACT_SUDO_PLUGIN "sudo_holdfast.so"
#define FACT_SUDO_SYMBOL "holdfast_audit"

#endif
