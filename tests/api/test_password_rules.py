"""What passwords have to be, how old they become, and how many sessions there
are: the settings of system.security as accounts feel them."""

import contextlib
import json
import os
import pathlib
import sqlite3
import time

import pytest

from harness import wait_until

DAY = 86400
FIRST = "Gr4nite-sky-77"
NOTHING = {
    "min_password_age": None, "max_password_age": None,
    "password_complexity_ruleset": None, "min_password_length": None,
    "password_history_length": None, "max_sessions_per_user": None}


@pytest.fixture
def rules(root):
    def set_rules(**members):
        job = root.job("system.security.update", members)
        assert job["state"] == "SUCCESS", job

    yield set_rules
    set_rules(**NOTHING)


@pytest.fixture
def person(root):
    made = root.call("user.create", {
        "username": "ruled", "full_name": "Ruled", "group_create": True,
        "password": FIRST, "smb": False, "groups": [group(root, 544)]})
    yield made["id"]
    root.call("user.delete", made["id"])


def group(client, gid):
    return client.call("group.query", [["gid", "=", gid]], {"get": True})["id"]


def shadow(instance, name):
    text = instance.enter("cat", "/etc/shadow").stdout
    line, = [one for one in text.splitlines() if one.startswith(f"{name}:")]
    return line.split(":")


@pytest.mark.parametrize("password, lacks", [
    ("short-A1", ["characters"]), ("lower-case-only-1", ["upper case"]),
    ("UPPER-CASE-ONLY-1", ["lower case"]), ("No-digit-in-here", ["digit"]),
    ("Nothing5pecial11", ["special"]),
    ("xxxxxxxxxxxx", ["upper case", "digit", "special"]),
    ("\u00c4\u00d6\u00fc-7-\u00e4\u00f6\u00fc\u00df\u00e9\u00e8", [])])
def test_length_and_classes(root, rules, person, password, lacks):
    rules(min_password_length=12, password_complexity_ruleset=[
        "UPPER", "LOWER", "NUMBER", "SPECIAL"])
    if not lacks:
        root.call("user.update", person, {"password": password})
        return
    error = root.error("user.update", person, {"password": password})
    assert error.paths == ["user_update.password"] * len(lacks)
    assert all(word in text for word, text in zip(lacks, error.texts))
    assert password not in json.dumps(error.data)
    error = root.error("user.set_password", {
        "username": "ruled", "new_password": password})
    assert set(error.paths) == {"user.set_password.new_password"}


def test_a_made_password_keeps_the_rules(root, rules, person):
    rules(min_password_length=40, password_complexity_ruleset=[
        "UPPER", "LOWER", "NUMBER", "SPECIAL"])
    made = root.call("user.update", person, {"random_password": True})
    assert len(made["password"]) >= 40


def test_a_line_break_and_too_many_bytes(root, person):
    for password in ("a\nb", "a\rb", "x" * 512):
        error = root.error("user.update", person, {"password": password})
        assert error.paths == ["user_update.password"]


def test_the_last_ones_are_not_used_again(root, rules, person):
    rules(password_history_length=3)
    for password in ("Second-pass-2", "Third-pass-3"):
        root.call("user.update", person, {"password": password})
    for password in (FIRST, "Second-pass-2", "Third-pass-3"):
        error = root.error("user.update", person, {"password": password})
        assert error.paths == ["user_update.password"]
    root.call("user.update", person, {"password": "Fourth-pass-4"})
    root.call("user.update", person, {"password": FIRST})
    entry = root.call("user.get_instance", person)
    assert len(entry["password_history"]) == 4


def test_hashes_before_are_ten_at_most(root, person):
    for number in range(12):
        root.call("user.update", person, {"password": f"Number-{number}-x"})
    entry = root.call("user.get_instance", person)
    assert len(entry["password_history"]) == 10


def test_shadow_says_when_it_expires(root, rules, person, instance):
    rules(max_password_age=30)
    root.call("user.update", person, {"groups": []})
    fields = shadow(instance, "ruled")
    assert fields[4] == "30" and fields[6] == "0"
    # Root never, nor who would be the last one to come in.
    assert shadow(instance, "root")[4] in ("", "99999")
    rules(max_password_age=None)
    assert shadow(instance, "ruled")[4] in ("", "99999")


def test_who_is_the_last_to_expire_does_not(root, rules, instance):
    """The youngest password of an administrator's."""
    rules(max_password_age=30)
    made = root.call("user.create", {
        "username": "young", "full_name": "Young", "group_create": True,
        "password": FIRST, "smb": False, "groups": [group(root, 544)]})
    try:
        assert shadow(instance, "young")[4] in ("", "99999")
        assert shadow(instance, "truenas_admin")[4] == "30"
        root.call("user.update", made["id"], {"locked": True})
        assert shadow(instance, "truenas_admin")[4] in ("", "99999")
    finally:
        root.call("user.delete", made["id"])


def test_more_sessions_than_may_be(root, rules, person, instance):
    rules(max_sessions_per_user=2)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(instance.connect()) for _ in range(3)]
        for client in clients[:2]:
            assert client.login("ruled", FIRST)["response_type"] == "SUCCESS"
        assert clients[2].login("ruled", FIRST)["response_type"] == "DENIED"
        # Again on the same connection: it has one still.
        assert clients[0].login("ruled", FIRST)["response_type"] == "SUCCESS"
        clients[1].call("auth.logout")
        assert clients[2].login("ruled", FIRST)["response_type"] == "SUCCESS"


# Passwords grow old while nobody looks: the store says when they were changed.

@pytest.fixture
def aged(fresh):
    """Starts it again with the user's password of that many days."""
    def grow_old(name, days):
        fresh.stop()
        folder = pathlib.Path(fresh.directory, "state")
        with contextlib.closing(
                sqlite3.connect(folder / "config.db")) as database, database:
            for number, text in database.execute(
                    "SELECT id, document FROM entry "
                    "WHERE resource = 'user'").fetchall():
                entry = json.loads(text)
                if entry["username"] != name:
                    continue
                entry["last_password_change"] = int(time.time() - days * DAY)
                database.execute(
                    "UPDATE entry SET document = ? "
                    "WHERE resource = 'user' AND id = ?",
                    (json.dumps(entry), number))
        owner = folder.stat()
        for file in folder.glob("config.db*"):
            os.chown(file, owner.st_uid, owner.st_gid)
        fresh.start()
        return fresh

    with fresh.root() as client:
        client.call("user.create", {
            "username": "old", "full_name": "Old", "group_create": True,
            "password": FIRST, "smb": False, "groups": [group(client, 544)]})
        job = client.job("system.security.update", {
            "min_password_age": 2, "max_password_age": 30})
        assert job["state"] == "SUCCESS"
    return grow_old


def test_it_is_told_before_it_expires_and_then_it_does(aged):
    instance = aged("old", 25)
    with instance.root() as client:
        entry = client.call("user.query", [["username", "=", "old"]],
                            {"get": True})
        assert entry["password_age"] == 25
        assert entry["password_change_required"] is True
        young = client.call("user.query", [["username", "=", "truenas_admin"]],
                            {"get": True})
        assert young["password_change_required"] is False
    with instance.connect() as client:
        assert client.login("old", FIRST)["response_type"] == "SUCCESS"
    instance = aged("old", 31)
    with instance.connect() as client:
        assert client.login("old", FIRST)["response_type"] == "EXPIRED"
    with instance.connect() as client:
        assert client.login()["response_type"] == "SUCCESS"


def test_one_changes_ones_own_no_sooner_than_allowed(aged):
    instance = aged("old", 1)
    with instance.root() as client:
        entry = client.call("user.query", [["username", "=", "old"]],
                            {"get": True})
        # Not one who may do everything: those may do this as well.
        privilege = client.call("privilege.query", [
            ["builtin_name", "=", "READONLY_ADMINISTRATOR"]], {"get": True})
        client.call("user.update", entry["id"], {"groups": [
            group(client, privilege["local_groups"][0]["gid"])]})
    with instance.connect() as client:
        assert client.login("old", FIRST)["response_type"] == "SUCCESS"
        new = {"username": "old", "old_password": FIRST,
               "new_password": "Another-one-1"}
        error = client.error("user.set_password", new)
        assert error.paths == ["user.set_password.new_password"]
    instance = aged("old", 3)
    with instance.connect() as client:
        assert client.login("old", FIRST)["response_type"] == "SUCCESS"
        client.call("user.set_password", new)
    with instance.connect() as client:
        wait_until(lambda: client.login("old", "Another-one-1")[
            "response_type"] == "SUCCESS", 30, "the new password")
