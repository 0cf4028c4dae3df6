/*
 * The directives of sshd_config.
 *
 * Names, aliases and where each may stand are those of sshd_config(5) and of
 * servconf.c's keyword table in OpenSSH 9.2p1 and 10.0p1 as Debian builds
 * them; 10.0 knows all that 9.2 knew, so no row has an end.  The installed
 * sshd decides what it takes (`sshd -t`).
 *
 * In case of doubt a row has the stricter class: SetEnv and
 * PermitUserEnvironment count as running code, because LD_PRELOAD does.
 */
#include "services/ssh/directives.h"

#include <string.h>

const struct directive directives[] = {
	{ "AcceptEnv", CLASS_WEAKENS, FORM_LINES, .match = 902,
	    .flags = DF_ADDS },
	{ "AddressFamily", CLASS_PLAIN, FORM_WORD, .match = 0 },
	{ "AFSTokenPassing", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "AllowAgentForwarding", CLASS_PLAIN, FORM_WORD, .match = 902 },
	{ "AllowGroups", CLASS_PLAIN, FORM_LINES, .match = 902,
	    .flags = DF_ADDS },
	{ "AllowStreamLocalForwarding", CLASS_PLAIN, FORM_WORD, .match = 902 },
	{ "AllowTcpForwarding", CLASS_PLAIN, FORM_WORD, .match = 902 },
	{ "AllowUsers", CLASS_PLAIN, FORM_LINES, .match = 902,
	    .flags = DF_ADDS },
	{ "AuthenticationMethods", CLASS_WEAKENS, FORM_ARGUMENTS,
	    .match = 902 },
	{ "AuthorizedKeysCommand", CLASS_CODE, FORM_RAW, .match = 902,
	    .flags = DF_PROGRAM },
	{ "AuthorizedKeysCommandUser", CLASS_CODE, FORM_ARGUMENTS,
	    .match = 902 },
	{ "AuthorizedKeysFile", CLASS_FILE, FORM_ARGUMENTS, .match = 902,
	    .flags = DF_HOME_FILE },
	{ "AuthorizedKeysFile2", CLASS_IGNORED, FORM_HIDDEN, .match = 902 },
	{ "AuthorizedPrincipalsCommand", CLASS_CODE, FORM_RAW, .match = 902,
	    .flags = DF_PROGRAM },
	{ "AuthorizedPrincipalsCommandUser", CLASS_CODE, FORM_ARGUMENTS,
	    .match = 902 },
	{ "AuthorizedPrincipalsFile", CLASS_FILE, FORM_ARGUMENTS, .match = 902,
	    .flags = DF_HOME_FILE },
	{ "Banner", CLASS_FILE, FORM_ARGUMENTS, .match = 902 },
	{ "CASignatureAlgorithms", CLASS_WEAKENS, FORM_ALGORITHMS,
	    .match = 902 },
	{ "ChallengeResponseAuthentication", CLASS_WEAKENS, FORM_WORD,
	    .match = 902, .shown = "kbdinteractiveauthentication" },
	{ "ChannelTimeout", CLASS_PLAIN, FORM_ARGUMENTS, .match = 902 },
	{ "CheckMail", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "ChrootDirectory", CLASS_FILE, FORM_ARGUMENTS, .match = 902,
	    .flags = DF_HOME_FILE },
	{ "Ciphers", CLASS_PLAIN, FORM_ALGORITHMS, .match = 0 },
	{ "ClientAliveCountMax", CLASS_PLAIN, FORM_NUMBER, .match = 902 },
	{ "ClientAliveInterval", CLASS_PLAIN, FORM_TIME, .match = 902 },
	{ "Compression", CLASS_PLAIN, FORM_WORD, .match = 0 },
	{ "DebianBanner", CLASS_PLAIN, FORM_HIDDEN, .match = 0 },
	{ "DenyGroups", CLASS_PLAIN, FORM_LINES, .match = 902,
	    .flags = DF_ADDS },
	{ "DenyUsers", CLASS_PLAIN, FORM_LINES, .match = 902,
	    .flags = DF_ADDS },
	{ "DisableForwarding", CLASS_PLAIN, FORM_WORD, .match = 902 },
	{ "DSAAuthentication", CLASS_WEAKENS, FORM_WORD,
	    .shown = "pubkeyauthentication" },
	{ "ExposeAuthInfo", CLASS_PLAIN, FORM_WORD, .match = 902 },
	{ "FingerprintHash", CLASS_BLINDS, FORM_WORD, .match = 0 },
	{ "ForceCommand", CLASS_CODE, FORM_RAW, .match = 902,
	    .flags = DF_PROGRAM | DF_SHELL },
	{ "GatewayPorts", CLASS_PLAIN, FORM_WORD, .match = 902 },
	{ "GSSAPIAuthentication", CLASS_WEAKENS, FORM_WORD, .match = 902 },
	{ "GSSAPICleanupCredentials", CLASS_WEAKENS, FORM_WORD, .match = 0 },
	{ "GSSAPICleanupCreds", CLASS_WEAKENS, FORM_WORD,
	    .shown = "gssapicleanupcredentials" },
	{ "GSSAPIKexAlgorithms", CLASS_WEAKENS, FORM_ALGORITHMS, .match = 0 },
	{ "GSSAPIKeyExchange", CLASS_WEAKENS, FORM_WORD, .match = 0 },
	{ "GSSAPIStoreCredentialsOnRekey", CLASS_WEAKENS, FORM_WORD,
	    .match = 0 },
	{ "GSSAPIStrictAcceptorCheck", CLASS_WEAKENS, FORM_WORD, .match = 0 },
	{ "GSSAPIUseSessionCredCache", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "GSSUseSessionCCache", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "HostbasedAcceptedAlgorithms", CLASS_WEAKENS, FORM_ALGORITHMS,
	    .match = 902 },
	{ "HostbasedAcceptedKeyTypes", CLASS_WEAKENS, FORM_ALGORITHMS,
	    .match = 902, .shown = "hostbasedacceptedalgorithms" },
	{ "HostbasedAuthentication", CLASS_WEAKENS, FORM_WORD, .match = 902 },
	{ "HostbasedUsesNameFromPacketOnly", CLASS_WEAKENS, FORM_WORD,
	    .match = 902 },
	{ "HostCertificate", CLASS_FILE, FORM_LINES, .flags = DF_ADDS },
	{ "HostDSAKey", CLASS_FILE, FORM_LINES, .flags = DF_ADDS,
	    .shown = "hostkey" },
	{ "HostKey", CLASS_FILE, FORM_LINES, .flags = DF_ADDS },
	{ "HostKeyAgent", CLASS_FILE, FORM_ARGUMENTS, .flags = DF_NEW_FILE },
	{ "HostKeyAlgorithms", CLASS_PLAIN, FORM_ALGORITHMS, .match = 0 },
	{ "IgnoreRhosts", CLASS_WEAKENS, FORM_WORD, .match = 902 },
	{ "IgnoreUserKnownHosts", CLASS_WEAKENS, FORM_WORD, .match = 0 },
	{ "Include", CLASS_REFUSED, FORM_HIDDEN, .match = 902 },
	{ "IPQoS", CLASS_PLAIN, FORM_PRESENT, .match = 902 },
	{ "KbdInteractiveAuthentication", CLASS_WEAKENS, FORM_WORD,
	    .match = 902 },
	{ "KeepAlive", CLASS_PLAIN, FORM_WORD, .shown = "tcpkeepalive" },
	{ "KerberosAuthentication", CLASS_WEAKENS, FORM_WORD, .match = 902 },
	{ "KerberosGetAFSToken", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "KerberosOrLocalPasswd", CLASS_WEAKENS, FORM_WORD, .match = 0 },
	{ "KerberosTgtPassing", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "KerberosTicketCleanup", CLASS_WEAKENS, FORM_WORD, .match = 0 },
	{ "KexAlgorithms", CLASS_PLAIN, FORM_ALGORITHMS, .match = 0 },
	{ "KeyRegenerationInterval", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "ListenAddress", CLASS_PLAIN, FORM_LISTEN, .flags = DF_ADDS },
	{ "LoginGraceTime", CLASS_PLAIN, FORM_TIME, .match = 0 },
	{ "LogLevel", CLASS_BLINDS, FORM_WORD, .match = 902 },
	{ "LogVerbose", CLASS_BLINDS, FORM_ARGUMENTS, .match = 902 },
	{ "MACs", CLASS_PLAIN, FORM_ALGORITHMS, .match = 0 },
	{ "Match", CLASS_PLAIN, FORM_HIDDEN, .match = 902 },
	{ "MaxAuthTries", CLASS_WEAKENS, FORM_NUMBER, .match = 902 },
	{ "MaxSessions", CLASS_PLAIN, FORM_NUMBER, .match = 902 },
	{ "MaxStartups", CLASS_PLAIN, FORM_STARTUPS, .match = 0 },
	{ "ModuliFile", CLASS_FILE, FORM_ARGUMENTS, .match = 0 },
	{ "PAMAuthenticationViaKbdInt", CLASS_IGNORED, FORM_HIDDEN,
	    .match = 0 },
	{ "PAMServiceName", CLASS_CODE, FORM_ARGUMENTS, .match = 908,
	    .from = 908 },
	{ "PasswordAuthentication", CLASS_WEAKENS, FORM_WORD, .match = 902 },
	{ "PermitBlacklistedKeys", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "PermitEmptyPasswords", CLASS_WEAKENS, FORM_WORD, .match = 902 },
	{ "PermitListen", CLASS_PLAIN, FORM_PRESENT, .match = 902 },
	{ "PermitOpen", CLASS_PLAIN, FORM_ARGUMENTS, .match = 902 },
	{ "PermitRootLogin", CLASS_WEAKENS, FORM_WORD, .match = 902 },
	{ "PermitTTY", CLASS_PLAIN, FORM_WORD, .match = 902 },
	{ "PermitTunnel", CLASS_PLAIN, FORM_WORD, .match = 902 },
	{ "PermitUserEnvironment", CLASS_CODE, FORM_ARGUMENTS, .match = 0 },
	{ "PermitUserRC", CLASS_PLAIN, FORM_WORD, .match = 902 },
	{ "PerSourceMaxStartups", CLASS_PLAIN, FORM_WORD, .match = 0 },
	{ "PerSourceNetBlockSize", CLASS_PLAIN, FORM_PRESENT, .match = 0 },
	{ "PerSourcePenalties", CLASS_PLAIN, FORM_PRESENT, .from = 908,
	    .flags = DF_ADDS },
	{ "PerSourcePenaltyExemptList", CLASS_WEAKENS, FORM_PRESENT,
	    .from = 908 },
	{ "PidFile", CLASS_FILE, FORM_ARGUMENTS, .flags = DF_NEW_FILE },
	{ "Port", CLASS_PLAIN, FORM_NUMBER, .flags = DF_ADDS },
	{ "PrintLastLog", CLASS_PLAIN, FORM_WORD, .match = 0 },
	{ "PrintMotd", CLASS_PLAIN, FORM_WORD, .match = 0 },
	{ "Protocol", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "PubkeyAcceptedAlgorithms", CLASS_WEAKENS, FORM_ALGORITHMS,
	    .match = 902 },
	{ "PubkeyAcceptedKeyTypes", CLASS_WEAKENS, FORM_ALGORITHMS,
	    .match = 902, .shown = "pubkeyacceptedalgorithms" },
	{ "PubkeyAuthentication", CLASS_WEAKENS, FORM_WORD, .match = 902 },
	{ "PubkeyAuthOptions", CLASS_WEAKENS, FORM_ARGUMENTS, .match = 902 },
	{ "RDomain", CLASS_PLAIN, FORM_HIDDEN, .match = 902 },
	{ "RefuseConnection", CLASS_PLAIN, FORM_WORD, .match = 909,
	    .from = 909 },
	{ "RekeyLimit", CLASS_PLAIN, FORM_SIZE_TIME, .match = 902 },
	{ "RequiredRSASize", CLASS_PLAIN, FORM_NUMBER, .match = 902 },
	{ "ReverseMappingCheck", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "RevokedKeys", CLASS_FILE, FORM_ARGUMENTS, .match = 902 },
	{ "RhostsAuthentication", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "RhostsRSAAuthentication", CLASS_IGNORED, FORM_HIDDEN, .match = 902 },
	{ "RSAAuthentication", CLASS_IGNORED, FORM_HIDDEN, .match = 902 },
	{ "SecurityKeyProvider", CLASS_CODE, FORM_ARGUMENTS,
	    .flags = DF_PROGRAM },
	{ "ServerKeyBits", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "SetEnv", CLASS_CODE, FORM_LINES, .match = 902 },
	{ "SKeyAuthentication", CLASS_WEAKENS, FORM_WORD, .match = 902,
	    .shown = "kbdinteractiveauthentication" },
	{ "SshdAuthPath", CLASS_CODE, FORM_ARGUMENTS, .from = 1000,
	    .flags = DF_PROGRAM },
	{ "SshdSessionPath", CLASS_CODE, FORM_ARGUMENTS, .from = 908,
	    .flags = DF_PROGRAM },
	{ "StreamLocalBindMask", CLASS_PLAIN, FORM_PRESENT, .match = 902 },
	{ "StreamLocalBindUnlink", CLASS_PLAIN, FORM_WORD, .match = 902 },
	{ "StrictModes", CLASS_WEAKENS, FORM_WORD, .match = 0 },
	{ "Subsystem", CLASS_CODE, FORM_ARGUMENTS, .match = 905,
	    .flags = DF_ADDS | DF_PROGRAM_2 },
	{ "SyslogFacility", CLASS_BLINDS, FORM_WORD, .match = 0 },
	{ "TCPKeepAlive", CLASS_PLAIN, FORM_WORD, .match = 0 },
	{ "TrustedUserCAKeys", CLASS_FILE, FORM_ARGUMENTS, .match = 902 },
	{ "UnusedConnectionTimeout", CLASS_PLAIN, FORM_TIME, .match = 902 },
	{ "UseDNS", CLASS_PLAIN, FORM_WORD, .match = 0 },
	{ "UseLogin", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "UsePAM", CLASS_WEAKENS, FORM_WORD, .match = 0 },
	{ "UsePrivilegeSeparation", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "VerifyReverseMapping", CLASS_IGNORED, FORM_HIDDEN, .match = 0 },
	{ "VersionAddendum", CLASS_PLAIN, FORM_RAW, .match = 0 },
	{ "X11DisplayOffset", CLASS_PLAIN, FORM_NUMBER, .match = 902 },
	{ "X11Forwarding", CLASS_PLAIN, FORM_WORD, .match = 902 },
	{ "X11UseLocalhost", CLASS_PLAIN, FORM_WORD, .match = 902 },
	{ "XAuthLocation", CLASS_CODE, FORM_ARGUMENTS, .flags = DF_PROGRAM },
	{ .name = NULL }
};

const struct directive *
directive_find(const char *name, size_t len)
{
	const struct directive *d;

	for (d = directives; d->name != NULL; d++)
		if (strncasecmp(d->name, name, len) == 0 &&
		    d->name[len] == '\0')
			return d;
	return NULL;
}

const char *directive_class_text(enum directive_class class)
{
	switch (class) {
	case CLASS_FILE:
		return "names a file";
	case CLASS_CODE:
		return "runs or loads code";
	case CLASS_WEAKENS:
		return "can weaken authentication";
	case CLASS_BLINDS:
		return "can blind the log";
	case CLASS_REFUSED:
		return "would read another file";
	case CLASS_PLAIN:
	case CLASS_IGNORED:
		break;
	}
	return "";
}
