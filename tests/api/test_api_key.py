"""api_key.*: keys that let programs in, as they are and by SCRAM.

Half a second of hashing goes into each new key and each login with one as it
is; where it does not matter how, tests log in by SCRAM, which is free.
"""

import base64
import contextlib
import hashlib
import hmac
import itertools
import json
import re
import secrets
import time

import pytest

from harness import ADMIN, ApiError, Closed, Instance, wait_until
from test_transfers import form, upload

PROGRAM = "tests/unit/holdfastd-made-up"
ADMIN_ID = 2
HIDDEN = "********"
ITERATIONS = 500000
KEY = re.compile(r"^(\d+)-([A-Za-z0-9]{64})$")
_numbers = itertools.count(1)


def new_name(prefix="key"):
    return f"{prefix}{next(_numbers)}"


def decoded(text):
    return base64.b64decode(text, validate=True)


def encoded(data):
    return base64.b64encode(data).decode()


def derive(secret, salt, iterations):
    """RFC 5802 section 3: ClientKey, StoredKey, ServerKey."""
    salted = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, iterations)
    client = hmac.digest(salted, b"Client Key", "sha512")
    return (client, hashlib.sha512(client).digest(),
            hmac.digest(salted, b"Server Key", "sha512"))


@contextlib.contextmanager
def key(client, username=ADMIN, **members):
    """A new key's answer; removed at the end."""
    made = client.call("api_key.create", {
        "name": new_name(), "username": username, **members})
    try:
        yield made
    finally:
        with contextlib.suppress(ApiError):
            client.call("api_key.delete", made["id"])


_standing = {}


@pytest.fixture(name="made")
def fixture_made(instance, root):
    """A key that stands; no test changes it."""
    if instance.directory not in _standing:
        _standing[instance.directory] = root.call("api_key.create", {
            "name": "standing", "username": ADMIN})
    return _standing[instance.directory]


@contextlib.contextmanager
def person(root, gid):
    """A user of the group with that gid: its entry."""
    group = root.call("group.query", [["gid", "=", gid]], {"get": True})["id"]
    made = root.call("user.create", {
        "username": new_name("kim"), "full_name": "Kim",
        "group_create": True, "groups": [group], "password": "Tr0ub4dor&3x"})
    try:
        yield made
    finally:
        with contextlib.suppress(ApiError):
            root.call("user.delete", made["id"], {"delete_group": True})


def plain(client, made, username=ADMIN, text=None):
    return client.call("auth.login_ex", {
        "mechanism": "API_KEY_PLAIN", "username": username,
        "api_key": text or made["key"]})


def kind(answer):
    return answer["response_type"]


def date(seconds):
    return {"$date": int((time.time() + seconds) * 1000)}


# Entries.

def test_a_key_from_its_creation_to_its_end(root):
    made = root.call("api_key.create", {"name": "backup", "username": ADMIN})
    number, secret = KEY.match(made["key"]).groups()
    assert int(number) == made["id"]
    entry = {name: value for name, value in made.items()
             if name not in ("key", "client_key")}
    client_key, stored_key, server_key = derive(
        secret, decoded(made["salt"]), ITERATIONS)
    assert decoded(made["client_key"]) == client_key
    login = root.call("auth.sessions", [["current", "=", True]],
                      {"get": True})
    assert entry == {
        "id": made["id"], "name": "backup", "username": ADMIN,
        "user_identifier": ADMIN_ID, "iterations": ITERATIONS,
        "salt": entry["salt"], "stored_key": encoded(stored_key),
        "server_key": encoded(server_key), "created_at": entry["created_at"],
        "expires_at": None, "local": True, "revoked": False,
        "revoked_reason": None,
        "made_in": login["credentials_data"]["login_id"]}
    assert login["api_keys"] == [made["id"]]
    assert root.call("api_key.get_instance", made["id"]) == entry
    assert root.call("user.get_instance", ADMIN_ID)["api_keys"] == [
        made["id"]]

    until = date(86400)
    assert root.call("api_key.update", made["id"], {
        "name": "other", "expires_at": until}) == entry | {
            "name": "other", "expires_at": until}
    again = root.call("api_key.update", made["id"], {"reset": True})
    assert KEY.match(again["key"]).group(2) != secret
    assert again["salt"] != made["salt"]
    assert again["expires_at"] == until and again["name"] == "other"

    assert root.call("api_key.delete", made["id"]) is True
    assert root.call("api_key.query", [["id", "=", made["id"]]]) == []
    assert root.call("user.get_instance", ADMIN_ID)["api_keys"] == []
    # Its id is not another one's later.
    with key(root) as other:
        assert other["id"] > made["id"]


@pytest.mark.parametrize("members, paths", [
    ({"name": ""}, ["api_key_create.name"]),
    ({"name": "x" * 201}, ["api_key_create.name"]),
    ({"name": 1}, ["api_key_create.name"]),
    ({"username": ""}, ["api_key_create.username"]),
    ({"username": "nosuch"}, ["api_key_create.username"]),
    ({"username": None}, ["api_key_create.username"]),
    ({"expires_at": 5}, ["api_key_create.expires_at"]),
    ({"expires_at": "2030-01-01"}, ["api_key_create.expires_at"]),
    ({"expires_at": {"$time": "12:00:00"}}, ["api_key_create.expires_at"]),
    ({"expires_at": date(-1)}, ["api_key_create.expires_at"]),
    ({"salt": "x"}, ["api_key_create.salt"]),
    ({"revoked": True}, ["api_key_create.revoked"]),
    ({"user_identifier": 2}, ["api_key_create.user_identifier"]),
    ({"made_in": "x"}, ["api_key_create.made_in"]),
    ({"reset": True}, ["api_key_create.reset"])])
def test_wrong_values(root, members, paths):
    before = root.call("api_key.query")
    error = root.error("api_key.create", {
        "name": "wrong", "username": ADMIN, **members})
    assert error.paths == paths
    assert root.call("api_key.query") == before


def test_wrong_updates(root):
    with key(root) as one, key(root) as other:
        for members, paths in (
                ({"name": other["name"]}, ["api_key_update.name"]),
                ({"name": ""}, ["api_key_update.name"]),
                ({"reset": 1}, ["api_key_update.reset"]),
                ({"expires_at": date(-5)}, ["api_key_update.expires_at"]),
                ({"username": "root"}, ["api_key_update.username"]),
                ({"revoked": False}, ["api_key_update.revoked"]),
                ({"name": other["name"], "reset": True},
                 ["api_key_update.name"]),
                ({"expires_at": date(-5), "reset": True},
                 ["api_key_update.expires_at"])):
            error = root.error("api_key.update", one["id"], members)
            assert error.paths == paths, members
        assert root.error("api_key.create", {
            "name": one["name"], "username": ADMIN}).paths == [
                "api_key_create.name"]
        for verb, params in (("update", [{}]), ("update", [{"reset": True}]),
                             ("delete", []), ("get_instance", [])):
            error = root.error(f"api_key.{verb}", 54321, *params)
            assert error.code == -32602 and error.paths == [None]


def test_a_raw_key_is_converted(root, made):
    found = root.call("api_key.convert_raw_key", made["key"])
    assert found == {
        "api_key_id": made["id"], "iterations": ITERATIONS,
        **{name: made[name] for name in (
            "salt", "client_key", "stored_key", "server_key")}}
    for wrong in ("x", "1", "1-", "1-abc", "-" + "a" * 64, "01-" + "a" * 64,
                  "1-" + "a" * 63 + "!", "1-" + "a" * 65, "1--" + "a" * 63,
                  "9" * 40 + "-" + "a" * 64):
        assert root.error("api_key.convert_raw_key", wrong).paths == [
            "raw_key"]
    assert root.error("api_key.convert_raw_key",
                      "54321-" + "a" * 64).paths == [None]


# Logging in with one.

def test_a_key_logs_in(instance, made):
    with instance.connect() as client, instance.connect() as other:
        answer = plain(client, made)
        assert kind(answer) == "SUCCESS"
        info = answer["user_info"]
        assert info["pw_name"] == ADMIN
        assert "API_KEY" in info["account_attributes"]
        assert "SCRAM" not in info["account_attributes"]
        session = client.call("auth.sessions", [["current", "=", True]],
                              {"get": True})
        assert session["credentials"] == "API_KEY"
        assert session["credentials_data"]["api_key"] == {
            "id": made["id"], "name": made["name"]}
        assert other.call("auth.login_with_api_key", made["key"]) is True
        assert other.call("auth.me")["pw_name"] == ADMIN


def test_what_is_no_key_is_refused_alike(instance, root, made):
    with instance.connect() as client:
        wrong = made["key"][:-1] + ("a" if made["key"][-1] != "a" else "b")
        for text, username in (
                (wrong, ADMIN), ("54321-" + "a" * 64, ADMIN), ("x", ADMIN),
                (made["key"], "root")):
            assert plain(client, None, username, text) == {
                "response_type": "AUTH_ERR"}
        assert client.call("auth.login_with_api_key", "x") is False
        assert root.call("api_key.get_instance", made["id"])[
            "revoked"] is False


def test_an_expired_key(instance, root):
    with key(root) as made, instance.connect() as client:
        scram(client, made)
        root.call("api_key.update", made["id"], {"expires_at": date(3)})
        # The session that it began ends with it.
        with pytest.raises(Closed):
            while True:
                client.receive(60)
        with instance.connect() as again:
            assert kind(plain(again, made)) == "EXPIRED"
            assert scram(again, made).answer == {"response_type": "EXPIRED"}


def test_a_removed_key_ends_its_sessions(instance, root):
    with instance.connect() as client, instance.connect() as other:
        with key(root) as made:
            scram(client, made)
            token = client.call("auth.generate_token")
        with pytest.raises(Closed):
            client.receive(30)
        assert kind(other.call("auth.login_ex", {
            "mechanism": "TOKEN_PLAIN", "token": token})) == "AUTH_ERR"


def test_a_reset_makes_the_old_one_void(instance, root):
    with key(root) as made, instance.connect() as client:
        again = root.call("api_key.update", made["id"], {"reset": True})
        assert kind(scram(client, made).answer) == "AUTH_ERR"
        assert kind(scram(client, again).answer) == "SCRAM_RESPONSE"


def test_keys_of_a_login_are_revoked_together(instance, root):
    with instance.admin() as client, instance.connect() as user:
        made = [client.call("api_key.create", {
            "name": new_name(), "username": ADMIN}) for _ in range(2)]
        login = client.call("auth.sessions", [["current", "=", True]],
                            {"get": True})
        ids = [entry["id"] for entry in made]
        assert login["api_keys"] == ids
        with key(root) as other:
            scram(user, made[0])
            assert root.call("api_key.revoke_made_in", login[
                "credentials_data"]["login_id"]) is True
            for number in ids:
                entry = root.call("api_key.get_instance", number)
                assert entry["revoked"] and entry["revoked_reason"]
            assert not root.call("api_key.get_instance",
                                 other["id"])["revoked"]
        with pytest.raises(Closed):
            user.receive(30)
        with instance.connect() as again:
            assert kind(scram(again, made[1]).answer) == "EXPIRED"
            # Resetting it is the way to use it again.
            new = root.call("api_key.update", ids[1], {"reset": True})
            assert not new["revoked"] and new["revoked_reason"] is None
            assert kind(scram(again, new).answer) == "SCRAM_RESPONSE"
        for number in ids:
            root.call("api_key.delete", number)
        assert root.call("api_key.revoke_made_in", "nosuch") is False


def test_a_key_goes_with_its_user(instance, root):
    with person(root, 951) as user, instance.connect() as client:
        made = root.call("api_key.create", {
            "name": new_name(), "username": user["username"]})
        assert root.call("user.get_instance", user["id"])["api_keys"] == [
            made["id"]]
        scram(client, made, user["username"])
        assert client.call("auth.me")["pw_name"] == user["username"]
        root.call("user.delete", user["id"], {"delete_group": True})
        assert root.call("api_key.query", [["id", "=", made["id"]]]) == []
        with pytest.raises(Closed):
            client.receive(30)


def test_a_locked_users_key_is_refused(instance, root):
    with person(root, 951) as user, instance.connect() as client:
        made = root.call("api_key.create", {
            "name": new_name(), "username": user["username"]})
        root.call("user.update", user["id"], {"locked": True})
        assert kind(plain(client, made, user["username"])) == "DENIED"
        assert scram(client, made, user["username"]).answer == {
            "response_type": "DENIED"}
        root.call("user.update", user["id"], {"locked": False})
        assert kind(scram(client, made, user["username"]).answer
                    ) == "SCRAM_RESPONSE"


@pytest.fixture(name="open_to_all")
def fixture_open_to_all(shared):
    """Where made_up.open takes the encryption of a connection away."""
    return shared("with made-up methods", lambda _: Instance(
        "asan", program=PROGRAM).start().setup_admin())


def test_a_key_that_others_could_read_is_revoked(open_to_all):
    instance = open_to_all
    with instance.root() as root, instance.connect() as client, \
            instance.connect() as user, instance.root() as listener, \
            key(root) as made:
        listener.call("core.subscribe", "api_key.query")
        scram(user, made)
        client.call("made_up.open")
        wrong = made["key"][:-4] + "0000"
        assert kind(plain(client, None, text=wrong)) == "AUTH_ERR"
        assert not root.call("api_key.get_instance", made["id"])["revoked"]
        # By SCRAM nothing is sent that is worth reading.
        assert kind(scram(client, made).answer) == "SCRAM_RESPONSE"
        client.call("auth.logout")
        assert plain(client, made) == {"response_type": "EXPIRED"}
        told = listener.receive()["params"]
        entry = root.call("api_key.get_instance", made["id"])
        assert told["msg"] == "changed" and told["fields"] == entry
        assert entry["revoked"] and "not encrypted" in entry["revoked_reason"]
        alert, = [one for one in root.call("alert.list")
                  if one["klass"] == "ApiKeyRevoked"]
        assert alert["args"] == {"name": made["name"],
                                 "reason": entry["revoked_reason"]}
        # Sessions that it began are over; it is no good elsewhere either.
        with pytest.raises(Closed):
            user.receive(30)
        with instance.connect() as again:
            assert kind(scram(again, made).answer) == "EXPIRED"
        root.call("api_key.delete", made["id"])
        assert not [one for one in root.call("alert.list")
                    if one["klass"] == "ApiKeyRevoked"]


@pytest.mark.release
def test_keys_outlive_a_crash(make_instance):
    instance = make_instance().start().setup_admin()
    with instance.root() as root:
        made = root.call("api_key.create", {
            "name": "kept", "username": ADMIN})
        entry = root.call("api_key.get_instance", made["id"])
    instance.kill()
    instance.start()
    with instance.root() as root, instance.connect() as client:
        assert root.call("api_key.get_instance", made["id"]) == entry
        exchange = Exchange(client, {"id": 54321}, "nosuch")
        assert exchange.first()
        salt = exchange.fields()["s"]
        assert kind(scram(client, made).answer) == "SCRAM_RESPONSE"
    instance.kill()
    instance.start()
    with instance.connect() as client:
        exchange = Exchange(client, {"id": 54321}, "nosuch")
        assert exchange.first()
        assert exchange.fields()["s"] == salt


def test_a_bearer_uploads(open_to_all):
    with open_to_all.root() as root, key(root) as made:
        for text, status in ((made["key"], 200),
                             (made["key"][:-4] + "0000", 401), ("x", 401)):
            answer = upload(open_to_all, form("made_up.take", [], b"content"),
                            {"Authorization": f"Bearer {text}"})
            assert answer.status == status, answer


# SCRAM.

class Exchange:
    """A client of RFC 5802, its messages open to meddling."""

    def __init__(self, client, made, username=ADMIN, binding=None,
                 header=None, nonce=None, proof=None):
        self.client = client
        self.made = made
        self.binding = binding or b""
        self.header = header or (
            "p=tls-server-end-point,," if binding else "n,,")
        self.nonce = nonce or secrets.token_urlsafe(18)
        self.bare = f"n={username}:{made['id']},r={self.nonce}"
        self.proof = proof
        self.answer = None

    def send(self, which, text):
        return self.client.call("auth.login_ex", {
            "mechanism": "SCRAM", "scram_type": which, "rfc_str": text})

    def first(self):
        self.answer = self.send("CLIENT_FIRST_MESSAGE",
                                self.header + self.bare)
        return self.answer.get("scram_type") == "SERVER_FIRST_RESPONSE"

    def fields(self):
        return dict(part.split("=", 1)
                    for part in self.answer["rfc_str"].split(","))

    def final(self):
        challenge = self.answer["rfc_str"]
        fields = self.fields()
        assert fields["r"].startswith(self.nonce)
        assert len(fields["r"]) > len(self.nonce)
        client_key = decoded(self.made["client_key"])
        stored_key = hashlib.sha512(client_key).digest()
        start = "c=" + encoded(self.header.encode() + self.binding)
        start += ",r=" + fields["r"]
        auth = ",".join((self.bare, challenge, start)).encode()
        signature = hmac.digest(stored_key, auth, "sha512")
        proof = self.proof or bytes(
            a ^ b for a, b in zip(client_key, signature))
        self.answer = self.send("CLIENT_FINAL_MESSAGE",
                                f"{start},p={encoded(proof)}")
        if (kind(self.answer) == "SCRAM_RESPONSE"
                and self.made["server_key"] != HIDDEN):
            assert self.answer["rfc_str"] == "v=" + encoded(hmac.digest(
                decoded(self.made["server_key"]), auth, "sha512"))
        return self.answer


def scram(client, made, username=ADMIN, **meddling):
    exchange = Exchange(client, made, username, **meddling)
    if exchange.first():
        exchange.final()
    return exchange


def end_point(client):
    """The certificate's hash, RFC 5929: it is signed with SHA-256."""
    return hashlib.sha256(client.sock.getpeercert(True)).digest()


@pytest.mark.parametrize("bound", [False, True])
def test_scram(instance, made, bound):
    with instance.connect() as client:
        exchange = Exchange(client, made, binding=end_point(
            client) if bound else None)
        assert exchange.first()
        fields = exchange.fields()
        assert fields["s"] == made["salt"] and fields["i"] == str(ITERATIONS)
        assert exchange.answer == {
            "response_type": "SCRAM_RESPONSE", "user_info": None,
            "scram_type": "SERVER_FIRST_RESPONSE",
            "rfc_str": exchange.answer["rfc_str"]}
        answer = exchange.final()
        assert kind(answer) == "SCRAM_RESPONSE"
        assert answer["scram_type"] == "SERVER_FINAL_RESPONSE"
        assert answer["user_info"]["pw_name"] == ADMIN
        assert {"API_KEY", "SCRAM"} <= set(
            answer["user_info"]["account_attributes"])
        session = client.call("auth.sessions", [["current", "=", True]],
                              {"get": True})
        assert session["credentials"] == "API_KEY"


def test_scram_over_the_unix_socket(instance, made):
    with instance.root() as client:
        # Nothing to bind to there, so a client may say so.
        assert kind(scram(client, made, header="y,,").answer
                    ) == "SCRAM_RESPONSE"
        assert client.call("auth.me")["pw_name"] == ADMIN


def test_scram_that_is_meddled_with(instance, made):
    with instance.connect() as client:
        for meddling in (
                {"proof": bytes(64)}, {"proof": bytes(63)},
                {"binding": bytes(32)}, {"header": "y,,"},
                {"username": "root"}, {"username": "nosuch"}):
            answer = scram(client, made, **meddling).answer
            assert answer == {"response_type": "AUTH_ERR"}, meddling
        assert kind(scram(client, made).answer) == "SCRAM_RESPONSE"


def test_an_exchange_is_good_once(instance, made):
    with instance.connect() as client:
        assert client.error("auth.login_ex", {
            "mechanism": "SCRAM", "scram_type": "CLIENT_FINAL_MESSAGE",
            "rfc_str": "c=biws,r=x,p=AAAA"}).errname == "EFAULT"
        exchange = scram(client, made, proof=bytes(64))
        assert exchange.answer == {"response_type": "AUTH_ERR"}
        assert client.error("auth.login_ex", {
            "mechanism": "SCRAM", "scram_type": "CLIENT_FINAL_MESSAGE",
            "rfc_str": "c=biws,r=x,p=AAAA"}).errname == "EFAULT"


def test_who_is_unknown_gets_a_salt_that_stays(instance, made):
    with instance.connect() as client, instance.connect() as other:
        salts = {}
        for name in ("nosuch", "root", ADMIN):
            for one in (client, other):
                exchange = Exchange(one, {"id": made["id"] + 1000}, name)
                assert exchange.first()
                fields = exchange.fields()
                assert fields["i"] == str(ITERATIONS)
                assert len(fields["s"]) == len(made["salt"])
                salts.setdefault(name, set()).add(fields["s"])
        assert all(len(found) == 1 for found in salts.values())
        assert len(set().union(*salts.values())) == 3


# Rights.

def test_whose_keys_one_may_have(instance, root):
    with person(root, 951) as user, person(root, 951) as other, \
            key(root) as admins, instance.connect() as client:
        name = user["username"]
        client.login(name, "Tr0ub4dor&3x")
        made = client.call("api_key.create", {
            "name": new_name(), "username": name})
        # The key itself, but no more of what is stored.
        assert KEY.match(made["key"]) and made["client_key"]
        assert made["salt"] == made["stored_key"] == HIDDEN
        shown, = client.call("api_key.my_keys")
        assert shown["id"] == made["id"] and shown["server_key"] == HIDDEN
        for whose in (ADMIN, "root", other["username"]):
            error = client.error("api_key.create", {
                "name": new_name(), "username": whose})
            assert error.paths == ["api_key_create.username"]
            assert error.data["extra"][0][2] == 1   # EPERM
        for verb, params in (("update", [{"name": "mine"}]),
                             ("update", [{"reset": True}]), ("delete", [])):
            error = client.error(f"api_key.{verb}", admins["id"], *params)
            assert error.paths == [f"api_key_{verb}.id"]
        assert root.call("api_key.get_instance", admins["id"]) == {
            member: value for member, value in admins.items()
            if member not in ("key", "client_key")}
        assert client.call("api_key.update", made["id"], {
            "name": new_name()})["id"] == made["id"]
        assert client.call("api_key.delete", made["id"]) is True


def test_nobody_keys_who_may_do_more(instance, root):
    """API_KEY_WRITE is for keys of those who may do no more than oneself."""
    gid = root.call("group.get_next_gid")
    group = root.call("group.create", {"name": new_name("crew"), "gid": gid})
    privilege = root.call("privilege.create", {
        "name": new_name("Keys "), "local_groups": [gid],
        "roles": ["API_KEY_WRITE", "READONLY_ADMIN"], "web_shell": False})
    try:
        with person(root, gid) as user, person(root, 951) as reader, \
                instance.connect() as client:
            client.login(user["username"], "Tr0ub4dor&3x")
            error = client.error("api_key.create", {
                "name": new_name(), "username": ADMIN})
            assert error.paths == ["api_key_create.username"]
            made = client.call("api_key.create", {
                "name": new_name(), "username": reader["username"]})
            assert KEY.match(made["key"]) and made["salt"] != HIDDEN
    finally:
        root.call("privilege.delete", privilege["id"])
        root.call("group.delete", group)


# What is told, and to whom.

def test_events(instance, root):
    with instance.root() as listener:
        listener.call("core.subscribe", "api_key.query")
        with key(root) as made:
            pass
        found = [listener.receive()["params"] for _ in range(2)]
    assert [one["msg"] for one in found] == ["added", "removed"]
    assert all(one["id"] == made["id"] for one in found)
    assert found[0]["fields"] == {
        name: value for name, value in made.items()
        if name not in ("key", "client_key")}


def test_no_secret_is_written_down(instance, root):
    with key(root) as made, instance.connect() as client:
        plain(client, made)
        root.call("api_key.convert_raw_key", made["key"])
        records = json.dumps(root.call("audit.query", {
            "services": ["MIDDLEWARE"], "query-options": {
                "order_by": ["-message_timestamp"], "limit": 100}}))
        secret = made["key"].split("-")[1]
        for hidden in (secret, made["client_key"], made["stored_key"],
                       made["server_key"]):
            assert hidden not in records
            assert hidden not in instance.log()
            for file in (instance.directory / "state").rglob("*"):
                if file.is_file():
                    assert hidden.encode() not in file.read_bytes(), file
        assert f"Create API key {made['name']}" in records


def test_failures_are_recorded_with_the_key(instance, root, made):
    with instance.connect() as client:
        plain(client, None, text=made["key"][:-4] + "0000")
        plain(client, None, text="54321-" + "a" * 64)

        def found():
            records = root.call("audit.query", {
                "services": ["MIDDLEWARE"], "query-filters": [
                    ["event", "=", "AUTHENTICATION"],
                    ["success", "=", False]],
                "query-options": {"order_by": ["-message_timestamp"],
                                  "limit": 50}})
            return [record["event_data"]["credentials"][
                "credentials_data"].get("api_key") for record in records]

        wait_until(lambda: {"id": made["id"], "name": made["name"]} in found()
                   and "<INVALID>" in found(), 30, "both records")
