"""Where Holdfast deliberately answers otherwise than the recorded server.

One entry a case: (file, case): (what ours answers, why).  The answer is a
code, [code, errname] or [code, errname, attribute paths] of an error,
"result", "nothing", {"closed": code}, or an HTTP status.  An entry whose case
agrees, or is not in the file, fails.
"""


AT_FAULT = "the attribute at fault is named"
SYSTEM = "the settings of the system itself come later"
FOUND_OUT = "found out before any entry is looked at, and named"
OF_ITS_TYPE = "judged as what its type says, not as everything it might be"
FILES = "filesystem.put comes with the storage"

DIFFERENCES = {
    ("auth", "generate_token: ttl wrong"): (
        [-32602, "EINVAL", ["ttl"]], "a token that is never good is no use"),

    ("api_key", "create: same name"): (
        [-32602, "EINVAL", ["api_key_create.name"]], AT_FAULT),
    ("api_key", "create: user absent"): (
        [-32602, "EINVAL", ["api_key_create.username"]], AT_FAULT),
    ("api_key", "create: expired"): (
        [-32602, "EINVAL", ["api_key_create.expires_at"]], AT_FAULT),
    ("api_key", "create"): (
        "result", "user_identifier is a number at once, as it is later"),

    ("envelope", "parameter left out"): (
        [-32602, "EINVAL", ["user_create"]],
        "the parameter is named, without Python's text"),
    ("envelope", "25 slow calls at once"): (
        "result", "a query is not slow: each is answered at once"),
    ("envelope", "NaN"): (
        -32700, "NaN is not JSON"),
    ("envelope", "2,000 nested arrays"): (
        -32700, "deeper than 64 is refused by the parser"),

    ("core", "get_services"): (
        "result", "what is built, without the server's own innards"),
    ("core", "get_methods of one service"): (
        "result", "methods have no examples"),
    ("core", "get_methods, target CLI"): (
        "result", "methods have no examples"),
    ("core", "subscribe with an argument to an event without"): (
        [-32602, "EINVAL", ["event"]], "it would never be told of anything"),
    ("core", "events: a group is created"): (
        "result", "its creation is told, as that of anything else"),
    ("core", "events: it is renamed"): (
        "result", "its change is told, as that of anything else"),
    ("core", "job_wait, unknown job"): (
        [-32602, "EINVAL", [None]], "refused at once, not by a job"),
    ("core", "bulk: unknown method"): (
        [-32001, "ENOMETHOD"], "refused at once, not by a job"),

    ("group", "create: smb on, SMB not set up"): (
        "result", "kept for the SMB service: no setup of it comes first"),
    ("group", "get_group_obj: absent"): (
        [-32001, "ENOENT"], "the errno that says so"),

    ("user", "create: home outside"): (
        [-32602, "EINVAL", ["user_create.home"]],
        "homes are on any file system"),
    ("user", "create: home under a pool that is not there"): (
        [-32602, "EINVAL", ["user_create.home"]],
        "the first folder that is not there is named, once"),
    ("user", "create: smb with disabled password"): (
        [-32602, "EINVAL", ["user_create.password_disabled"]],
        "no system dataset is needed for SMB users"),
    ("user", "create: smb on, SMB not set up"): (
        "result", "kept for the SMB service: no setup of it comes first"),
    ("user", "create: userns_idmap"): (
        [-32602, "EINVAL", ["user_create.userns_idmap"]],
        "there are no containers to see the id"),
    ("user", "update: root's home"): (
        [-32602, "EINVAL", ["user_update.home"]],
        "of what cannot be changed nothing else is looked at"),
    ("user", "update: root smb"): (
        [-32602, "EINVAL", ["user_update.smb"]],
        "of what cannot be changed nothing else is looked at"),
    ("user", "get_user_obj, absent"): (
        [-32001, "ENOENT"], "the errno that says so"),
    ("user", "renew_2fa_secret: interval out of range"): (
        [-32602, "EINVAL", ["twofactor_options.interval"]],
        "the same refusal, whose text names a range"),

    ("query", '[["group", "~", "("]]'): (
        [-32602, "EINVAL", ["filters"]], FOUND_OUT),
    ("query", '[["gid", ">", "a"]]'): (
        [-32602, "EINVAL", ["filters"]], FOUND_OUT),
    ("query", '[["gid", "in", 5]]'): (
        [-32602, "EINVAL", ["filters"]], FOUND_OUT),
    ("query", 'options {"order_by": ["nosuch"], "limit": 1}'): (
        "result", "what is not there sorts as null"),
    ("query", "get_instance"): (
        "result", "ids are each machine's own: there is a group 1"),
    ("privilege", "delete group in use"): (
        [-32001, "EACCES"], "it names the privilege in words of our own"),
    ("privilege", "a user with SSH_READ: get_methods"): (
        "result", "the recording kept their names only"),
    ("privilege", "privilege changed while logged in: user.query"): (
        "result", "what a privilege grants is looked up at each change"),
    ("privilege", "privilege deleted while logged in"): (
        {"closed": 1000}, "who has no rights any more has no session"),

    ("query", 'select ["users.0"]'): (
        [-32602, "EINVAL", ["options"]], FOUND_OUT),
    ("http", "root"): (308, "the way to the page, which web serves itself"),
    ("http", "upload by GET"): (405, "its fault has a status"),
    ("http", "core.download of a method that gives no file"): (
        [-32001, "EINVAL"], "the same error, without Python's text"),
    ("http", "upload"): (422, FILES),
    ("http", "upload with a token"): (401, FILES),
    ("http", "upload, a method that takes no file"): (
        422, "its fault has a status"),
    ("http", "WebSocket: a foreign Origin"): (
        "Handshake status 403", "pages of other hosts may not use a session"),

    ("ssh", "update: login group unknown"): (
        [-32602, "EINVAL", ["ssh_update.password_login_groups"]],
        "a group that does not exist is refused"),
    ("ssh", "update: options with a typo"): (
        [-32602, "EINVAL", ["ssh_update.options"]],
        "what sshd would refuse never gets stored"),
    ("ssh", "update: options with CR"): (
        [-32602, "EINVAL", ["ssh_update.options"]],
        "a carriage return could hide a line from the reader"),

    **{("keychain", f"create: {case}"): (
        [-32602, "EINVAL", [f"keychain_credential_create.{path}"
                            for path in paths]], reason)
        for case, paths, reason in (
            ("type unknown", ["type"], OF_ITS_TYPE),
            ("no type", ["type"], OF_ITS_TYPE),
            ("connection, no host",
             ["attributes.host", "attributes.remote_host_key"], OF_ITS_TYPE),
            ("connection, key pair absent", ["attributes.remote_host_key"],
             "nor is its host key any: it could never log in"),
            ("connection, port wrong",
             ["attributes.port", "attributes.remote_host_key"],
             "no server is reached at port 0"))},
    ("keychain", "create: same name"): (
        [-32602, "EINVAL", ["keychain_credential_create.name"]],
        "the errno that says so"),

    ("system", "password policy out of range"): (
        [-32602, "EINVAL", ["system_security_update.min_password_length"]],
        "refused at once, not inside a job"),
    **{("system", name): (-32601, SYSTEM) for name in (
        "system.feature_enabled", "system.general.timezone_choices")},
    ("system", "system.general.ui_httpsprotocols_choices"): (
        "result", "TLS below 1.2 is not offered"),

    ("service", "control: unknown verb"): (
        [-32602, "EINVAL", ["verb"]], "refused at once, not inside a job"),
    ("service", "control: unknown service"): (
        [-32602, "EINVAL", ["service"]],
        "refused at once, not inside a job"),
    ("service", "control: unknown option"): (
        [-32602, "EINVAL", ["options.nosuch"]],
        "refused at once, not inside a job"),
}
