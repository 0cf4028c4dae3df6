"""keychaincredential.*: SSH key pairs, and where to log in with them."""

import contextlib
import itertools
import json
import subprocess

import pytest

from harness import PASSWORD, ApiError

HIDDEN = "********"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"
_numbers = itertools.count(1)


def new_name(prefix="key"):
    return f"{prefix}{next(_numbers)}"


def keygen(folder, *options, passphrase=""):
    """A key pair as OpenSSH makes it: private and public, without comment."""
    path = folder / new_name()
    subprocess.run(["ssh-keygen", "-q", "-N", passphrase, "-C", "", "-f", path,
                    *options], check=True, timeout=120)
    return (path.read_text(),
            path.with_suffix(".pub").read_text().strip())


def public_of(folder, private, passphrase=""):
    """What ssh-keygen says belongs to it: type and Base64."""
    path = folder / new_name()
    path.touch(0o600)
    path.write_text(private)
    return " ".join(subprocess.run(
        ["ssh-keygen", "-y", "-P", passphrase, "-f", path],
        capture_output=True, text=True, check=True, timeout=120,
    ).stdout.split()[:2])


def create(client, kind, attributes, name=None):
    return client.call("keychaincredential.create", {
        "name": name or new_name(), "type": kind, "attributes": attributes})


def remove(client, *entries):
    for entry in entries:
        with contextlib.suppress(ApiError):
            client.call("keychaincredential.delete", entry["id"],
                        {"cascade": True})


@pytest.fixture
def pair(root, tmp_path):
    """An entry with a key pair."""
    made = create(root, "SSH_KEY_PAIR",
                  {"private_key": keygen(tmp_path, "-t", "ed25519")[0]})
    yield made
    remove(root, made)


def connection(pair, **members):
    return {"host": "nas.example", "private_key": pair["id"],
            "remote_host_key": HOST_KEY, **members}


# Making keys.

@pytest.mark.parametrize("options, kind", [
    ([], "ssh-ed25519"),
    ([{"type": "ECDSA"}], "ecdsa-sha2-nistp256"),
    ([{"type": "ECDSA", "bits": 521}], "ecdsa-sha2-nistp521"),
    ([{"type": "RSA", "bits": 3072}], "ssh-rsa"),
])
def test_made_keys_are_keys_for_ssh(root, tmp_path, options, kind):
    made = root.call("keychaincredential.generate_ssh_key_pair", *options)
    given, base64, comment = made["public_key"].split()
    assert given == kind
    assert comment == "holdfast"
    assert public_of(tmp_path, made["private_key"]) == f"{given} {base64}"
    # It can be kept as it is, and nothing was kept so far.
    entry = create(root, "SSH_KEY_PAIR", made)
    assert entry["attributes"]["private_key"] == made["private_key"]
    remove(root, entry)


@pytest.mark.parametrize("options", [
    {"type": "RSA", "bits": 2048}, {"type": "RSA", "bits": 3071},
    {"type": "ECDSA", "bits": 384 + 1}, {"type": "ED25519", "bits": 256},
    {"type": "RSA", "bits": 16385}, {"type": "DSA"}, {"bits": 255}])
def test_weak_and_unknown_kinds_are_not_made(root, options):
    with pytest.raises(ApiError) as refused:
        root.call("keychaincredential.generate_ssh_key_pair", options)
    assert refused.value.paths[0].startswith("options.")


# Keeping them.

@pytest.mark.parametrize("form", ["RFC4716", "PEM", "PKCS8"])
@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_keys_are_taken_in_each_form(root, tmp_path, kind, form):
    private, public = keygen(tmp_path, "-t", kind, "-m", form)
    entry = create(root, "SSH_KEY_PAIR", {"private_key": private})
    assert entry["attributes"] == {"private_key": private,
                                   "public_key": public}
    remove(root, entry)


@pytest.mark.parametrize("form", ["RFC4716", "PEM"])
def test_an_encrypted_key_needs_its_passphrase(root, tmp_path, form):
    private, public = keygen(tmp_path, "-t", "ecdsa", "-m", form,
                             passphrase="gr4nite sky")
    for given in ({}, {"passphrase": "granite sky"}):
        with pytest.raises(ApiError) as refused:
            create(root, "SSH_KEY_PAIR", {"private_key": private, **given})
        assert refused.value.paths == [
            "keychain_credential_create.attributes.passphrase"]
        assert "gr" not in refused.value.texts[0]
    entry = create(root, "SSH_KEY_PAIR", {
        "private_key": private, "passphrase": "gr4nite sky"})
    assert entry["attributes"] == {
        "private_key": private, "public_key": public,
        "passphrase": "gr4nite sky"}
    remove(root, entry)


def test_a_passphrase_without_need_is_refused(root, tmp_path):
    private, _ = keygen(tmp_path, "-t", "ed25519")
    with pytest.raises(ApiError) as refused:
        create(root, "SSH_KEY_PAIR", {"private_key": private,
                                      "passphrase": "gr4nite"})
    assert refused.value.paths == [
        "keychain_credential_create.attributes.passphrase"]


def test_the_public_key_keeps_its_comment_and_no_more(root, tmp_path):
    private, public = keygen(tmp_path, "-t", "ed25519")
    entry = create(root, "SSH_KEY_PAIR", {
        "private_key": private, "public_key": f"{public} me@home\n"})
    assert entry["attributes"]["public_key"] == f"{public} me@home"
    remove(root, entry)
    entry = create(root, "SSH_KEY_PAIR", {"public_key": public})
    assert entry["attributes"] == {"private_key": None, "public_key": public}
    remove(root, entry)


WRONG = {
    "no key": ({}, "public_key"),
    "empty": ({"private_key": "", "public_key": ""}, "public_key"),
    "text": ({"private_key": "hello"}, "private_key"),
    "cut": ({"private_key": "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
             "-----END OPENSSH PRIVATE KEY-----\n"}, "private_key"),
    "number": ({"private_key": 1}, "private_key"),
    "DSA": ({"public_key": "ssh-dss AAAAB3NzaC1kc3MAAACBAP"}, "public_key"),
    "no base64": ({"public_key": "ssh-ed25519 !!!"}, "public_key"),
    "other type": ({"public_key": HOST_KEY.replace("ssh-ed25519", "ssh-rsa")},
                   "public_key"),
    "extra": ({"public_key": HOST_KEY, "host": "a"}, "host"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_key_is_refused(root, name):
    attributes, member = WRONG[name]
    before = root.call("keychaincredential.query")
    with pytest.raises(ApiError) as refused:
        create(root, "SSH_KEY_PAIR", attributes)
    assert refused.value.paths == [
        f"keychain_credential_create.attributes.{member}"]
    assert root.call("keychaincredential.query") == before


def test_keys_that_do_not_belong_together(root, tmp_path):
    private, _ = keygen(tmp_path, "-t", "ed25519")
    with pytest.raises(ApiError) as refused:
        create(root, "SSH_KEY_PAIR", {"private_key": private,
                                      "public_key": HOST_KEY})
    assert refused.value.paths == [
        "keychain_credential_create.attributes.public_key"]
    assert refused.value.texts == ["Private key and public key do not match"]


def test_another_key_takes_the_place_only_when_told_to(root, pair, tmp_path):
    other, public = keygen(tmp_path, "-t", "ed25519")
    user = create(root, "SSH_CREDENTIALS", connection(pair))
    with pytest.raises(ApiError) as refused:
        root.call("keychaincredential.update", pair["id"], {
            "attributes": {"private_key": other}})
    assert refused.value.paths == [
        "keychain_credential_update.attributes.private_key"]
    assert "used by 1 connection:" in refused.value.texts[0]
    assert root.call("keychaincredential.get_instance", pair["id"]) == pair
    # The same key again, and another name, replace nothing.
    same = root.call("keychaincredential.update", pair["id"], {
        "name": new_name(), "attributes": pair["attributes"]})
    assert same["attributes"] == pair["attributes"]
    changed = root.call("keychaincredential.update", pair["id"], {
        "attributes": {"private_key": other}, "overwrite": True})
    assert changed["attributes"] == {"private_key": other,
                                     "public_key": public}
    assert "overwrite" not in changed
    remove(root, user)


# Connections.

REFUSED = {
    "port 0": ({"port": 0}, "port"), "port too high": ({"port": 65536}, "port"),
    "port as text": ({"port": "22"}, "port"),
    "no pair": ({"private_key": 99999}, "private_key"),
    "empty host": ({"host": ""}, "host"),
    "URL": ({"host": "ssh://nas"}, "host"),
    "option": ({"host": "-oProxyCommand=reboot"}, "host"),
    "blank": ({"host": "a b"}, "host"), "newline": ({"host": "a\n"}, "host"),
    "user": ({"username": "-l"}, "username"),
    "no user": ({"username": ""}, "username"),
    "host key": ({"remote_host_key": "x"}, "remote_host_key"),
    "no host key": ({"remote_host_key": ""}, "remote_host_key"),
    "no time": ({"connect_timeout": 0}, "connect_timeout"),
    "extra": ({"nosuch": 1}, "nosuch"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_connections_that_can_never_be_are_refused(root, pair, name):
    members, member = REFUSED[name]
    with pytest.raises(ApiError) as refused:
        create(root, "SSH_CREDENTIALS", connection(pair, **members))
    assert refused.value.paths == [
        f"keychain_credential_create.attributes.{member}"]


@pytest.mark.parametrize("host", [
    "nas", "nas.example.", "192.0.2.1", "2001:db8::1", "fe80::1%eth0",
    "my_nas-2.example"])
def test_hosts_are_names_and_addresses(root, pair, host):
    entry = create(root, "SSH_CREDENTIALS", connection(pair, host=host))
    assert entry["attributes"] == {
        "host": host, "port": 22, "username": "root",
        "private_key": pair["id"], "remote_host_key": HOST_KEY,
        "connect_timeout": 10}
    remove(root, entry)


def test_a_connection_needs_a_private_key(root, pair):
    public = create(root, "SSH_KEY_PAIR", {"public_key": HOST_KEY})
    other = create(root, "SSH_CREDENTIALS", connection(pair))
    for wrong in (public, other):
        with pytest.raises(ApiError) as refused:
            create(root, "SSH_CREDENTIALS", connection(wrong))
        assert refused.value.paths == [
            "keychain_credential_create.attributes.private_key"]
    remove(root, other, public)


def test_the_type_stays(root, pair):
    with pytest.raises(ApiError) as refused:
        root.call("keychaincredential.update", pair["id"],
                  {"type": "SSH_CREDENTIALS"})
    assert refused.value.paths == ["keychain_credential_update.type"]
    with pytest.raises(ApiError) as refused:
        root.call("keychaincredential.update", pair["id"],
                  {"attributes": connection(pair)})
    assert all(path.startswith("keychain_credential_update.attributes.")
               for path in refused.value.paths)


def test_what_is_used_goes_with_its_users_only(root, pair):
    user = create(root, "SSH_CREDENTIALS", connection(pair))
    assert root.call("keychaincredential.used_by", pair["id"]) == [{
        "title": f"SSH credentials {user['name']}",
        "unbind_method": "delete"}]
    assert root.call("keychaincredential.used_by", user["id"]) == []
    with pytest.raises(ApiError) as refused:
        root.call("keychaincredential.delete", pair["id"])
    assert refused.value.paths == ["options.cascade"]
    root.call("keychaincredential.delete", pair["id"], {"cascade": True})
    left = {entry["id"] for entry in root.call("keychaincredential.query")}
    assert not {pair["id"], user["id"]} & left


# Secrets.

def test_who_may_only_read_sees_no_attributes(instance, root, pair):
    name = new_name("reader")
    group = root.call("group.create", {"name": name})
    gid = root.call("group.get_instance", group)["gid"]
    privilege = root.call("privilege.create", {
        "name": name, "local_groups": [gid], "web_shell": False,
        "roles": ["KEYCHAIN_CREDENTIAL_READ"]})
    root.call("user.create", {
        "username": name, "full_name": name, "smb": False,
        "group_create": False, "group": group, "password": PASSWORD})
    try:
        with instance.connect() as client:
            client.login(name, PASSWORD)
            entry = client.call("keychaincredential.get_instance", pair["id"])
            assert entry == {**pair, "attributes": HIDDEN}
            assert client.call("keychaincredential.query", [
                ["attributes.public_key", "=",
                 pair["attributes"]["public_key"]]]) == []
            for method, *params in (
                    ("generate_ssh_key_pair",), ("delete", pair["id"])):
                with pytest.raises(ApiError) as refused:
                    client.call(f"keychaincredential.{method}", *params)
                assert refused.value.errname == "EACCES"
    finally:
        user = root.call("user.query", [["username", "=", name]],
                         {"get": True})
        root.call("user.delete", user["id"])
        root.call("privilege.delete", privilege["id"])


def test_no_secret_is_written_where_it_can_be_read(instance, root, tmp_path):
    private, _ = keygen(tmp_path, "-t", "ed25519", passphrase="Tr0ut-passes")
    secrets = (private.splitlines()[2], "Tr0ut-passes")
    entry = create(root, "SSH_KEY_PAIR", {
        "private_key": private, "passphrase": "Tr0ut-passes"})
    records = json.dumps(root.call("audit.query", {
        "services": ["MIDDLEWARE"], "query-filters": [
            ["event", "=", "METHOD_CALL"]],
        "query-options": {"limit": 50, "order_by": ["-message_timestamp"]}}))
    assert entry["name"] in records
    assert not [secret for secret in secrets if secret in records]
    for path in instance.inside("/var/lib/holdfast").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [secret for secret in secrets
                        if secret.encode() in content], path
    remove(root, entry)
