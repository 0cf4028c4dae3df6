"""Sessions of real ssh: listed as the kernel knows them, and ended."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

from harness import ADMIN, Ssh, echoes, processes, wait_until

pytestmark = pytest.mark.release


@pytest.fixture
def ssh(instance, root, tmp_path):
    root.control("START")
    return Ssh(instance, tmp_path)


@contextlib.contextmanager
def opened(ssh, command="cat", **how):
    """An open session, and its entry."""
    with ssh.instance.root() as client:
        before = {entry["id"] for entry in client.call("ssh.sessions")}

        def begun():
            return [entry for entry in client.call("ssh.sessions")
                    if entry["id"] not in before and entry["command"]]

        arguments, environment = ssh.command(command, **how)
        session = subprocess.Popen(
            arguments, env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            bufsize=1, start_new_session=True)
        try:
            entry, = wait_until(begun, 30, "the session is listed")
            yield session, entry
        finally:
            session.kill()
            session.communicate()


def below(pid):
    """The processes that this one started, and theirs."""
    found, tree = {pid}, list(processes())
    for _ in range(10):
        found |= {child for child, parent, _ in tree if parent in found}
    return found - {pid}


def test_a_session_is_listed(ssh, root):
    with opened(ssh) as (session, entry):
        assert echoes(session, "hello")
        assert entry["username"] == ADMIN
        uid = ssh.instance.enter("id", "-u", ADMIN).stdout
        assert entry["uid"] == int(uid)
        assert entry["address"] == "127.0.0.1"
        assert entry["tty"] is None
        assert abs(entry["since"]["$date"] / 1000 - time.time()) < 60
        local = {line.split()[1] for line in
                 pathlib.Path("/proc/net/tcp").read_text().splitlines()}
        assert any(one.endswith(f":{entry['port']:04X}") for one in local)
        found = root.call("ssh.sessions", [["port", "=", entry["port"]]],
                          {"get": True})
        assert found["id"] == entry["id"]
        assert found["command"] == "cat"
    wait_until(lambda: not root.call(
        "ssh.sessions", [["id", "=", entry["id"]]]), 20, "it is over")


def test_a_terminal_and_what_runs_there(ssh, root):
    with opened(ssh, "sh -c 'sleep 300; true'", options=["-tt"]) as (_, entry):
        wait_until(lambda: root.call(
            "ssh.sessions", [["id", "=", entry["id"]],
                             ["tty", "^", "pts/"],
                             ["command", "in", ["sh", "sleep"]]]),
            20, "its terminal is known")


def test_who_has_not_logged_in_has_none(ssh, instance, root):
    before = root.call("ssh.sessions", [], {"count": True})
    with socket.create_connection(
            (instance.address, instance.ssh_port), 10) as silent:
        assert silent.recv(100).startswith(b"SSH-2.0")
        assert root.call("ssh.sessions", [], {"count": True}) == before


def test_terminating_a_session(ssh, root, admin):
    with opened(ssh) as (session, entry), opened(ssh) as (other, stays):
        assert admin.call("ssh.terminate_session", entry["id"]) is True
        assert session.wait(20) != 0
        assert echoes(other, "still here")
        assert admin.call("ssh.terminate_session", entry["id"]) is False
        # Its number alone does not make another one of it.
        pid, start = stays["id"].split("-")
        for wrong in (f"{pid}-{int(start) + 1}", f"{pid}-", pid, "",
                      f"-{pid}-{start}", f"{pid}-{start}x", "x"):
            assert admin.call("ssh.terminate_session", wrong) is False
        assert echoes(other, "still here")
    text = f"Terminate SSH session {entry['id']}"
    done, again = root.call("audit.query", {
        "query-filters": [["event_data.description", "=", text]],
        "query-options": {"limit": 5}})
    assert done["username"] == again["username"] == ADMIN


def test_nothing_of_it_escapes(ssh, root):
    """Neither daemons nor what takes no signal."""
    command = ("setsid sleep 1000 >/dev/null 2>&1 & "
               "setsid unshare -Urm sleep 1001 >/dev/null 2>&1 & cat")
    with opened(ssh, command) as (session, entry):
        assert echoes(session, "hello")
        everything = wait_until(
            lambda: sorted(below(entry["pid"]))
            if len(below(entry["pid"])) >= 4 else None, 20, "all run")
        # Its user's own part of sshd, and all else.
        for pid in everything:
            os.kill(pid, signal.SIGSTOP)
        assert root.call("ssh.terminate_session", entry["id"]) is True
        assert session.wait(20) != 0
        alive = {pid for pid, _, _ in processes()}
        assert not alive & set(everything)


def test_sessions_outlive_their_sshd(ssh, root):
    with opened(ssh) as (session, entry):
        root.control("STOP")
        assert echoes(session, "still here")
        assert root.call("ssh.terminate_session", entry["id"]) is True
        assert session.wait(20) != 0


def test_only_who_may(stranger):
    assert stranger.error("ssh.sessions").errname == "ENOTAUTHENTICATED"
    assert stranger.error("ssh.terminate_session", "1-2").errname == (
        "ENOTAUTHENTICATED")
