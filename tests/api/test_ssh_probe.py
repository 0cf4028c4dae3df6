"""ssh.probe and holdfast ssh probe: what an SSH server offers, from outside."""

import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

from harness import ApiError, public, ssh_as_new

# What today's ssh-audit no longer says, or not yet said in Debian 12.
OUTDATED = {("sntrup761x25519-sha512@openssh.com",
             "using experimental algorithm")}
LATER = {"diffie-hellman-group14-sha256"}
WEAK = ("KexAlgorithms +diffie-hellman-group1-sha1,diffie-hellman-group14-sha1,"
        "diffie-hellman-group-exchange-sha1\n"
        "Ciphers +3des-cbc,aes256-cbc\nMACs +hmac-md5,hmac-sha1-96\n"
        "HostKeyAlgorithms +ssh-rsa\n")
CHECKS = {"offer", "hardening", "none-cipher", "none-authentication",
          "root-password", "tcp-forwarding"}


def probe(client, *arguments):
    entry = client.job("ssh.probe", *arguments)
    assert entry["state"] == "SUCCESS", entry["error"]
    return entry["result"]


def failed(client, *arguments):
    entry = client.job("ssh.probe", *arguments)
    assert entry["state"] == "FAILED"
    return entry["error"]


def names(result):
    return [finding["name"] for finding in result["findings"]]


def unmet(result):
    return [check["check"] for check in result["checks"] if not check["met"]]


@pytest.fixture
def served(accounts):
    with accounts.root() as client:
        ssh_as_new(client)
        yield client
        ssh_as_new(client)


def ssh_audit(instance, *arguments):
    return subprocess.run(
        ["ssh-audit", *arguments, "-p", str(instance.ssh_port),
         instance.address], capture_output=True, text=True, timeout=60,
        check=False).stdout


def audited(instance):
    """{algorithm: [what ssh-audit holds against it]}, of those it knows."""
    found = {}
    for line in ssh_audit(instance, "-n", "-b").splitlines():
        match = re.match(r"\((kex|key|enc|mac)\) (\S+)(?: \([^)]*\))? "
                         r"-- \[(fail|warn)\] (.*)", line)
        if match is None or "unknown algorithm" in match[4] or (
                (match[2], match[4]) in OUTDATED):
            continue
        found.setdefault(match[2], []).append(match[4])
    return found


def test_a_new_machine_has_no_findings(accounts, served):
    result = probe(served)
    assert result["address"] == accounts.address
    assert result["banner"].startswith("SSH-2.0-OpenSSH_")
    assert {check["check"] for check in result["checks"]} == CHECKS
    assert unmet(result) == []
    for check in result["checks"]:
        assert set(check) == {"check", "expected", "seen", "met", "evidence",
                              "time", "tool_version"}
    assert names(result) == []
    assert result["auth_methods"] == ["publickey"]
    timing = result["timing"]
    assert 0 < timing["connected"] <= timing["offered"] <= (
        timing["secured"]) <= timing["finished"]


def test_host_keys_are_those_of_the_machine(accounts, served):
    shown = {}
    for kind in ("ed25519", "rsa"):
        words = accounts.enter(
            "ssh-keygen", "-lf",
            f"/etc/ssh/ssh_host_{kind}_key.pub").stdout.split()
        shown["ssh-" + kind] = (int(words[0]), words[1])
    keys = probe(served)["host_keys"]
    assert [key["algorithm"] for key in keys] == [
        "ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"]
    for key in keys:
        assert (key["bits"], key["fingerprint"]) == shown[key["type"]]


def test_the_same_as_ssh_audit_sees(accounts, served):
    served.call("ssh.update", {"hardening": "COMPATIBLE", "options": WEAK,
                               "weak_ciphers": ["AES128-CBC"]})
    result = probe(served)
    seen = json.loads(ssh_audit(accounts, "-j"))
    for kind, theirs in (("ciphers", "enc"), ("macs", "mac"),
                         ("compression", "compression")):
        listed = [item["algorithm"] if isinstance(item, dict) else item
                  for item in seen[theirs]]
        assert result[kind] == listed, kind
    assert [key["algorithm"] for key in result["host_keys"]] == [
        key["algorithm"] for key in seen["key"]]
    assert result["kex"] + result["markers"] == [
        item["algorithm"] for item in seen["kex"]]
    theirs = set(audited(accounts))
    ours = {name for name in names(result)
            if not name.startswith(("diffie-hellman-group-exchange (",
                                    "check ", "kept_", "no-"))}
    assert theirs <= ours
    assert ours - LATER <= theirs | LATER
    assert "ssh-rsa" in ours and "3des-cbc" in ours and "hmac-md5" in ours
    # More than was chosen is offered, and the probe says so.
    assert "check hardening" in names(result) or not unmet(result)


def test_faster_than_ssh_audit(accounts, served):
    def took(what):
        begin = time.monotonic()
        what()
        return time.monotonic() - begin

    ours = min(took(lambda: probe(served)) for _ in range(3))
    theirs = min(took(lambda: ssh_audit(accounts)) for _ in range(3))
    assert ours < theirs


def test_what_auxiliary_parameters_add_is_told(served):
    served.call("ssh.update", {"options": WEAK})
    result = probe(served)
    assert unmet(result) == ["hardening"]
    check = next(check for check in result["checks"]
                 if check["check"] == "hardening")
    assert "diffie-hellman-group1-sha1" in check["seen"]
    assert {"diffie-hellman-group1-sha1", "3des-cbc", "hmac-md5",
            "check hardening"} <= set(names(result))


def test_the_recommended_line_leaves_no_cbc_and_no_arcfour(served):
    served.call("ssh.update", {"hardening": "COMPATIBLE", "options": (
        "Ciphers chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,"
        "aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com\n"
        "NoneEnabled no\n")})
    result = probe(served)
    assert not [name for name in result["ciphers"]
                if "cbc" in name or "arcfour" in name or name == "none"]


def test_weak_ciphers_are_findings(served):
    served.call("ssh.update", {"weak_ciphers": ["AES128-CBC", "NONE"]})
    result = probe(served)
    assert "aes128-cbc" in result["ciphers"]
    assert "none" not in result["ciphers"]
    assert {"aes128-cbc", "weak_ciphers NONE"} == set(names(result))
    assert unmet(result) == []


def test_settings_that_weaken_are_findings(served):
    served.call("ssh.update", {
        "tcpfwd": True, "options": "PermitUserEnvironment yes\n"})
    result = probe(served)
    assert unmet(result) == []
    assert "options PermitUserEnvironment" in names(result)


def test_a_password_of_root_is_a_finding(accounts, served):
    root_user = served.call("user.query", [["uid", "=", 0]], {"get": True})
    served.call("user.update", root_user["id"], {
        "password": "correct horse battery staple",
        "password_disabled": False, "ssh_password_enabled": True,
        "without_second_factor": True})
    try:
        result = probe(served)
        assert set(result["auth_methods"]) & {"password",
                                              "keyboard-interactive"}
        assert "password" in names(result)
        assert probe(served, None, 22, "nobody")["auth_methods"] == [
            "publickey"]
    finally:
        served.call("user.update", root_user["id"], {
            "ssh_password_enabled": False, "password_disabled": True,
            "lockout": True})
    assert "password" not in names(probe(served))
    assert accounts.sshd_pid()


def test_short_keys_of_users_are_findings(served, tmp_path):
    key = tmp_path / "short"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "",
                    "-f", key], check=True, timeout=60)
    user = served.call("user.create", {
        "username": "short-key", "full_name": "Short", "group_create": True,
        "smb": False, "password_disabled": True, "home": "/home",
        "home_create": True, "sshpubkey": public(key)})
    try:
        assert "key of short-key (RSA, 2048 bits)" in names(probe(served))
    finally:
        served.call("user.delete", user["id"])


def test_the_last_one_is_kept(served):
    result = probe(served)
    assert served.call("ssh.last_probe") == result
    status = served.call("holdfast.status")
    assert status["ssh_probe"] == {
        "time": result["time"], "findings": len(result["findings"])}


def test_other_hosts_are_not_the_last_one(accounts, served):
    own = probe(served)
    result = probe(served, accounts.address, accounts.ssh_port)
    assert result["host"] == accounts.address and result["checks"] == []
    assert result["kex"] == own["kex"]
    assert served.call("ssh.last_probe") == own


def test_nothing_is_left_behind(accounts, served):
    """No password or key that failed, and sshd is reached as before."""
    def left():
        return served.call("alert.list"), re.findall(
            r"sshd.*: (?:Failed|error: PAM|PAM) .*", accounts.log())

    before = left()
    for _ in range(3):
        probe(served)
    assert left() == before
    assert probe(served)["problem"] is None
    assert accounts.sshd_pid()


def test_while_sshd_is_stopped(served):
    served.control("STOP")
    try:
        assert "ECONNREFUSED" in failed(served)
    finally:
        served.control("START")


# --- Other hosts ------------------------------------------------------------

LISTS = ("diffie-hellman-group1-sha1", "ssh-dss", "arcfour,3des-cbc",
         "arcfour,3des-cbc", "hmac-md5", "hmac-md5", "zlib", "zlib", "", "")


def packet(payload):
    padding = 8 - (5 + len(payload)) % 8
    padding += 8 if padding < 4 else 0
    return (struct.pack(">IB", 1 + len(payload) + padding, padding) + payload
            + bytes(padding))


def kexinit(lists=LISTS):
    body = b"\x14" + os.urandom(16)
    for text in lists:
        body += struct.pack(">I", len(text)) + text.encode()
    return packet(body + bytes(5))


@contextlib.contextmanager
def server(*chunks, hold=True):
    """Sends each who connects these bytes; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve():
        while not done.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(client,),
                             daemon=True).start()

    def talk(client):
        with client, contextlib.suppress(OSError):
            for chunk in chunks:
                client.sendall(chunk)
            if hold:
                client.settimeout(20)
                while client.recv(4096):
                    pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        done.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_an_old_device(root):
    with server(b"SSH-1.99-old\r\n", kexinit(), hold=False) as port:
        result = probe(root, "127.0.0.1", port)
    assert result["ciphers"] == ["arcfour", "3des-cbc"]
    assert {"diffie-hellman-group1-sha1", "ssh-dss", "arcfour", "3des-cbc",
            "hmac-md5", "zlib", "protocol-1", "no-post-quantum-kex"} <= set(
                names(result))
    assert result["auth_methods"] is None and result["problem"]
    assert result["host_keys"] == [{
        "algorithm": "ssh-dss", "type": "ssh-dss", "bits": None,
        "fingerprint": None}]


@pytest.mark.parametrize("chunks, said", [
    ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), "ended"),
    ((b"SSH-1.5-x\r\n",), "does not speak SSH 2"),
    ((b"SSH-2.0-\x1b[2J\r\n",), "malformed"),
    ((b"SSH-2.0-x\r\n", b"\xff" * 64), "length is wrong"),
    ((b"SSH-2.0-x\r\n", packet(b"\x01" + bytes(12))), "ended"),
    ((b"x" * 9000,), "too long"),
    ((), "ended")])
def test_servers_that_are_none(root, chunks, said):
    with server(*chunks, hold=False) as port:
        error = failed(root, "127.0.0.1", port)
    assert "ECONNREFUSED" in error and said in error


def after_kexinit(*payloads):
    lists = list(LISTS)
    lists[0:3] = "curve25519-sha256", "ssh-ed25519", "aes256-ctr"
    lists[3:8] = "aes256-ctr", "hmac-sha2-256", "hmac-sha2-256", "none", "none"
    return (b"SSH-2.0-x\r\n", kexinit(lists), *map(packet, payloads))


def field(data):
    return struct.pack(">I", len(data)) + data


@pytest.mark.parametrize("payload", [
    b"\x1f", b"\x1f" + b"\xff" * 64, b"\x1f" + field(b"") * 3,
    b"\x1f" + field(b"key") + field(bytes(32)) + field(b"sig"),
    b"\x1f" + field(b"key") + field(b"short") + field(b"sig"),
    b"\x1f" + field(b"key") + field(bytes(20000)) + field(b"sig"),
    b"\x15", b"\x32", b"\x04" + bytes(30)])
def test_replies_that_are_none(root, payload):
    """They end the exchange, not the probe."""
    with server(*after_kexinit(payload), hold=False) as port:
        result = probe(root, "127.0.0.1", port)
    assert result["problem"] and result["auth_methods"] is None
    assert result["kex"] == ["curve25519-sha256"]


def test_a_host_that_does_not_exist(root):
    assert "no address" in failed(root, "nosuch.invalid", 22)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert "ECONNREFUSED" in failed(root, "127.0.0.1", port)


def test_a_name_is_resolved(root):
    with server(b"SSH-2.0-x\r\n", kexinit(), hold=False) as port:
        result = probe(root, "localhost", port)
    assert result["host"] == "localhost"
    assert result["address"] == "127.0.0.1"


@pytest.mark.parametrize("host, port, user, path", [
    ("", 22, "root", "host"), ("a b", 22, "root", "host"),
    ("-oProxyCommand=x", 22, "root", "host"), ("a\nb", 22, "root", "host"),
    ("$(x)", 22, "root", "host"), ("x" * 254, 22, "root", "host"),
    (5, 22, "root", "host"), ("h", 0, "root", "port"),
    ("h", 65536, "root", "port"), ("h", "22", "root", "port"),
    ("h", 22, "", "user"), ("h", 22, "a b", "user"),
    ("h", 22, "-x", "user"), ("h", 22, "x" * 33, "user"),
    ("h", 22, None, "user")])
def test_bad_arguments(root, host, port, user, path):
    with pytest.raises(ApiError) as refused:
        root.call("ssh.probe", host, port, user)
    assert refused.value.paths == [path]


# --- Who may, and what is kept of it ----------------------------------------

def with_roles(root, *roles):
    """The name of a user who has these roles, and what takes it back."""
    name = "probe-" + "-".join(roles).lower().replace("_", "-")[:20]
    group = root.call("group.create", {"name": name + "-g"})
    gid = root.call("group.query", [["id", "=", group]], {"get": True})["gid"]
    privilege = root.call("privilege.create", {
        "name": name, "local_groups": [gid], "ds_groups": [],
        "roles": list(roles), "web_shell": False})
    user = root.call("user.create", {
        "username": name, "full_name": name, "group_create": True,
        "smb": False, "password": "correct horse battery",
        "groups": [group]})
    return name, (("user.delete", user["id"]),
                  ("privilege.delete", privilege["id"]),
                  ("group.delete", group))


@contextlib.contextmanager
def role_client(instance, root, *roles):
    name, undo = with_roles(root, *roles)
    try:
        with instance.connect() as client:
            assert client.call("auth.login", name, "correct horse battery")
            yield client
    finally:
        for call in undo:
            root.call(*call)


def test_who_may_probe_what(accounts, served):
    with role_client(accounts, served, "SSH_READ") as client:
        probe(client)
        with pytest.raises(ApiError) as refused:
            client.call("ssh.probe", accounts.address, accounts.ssh_port)
        assert refused.value.paths == ["ssh_probe.host"]
    with role_client(accounts, served, "KEYCHAIN_CREDENTIAL_WRITE") as client:
        probe(client, accounts.address, accounts.ssh_port)
        with pytest.raises(ApiError):
            client.call("ssh.probe")
    with role_client(accounts, served, "ACCOUNT_READ") as client:
        with pytest.raises(ApiError):
            client.call("ssh.probe")


def test_other_hosts_are_audited_and_limited(accounts, served):
    with role_client(accounts, served, "KEYCHAIN_CREDENTIAL_WRITE") as client:
        allowed = 0
        with pytest.raises(ApiError) as refused:
            for _ in range(40):
                client.call("ssh.probe", "127.0.0.1", 1)
                allowed += 1
        assert "Rate Limit" in str(refused.value)
        assert allowed >= 10
    records = served.call("audit.query", {
        "services": ["MIDDLEWARE"],
        "query-filters": [["event", "=", "METHOD_CALL"],
                          ["event_data.method", "=", "ssh.probe"]],
        "query-options": {"order_by": ["-message_timestamp"], "limit": 40}})
    # Of one second they come in any order.
    assert any("127.0.0.1 port 1" in record["event_data"]["description"]
               for record in records)


# --- The command --------------------------------------------------------------

def command(instance, *arguments):
    return subprocess.run(
        [instance.build / "holdfast", "-i", instance.directory, "ssh",
         *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_the_command(accounts, served):
    done = command(accounts, "probe")
    assert done.returncode == 0 and "No findings." in done.stdout
    served.call("ssh.update", {"weak_ciphers": ["AES128-CBC"]})
    done = command(accounts, "probe", "--json")
    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert {"kex", "host_keys", "ciphers", "macs", "compression",
            "auth_methods", "findings"} <= set(result)
    other = command(accounts, "probe",
                    f"{accounts.address}:{accounts.ssh_port}")
    assert other.returncode == 1 and "aes128-cbc" in other.stdout
    assert "Last probe of SSH: 1 findings" in subprocess.run(
        [accounts.build / "holdfast", "-i", accounts.directory, "status"],
        capture_output=True, text=True, timeout=60, check=False).stdout


@pytest.mark.parametrize("arguments", [
    (), ("scan",), ("probe", "a", "b"), ("probe", "a:x"), ("probe", "a:0"),
    ("probe", "a:65536"), ("probe", "[::1"), ("probe", "[::1]x"),
    ("probe", ":22")])
def test_the_command_used_wrongly(accounts, arguments):
    assert command(accounts, *arguments).returncode == 2
