"""A resource whose truth is not in the store (made_up_outside.c).

Its changes are jobs; nobody takes them back, but after a crash it is said
whether they were done.
"""

import json
import os
import signal

import pytest

from harness import Closed, Instance, wait_until
from test_events import updates

PROGRAM = "tests/unit/holdfastd-made-up"


@pytest.fixture
def server(shared):
    return shared("with made-up methods", lambda _: Instance(
        "asan", program=PROGRAM).start().setup_admin())


@pytest.fixture
def boxes(server):
    return server.directory / "state" / "boxes.json"


@pytest.fixture
def root(server, boxes):
    with server.root() as client:
        boxes.unlink(missing_ok=True)
        yield client


def do(root, verb, *params):
    return root.job(f"made_up.box.{verb}", *params)


def create(root, name="a", **members):
    job = do(root, "create", {"name": name, **members})
    assert job["state"] == "SUCCESS", job
    return root.call("made_up.box.query", [["name", "=", name]],
                     {"get": True})


def test_it_is_asked_for_each_time(root, boxes):
    entry = create(root, size=3, password="tops3cret")
    assert entry == {"id": 1, "name": "a", "size": 3, "password": "tops3cret"}
    assert json.loads(boxes.read_text()) == [entry]
    create(root, "b")
    # Somebody else changes it.
    content = json.loads(boxes.read_text())
    content[1]["size"] = 9
    owner = boxes.stat()
    boxes.write_text(json.dumps(content))
    os.chown(boxes, owner.st_uid, owner.st_gid)
    assert root.call("made_up.box.get_instance", 2)["size"] == 9
    assert [box["name"] for box in root.call(
        "made_up.box.query", [["size", ">", 3]])] == ["b"]
    assert root.call("made_up.box.query", [], {"count": True}) == 2
    boxes.write_text("{}")
    assert root.error("made_up.box.query").errname == "EIO"
    assert do(root, "update", 1, {"size": 4})["state"] == "FAILED"


def test_checks_see_what_is_there(root):
    create(root, size=3)
    job = do(root, "update", 1, {"size": 2})
    assert job["state"] == "FAILED" and "does not shrink" in job["error"]
    assert "does not exist" in do(root, "update", 7, {"size": 2})["error"]
    assert "does not exist" in do(root, "delete", 7)["error"]
    assert "no room" in do(root, "update", 1, {"name": "impossible"})["error"]
    assert root.call("made_up.box.get_instance", 1) == {
        "id": 1, "name": "a", "size": 3, "password": None}
    assert do(root, "update", 1, {"size": 8})["result"] == {
        "id": 1, "name": "a", "size": 8, "password": None}


def test_events(root, server):
    with server.admin() as other:
        other.call("core.subscribe", "made_up.box.query")
        create(root)
        do(root, "update", 1, {"name": "impossible"})
        do(root, "update", 1, {"size": 5})
        do(root, "delete", 1)
        told = [updates(other, "made_up.box.query", lambda _: True)["params"]
                for _ in range(3)]
    assert [(t["msg"], t["id"]) for t in told] == [
        ("added", 1), ("changed", 1), ("removed", 1)]
    assert told[1]["fields"] == {"id": 1, "name": "a", "size": 5,
                                 "password": None}


def test_a_long_one_keeps_only_its_own_waiting(root, server):
    create(root)
    number = root.call("made_up.box.update", 1, {"size": 2, "before": 600000})
    second = root.call("made_up.box.update", 1, {"size": 3})
    # Another box, and another resource.
    create(root, "b")
    shelf = root.call("made_up.shelf.create", {"name": "meanwhile"})["id"]
    root.call("made_up.shelf.delete", shelf)
    before = interrupted(server)
    states = {job["id"]: job["state"] for job in root.call(
        "core.get_jobs", [["id", "in", [number, second]]])}
    assert states == {number: "RUNNING", second: "WAITING"}
    crash(server)
    assert "update Box 1" in new_alert(server, before)


def crash(server):
    core = server.roles()["core"]
    os.kill(core, signal.SIGKILL)

    def back():
        if server.roles().get("core") in (None, core):
            return None
        try:
            with server.root() as client:
                return client.call("core.ping")
        except (OSError, Closed):
            return None

    wait_until(back, 30, "a new core")


def interrupted(server):
    """By what they are about, which is said once."""
    with server.root() as client:
        return {alert["key"]: alert["formatted"]
                for alert in client.call("alert.list")
                if alert["klass"] == "ChangeInterrupted"}


def new_alert(server, before):
    """The one that was raised since."""
    keys = wait_until(lambda: set(interrupted(server)) - set(before), 30,
                      "an alert")
    assert len(keys) == 1
    return interrupted(server)[keys.pop()]


def test_a_crash_before_it_was_done(root, server):
    create(root)
    before = interrupted(server)
    number = root.call("made_up.box.update", 1, {"size": 2, "before": 600000,
                                                 "password": "tops3cret"})
    wait_until(lambda: root.call("core.get_jobs", [["id", "=", number]])[0][
        "progress"]["percent"] == 50, 30, "that it is on the way")
    crash(server)
    new = new_alert(server, before)
    assert "update Box 1" in new and "it was not done" in new
    with server.root() as client:
        job, = client.call("core.get_jobs", [["id", "=", number]])
        assert job["state"] == "FAILED"
        assert client.call("made_up.box.get_instance", 1)["size"] == 1
    for file in (server.directory / "state").glob("config.db*"):
        assert b"tops3cret" not in file.read_bytes()


@pytest.mark.parametrize("verb, params, text", [
    ("update", [1, {"size": 2, "after": 600000}], "update Box 1"),
    ("create", [{"name": "b", "after": 600000}], "create Box"),
])
def test_a_crash_after_it_was_done(root, server, boxes, verb, params, text):
    create(root)
    before, content = interrupted(server), boxes.read_text()
    root.call(f"made_up.box.{verb}", *params)
    wait_until(lambda: boxes.read_text() not in ("", content), 30,
               "that it is done")
    crash(server)
    new = new_alert(server, before)
    assert text in new and "it was done" in new
    # Told once.
    crash(server)
    assert len(interrupted(server)) == len(before) + 1
