"""keychaincredential.*: SSH key pairs, and where to log in with them."""

import contextlib
import itertools
import json
import subprocess

import pytest

from harness import PASSWORD, ApiError, ssh_as_new

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
    {"type": "RSA", "bits": 8193}, {"type": "DSA"}, {"bits": 255}])
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


# Other machines: the instance's own sshd stands for them.

def own_keys(instance):
    """The public host keys that its sshd has, without comments."""
    return {" ".join(path.read_text().split()[:2])
            for path in instance.inside("/etc/ssh").glob("ssh_host_*.pub")}


@pytest.fixture
def compatible(accounts):
    """Key exchanges that libssh knows: of MODERN on Debian 13 it has none."""
    with accounts.root() as client:
        client.call("ssh.update", {"hardening": "COMPATIBLE"})
        yield
        ssh_as_new(client)


def scan(client, instance, **members):
    return client.call("keychaincredential.remote_ssh_host_key_scan", {
        "host": instance.address, "port": instance.ssh_port, **members})


def tried(client, entry):
    """What came of logging in: True, or the error's text."""
    job = client.job("keychaincredential.test", entry["id"])
    return job["result"] if job["state"] == "SUCCESS" else job["error"]


def findings(client, entry, **options):
    found = {item["id"]: item for item in client.call(
        "keychaincredential.stale", options)}
    return [finding["code"]
            for finding in found.get(entry["id"], {"findings": []})["findings"]]


@pytest.fixture
def there(accounts, make_user, compatible):
    """An account over there, a connection to it, and a client of here."""
    name = new_name("remote")
    with accounts.root() as client:
        made = client.call("keychaincredential.setup_ssh_connection", {
            "private_key": {"generate_key": True, "name": f"{name} key"},
            "connection_name": name, "manual_setup": {
                "host": accounts.address, "port": accounts.ssh_port,
                "username": name,
                "remote_host_key": scan(client, accounts)}})
        pair = client.call("keychaincredential.get_instance",
                           made["attributes"]["private_key"])
        make_user(name, home="/home", home_create=True,
                  sshpubkey=pair["attributes"]["public_key"])
        yield client, made, pair
        remove(client, pair)


def test_host_keys_are_those_that_the_server_has(accounts, compatible):
    with accounts.root() as client:
        found = scan(client, accounts).splitlines()
        assert found[0].startswith("ssh-ed25519 ")
        assert set(found) <= own_keys(accounts)
        record, = client.call("audit.query", {
            "query-filters": [[
                "event_data.method", "=",
                "keychaincredential.remote_ssh_host_key_scan"]],
            "query-options": {"limit": 1, "order_by": ["-timestamp"]}})
    assert record["event_data"]["description"] == (
        f"Scan SSH host keys: {accounts.address}:{accounts.ssh_port}")


def test_nobody_answers_a_scan(root):
    with pytest.raises(ApiError) as refused:
        root.call("keychaincredential.remote_ssh_host_key_scan", {
            "host": "127.0.0.1", "port": 1, "connect_timeout": 5})
    assert refused.value.errname == "EFAULT"
    assert "nobody answers" in refused.value.data["reason"]


def test_setup_makes_both_or_none(root):
    name = new_name()
    options = {"private_key": {"generate_key": True, "name": name},
               "connection_name": name, "manual_setup": {
                   "host": "nas.example", "remote_host_key": HOST_KEY}}
    before = root.call("keychaincredential.query")
    for wrong in (
            options, options | {"private_key": {"generate_key": True}},
            options | {"private_key": {"generate_key": False}},
            options | {"private_key": {"generate_key": False,
                                       "existing_key_id": 99999}}):
        with pytest.raises(ApiError) as refused:
            root.call("keychaincredential.setup_ssh_connection", wrong)
        assert refused.value.paths
    assert root.call("keychaincredential.query") == before


def test_a_connection_that_works_is_no_longer_stale(there):
    client, made, pair = there
    assert findings(client, made) == ["NEVER_USED"]
    assert findings(client, pair) == ["NEVER_USED", "NO_PASSPHRASE"]
    assert tried(client, made) is True
    assert findings(client, made) == []
    assert findings(client, pair) == ["NO_PASSPHRASE"]


def test_a_host_that_shows_another_key(there):
    client, made, _ = there
    client.call("keychaincredential.update", made["id"], {
        "attributes": made["attributes"] | {"remote_host_key": HOST_KEY}})
    assert "another key" in tried(client, made)
    assert findings(client, made) == ["NEVER_USED", "HOST_KEY_CHANGED"]


def test_a_host_that_does_not_let_us_in(there):
    client, made, _ = there
    client.call("keychaincredential.update", made["id"], {
        "attributes": made["attributes"] | {"username": "nobody"}})
    assert "does not accept the key" in tried(client, made)
    assert findings(client, made) == ["NEVER_USED", "REFUSED"]


def test_a_host_that_is_away(there):
    client, made, _ = there
    client.call("keychaincredential.update", made["id"], {
        "attributes": made["attributes"] | {"port": 1}})
    assert "refused" in tried(client, made)
    assert findings(client, made) == ["NEVER_USED", "UNREACHABLE"]


def test_an_encrypted_key_logs_in(there, tmp_path):
    client, made, pair = there
    private = tmp_path / "key"
    private.touch(0o600)
    private.write_text(pair["attributes"]["private_key"])
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "gr4nite", "-f", private],
                   check=True, timeout=60, capture_output=True)
    client.call("keychaincredential.update", pair["id"], {
        "overwrite": True, "attributes": {
            "private_key": private.read_text(), "passphrase": "gr4nite"}})
    assert tried(client, made) is True
    assert findings(client, pair) == []


def test_short_keys_are_found(root, tmp_path):
    entries = [create(root, "SSH_KEY_PAIR", {"private_key": keygen(
        tmp_path, "-t", "rsa", "-b", bits)[0]}) for bits in ("2048", "3072")]
    assert ["SHORT_KEY" in findings(root, entry) for entry in entries] == [
        True, False]
    remove(root, *entries)


def test_a_key_pair_is_not_tried(root, pair):
    with pytest.raises(ApiError) as refused:
        root.call("keychaincredential.test", pair["id"])
    assert refused.value.errname == "EINVAL"


def test_the_same_from_the_command_line(there, accounts):
    client, made, _ = there
    done = accounts.cli("keychain", "list")
    assert made["name"] in done.stdout
    done = accounts.cli("keychain", "stale")
    assert f"{made['name']}: It was never used." in done.stdout
    done = accounts.cli("keychain", "test", made["name"])
    assert (done.returncode, done.stdout) == (
        0, "The other machine lets us in.\n")
    assert findings(client, made) == []
    client.call("keychaincredential.update", made["id"], {
        "attributes": made["attributes"] | {"username": "nobody"}})
    done = accounts.cli("keychain", "test", made["name"])
    assert done.returncode != 0
    assert "does not accept the key" in done.stderr
