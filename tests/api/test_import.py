"""A foreign sshd_config becomes settings: sshd does what it did before."""

import pytest

from harness import PASSWORD, ApiError, wait_until

MAIN = "/etc/ssh/sshd_config"
FOLDER = "/etc/ssh/sshd_config.d"
# What Holdfast sets where the file says nothing; the report names it.
OURS = {"ciphers", "maxstartups", "persourcemaxstartups", "setenv",
        "persourcenetblocksize", "clientaliveinterval", "usepam", "printmotd",
        "persourcepenaltyexemptlist", "subsystem"}

PORTS = """
# two ports, odd spacing, quotes
  Port 2201
Port\t=  2202
"MaxAuthTries"   "3"
ClientAliveInterval 1m # a comment
LogLevel   VERBOSE
UsePAM yes
"""
MATCH = """
Port 2203
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowTcpForwarding no
UsePAM yes
Subsystem sftp /usr/lib/openssh/sftp-server -l INFO
AllowUsers alice bob@192.0.2.* root
DenyGroups games
Match User alice
    PasswordAuthentication yes
    AllowTcpForwarding local
Match Address 192.0.2.0/24,2001:db8::/32 User bob
    X11Forwarding yes
Match Group games
    ForceCommand internal-sftp
"""
INCLUDES = """
Include /etc/ssh/sshd_config.d/*.conf
PermitRootLogin no
X11Forwarding yes
GSSAPIAuthentication yes
Compression no
Subsystem sftp internal-sftp -l VERBOSE -f LOCAL3
AcceptEnv LANG LC_*
Match User carol
    Include sshd_config.d/inner.conf
    MaxSessions 3
"""
DROP_INS = {
    "10-first.conf": "PermitRootLogin yes\nMatch User dave\nPermitTTY no\n",
    "20-second.conf": "MaxSessions 4\nBanner /nonexistent/banner\n",
    "inner.conf": "AllowAgentForwarding no\nMatch Address 192.0.2.7\n"
                  "PermitTunnel yes\n"}
CRLF = ("PermitRootLogin yes\r\nPort 2204\r\nProtocol 2\r\n"
        "Ciphers aes256-ctr,aes128-ctr\r\nMatch all\r\n\tMaxAuthTries 2\r\n")


def effective(instance, spec=None):
    words = ["/usr/sbin/sshd", "-T", "-f", MAIN]
    if spec:
        words += ["-C", f"{spec},host=h,laddr=127.0.0.1,lport=22"]
    found = {}
    for line in instance.enter(*words).stdout.splitlines():
        word, _, value = line.partition(" ")
        found.setdefault(word, []).append(value)
    return {word: sorted(values) for word, values in found.items()}


def changed(before, after):
    return {word for word in before.keys() | after.keys()
            if before.get(word) != after.get(word)}


def write(instance, main, drop_ins=None):
    instance.enter("mkdir", "-p", "/run/sshd")
    instance.enter("tee", MAIN, stdin=main)
    for name, text in (drop_ins or {}).items():
        instance.enter("tee", f"{FOLDER}/{name}", stdin=text)


def reset(client, instance):
    instance.enter("sh", "-c", f"rm -f {FOLDER}/*")
    if client.call("ssh.edited_files"):
        client.call("ssh.foreign_edits", {"action": "DISCARD"})
    client.call("ssh.update", {
        "tcpport": instance.ssh_port, "passwordauth": False, "tcpfwd": False,
        "kerberosauth": False, "compression": False, "options": "",
        "sftp_log_level": "", "sftp_log_facility": "",
        "hardening": "MODERN", "weak_ciphers": []})
    client.call("ssh.update", {"kept_host_keys": []})
    root = client.call("user.query", [["uid", "=", 0]], {"get": True})
    if root["ssh_password_enabled"]:
        client.call("user.update", root["id"],
                    {"ssh_password_enabled": False})


@pytest.fixture
def served(instance):
    with instance.root() as client:
        client.call("service.control", "STOP", "ssh")
        reset(client, instance)
        yield client
        reset(client, instance)


@pytest.mark.parametrize("main, drop_ins, specs, fields, options", [
    (PORTS, {}, [], {"tcpfwd": True, "compression": True,
                     "passwordauth": True},
     ["MaxAuthTries", "LogLevel", "PasswordAuthentication"]),
    (MATCH, {}, ["user=alice,addr=127.0.0.1", "user=bob,addr=192.0.2.1",
                 "user=eve,addr=127.0.0.1"],
     {"tcpfwd": False, "passwordauth": False}, ["Subsystem", "AllowUsers"]),
    (INCLUDES, DROP_INS, ["user=carol,addr=127.0.0.1",
                          "user=carol,addr=192.0.2.7",
                          "user=dave,addr=127.0.0.1"],
     {"kerberosauth": True, "compression": False,
      "sftp_log_level": "VERBOSE", "sftp_log_facility": "LOCAL3"},
     ["AcceptEnv"]),
    (CRLF, {}, ["user=eve,addr=127.0.0.1"], {"tcpfwd": True}, ["Ciphers"]),
    ("", {}, [], {"passwordauth": True}, ["PasswordAuthentication yes"]),
], ids=["ports", "match", "includes", "crlf", "empty"])
def test_sshd_does_what_it_did(instance, served, main, drop_ins, specs,
                               fields, options):
    write(instance, main, drop_ins)
    before = effective(instance)
    matched = [effective(instance, spec) for spec in specs]
    report = served.call("ssh.foreign_edits", {"action": "IMPORT"})
    differ = changed(before, effective(instance))
    told = {entry["directive"].lower() for entry in report["differences"]
            if entry["match"] == ""}
    left_out = {entry["text"].split()[0].lower()
                for entry in report["not_taken"]}
    assert differ == told
    assert differ <= OURS | left_out | {"port", "listenaddress"}, report
    for spec, was in zip(specs, matched):
        assert changed(was, effective(instance, spec)) <= differ, spec
    config = served.call("ssh.config")
    assert {name: config[name] for name in fields} == fields
    assert config["hardening"] == "COMPATIBLE"
    for line in options:
        assert line in config["options"]
    assert served.call("ssh.edited_files") == []
    assert served.call("ssh.import_report") == report
    # What was taken over stays so.
    served.call("ssh.update", {"session_limit": 60})
    served.call("ssh.update", {"session_limit": None})


def test_whether_root_has_a_password_is_the_accounts(instance, served):
    kept = served.call("user.query", [["uid", "=", 0]], {"get": True})
    served.call("user.update", kept["id"], {
        "password": PASSWORD, "password_disabled": False,
        "ssh_password_enabled": False})
    try:
        for word, enabled in (("yes", True), ("prohibit-password", False)):
            write(instance, f"PermitRootLogin {word}\n"
                            "PasswordAuthentication yes\n")
            before = effective(instance, "user=root,addr=127.0.0.1")
            report = served.call("ssh.foreign_edits", {"action": "IMPORT"})
            after = effective(instance, "user=root,addr=127.0.0.1")
            for name in ("permitrootlogin", "passwordauthentication"):
                assert after[name] == before[name], word
            assert "PermitRootLogin" not in {
                one["directive"] for one in report["differences"]}
            assert "PermitRootLogin" not in served.call(
                "ssh.config")["options"]
            root = served.call("user.get_instance", kept["id"])
            assert root["ssh_password_enabled"] is enabled
    finally:
        served.call("user.update", kept["id"], {
            "password_disabled": kept["password_disabled"],
            "ssh_password_enabled": False})


def test_our_own_file_edited_by_hand(instance, served):
    """What is ours in it does not become auxiliary parameters."""
    served.call("ssh.update", {"options": "MaxSessions 7"})
    text = instance.sshd_config()
    write(instance, text.replace("AllowTcpForwarding no",
                                 "AllowTcpForwarding yes\nMaxAuthTries 4"))
    served.call("ssh.foreign_edits", {"action": "IMPORT"})
    config = served.call("ssh.config")
    assert config["tcpfwd"] is True
    assert config["hardening"] == "MODERN"
    assert config["options"] == "MaxSessions 7\nMaxAuthTries 4"
    # A file beside it means something once it is imported.
    instance.enter("tee", f"{FOLDER}/50-cloud.conf",
                   stdin="LoginGraceTime 33\nMatch User x\nPermitTTY no\n")
    report = served.call("ssh.foreign_edits", {"action": "IMPORT"})
    assert report["differences"] == []
    assert effective(instance)["logingracetime"] == ["33"]
    assert effective(instance, "user=x,addr=127.0.0.1")["permittty"] == ["no"]


@pytest.mark.parametrize("main, at_fault", [
    ("Match User x\nForceCommand /nonexistent/program\n", 2),
    ("AuthorizedKeysFile /nonexistent/%u\n", 1),
    ("Include /root/other.conf\n", 1),
])
def test_what_would_let_others_in_is_not_left_out(
        instance, served, main, at_fault):
    write(instance, main)
    with pytest.raises(ApiError) as refused:
        served.call("ssh.foreign_edits", {"action": "IMPORT"})
    line, = refused.value.data["extra"]["lines"]
    assert (line["file"], line["line"]) == (MAIN, at_fault)
    assert instance.sshd_config() == main
    assert served.call("ssh.edited_files") != []


def test_a_file_that_sshd_refuses(instance, served):
    write(instance, "MaxAuthTries many\n")
    with pytest.raises(ApiError) as refused:
        served.call("ssh.foreign_edits", {"action": "IMPORT"})
    assert refused.value.errname == "EINVAL"
    assert instance.sshd_config() == "MaxAuthTries many\n"


def prepared(made, main):
    """The machine below has this sshd_config, a host key and a user's key."""
    folder = made.directory / "fs"
    (made.directory / "state").mkdir(mode=0o700)
    (made.directory / "lock").touch(mode=0o600)
    for path in ("etc/upper/ssh", "root/upper/.ssh"):
        (folder / path).mkdir(parents=True, mode=0o755)
    for path in (folder, folder / "etc", folder / "root",
                 folder / "etc/upper", folder / "root/upper"):
        path.chmod(0o755)
    (folder / "root/upper/.ssh").chmod(0o700)
    (folder / "etc/upper/ssh/sshd_config").write_text(main)
    (folder / "etc/upper/ssh/ssh_host_test_key").write_text("kept\n")
    (folder / "root/upper/.ssh/authorized_keys").write_text("# mine\n")
    return made


def test_first_start_takes_over_what_runs(make_instance):
    made = prepared(make_instance("--import"), MATCH).start()
    with made.root() as client:
        def taken():
            return client.call("ssh.import_report") is not None
        wait_until(taken, 60, "the import")
        config = client.call("ssh.config")
        assert "AllowUsers alice" in config["options"]
        assert config["tcpport"] == made.ssh_port
        assert config["hardening"] == "COMPATIBLE"
        assert [alert["klass"] for alert in client.call("alert.list")
                if "Ssh" in alert["klass"] or "Edited" in alert["klass"]] == [
                    "SshImported"]
        shown = made.cli("status").stdout
        for one in client.call("ssh.import_report")["differences"]:
            assert f"    {one['directive']} is " in shown
    assert made.inside("/etc/ssh/ssh_host_test_key").exists()
    assert made.inside("/root/.ssh/authorized_keys").exists()
    assert "Written by Holdfast" in made.sshd_config()
    # Once: the next start knows its own file.
    made.stop()
    made.start()
    with made.root() as client:
        assert client.call("ssh.config")["options"] == config["options"]
        assert client.call("ssh.edited_files") == []


def test_first_start_that_cannot_take_it_over(make_instance):
    made = prepared(make_instance("--import"), "Frobnicate yes\n").start()
    with made.root() as client:
        def told():
            return [alert for alert in client.call("alert.list")
                    if alert["klass"] == "SshNotImported"]
        wait_until(told, 60, "the alert")
        assert client.call("ssh.import_report") is None
        assert "did not become settings" in made.cli("status").stdout


def test_without_import_nothing_is_taken_over(make_instance):
    made = prepared(make_instance(), MATCH).start()
    with made.root() as client:
        assert client.call("ssh.config")["options"] == ""
        assert client.call("ssh.import_report") is None
    assert not made.inside("/etc/ssh/ssh_host_test_key").exists()
