"""Certificates of users: who signs them, whom they let in, what is revoked."""

import subprocess

import pytest

from harness import PASSWORD, ApiError, KeySsh, public

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
               "lockout": True}
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
        "query-filters": [["event", "=", "LOGIN"], ["username", "=", NAME]],
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
