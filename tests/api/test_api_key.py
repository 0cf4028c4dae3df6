"""api_key.*: keys that let programs in, as they are and by SCRAM.

Half a second of hashing goes into each new key and each login with one as it
is; where it does not matter how, tests log in by SCRAM, which is free.
"""

import base64
import contextlib
import hashlib
import hmac
import itertools
import re
import time

import pytest

from harness import ADMIN, ApiError

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
