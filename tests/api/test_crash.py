"""kill -9 of roles and of everything: nothing acknowledged is lost."""

import os
import signal
import threading
import time

import pytest

from harness import ROLES, ApiError, Closed, wait_until

pytestmark = pytest.mark.release
CALLS = 1000


class Ledger:
    """What was tried and what was acknowledged, outside the instance."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")
        self.tried = []
        self.acknowledged = []

    def write(self, word, number):
        self.file.write(f"{word} {number}\n")
        self.file.flush()
        os.fsync(self.file.fileno())

    def attempt(self, number):
        self.write("try", number)
        self.tried.append(number)

    def acknowledge(self, number):
        self.write("done", number)
        self.acknowledged.append(number)


def text_of(number):
    return f"ClientAliveInterval {number}"


def number_of(text):
    return int(text.split()[1])


def reconnect(instance):
    """A client again, as soon as the instance serves again."""
    def attempt():
        try:
            return instance.admin()
        except Exception:
            return None
    return wait_until(attempt, 20, "a new connection")


def make_changes(instance, ledger, numbers, stop):
    client = instance.admin()
    for number in numbers:
        if stop.is_set():
            break
        ledger.attempt(number)
        try:
            client.call("ssh.update", {"options": text_of(number)})
            ledger.acknowledge(number)
        except (Closed, OSError, TimeoutError, ApiError):
            client.close()
            client = reconnect(instance)
    client.close()


def check_ledger(instance, ledger):
    """The last acknowledged value or a later attempt; each one recorded."""
    with instance.root() as client:
        stored = number_of(client.call("ssh.config")["options"])
        assert stored in ledger.tried
        assert stored >= ledger.acknowledged[-1]
        assert text_of(stored) in instance.sshd_config()
        recorded = set()
        for offset in range(0, 2 * CALLS, 100):
            page = client.call("audit.query", {
                "query-filters": [["event", "=", "METHOD_CALL"],
                                  ["success", "=", True]],
                "query-options": {"order_by": ["message_timestamp"],
                                  "offset": offset, "limit": 100}})
            for record in page:
                data = record["event_data"]
                if data["method"] == "ssh.update":
                    recorded.add(number_of(data["params"][0]["options"]))
            if len(page) < 100:
                break
    lost = set(ledger.acknowledged) - recorded
    assert not lost, f"acknowledged and not in the audit log: {lost}"


def kill_role(instance, role):
    """SIGKILL; returns the seconds until the role is back."""
    before = instance.roles()[role]
    began = time.monotonic()
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: instance.roles().get(role) not in (None, before), 10,
               f"{role} is back")
    return time.monotonic() - began


@pytest.mark.parametrize("role", ROLES)
def test_killed_role_is_back_within_a_second(instance, role):
    assert kill_role(instance, role) < 1
    with reconnect(instance) as client:
        assert client.call("core.ping") == "pong"
        client.call("ssh.config")
        client.call("audit.query", {"query-options": {"limit": 1}})
        client.call("ssh.update", {"compression": False})


def test_clients_get_a_clean_close_when_core_dies(instance):
    with instance.admin() as client:
        kill_role(instance, "core")
        with pytest.raises(Closed) as raised:
            client.receive(10)
        assert raised.value.code in (1001, 1011, 1012, 1013)


def test_connections_stay_when_audit_dies(instance):
    with instance.admin() as client:
        kill_role(instance, "audit")
        assert client.call("core.ping") == "pong"
        client.call("ssh.update", {"compression": False})


@pytest.mark.parametrize("role", ROLES)
def test_role_killed_again_and_again_comes_back(instance, role):
    for _ in range(3):
        kill_role(instance, role)
    with reconnect(instance) as client:
        assert client.call("core.ping") == "pong"


def test_sshd_outlives_every_role(fresh, ssh):
    before = fresh.sshd_pid()
    for role in ROLES:
        kill_role(fresh, role)
    reconnect(fresh).close()
    assert ssh.works() and fresh.sshd_pid() == before


def test_roles_die_with_the_monitor(fresh):
    roles = fresh.roles()
    os.kill(fresh.pid, signal.SIGKILL)
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}")
                               and "holdfastd" in open(
                                   f"/proc/{pid}/cmdline").read()
                               for pid in roles.values()), 10, "their end")
    fresh.process.wait(10)
    fresh.kill()
    fresh.start()
    assert set(fresh.roles()) >= set(ROLES)


@pytest.mark.bounded(420)
def test_1000_changes_while_roles_are_killed(fresh, ssh, tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    stop = threading.Event()
    thread = threading.Thread(target=make_changes, args=(
        fresh, ledger, range(1, CALLS + 1), stop))
    thread.start()
    try:
        slow = {}
        for at, role in ((150, "web"), (300, "core"), (450, "audit"),
                         (600, "core"), (750, "web"), (900, "audit")):
            wait_until(lambda: len(ledger.tried) >= at or
                       not thread.is_alive(), 400, f"{at} changes")
            took = kill_role(fresh, role)
            if took >= 1:
                slow[at, role] = took
        thread.join(400)
    finally:
        stop.set()
        thread.join(60)
    assert len(ledger.tried) == CALLS
    # Each kill may cost the one call that was under way.
    assert len(ledger.acknowledged) >= CALLS - 12
    check_ledger(fresh, ledger)
    assert not slow, f"not back within a second: {slow}"
    assert ssh.works()


@pytest.mark.bounded(240)
def test_kill_of_everything_loses_nothing_acknowledged(fresh, tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    number = 1
    for _ in range(4):
        stop = threading.Event()
        thread = threading.Thread(target=changes_until_cut, args=(
            fresh, ledger, number, stop))
        count = len(ledger.acknowledged)
        thread.start()
        wait_until(lambda: len(ledger.acknowledged) >= count + 15, 60,
                   "some changes")
        fresh.kill()
        stop.set()
        thread.join(60)
        number = ledger.tried[-1] + 1
        fresh.start()
        check_ledger(fresh, ledger)


def changes_until_cut(instance, ledger, number, stop):
    try:
        with instance.root() as client:
            while not stop.is_set():
                ledger.attempt(number)
                client.call("ssh.update", {"options": text_of(number)})
                ledger.acknowledge(number)
                number += 1
    except (Closed, OSError, TimeoutError):
        pass


def test_start_ends_what_an_earlier_run_left(fresh, ssh):
    """Only the monitor dies; its sshd is still there at the next start."""
    sshd = fresh.sshd_pid()
    fresh.process.kill()
    fresh.output = fresh.process.communicate(timeout=30)[0]
    assert os.path.exists(f"/proc/{sshd}")
    fresh.start()
    wait_until(lambda: not os.path.exists(f"/proc/{sshd}"), 10, "its end")
    with fresh.root() as client:
        client.control("START")
    assert ssh.works()


def test_damaged_store_stops_changes_not_the_start(fresh):
    with fresh.root() as client:
        client.call("ssh.update", {"compression": True})
    fresh.stop()
    for file in (fresh.directory / "state").rglob("*"):
        if file.is_file() and file.suffix in (".db", ".sqlite", ""):
            with open(file, "r+b") as opened:
                opened.write(b"\xa5" * 4096)
    fresh.start()
    with fresh.root() as client:
        assert client.call("core.ping") == "pong"
        error = client.error("ssh.update", {"compression": False})
        assert error.code == -32001
        client.call("audit.query", {"query-options": {"limit": 1}})
    assert fresh.cli("status").returncode == 1
