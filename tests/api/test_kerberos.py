"""kerberos.realm and kerberos.keytab, with a real MIT KDC in the instance."""

import base64
import itertools
import os
import signal
import socket

import pytest

from harness import PASSWORD, Instance, banner, next_address, wait_until

REALM = "HOLDFAST.TEST"
HOST = socket.gethostname()
KDC = "/root/kdc"
TICKETS = "FILE:/root/tickets"
# What Debian's krb5-config, or somebody, had there before.
FOREIGN = "[libdefaults]\n\tdefault_realm = SOMEBODY.ELSE\n"
ENTRY = (b"\0\0\0\x26\0\x01\0\x01R\0\x02ab\0\0\0\x01\0\0\0\0\x07\0\x11\0\x10"
         b"0123456789abcdef")
KDC_CONF = """[kdcdefaults]
kdc_listen = {address}:88
kdc_tcp_listen = {address}:88
[realms]
{realm} = {{
database_name = {folder}/principal
key_stash_file = {folder}/stash
acl_file = {folder}/acl
supported_enctypes = aes256-cts-hmac-sha384-192:normal aes128-cts:normal
}}
"""
KRB5_CONF = """[libdefaults]
default_realm = {realm}
[logging]
kdc = FILE:{folder}/log
"""
_numbers = itertools.count(1)


class Kdc:
    """A realm of its own; its programs run in the instance."""

    def __init__(self, instance):
        self.instance = instance
        self.address = next_address(201)
        self.principals = set()
        folder = instance.inside(KDC)
        folder.mkdir(0o700)
        for name, text in (("kdc.conf", KDC_CONF), ("krb5.conf", KRB5_CONF)):
            (folder / name).write_text(text.format(
                address=self.address, realm=REALM, folder=KDC))
        self.run("kdb5_util", "create", "-s", "-r", REALM, "-P", PASSWORD)
        self.run("krb5kdc", "-P", f"{KDC}/pid")
        wait_until(lambda: self.pid() and self.answers(), 60, "the KDC")

    def run(self, *command):
        return self.instance.enter(
            "env", f"KRB5_CONFIG={KDC}/krb5.conf",
            f"KRB5_KDC_PROFILE={KDC}/kdc.conf", *command)

    def admin(self, command):
        done = self.run("kadmin.local", "-r", REALM, "-q", command)
        assert "while" not in done.stderr, done

    def pid(self):
        file = self.instance.inside(f"{KDC}/pid")
        return file.exists() and int(file.read_text() or 0)

    def answers(self):
        try:
            socket.create_connection((self.address, 88), 5).close()
        except OSError:
            return False
        return True

    def keytab(self, *principals):
        """A keytab of new keys of these, as Base64."""
        name = f"{KDC}/{next(_numbers)}.keytab"
        for principal in principals:
            if principal not in self.principals:
                self.admin(f"addprinc -randkey {principal}")
            self.principals.add(principal)
            self.admin(f"ktadd -k {name} {principal}")
        return base64.b64encode(
            self.instance.inside(name).read_bytes()).decode()

    def stop(self):
        if self.pid():
            os.kill(self.pid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def site():
    """An instance with a KDC beside its sshd; nothing knows of it yet."""
    made = Instance("asan").start().setup_admin()
    try:
        made.inside("/etc/krb5.conf").write_text(FOREIGN)
        made.inside("/etc/hosts").write_text(
            f"{made.address} {HOST}\n127.0.0.1 localhost\n")
        made.kdc = Kdc(made)
        with made.root() as client:
            client.control("START")
            for name in ("alice", "bob"):
                client.call("user.create", {
                    "username": name, "full_name": name, "smb": False,
                    "group_create": True, "home": "/home",
                    "home_create": True, "password": PASSWORD})
                made.kdc.admin(f"addprinc -pw {name}-{PASSWORD[:7]} {name}")
        yield made
        made.kdc.stop()
        made.stop()
    finally:
        made.remove()


@pytest.fixture
def client(site, instances_used):
    """Root's client; at its end there is no realm and no keytab."""
    instances_used.append(site)
    with site.root() as client:
        yield client
        for kind in ("keytab", "realm"):
            for entry in client.call(f"kerberos.{kind}.query"):
                client.call(f"kerberos.{kind}.delete", entry["id"])
        client.call("ssh.update", {"kerberosauth": False})


def alerts(client, klass):
    return [alert["formatted"] for alert in client.call("alert.list")
            if alert["klass"] == klass]


def log_in(site, user, *command):
    """By a ticket or not at all."""
    return site.enter(
        "env", f"KRB5CCNAME={TICKETS}", "ssh", "-F", "/dev/null", "-K",
        "-p", str(site.ssh_port), "-o", "StrictHostKeyChecking=no",
        "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
        "-o", "PreferredAuthentications=gssapi-with-mic",
        "-o", "GSSAPIAuthentication=yes", "-o", "ConnectTimeout=10",
        f"{user}@{HOST}", *command, check=False)


def gets_in(site, user):
    done = log_in(site, user, "id", "-un")
    assert done.returncode in (0, 255), done
    return done.stdout == f"{user}\n"


@pytest.mark.bounded(240)
def test_tickets_open_the_door_where_they_are_to(site, client):
    client.call("ssh.update", {"kerberosauth": True})
    assert "there is no realm" in alerts(client, "KerberosLoginImpossible")[0]
    realm = client.call("kerberos.realm.create", {
        "realm": REALM, "kdc": [site.kdc.address]})
    assert realm == {
        "id": realm["id"], "realm": REALM, "primary_kdc": None,
        "kdc": [site.kdc.address], "admin_server": [], "kpasswd_server": []}
    other = client.call("kerberos.keytab.create", {
        "name": "other", "file": site.kdc.keytab("nfs/nas.example")})
    missing, = alerts(client, "KerberosLoginImpossible")
    assert f"host/{HOST}" in missing
    probe = client.job("ssh.probe")["result"]
    assert any(found["name"] == "kerberosauth" and f"host/{HOST}"
               in found["reason"] for found in probe["findings"])
    # The one that clients get tickets for.
    keytab = client.call("kerberos.keytab.create", {
        "name": "host", "file": site.kdc.keytab(f"host/{HOST}")})
    assert alerts(client, "KerberosLoginImpossible") == []
    assert {key["principal"] for key in keytab["principals"]} == {
        f"host/{HOST}@{REALM}"}
    # Both are one keytab, which MIT's own programs read past our mark.
    assert site.enter("stat", "-c", "%a %U:%G", "/etc/krb5.keytab"
                      ).stdout == "600 root:root\n"
    listed = site.enter("klist", "-k").stdout
    assert f"host/{HOST}@{REALM}" in listed
    assert f"nfs/nas.example@{REALM}" in listed

    site.enter("kinit", "-f", "-c", TICKETS, "alice",
               stdin=f"alice-{PASSWORD[:7]}\n")
    done = log_in(site, "alice", "id -un; klist")
    assert done.stdout.startswith("alice\n"), done
    assert f"krbtgt/{REALM}@{REALM}" in done.stdout    # -K passes it on
    access, = client.call("user.access", [["username", "=", "alice"]])
    assert "SSH_KERBEROS" in access["ways"]
    assert list(access["last_ways"]) == ["SSH_KERBEROS"]
    # Nobody else's door, not even one that its owner opens by a file.
    assert not gets_in(site, "bob")
    login = site.inside("/home/bob/.k5login")
    login.write_text(f"alice@{REALM}\n")
    site.enter("chown", "bob:", "/home/bob/.k5login")
    assert not gets_in(site, "bob")
    # A ticket opens no account that is locked.
    alice = client.call("user.query", [["username", "=", "alice"]],
                        {"get": True})["id"]
    client.call("user.update", alice, {"locked": True})
    assert not gets_in(site, "alice")
    client.call("user.update", alice, {"locked": False})
    assert gets_in(site, "alice")
    # Without the host's key, and where it is not allowed, it opens nothing.
    client.call("kerberos.keytab.update", keytab["id"], {
        "file": site.kdc.keytab("HTTP/nas.example")})
    assert not gets_in(site, "alice")
    client.call("kerberos.keytab.update", keytab["id"], {
        "file": site.kdc.keytab(f"host/{HOST}")})
    client.call("kerberos.keytab.delete", other["id"])
    # A new key: the old ticket for the host is of no use.
    site.enter("kinit", "-f", "-c", TICKETS, "alice",
               stdin=f"alice-{PASSWORD[:7]}\n")
    assert gets_in(site, "alice")
    seen = client.call("ssh.update", {"kerberosauth": False, "dry_run": True})
    account, = [account for account in seen["accounts"]
                if account["username"] == "alice"]
    assert account == {"username": "alice", "before": ["SSH_KERBEROS"],
                       "after": [], "loses_access": True}
    # For all we know an administrator comes by one.
    error = client.error("ssh.update", {"kerberosauth": False})
    assert "root, by a Kerberos ticket now: sshd lets it in no more" in \
        error.texts
    client.call("ssh.update", {"kerberosauth": False, "lockout": True})
    assert not gets_in(site, "alice")
    assert banner(site.address, site.ssh_port)


def test_what_others_wrote_is_kept_and_comes_back(site, client):
    conf, kept = (site.inside(f"/etc/krb5.conf{end}")
                  for end in ("", ".before-holdfast"))
    assert conf.read_text() == FOREIGN
    realm = client.call("kerberos.realm.create", {
        "realm": REALM, "primary_kdc": "kdc1.example",
        "kdc": ["kdc1.example", "[2001:db8::1]:88"]})
    assert conf.read_text().startswith("# Written by Holdfast;")
    assert "\t\tkdc = [2001:db8::1]:88\n" in conf.read_text()
    assert kept.read_text() == FOREIGN
    assert "/etc/krb5.conf" in alerts(client, "ConfigurationFileReplaced")[0]
    second = client.call("kerberos.realm.create", {"realm": "B.EXAMPLE"})
    client.call("kerberos.realm.update", realm["id"], {"kdc": []})
    assert kept.read_text() == FOREIGN
    assert f"default_realm = {REALM}\n" in conf.read_text()
    client.call("kerberos.realm.delete", realm["id"])
    assert "default_realm = B.EXAMPLE\n" in conf.read_text()
    client.call("kerberos.realm.delete", second["id"])
    assert conf.read_text() == FOREIGN
    assert alerts(client, "ConfigurationFileReplaced") == []
    # The same where there was none.
    keytab = client.call("kerberos.keytab.create", {
        "name": "one", "file": base64.b64encode(b"\5\2" + ENTRY).decode()})
    assert site.inside("/etc/krb5.keytab").exists()
    client.call("kerberos.keytab.delete", keytab["id"])
    assert not site.inside("/etc/krb5.keytab").exists()


def encode(data):
    return base64.b64encode(data).decode()


BAD_KEYTABS = {
    "text": "hello", "nothing": "", "null": None, "number": 1,
    "no keytab": encode(b"root:x:0:0"), "version 1": encode(b"\5\1" + ENTRY),
    "no entry": encode(b"\5\2"), "cut": encode(b"\5\2" + ENTRY[:-1]),
    "more": encode(b"\5\2" + ENTRY + b"\0"),
    "other length": encode(b"\5\2" + ENTRY.replace(b"\x10", b"\x0f")),
    "unknown encryption": encode(b"\5\2" + ENTRY.replace(b"\x11", b"\x63")),
    "RC4 alone": encode(b"\5\2" + ENTRY.replace(b"\x11", b"\x17")),
    "line feed in a name": encode(b"\5\2" + ENTRY.replace(b"ab", b"a\n")),
    "too many": encode(b"\5\2" + ENTRY * 1025),
}
BAD_REALMS = [
    ({"realm": ""}, "realm"), ({"realm": "A B"}, "realm"),
    ({"realm": "A\n[plugins]"}, "realm"), ({"realm": "A = {"}, "realm"),
    ({"realm": "A" * 256}, "realm"), ({"kdc": ["-x"]}, "kdc.0"),
    ({"kdc": ["kdc.example", "a }"]}, "kdc.1"), ({"kdc": "kdc"}, "kdc"),
    ({"kdc": ["kdc:port"]}, "kdc.0"), ({"kdc": ["a"] * 33}, "kdc"),
    ({"admin_server": ["a\nb"]}, "admin_server.0"),
    ({"kpasswd_server": [""]}, "kpasswd_server.0"),
    ({"primary_kdc": "http://kdc"}, "primary_kdc"), ({"x": 1}, "x")]


def test_what_is_none_is_refused_and_changes_nothing(site, client):
    for name, file in BAD_KEYTABS.items():
        error = client.error("kerberos.keytab.create", {
            "name": "bad", "file": file})
        assert [path.rpartition(".")[2] for path in error.paths
                ] == ["file"], (name, error)
    for members, attribute in BAD_REALMS:
        error = client.error("kerberos.realm.create",
                             {"realm": REALM, **members})
        assert error.paths == [f"data.{attribute}"], (members, error)
    # base64(1) breaks lines.
    made = client.call("kerberos.keytab.create", {
        "name": "lines",
        "file": base64.encodebytes(b"\5\2" + ENTRY * 3).decode()})
    assert made["file"] == encode(b"\5\2" + ENTRY * 3)
    assert made["principals"] == 3 * [{
        "principal": "ab@R", "version": 7,
        "encryption": "aes128-cts-hmac-sha1-96"}]
    error = client.error("kerberos.keytab.update", made["id"],
                         {"file": encode(b"\5\2")})
    assert error.paths == ["kerberos_keytab_update.file"]
    assert client.error("kerberos.keytab.create", {
        "name": "lines", "file": made["file"]}).paths == [
            "kerberos_keytab_create.name"]
    assert client.call("kerberos.keytab.query") == [made]
    assert client.call("kerberos.realm.query") == []
    assert site.inside("/etc/krb5.conf").read_text() == FOREIGN


def test_keys_are_secrets_and_realms_a_way_in(site, client):
    made = client.call("kerberos.keytab.create", {
        "name": "one", "file": encode(b"\5\2" + ENTRY)})
    group = client.call("group.create", {"name": "directory"})
    gid = client.call("group.get_instance", group)["gid"]
    privilege = client.call("privilege.create", {
        "name": "directory", "local_groups": [gid], "web_shell": False,
        "roles": ["DIRECTORY_SERVICE_WRITE"]})
    user = client.call("user.create", {
        "username": "carol", "full_name": "carol", "smb": False,
        "group_create": False, "group": group, "password": PASSWORD})
    with site.connect() as carol:
        carol.login("carol", PASSWORD)
        shown = carol.call("kerberos.keytab.get_instance", made["id"])
        assert shown == {**made, "file": "********"}
        for method, *params in (
                ("keytab.create", {"name": "x", "file": made["file"]}),
                ("keytab.delete", made["id"]),
                ("realm.create", {"realm": "EVIL.EXAMPLE"})):
            error = carol.error(f"kerberos.{method}", *params)
            assert "FULL_ADMIN" in error.texts[0]
    client.call("user.delete", user["id"])     # its group goes with it
    client.call("privilege.delete", privilege["id"])
    # Of the key itself nothing is where others could find it.
    key = b"0123456789abcdef"
    for place in ("state", "audit", "log"):
        for file in (site.directory / place).rglob("*"):
            if file.is_file():
                data = file.read_bytes()
                assert key not in data and encode(key)[:16].encode(
                    ) not in data and made["file"][20:60].encode(
                    ) not in data, file
