/*
 * The members of an account.  One list, expanded twice: in the table of what
 * is sent and stored, and in that of what a change answers with (user.c).
 */
#ifndef HF_USER_FIELDS_H
#define HF_USER_FIELDS_H

#define USER_UID_MAX	90000000	/* as the API says */
#define USER_SHELL	"/bin/bash"	/* TrueNAS has zsh: Debian may not */

/* "Value error, ": texts of what TrueNAS checks with a function. */
#define USER_ENTRY_ROWS							\
	{ .name = "id", .type = F_INT, .flags = FF_READONLY,		\
	  .doc = "Id of the entry." },					\
	{ .name = "uid", .type = F_INT, .def = "null",			\
	  .flags = FF_NULL | FF_CREATE | FF_UNIQUE,			\
	  .min = 0, .max = USER_UID_MAX,				\
	  .label = "UID", .doc = "Its number; null: the next free one." }, \
	{ .name = "username", .type = F_STR,				\
	  .flags = FF_REQUIRED | FF_UNIQUE,				\
	  .pattern = "[A-Za-z_][A-Za-z0-9_.-]{0,31}",			\
	  .pattern_message = "Value error, 1 to 32 letters, digits, \"_\", " \
	  "\"-\" and \".\" are valid, the first a letter or \"_\"",	\
	  .label = "Username", .doc = "Its name." },			\
	{ .name = "unixhash", .type = F_STR, .def = "null",		\
	  .flags = FF_READONLY | FF_KEPT | FF_SECRET | FF_NULL,		\
	  .doc = "Its hashed password; null: it has none that is known here." }, \
	{ .name = "smbhash", .type = F_STR, .def = "null",		\
	  .flags = FF_READONLY | FF_KEPT | FF_SECRET | FF_NULL,		\
	  .doc = "Its hash for SMB; null: it has none." },		\
	{ .name = "home", .type = F_STR, .def = "\"/var/empty\"", .min = 1, \
	  .label = "Home Directory", .doc = "Its home directory." },	\
	{ .name = "shell", .type = F_STR, .def = "\"" USER_SHELL "\"",	\
	  .min = 1, .flags = FF_GRANTS,					\
	  .label = "Shell", .doc = "Its login shell." },		\
	{ .name = "full_name", .type = F_STR, .flags = FF_REQUIRED,	\
	  .label = "Full Name", .doc = "The name of the person." },	\
	{ .name = "builtin", .type = F_BOOL, .def = "false",		\
	  .flags = FF_READONLY | FF_KEPT, .doc = "Does it come with the system?" }, \
	/* Kept for the services to come; both values are right till then. */ \
	{ .name = "smb", .type = F_BOOL, .def = "true",			\
	  .label = "SMB User", .doc = "May it use SMB shares?" },	\
	{ .name = "webshare", .type = F_BOOL, .def = "false",		\
	  .label = "WebShare User", .doc = "May it use web shares?" },	\
	{ .name = "userns_idmap", .type = F_INT_OR_STR, .def = "null",	\
	  .flags = FF_NULL | FF_UNBUILT,				\
	  .doc = "The id that containers see: DIRECT, or a number." },	\
	{ .name = "group", .type = F_INT, .def = "null",		\
	  .flags = FF_NULL | FF_GRANTS, .refers = "group",		\
	  .shown = &user_shown_group, .label = "Primary Group",		\
	  .doc = "Id of its primary group; shown as the group itself." }, \
	{ .name = "groups", .type = F_ARRAY, .fields = user_number,	\
	  .def = "[]", .flags = FF_RELEASES | FF_GRANTS,		\
	  .refers = "group", .label = "Auxiliary Groups",		\
	  .doc = "Ids of the other groups it is in." },			\
	{ .name = "password_disabled", .type = F_BOOL, .def = "false",	\
	  .flags = FF_GRANTS, .label = "Disable Password",		\
	  .doc = "Can nobody log in with its password?" },		\
	{ .name = "ssh_password_enabled", .type = F_BOOL,		\
	  .def = "false", .flags = FF_GRANTS,				\
	  .label = "Allow SSH Login with Password",			\
	  .doc = "May it log in by SSH with a password?" },		\
	{ .name = "sshpubkey", .type = F_STR, .def = "null",		\
	  .flags = FF_NULL | FF_GRANTS,					\
	  .max = STRING_LONG, .label = "Public SSH Key",		\
	  .doc = "The keys that it may log in with by SSH, one a line." }, \
	{ .name = "locked", .type = F_BOOL, .def = "false",		\
	  .flags = FF_GRANTS, .label = "Lock User",			\
	  .doc = "Is every way in closed to it?" },			\
	{ .name = "sudo_commands", .type = F_ARRAY,			\
	  .fields = user_command, .def = "[]",				\
	  .flags = FF_GRANTS,						\
	  .label = "Allowed Sudo Commands",				\
	  .doc = "Commands that it may run with sudo." },		\
	{ .name = "sudo_commands_nopasswd", .type = F_ARRAY,		\
	  .fields = user_command, .def = "[]",				\
	  .flags = FF_GRANTS,						\
	  .label = "Allowed Sudo Commands (No Password)",		\
	  .doc = "The same, without asking for the password." },	\
	{ .name = "email", .type = F_STR, .def = "null",		\
	  .flags = FF_NULL, .max = 254,					\
	  .pattern = "([^@\\x00-\\x20\\x7f]+@[^@\\x00-\\x20\\x7f]+)?",	\
	  .pattern_message = "Value error, An address is written "	\
	  "name@domain", .label = "Email", .doc = "Its mail address." }, \
	{ .name = "local", .type = F_BOOL, .flags = FF_READONLY,	\
	  .doc = "Is it this machine's, not a directory's?" },		\
	{ .name = "immutable", .type = F_BOOL, .flags = FF_READONLY,	\
	  .doc = "Are its name, home and group fixed?" },		\
	{ .name = "twofactor_auth_configured", .type = F_BOOL,		\
	  .flags = FF_READONLY, .doc = "Has it a second factor?" },	\
	{ .name = "sid", .type = F_STR, .flags = FF_READONLY | FF_NULL,	\
	  .doc = "Its security identifier for SMB." },			\
	{ .name = "last_password_change", .type = F_INT,		\
	  .unit = "seconds since the epoch", .def = "null",		\
	  .flags = FF_READONLY | FF_KEPT | FF_NULL,			\
	  .shown = &user_shown_date,					\
	  .doc = "When its password was changed last." },		\
	{ .name = "password_age", .type = F_INT, .unit = "days",	\
	  .flags = FF_READONLY | FF_NULL,				\
	  .doc = "How old its password is." },				\
	{ .name = "password_history", .type = F_ARRAY, .def = "null",	\
	  .fields = user_name,						\
	  .flags = FF_READONLY | FF_KEPT | FF_SECRET | FF_NULL,		\
	  .doc = "Hashes of the passwords before, oldest first." },	\
	{ .name = "password_change_required", .type = F_BOOL,		\
	  .flags = FF_READONLY,						\
	  .doc = "Has its password to be changed soon?" },		\
	{ .name = "roles", .type = F_ARRAY, .fields = user_name,	\
	  .flags = FF_READONLY, .doc = "The roles that it has." },	\
	{ .name = "api_keys", .type = F_ARRAY, .fields = user_number,	\
	  .flags = FF_READONLY, .doc = "Ids of its API keys." }

/* Of a call alone. */
#define USER_INPUT_ROWS							\
	{ .name = "group_create", .type = F_BOOL, .def = "false",	\
	  .flags = FF_CREATE | FF_UNSTORED,				\
	  .label = "Create New Primary Group",				\
	  .doc = "Make a group of the same name its primary one." },	\
	{ .name = "home_create", .type = F_BOOL, .def = "false",	\
	  .flags = FF_UNSTORED, .label = "Create Home Directory",	\
	  .doc = "Make its home directory." },				\
	{ .name = "home_mode", .type = F_STR, .def = "\"700\"",		\
	  .flags = FF_UNSTORED, .pattern = "[0-7]{3}",			\
	  .pattern_message = "Please provide a valid value for home_mode " \
	  "attribute", .label = "Home Directory Permissions",		\
	  .doc = "The home directory's mode, in octal." },		\
	{ .name = "password", .type = F_STR, .def = "null", .min = 1,	\
	  .flags = FF_NULL | FF_SECRET | FF_UNSTORED,			\
	  .label = "Password", .doc = "Its new password." },		\
	{ .name = "random_password", .type = F_BOOL, .def = "false",	\
	  .flags = FF_UNSTORED,						\
	  .doc = "Make a new password, and answer with it." }

#endif
