"""Certificates of users: who signs them, whom they let in, what is revoked.
And of host keys: what is taken, who believes them, what becomes of them."""

import base64
import subprocess

import pytest

from harness import PASSWORD, ApiError, KeySsh, Ssh, public

pytestmark = pytest.mark.release
NAME = "certified"


def keygen(*arguments):
    subprocess.run(["ssh-keygen", "-q", *map(str, arguments)], check=True,
                   timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A CA, and a user's key."""
    made = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "key"):
        keygen("-t", "ed25519", "-N", "", "-C", name, "-f", made / name)
    return made


def line(path):
    return public(path).strip()


def certify(folder, *options, principal=NAME, validity="-5m:+1h"):
    """ssh sends the certificate that lies beside the key."""
    keygen("-s", folder / "ca", "-I", "laptop of anna", "-z", "4711", "-n",
           principal, "-V", validity, *options, folder / "key.pub")


@pytest.fixture
def clean(instance, root):
    nothing = {"options": "", "user_ca_keys": [], "revoked_keys": [],
               "hardening": "MODERN", "kept_host_keys": [],
               "host_ed25519_certificate": None,
               "host_ecdsa_certificate": None, "host_rsa_certificate": None,
               "lockout": True}
    if root.call("ssh.config")["new_host_keys"]:
        root.call("ssh.rotate_host_keys", {"action": "UNDO"})
    root.call("ssh.update", nothing)
    yield
    with instance.root() as client:
        client.call("ssh.update", nothing)


@pytest.fixture
def ssh(clean, instance, root, folder):
    root.control("START")
    user = root.call("user.create", {
        "username": NAME, "full_name": "By certificate", "smb": False,
        "group_create": True, "password_disabled": True, "home": "/home",
        "home_create": True, "shell": "/bin/bash"})
    yield KeySsh(instance, NAME, folder / "key")
    with instance.root() as client:
        client.call("user.delete", user["id"])
        client.control("STOP")
    instance.enter("rm", "-rf", user["home"])


def logins(client):
    return client.call("audit.query", {
        "services": ["SYSTEM"],
        "query-filters": [["event", "=", "LOGIN"], ["username", "=", NAME],
                          ["success", "=", True]],
        "query-options": {"order_by": ["-message_timestamp"], "limit": 1}})


def test_who_gets_in(root, ssh, folder):
    certify(folder)
    assert not ssh.works()
    shown = root.call("ssh.update", {"user_ca_keys": [line(folder / "ca")],
                                     "dry_run": True})
    mine, = (one for one in shown["accounts"] if one["username"] == NAME)
    assert (mine["before"], mine["after"]) == ([], ["SSH_CERTIFICATE"])
    root.call("ssh.update", {"user_ca_keys": [line(folder / "ca")]})
    assert ssh.works()
    record, = logins(root)
    signed_by = " ".join(line(folder / "ca").split()[:2])
    assert record["event_data"]["certificate"] == {
        "key_id": "laptop of anna", "serial": "4711", "signed_by": signed_by}
    access, = (one for one in root.call("user.access")
               if one["username"] == NAME)
    assert access["ways"] == ["SSH_CERTIFICATE"]
    # For another account, no more, of a host: nobody's.
    for how in ({"principal": "somebody"}, {"validity": "-2h:-1h"},
                {"validity": "+1h:+2h"}):
        certify(folder, **how)
        assert not ssh.works(), how
    certify(folder, "-h")
    assert not ssh.works()
    # A key that is revoked is so in whatever certificate.
    certify(folder)
    assert ssh.works()
    root.call("ssh.update", {"revoked_keys": [line(folder / "key")]})
    assert not ssh.works()
    root.call("ssh.update", {"revoked_keys": []})
    assert ssh.works()
    certificate = (folder / "key-cert.pub").read_text().strip()
    root.call("ssh.update", {"revoked_keys": [certificate]})
    assert not ssh.works()
    root.call("ssh.update", {"revoked_keys": [line(folder / "ca")]})
    assert not ssh.works()
    root.call("ssh.update", {"revoked_keys": [], "user_ca_keys": [],
                             "lockout": True})
    assert not ssh.works()


def test_what_is_refused(instance, root, clean, folder, tmp_path):
    certify(folder)
    certificate = (folder / "key-cert.pub").read_text().strip()
    keygen("-t", "rsa", "-b", "1024", "-N", "", "-f", tmp_path / "short")
    ca = line(folder / "ca")
    for field, value in (
            ("user_ca_keys", "nonsense"), ("user_ca_keys", ca[:60]),
            ("user_ca_keys", f"{ca}\n{ca}"), ("user_ca_keys", certificate),
            ("user_ca_keys", f'from="10.0.0.1" {ca}'),
            ("user_ca_keys", line(tmp_path / "short")),
            ("revoked_keys", "nonsense"),
            ("revoked_keys", certificate[:200])):
        with pytest.raises(ApiError) as refused:
            root.call("ssh.update", {field: [value]})
        assert refused.value.paths == [f"ssh_update.{field}"], value
    config = root.call("ssh.config")
    assert config["user_ca_keys"] == config["revoked_keys"] == []
    # It is a way in as anybody: none that somebody with SSH_WRITE opens.
    root.call("ssh.update", {"revoked_keys": [ca]})
    group = root.call("group.create", {"name": "sshwriters", "smb": False})
    gid = root.call("group.get_instance", group)["gid"]
    privilege = root.call("privilege.create", {
        "name": "sshwriters", "local_groups": [gid], "web_shell": False,
        "roles": ["SSH_WRITE"]})
    writer = root.call("user.create", {
        "username": "sshwriter", "full_name": "Writer", "smb": False,
        "group": group, "password": PASSWORD})
    try:
        with instance.connect() as client:
            client.login("sshwriter")
            for data in ({"user_ca_keys": [ca]}, {"revoked_keys": []}):
                with pytest.raises(ApiError) as refused:
                    client.call("ssh.update", data)
                field, = data
                assert refused.value.paths == [f"ssh_update.{field}"]
            client.call("ssh.update", {
                "revoked_keys": [ca, line(folder / "key")]})
    finally:
        root.call("privilege.delete", privilege["id"])
        root.call("user.delete", writer["id"])


class Host:
    """A machine whose keys an authority signs, and a client of its."""

    def __init__(self, instance, client, folder, tmp_path):
        self.instance = instance
        self.client = client
        self.folder = folder
        self.made = tmp_path
        self.ssh = Ssh(instance, tmp_path)
        self.known = tmp_path / "authorities"
        self.known.write_text(
            f"@cert-authority [{instance.address}]:{instance.ssh_port} "
            f"{line(folder / 'ca')}\n")

    def keys(self, replaces=False):
        return {key["type"]: key for key in self.client.call("ssh.host_keys")
                if key["replaces"] == replaces}

    def sign(self, key, *options, ca=None, principal=None,
             validity="-5m:+52w"):
        """The certificate of a public key, as a file."""
        path = self.made / "host.pub"
        path.write_text(key + "\n")
        keygen("-s", ca or self.folder / "ca", "-I", "host", "-V", validity,
               *(options or ["-h"]),
               *(["-n", principal or self.instance.address]
                 if principal != "" else []), path)
        return self.made / "host-cert.pub"

    def certificate(self, *arguments, **how):
        return self.sign(*arguments, **how).read_text().strip()

    def believed(self, algorithm="ssh-ed25519"):
        return self.ssh.works(options=[
            "-o", f"UserKnownHostsFile={self.known}",
            "-o", "StrictHostKeyChecking=yes",
            "-o", f"HostKeyAlgorithms={algorithm}-cert-v01@openssh.com"])

    def alerts(self):
        return {(one["klass"], one["args"]["type"])
                for one in self.client.call("alert.list")
                if one["klass"].startswith("SshHostCertificate")}


@pytest.fixture
def host(clean, instance, root, folder, tmp_path):
    root.control("START")
    yield Host(instance, root, folder, tmp_path)
    with instance.root() as client:
        client.control("STOP")


def test_of_hosts(instance, root, host):
    keys = host.keys()
    assert not host.believed()
    done = instance.cli("ssh", "host-certificate",
                        host.sign(keys["ed25519"]["public_key"]))
    assert done.returncode == 0, done.stderr
    assert host.believed() and not host.believed("rsa-sha2-512")
    root.call("ssh.update", {"host_rsa_certificate": host.certificate(
        keys["rsa"]["public_key"], validity="-50d:+10d")})
    assert host.believed("rsa-sha2-512") and host.believed()
    assert host.alerts() == {("SshHostCertificateEnds", "rsa")}
    shown = host.keys()["ed25519"]["certificate"]
    assert (shown["key_id"], shown["principals"], shown["signed_by"]) == (
        "host", [instance.address],
        " ".join(line(host.folder / "ca").split()[:2]))
    assert instance.address in instance.cli("ssh", "host-keys").stdout
    mode = instance.enter("stat", "-c", "%a %U", "/etc/ssh/"
                          "holdfast_host_ed25519_certificate").stdout
    assert mode.split() == ["644", "root"]
    # It is for 127.0.0.1, which is nobody's name.
    probe = root.job("ssh.probe")["result"]
    found = {one["name"] for one in probe["findings"]}
    assert "certificate of host key ed25519" in found
    # The certificate goes on while its key is replaced, and ends with it.
    root.call("ssh.update", {"host_rsa_certificate": None})
    assert not host.alerts() and not host.believed("rsa-sha2-512")
    root.call("ssh.rotate_host_keys", {"types": ["ed25519"], "seconds": 86400})
    assert host.believed() and not host.alerts()
    new = host.keys(True)["ed25519"]
    assert new["certificate"] is None
    root.call("ssh.rotate_host_keys", {"action": "FINISH"})
    assert host.alerts() == {("SshHostCertificateUnused", "ed25519")}
    assert not host.believed()
    root.call("ssh.update", {"tcpfwd": True})    # is no reason to refuse this
    root.call("ssh.update", {"tcpfwd": False, "host_ed25519_certificate":
              host.certificate(new["public_key"])})
    assert host.believed() and not host.alerts()
    # One of the new key counts at once.
    root.call("ssh.rotate_host_keys", {"types": ["ed25519"], "seconds": 86400})
    root.call("ssh.update", {"host_ed25519_certificate": host.certificate(
        host.keys(True)["ed25519"]["public_key"])})
    assert host.believed() and not host.alerts()
    root.call("ssh.rotate_host_keys", {"action": "FINISH"})
    assert host.believed() and not host.alerts()
    root.call("ssh.update", {"host_ed25519_certificate": None})
    assert not host.believed()


def spoilt(text):
    """The same with another signature."""
    kind, blob, *_ = text.split()
    blob = bytearray(base64.b64decode(blob))
    blob[-20] ^= 1
    return f"{kind} {base64.b64encode(blob).decode()}"


def test_certificates_of_hosts_that_are_refused(root, host, tmp_path):
    keys = host.keys()
    key, rsa = keys["ed25519"]["public_key"], keys["rsa"]["public_key"]
    keygen("-t", "rsa", "-b", "2048", "-N", "", "-f", tmp_path / "rsaca")
    keygen("-t", "ecdsa", "-N", "", "-f", tmp_path / "ecdsa")
    good = host.certificate(key)
    before = root.call("ssh.config")
    for kind, value, why in (
            ("ed25519", "nonsense", "no certificate"),
            ("ed25519", key, "no certificate"),
            ("ed25519", good[:33 + 240], "cut short"),
            ("ed25519", good + "\n" + good, "more than one line"),
            ("ed25519", good + "x" * 20000, "at most 16384"),
            ("ed25519", spoilt(good), "signature that is wrong"),
            ("rsa", good, "another type"),
            ("ed25519", host.certificate(public(host.ssh.key).strip()),
             "another key"),
            ("ed25519", host.certificate(key, "-n", "x", principal=""),
             "of a user"),
            ("ed25519", host.certificate(key, principal=""), "no host"),
            ("ed25519", host.certificate(key, validity="-2h:-1h"),
             "not valid any more"),
            ("ed25519", host.certificate(key, validity="+1h:+2h"),
             "not valid yet"),
            ("ed25519", host.certificate(
                key, "-h", "-t", "ssh-rsa", ca=tmp_path / "rsaca"), "SHA-1"),
            ("ecdsa", host.certificate(public(tmp_path / "ecdsa").strip()),
             "hardening does not offer")):
        with pytest.raises(ApiError) as refused:
            root.call("ssh.update", {f"host_{kind}_certificate": value})
        path, = refused.value.paths
        assert path.endswith(f".host_{kind}_certificate"), why
        assert why in refused.value.texts[0], why
    assert root.call("ssh.config") == before
    for text in (good, host.certificate(key, "-h", "-t", "rsa-sha2-256",
                                        ca=tmp_path / "rsaca")):
        root.call("ssh.update", {"host_ed25519_certificate": text})
    root.call("ssh.update", {"host_rsa_certificate": host.certificate(
        rsa, ca=tmp_path / "ecdsa")})
