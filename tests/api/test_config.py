"""config.*: revisions, copies, and a store that is refused."""

import os
import pathlib
import shutil
import sqlite3

import pytest
from websocket import WebSocketException

from harness import ApiError, Closed, wait_until


@pytest.fixture
def stopped(make_instance):
    """An instance of its own, whose store may be broken: stopped."""
    instance = make_instance().start().setup_admin()
    with instance.root() as client:
        client.call("ssh.update", {"tcpport": 2301})
    instance.stop()
    return instance


def state(instance, name=""):
    return pathlib.Path(instance.directory, "state", name)


def tamper(instance, statements):
    """By SQLite itself, as its owner would."""
    database = sqlite3.connect(state(instance, "config.db"))
    with database:
        for statement in statements:
            database.execute(statement)
    database.close()
    owner = state(instance).stat()
    for file in state(instance).glob("config.db*"):
        os.chown(file, owner.st_uid, owner.st_gid)


def history(client, *filters, **options):
    return client.call("config.history", list(filters), options)


# Revisions.

def test_history_says_who_changed_what_from_where(root, instance):
    root.call("ssh.update", {"compression": True})
    root.call("ssh.update", {"compression": False})
    last, before = history(root, ["resource", "=", "ssh"],
                           ["changed", "=", ["compression"]],
                           order_by=["-number"], limit=2)
    assert last["user"] == "root" and last["state"] == "COMMITTED"
    assert last["origin"].startswith("pid:")
    assert last["before"]["compression"] and not last["after"]["compression"]
    assert last["number"] > before["number"]
    assert last["time"]["$date"] >= before["time"]["$date"]
    assert before["after"]["compression"]


def test_history_shows_no_secrets(root):
    for revision in history(root, ["resource", "=", "user"]):
        assert "$y$" not in str(revision), revision
    for revision in history(root, ["resource", "=", "ssh"]):
        assert revision["after"]["privatekey"] == "********"


def test_history_of_what_was_refused(root):
    number = history(root, order_by=["-number"], limit=1)[0]["number"]
    with pytest.raises(ApiError):
        root.call("ssh.update", {"options": "NoSuchDirective yes"})
    assert history(root, ["number", ">", number]) == []


def test_diff(root):
    root.call("ssh.update", {"compression": False, "tcpfwd": False})
    start = history(root, order_by=["-number"], limit=1)[0]["number"]
    assert root.call("config.diff", start) == []
    root.call("ssh.update", {"compression": True})
    middle = history(root, order_by=["-number"], limit=1)[0]["number"]
    root.call("ssh.update", {"tcpfwd": True})
    both = root.call("config.diff", start)
    assert [(d["resource"], d["changed"]) for d in both] == [
        ("ssh", ["tcpfwd", "compression"])]
    one, = root.call("config.diff", start, middle)
    assert one["changed"] == ["compression"]
    assert one["before"]["privatekey"] == "********"
    root.call("ssh.update", {"compression": False, "tcpfwd": False})
    assert root.call("config.diff", start) == []


@pytest.mark.parametrize("numbers", [[999999], [1, 999999]])
def test_diff_of_unknown_revisions(root, numbers):
    error = root.error("config.diff", *numbers)
    assert error.errname == "EINVAL" and "999999" in error.texts[0]


def last(client, resource="ssh"):
    """The newest revision that took effect."""
    return history(client, ["resource", "=", resource],
                   ["state", "=", "COMMITTED"],
                   order_by=["-number"], limit=1)[0]


def test_rollback(root):
    root.call("ssh.update", {"compression": False, "tcpfwd": False})
    root.call("ssh.update", {"compression": True})
    number = last(root)["number"]
    root.call("ssh.update", {"tcpfwd": True})
    entry = root.call("config.rollback", number)
    assert not entry["compression"] and entry["tcpfwd"]
    assert root.call("ssh.config") == entry
    assert last(root)["changed"] == ["compression"]
    record, = root.call("audit.query", {
        "query-filters": [["event_data.method", "=", "config.rollback"],
                          ["success", "=", True]],
        "query-options": {"limit": 1, "order_by": ["-timestamp"]}})
    assert record["event_data"]["description"] == (
        f"Rolled back revision {number}")
    root.call("ssh.update", {"tcpfwd": False})


def test_rollback_stops_at_a_field_changed_since(root):
    root.call("ssh.update", {"compression": False, "tcpfwd": False})
    root.call("ssh.update", {"compression": True, "tcpfwd": True})
    number = last(root)["number"]
    root.call("ssh.update", {"compression": False})
    error = root.error("config.rollback", number)
    assert error.paths == ["config_rollback.compression"]
    assert f"Revision {last(root)['number']} by root" in error.texts[0]
    assert root.call("ssh.config")["tcpfwd"]
    root.call("ssh.update", {"tcpfwd": False})


def test_rollback_gives_no_right_back_unless_it_is_named(root):
    root.call("ssh.update",
              {"password_login_groups": ["builtin_administrators"]})
    given = last(root)["number"]
    root.call("ssh.update", {"password_login_groups": []})
    taken = last(root)["number"]
    error = root.error("config.rollback", taken)
    assert error.paths == ["config_rollback.password_login_groups"]
    assert "name it" in error.texts[0]
    entry = root.call("config.rollback", taken,
                      {"revive": ["password_login_groups"]})
    assert entry["password_login_groups"] == ["builtin_administrators"]
    # Taking one away again needs no word.
    given = last(root)["number"]
    entry = root.call("config.rollback", given)
    assert entry["password_login_groups"] == []


def test_rollback_of_what_cannot_be(root):
    assert "not kept" in root.error("config.rollback", 999999).texts[0]
    first = history(root, ["before", "=", None], limit=1)[0]["number"]
    assert root.error("config.rollback", first).errname == "EOPNOTSUPP"


def test_rollback_with_bad_arguments(root):
    with pytest.raises(ApiError):
        root.call("config.rollback", 0)
    with pytest.raises(ApiError):
        root.call("config.rollback", last(root)["number"], {"other": 1})


def test_who_was_slower_is_told(root, admin):
    root.call("ssh.update", {"compression": False})
    read = last(root)["number"]
    admin.call("ssh.update", {"compression": True, "if_revision": read})
    error = root.error("ssh.update", {"tcpfwd": True, "compression": False,
                                      "if_revision": read})
    assert error.errname == "ESTALE"
    extra = error.data["extra"]
    assert extra["revision"] == last(root)["number"] > read
    assert extra["user"] == "truenas_admin" and extra["time"]["$date"]
    assert extra["values"]["compression"] == {"yours": False, "theirs": True}
    assert extra["values"]["tcpfwd"] == {"yours": True, "theirs": False}
    config = root.call("ssh.config")
    assert config["compression"] and not config["tcpfwd"]
    assert "if_revision" not in config
    root.call("ssh.update", {"compression": False,
                             "if_revision": extra["revision"]})


# A store that is refused.

def test_secrets_are_sealed_in_the_file(stopped):
    key = state(stopped, "seal.key")
    assert key.stat().st_mode & 0o7777 == 0o600
    assert key.stat().st_uid == state(stopped).stat().st_uid
    assert key.stat().st_size == 32


def test_newer_store_is_refused_and_a_copy_is_put_back(stopped):
    # As an upgrade and a way back would leave it.
    folder = state(stopped, "copies")
    folder.mkdir(mode=0o700)
    copy = folder / "20260101T000000Z-schema2.db"
    shutil.copy(state(stopped, "config.db"), copy)
    for file in folder, copy:
        os.chown(file, *state(stopped).stat()[4:6])
    tamper(stopped, ["PRAGMA user_version = 99"])
    stopped.start()
    with stopped.root() as client:
        status = client.call("holdfast.status")
        assert "schema 99, this one knows" in str(status), status
        error = client.error("ssh.update", {"tcpport": 2302})
        assert "schema 99" in str(error)
        listed, = client.call("config.copies")
        assert listed["name"] == copy.name and listed["usable"]
        error = client.error("config.restore_copy", "../config.db")
        assert "no copy of this name" in str(error)
        assert client.call("config.restore_copy", copy.name) is None

    def recovered():
        try:
            with stopped.root() as client:
                return client.call("ssh.config")["tcpport"] == 2301
        except (OSError, ApiError, Closed, WebSocketException):
            return False

    wait_until(recovered, 60, "the copy is in use")
    with stopped.root() as client:
        record, = client.call("audit.query", {"query-filters": [
            ["event_data.method", "=", "config.restore_copy"],
            ["success", "=", True]], "query-options": {"limit": 10}})
        assert copy.name in record["event_data"]["description"]


def test_missing_key_is_refused_until_the_secrets_are_given_up(stopped):
    state(stopped, "seal.key").unlink()
    stopped.start()
    with stopped.root() as client:
        assert "seal.key is missing" in str(client.call("holdfast.status"))
        assert client.call("config.forget_secrets") is None

    def recovered():
        try:
            with stopped.root() as client:
                return client.call("ssh.config")["tcpport"] == 2301
        except (OSError, ApiError, Closed, WebSocketException):
            return False

    wait_until(recovered, 60, "core goes on without the secrets")


def test_store_in_use_is_not_recovered(root):
    for method, *params in (["config.restore_copy", "x"],
                            ["config.forget_secrets"]):
        assert root.error(method, *params).errname == "EBUSY"


def test_only_root_at_the_machine_recovers(admin):
    for method, *params in (["config.restore_copy", "x"],
                            ["config.forget_secrets"]):
        assert admin.error(method, *params).errname == "EPERM"
