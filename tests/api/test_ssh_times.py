"""What of SSH is for a time: "for", stop_when_idle, session_limit."""

import os
import signal
import time

import pytest

from harness import Ssh, echoes, wait_until

pytestmark = pytest.mark.release


@pytest.fixture
def ssh(instance, root, tmp_path):
    yield Ssh(instance, tmp_path)
    with instance.root() as client:
        client.call("ssh.update", {"stop_when_idle": None,
                                   "session_limit": None})
        client.control("STOP")


def start(client, seconds):
    assert client.job("service.control", "START", "ssh",
                      {"silent": False, "for": seconds})["result"] is True


def runs(client):
    return client.call("service.started", "ssh")


def end_of(client):
    service, = (one for one in client.call("holdfast.status")["services"]
                if one["service"] == "ssh")
    return service["stops"]


def session_of(ssh):
    session = ssh.session()
    assert echoes(session, "hello")
    return session


def leave(session):
    session.kill()
    session.communicate()


def test_it_stops_and_sessions_stay(ssh, root):
    began = time.time()
    root.control("START")
    session = session_of(ssh)
    start(root, 2)
    wait_until(lambda: not runs(root), 60, "it stops")
    assert time.time() - began >= 2
    assert echoes(session, "still here")
    assert end_of(root) is None
    leave(session)


def test_a_start_without_an_end_has_none(ssh, root, instance):
    start(root, 3600)
    end = end_of(root)["$date"] / 1000
    assert abs(end - time.time() - 3600) < 120
    assert "ssh runs until " in instance.cli("status").stdout
    root.control("RESTART")
    assert end_of(root) is not None
    root.control("START")
    assert end_of(root) is None and runs(root)
    start(root, 3600)
    root.control("STOP")
    root.control("RESTART")
    assert end_of(root) is None


def test_what_is_no_time(ssh, root):
    root.control("STOP")
    for verb, seconds, path in (
            ("STOP", 5, "options.for"), ("RESTART", 5, "options.for"),
            ("RELOAD", 5, "options.for"), ("START", 0, None),
            ("START", -1, None), ("START", 30 * 86400 + 1, None),
            ("START", "5", None), ("START", 1.5, None)):
        error = root.error("service.control", verb, "ssh", {"for": seconds})
        assert error.code == -32602
        assert [one.endswith("for") for one in error.paths] == [True]
        assert path is None or error.paths == [path]
        assert not runs(root)


def test_restarts_in_between_change_nothing(make_instance, tmp_path):
    """Core's, and that of all: it runs again, until its end."""
    instance = make_instance().start().setup_admin()
    with instance.root() as client:
        start(client, 3600)
        end = end_of(client)["$date"]
    instance.stop()
    instance.start()
    with instance.root() as client:
        assert runs(client)
        assert abs(end_of(client)["$date"] - end) <= 2000
        began = time.time()
        start(client, 5)
        core = instance.roles()["core"]
    os.kill(core, signal.SIGKILL)
    wait_until(lambda: instance.roles().get("core") not in (None, core), 60,
               "core is back")

    def stopped():
        with instance.root() as client:
            return not runs(client)

    wait_until(stopped, 60, "it stops")
    assert time.time() - began >= 5
    # Its time is over: the next start is none of it.
    instance.stop()
    instance.start()
    assert stopped()


def test_it_stops_when_nobody_is_there(ssh, root):
    root.control("START")
    session = session_of(ssh)
    root.call("ssh.update", {"stop_when_idle": 1})
    time.sleep(2.5)
    assert runs(root)
    assert echoes(session, "still here")
    # Null takes the end away.
    assert root.call("ssh.update", {"stop_when_idle": None})[
        "stop_when_idle"] is None
    leave(session)
    time.sleep(2.5)
    assert runs(root)
    session = session_of(ssh)
    root.call("ssh.update", {"stop_when_idle": 2})
    left = time.time()
    leave(session)
    wait_until(lambda: not runs(root), 90, "it stops")
    assert time.time() - left >= 2
    # A start begins the time, too, and nobody comes.
    root.control("START")
    wait_until(lambda: not runs(root), 60, "it stops again")


def test_wrong_seconds(ssh, root):
    for name, value in [("session_limit", 9)] + [
            (name, value) for name in ("stop_when_idle", "session_limit")
            for value in (0, -1, 30 * 86400 + 1, "5", 1.5, True)]:
        error = root.error("ssh.update", {name: value})
        assert error.paths == [f"data.{name}"], (name, value)
        assert root.call("ssh.config")[name] is None


def ended_records(root):
    return root.call("audit.query", {
        "query-filters": [["event_data.description", "$", "time is over"]],
        "query-options": {"limit": 100}})


def test_a_session_ends_at_its_limit(ssh, root):
    """Those that are there as well; core's death is no way around it."""
    root.control("START")
    before = len(ended_records(root))
    began = time.time()
    session = session_of(ssh)
    root.call("ssh.update", {"session_limit": 10})
    assert echoes(session, "still here")
    core = ssh.instance.roles()["core"]
    os.kill(core, signal.SIGKILL)
    assert session.wait(90) != 0
    assert time.time() - began >= 9
    leave(session)
    with ssh.instance.root() as client:
        record = wait_until(lambda: ended_records(client)[before:], 30,
                            "its record")[0]
        assert record["username"] == "root" and record["success"]
        assert " of truenas_admin: " in record["event_data"]["description"]
        client.call("ssh.update", {"session_limit": 3600})
        session = session_of(ssh)
        client.call("ssh.update", {"session_limit": None})
        assert echoes(session, "still here")
        leave(session)
