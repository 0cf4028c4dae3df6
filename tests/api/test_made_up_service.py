"""A service of two daemons, whose two files are made from two resources.

It exists in the tests only (made_up_service.c): one.conf is made from the first
resource, both.conf from both; the first daemon reloads, the second is
restarted.  A word in the settings makes the program of both misbehave.
"""

import os
import signal
import socket

import pytest

from harness import Closed, Instance, wait_until

pytestmark = pytest.mark.bounded(240)
PROGRAM = "tests/unit/holdfastd-made-up"
NAMES = ("one", "both")


@pytest.fixture(scope="module")
def ports():
    """Two that nobody has."""
    holders = [socket.create_server(("127.0.0.1", 0)) for _ in NAMES]
    found = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    return found


class Made:
    """The service of an instance, both daemons running."""

    def __init__(self, instance, ports):
        self.instance = instance
        with instance.root() as client:
            # In a stopped one: a fault of an earlier test is of no account.
            client.control("STOP", "made_up")
            client.call("made_up.first.update",
                        {"port": ports[0], "word": "hello"})
            client.call("made_up.second.update",
                        {"port": ports[1], "word": "world", "note": ""})
            assert client.control("START", "made_up") is True
        self.before = self.now()

    def entry(self, client):
        return client.call("service.query", [["service", "=", "made_up"]],
                           {"get": True})

    def pids(self):
        with self.instance.root() as client:
            return self.entry(client)["pids"]

    def file(self, name):
        return self.instance.inside(
            f"/etc/made-up/{name}/{name}.conf").read_text()

    def running(self, name):
        """What the daemon says that it goes by."""
        return self.instance.inside(f"/run/made-up/{name}").read_text()

    def now(self):
        with self.instance.root() as client:
            return ([client.call(f"made_up.{name}.config")
                     for name in ("first", "second")],
                    [self.file(name) for name in NAMES],
                    [self.running(name) for name in NAMES])

    def check_as_before(self, seconds=30):
        wait_until(lambda: self.now() == self.before, seconds,
                   "all as before")
        wait_until(lambda: len(self.pids()) == 2, seconds, "two daemons")
        with self.instance.root() as client:
            wait_until(lambda: self.entry(client)["state"] == "RUNNING",
                       seconds, "it runs")


@pytest.fixture
def server(shared):
    return shared("with made-up methods", lambda _: Instance(
        "asan", program=PROGRAM).start().setup_admin())


@pytest.fixture
def made(server, ports):
    return Made(server, ports)


def refused(made, of, change, text=""):
    with made.instance.root() as client:
        error = client.error(f"made_up.{of}.update", change)
    assert text in str(error), error
    return error


def test_each_file_has_its_resources_and_each_daemon_its_rule(made, ports):
    one, both = made.pids()
    with made.instance.root() as client:
        client.call("made_up.second.update", {"word": "moon"})
        assert made.file("one") == f"port {ports[0]}\nword hello\n"
        assert made.file("both") == made.running("both") == (
            f"port {ports[1]}\nword hello\nword moon\n")
        # Only the second daemon reads what became different.
        assert made.pids()[0] == one
        other = made.pids()[1]
        assert other != both
        # Both files, in one change: one reloads, the other is restarted.
        client.call("made_up.first.update", {"word": "good"})
        assert made.running("one") == f"port {ports[0]}\nword good\n"
        assert "word good\nword moon\n" in made.running("both")
        assert made.pids()[0] == one
        last = made.pids()[1]
        assert last not in (both, other)
        # One that is in no file, and one that comes out the same.
        client.call("made_up.second.update", {"note": "nothing"})
        client.call("made_up.second.update", {"word": "moon"})
        assert made.pids() == [one, last]


def test_control_is_about_both(made, ports):
    with made.instance.root() as client:
        one, both = made.pids()
        client.control("RELOAD", "made_up")
        assert made.pids()[0] == one and made.pids()[1] != both
        client.control("RESTART", "made_up")
        assert made.pids()[0] != one
        client.control("STOP", "made_up")
        assert made.entry(client)["state"] == "STOPPED"
        assert made.pids() == []
        for port in ports:
            with pytest.raises(OSError):
                socket.create_connection(("127.0.0.1", port), 5).close()
        client.control("START", "made_up")
        for port in ports:
            socket.create_connection(("127.0.0.1", port), 5).close()


def test_one_that_ends_is_started_again_and_the_other_left(made):
    one, both = made.pids()
    os.kill(both, signal.SIGKILL)

    def again():
        pids = made.pids()
        return pids if len(pids) == 2 and both not in pids else None

    assert wait_until(again, 30, "a new second daemon")[0] == one
    made.check_as_before()


@pytest.mark.parametrize("of, change, text", [
    ("first", {"word": "bad"}, "made_up_first_update.word"),
    ("second", {"word": "bad"}, "made_up_second_update.word"),
    ("second", {"word": "unspeakable"}, "both.conf cannot say that"),
])
def test_what_the_check_refuses_touches_nothing(made, of, change, text):
    pids = made.pids()
    refused(made, of, change, text)
    assert made.now() == made.before and made.pids() == pids


def test_second_file_cannot_be_installed(made):
    """The first one was, and neither daemon was told of it."""
    one, _ = made.pids()
    folder = "/etc/made-up/both"
    made.instance.enter("mount", "--bind", folder, folder)
    made.instance.enter("mount", "-o", "remount,bind,ro", folder)
    try:
        refused(made, "first", {"word": "good"},
                "made-up both could not be installed")
        assert made.now() == made.before
    finally:
        made.instance.enter("umount", folder)
    made.check_as_before()
    assert made.pids()[0] == one
    with made.instance.root() as client:
        client.call("made_up.first.update", {"word": "good"})
    assert "word good" in made.running("both")


def test_first_daemon_dies_of_its_reload(made):
    refused(made, "first", {"word": "die"}, "did not")
    made.check_as_before()


def test_second_daemon_does_not_start(made):
    one, _ = made.pids()
    refused(made, "second", {"word": "die"}, "it says that I die")
    made.check_as_before()
    assert made.pids()[0] == one


@pytest.mark.parametrize("of", ["first", "second"])
def test_what_runs_is_not_what_was_rendered(made, of):
    refused(made, of, {"word": "lie"}, "it says something else")
    made.check_as_before()


def test_port_of_somebody_else(made):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        refused(made, "second", {"port": holder.getsockname()[1]})
        made.check_as_before()


class Midway:
    """A change whose files are installed, and which is not yet verified."""

    def __init__(self, made, word="good"):
        self.pid = made.pids()[0]
        self.client = made.instance.root()
        os.kill(self.pid, signal.SIGSTOP)
        self.client.start("made_up.first.update", {"word": word})
        wait_until(lambda: all(f"word {word}" in made.file(name)
                               for name in NAMES), 30, "both new files")

    def end(self):
        try:
            os.kill(self.pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
        self.client.close()


def test_core_is_killed_midway(made):
    midway = Midway(made)
    core = made.instance.roles()["core"]
    os.kill(core, signal.SIGKILL)
    wait_until(lambda: made.instance.roles().get("core") not in (None, core),
               30, "a new core")
    midway.end()
    wait_until(lambda: serves(made.instance), 30, "that it serves")
    made.check_as_before()
    check_undone(made)


def serves(instance):
    try:
        with instance.root() as client:
            return client.call("core.ping") == "pong"
    except (OSError, Closed):
        return False


def check_undone(made):
    with made.instance.root() as client:
        last = client.call(
            "config.history", [["resource", "=", "made_up.first"]],
            {"order_by": ["-number"], "limit": 1})[0]
        assert last["state"] == "UNDONE"
        assert client.call("made_up.first.update",
                           {"word": "good"})["word"] == "good"
    assert "word good" in made.running("both")


def test_everything_is_killed_midway(made):
    midway = Midway(made)
    made.instance.kill()
    midway.client.close()
    made.instance.start()
    assert [made.file(name) for name in NAMES] == made.before[1]
    with made.instance.root() as client:
        client.control("START", "made_up")
    made.check_as_before()
    check_undone(made)


def test_a_file_that_cannot_be_put_back_holds_its_changes_only(made):
    """Another change must not take up what is still being taken back."""
    folder = "/etc/made-up/both"
    made.instance.enter("mount", "--bind", folder, folder)
    midway = Midway(made, "lie")
    try:
        made.instance.enter("mount", "-o", "remount,bind,ro", folder)
        os.kill(midway.pid, signal.SIGCONT)
        with made.instance.root() as client:
            error = client.error("made_up.second.update", {"word": "sun"})
            assert error.errname == "EBUSY", error
            # One that is in no file is not concerned.
            client.call("made_up.second.update", {"note": "meanwhile"})
            client.call("made_up.second.update", {"note": ""})
            assert "word lie" in made.file("both")
    finally:
        midway.end()
        made.instance.enter("umount", folder)
    made.check_as_before()
    with made.instance.root() as client:
        wait_until(lambda: accepted(client, {"word": "sun"}), 30, "a change")
    assert "word sun" in made.running("both")


def accepted(client, change):
    number = client.start("made_up.second.update", change)
    try:
        return client.finish(number)
    except Exception:  # still being taken back
        return None


def test_at_start_one_file_cannot_be_brought_in_line(made):
    """What can be is, the rest is tried again, the change is undone last."""
    midway = Midway(made)
    folder = "/etc/made-up/both"
    made.instance.enter("mount", "--bind", folder, folder)
    made.instance.enter("mount", "-o", "remount,bind,ro", folder)
    core = made.instance.roles()["core"]
    os.kill(core, signal.SIGKILL)
    wait_until(lambda: made.instance.roles().get("core") not in (None, core),
               30, "a new core")
    midway.end()
    wait_until(lambda: serves(made.instance), 30, "that it serves")
    assert made.file("one") == made.before[1][0]
    assert "word good" in made.file("both")
    with made.instance.root() as client:
        assert client.error("made_up.first.update",
                            {"word": "sun"}).errname == "EBUSY"
        made.instance.enter("umount", folder)
        made.check_as_before()
        wait_until(lambda: client.call(
            "config.history", [["resource", "=", "made_up.first"]],
            {"order_by": ["-number"], "limit": 1})[0]["state"] == "UNDONE",
            30, "it is undone")
    check_undone(made)
