"""What limits SSH logins as it does those of the web: failed passwords, the
number of an account's sessions.  Real ssh."""

import os
import signal
import time

import pytest

from harness import (ADMIN, PASSWORD, KeySsh, echoes, next_address, public,
                     wait_until)

pytestmark = pytest.mark.release


@pytest.fixture
def root(accounts):
    with accounts.root() as client:
        yield client


@pytest.fixture
def listener(accounts):
    with accounts.root() as client:
        yield client


@pytest.fixture
def settings(accounts):
    """Changes those of system.security; in the end they are none again."""
    def update(**data):
        with accounts.root() as client:
            entry = client.job("system.security.update", data)
        assert entry["state"] == "SUCCESS", entry

    yield update
    update(lockout_failures=None, max_sessions_per_user=None)


@pytest.fixture
def lockout(settings):
    """It is on: three failures in a row."""
    settings(lockout_failures=3)


def once(source, method="password"):
    """Options: one password only is tried, from there."""
    return ("-b", source, "-o", f"PreferredAuthentications={method}")


def fail(ssh, source, times):
    tries = [ssh.session(password="wrong", options=once(source))
             for _ in range(times)]
    for one in tries:
        one.communicate(timeout=60)
        assert one.returncode == 255


class Person:
    """A user who can log in by SSH in both ways, from an address."""

    def __init__(self, user, ssh):
        self.user, self.ssh = user, ssh
        self.here = next_address(107)

    def tries(self, password, source=None, method="password"):
        return self.ssh.works(password=password, timeout=60,
                              options=once(source or self.here, method))

    def fails(self, times):
        """So many wrong ones at the same time."""
        fail(self.ssh, self.here, times)


@pytest.fixture
def person(accounts, make_user, keys):
    def make(name, **data):
        user = make_user(name, home="/home", home_create=True,
                         sshpubkey=public(keys[0]),
                         **{"ssh_password_enabled": True, **data})
        return Person(user, KeySsh(accounts, name, keys[0]))

    return make


def web(instance, source, name):
    with instance.connect(source) as client:
        return client.login(name)["response_type"]


@pytest.mark.bounded(240)
def test_lockout_is_of_the_password_and_one_source(
        accounts, root, lockout, person):
    somebody = person("outa")
    name, elsewhere = somebody.user["username"], next_address(107)

    def shown():
        return root.call("user.get_instance", somebody.user["id"])["locked"]

    # A right one is not counted, and takes back what was.
    for _ in range(2):
        somebody.fails(2)
        assert somebody.tries(PASSWORD)
    session = somebody.ssh.session(password=PASSWORD,
                                   options=once(somebody.here))
    try:
        assert echoes(session, "before")
        somebody.fails(3)
        assert not somebody.tries(PASSWORD)
        wait_until(shown, 30, "it is shown")
        # The same counter as the web's, both ways.
        assert web(accounts, somebody.here, name) == "DENIED"
        # Keys, open sessions and other places are not concerned.
        assert somebody.ssh.works(options=("-b", somebody.here))
        assert echoes(session, "after")
        assert somebody.tries(PASSWORD, elsewhere)
    finally:
        session.kill()
        session.communicate()
    root.call("user.update", somebody.user["id"], {"locked": False})
    assert somebody.tries(PASSWORD)


def test_failures_of_the_web_lock_ssh(accounts, lockout, person):
    somebody = person("outb")
    for _ in range(3):
        with accounts.connect(somebody.here) as client:
            assert client.login("outb", "wrong")["response_type"] == "AUTH_ERR"
    assert not somebody.tries(PASSWORD)


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_several_passwords_of_one_connection_count(lockout, person, method):
    somebody = person("outc")
    assert not somebody.ssh.run("true", password="wrong", options=(
        *once(somebody.here, method), "-o",
        "NumberOfPasswordPrompts=3")).returncode == 0
    assert not somebody.tries(PASSWORD)


def test_names_that_nobody_has_count_alike(accounts, root, lockout, keys):
    """Where sshd takes their passwords at all, which is not the default."""
    nobody, here = KeySsh(accounts, "nobody-there", keys[0]), next_address(107)
    options = root.call("ssh.config")["options"]
    root.call("ssh.update", {
        "options": options + "\nPasswordAuthentication yes"})
    try:
        fail(nobody, here, 4)
    finally:
        root.call("ssh.update", {"options": options, "lockout": True})
    assert ("no password of nobody-there is tried: locked out"
            in accounts.log())


def test_nothing_counts_unless_asked_for(person):
    somebody = person("oute")
    somebody.fails(4)
    assert somebody.tries(PASSWORD)


def test_without_core_keys_alone_log_in(accounts, lockout, person):
    """Where failures count, what cannot be counted is not tried."""
    somebody = person("outf")
    core = accounts.roles()["core"]
    os.kill(core, signal.SIGSTOP)
    try:
        waiting = somebody.ssh.session(password=PASSWORD,
                                       options=once(somebody.here))
        assert somebody.ssh.works(options=("-b", somebody.here))
        assert waiting.poll() is None
    finally:
        os.kill(core, signal.SIGCONT)
    try:
        waiting.stdin.write("there\n")
        waiting.stdin.flush()
        assert waiting.stdout.readline() == "there\n"
    finally:
        waiting.kill()
        waiting.communicate()


@pytest.mark.bounded(240)
def test_the_last_administrator_is_delayed(accounts, root, lockout, keys):
    boss = root.call("user.query", [["username", "=", ADMIN]], {"get": True})
    group = root.call("group.query", [["gid", "=", 544]], {"get": True})
    here = next_address(107)
    ssh = KeySsh(accounts, ADMIN, keys[0])
    root.call("ssh.update", {"password_login_groups": [group["group"]]})
    try:
        fail(ssh, here, 3)
        began = time.monotonic()
        assert ssh.works(password=PASSWORD, options=once(here), timeout=90)
        assert time.monotonic() - began >= 20
    finally:
        root.call("ssh.update", {"password_login_groups": [],
                                 "lockout": True})
        root.call("user.update", boss["id"], {"locked": False})


# Sessions.

def test_more_sessions_than_may_be(accounts, root, settings, person):
    somebody = person("many", groups=[root.call(
        "group.query", [["gid", "=", 544]], {"get": True})["id"]])
    settings(max_sessions_per_user=2)
    first = somebody.ssh.session()
    try:
        assert echoes(first, "first")
        with accounts.connect() as client, accounts.connect() as other:
            assert client.login("many")["response_type"] == "SUCCESS"
            done = somebody.ssh.run("id")
            assert done.returncode != 0 and "uid=" not in done.stdout
            assert ("as many sessions of many as may be"
                    in done.stdout + done.stderr)
            # The web counts those of SSH too.
            assert other.login("many")["response_type"] == "DENIED"
            client.call("auth.logout")
            wait_until(somebody.ssh.works, 20, "there is room again")
            assert other.login("many")["response_type"] == "SUCCESS"
        assert echoes(first, "still here")
    finally:
        first.kill()
        first.communicate()


def test_subscribers_hear_of_sessions(root, listener, person):
    somebody = person("heard")

    def heard():
        """The next event that is of the person's."""
        while True:
            message = listener.receive(40)
            if message.get("method") != "collection_update":
                continue
            event = message["params"]
            assert event["collection"] == "ssh.sessions"
            if event["msg"] == "removed" or event["fields"]["uid"] == (
                    somebody.user["uid"]):
                return event

    listener.call("core.subscribe", "ssh.sessions")
    for end in ("by itself", "terminated", "killed"):
        session = somebody.ssh.session()
        try:
            assert echoes(session, end)
            event = heard()
            assert event["msg"] == "added"
            entry = event["fields"]
            assert entry["username"] == "heard" and event["id"] == entry["id"]
            if end == "terminated":
                assert root.call("ssh.terminate_session", entry["id"]) is True
            elif end == "killed":
                root.call("user.update", somebody.user["id"],
                          {"locked": True})
        finally:
            session.kill()
            session.communicate()
        event = heard()
        assert (event["msg"], event["id"]) == ("removed", entry["id"])
