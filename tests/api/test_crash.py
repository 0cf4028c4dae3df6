"""kill -9 of roles and of everything: nothing acknowledged is lost."""

import collections
import contextlib
import os
import random
import signal
import threading
import time

import pytest

from cuts import reconnect
from harness import ROLES, ApiError, Closed, wait_until

pytestmark = pytest.mark.release
# Most with sshd stopped: without a reload and its verification one is faster.
STOPPED, RUNNING = 850, 150
RETRY_SECONDS = 1   # until core delivers again what it may have delivered


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
            client = reconnect(instance.admin)
    client.close()


def recorded(instance):
    """How often each number is recorded as a success."""
    found, ids = collections.Counter(), set()
    with instance.root() as client:
        for offset in range(0, 100000, 500):
            page = client.call("audit.query", {
                "query-filters": [["event", "=", "METHOD_CALL"],
                                  ["success", "=", True]],
                "query-options": {"order_by": ["message_timestamp"],
                                  "offset": offset, "limit": 500}})
            for record in page:
                assert record["audit_id"] not in ids, record
                ids.add(record["audit_id"])
                data = record["event_data"]
                if data["method"] == "ssh.update":
                    found[number_of(data["params"][0]["options"])] += 1
            if len(page) < 500:
                return found


def check_ledger(instance, ledger):
    """The last acknowledged value or a later attempt; each one recorded."""
    with instance.root() as client:
        stored = number_of(client.call("ssh.config")["options"])
    assert stored in ledger.tried
    assert stored >= ledger.acknowledged[-1]
    assert text_of(stored) in instance.sshd_config()
    lost = set(ledger.acknowledged) - set(recorded(instance))
    assert not lost, f"acknowledged and not in the audit log: {lost}"


def check_recorded_once(instance):
    time.sleep(2 * RETRY_SECONDS)
    twice = [number for number, times in recorded(instance).items()
             if times > 1]
    assert not twice, f"recorded more than once: {twice}"


def serves(instance, role):
    """Is a call answered that needs this role?"""
    try:
        if role == "web":
            with instance.connect(timeout=1) as client:
                return client.call("core.ping", timeout=1) == "pong"
        with instance.root(timeout=1) as client:
            if role == "audit":
                client.call("audit.query", {"query-options": {"limit": 1}},
                            timeout=1)
            return client.call("core.ping", timeout=1) == "pong"
    except Exception:
        return False


def kill_role(instance, role):
    """SIGKILL; returns the seconds until the role serves again."""
    before = instance.roles()[role]
    began = time.monotonic()
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: instance.roles().get(role) not in (None, before) and
               serves(instance, role), 10, f"{role} is back")
    return time.monotonic() - began


@pytest.mark.parametrize("role", ROLES)
def test_killed_role_is_back_within_a_second(instance, role):
    assert kill_role(instance, role) < 1
    with reconnect(instance.admin) as client:
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
    with reconnect(instance.admin) as client:
        assert client.call("core.ping") == "pong"


def test_sshd_outlives_every_role(fresh, ssh):
    before = fresh.sshd_pid()
    for role in ROLES:
        kill_role(fresh, role)
    reconnect(fresh.admin).close()
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


def kill_during(instance, ledger, numbers, roles):
    """Kills these roles at any moment while the numbers are stored."""
    stop = threading.Event()
    slow = {}
    thread = threading.Thread(target=make_changes, args=(
        instance, ledger, numbers, stop))
    thread.start()
    try:
        for i, role in enumerate(roles):
            at = numbers[len(numbers) * (i + 1) // (len(roles) + 1)]
            wait_until(lambda: ledger.tried and ledger.tried[-1] >= at or
                       not thread.is_alive(), 400, f"change {at}")
            time.sleep(random.uniform(0, 0.1))
            took = kill_role(instance, role)
            if took >= 1:
                slow[at, role] = took
        thread.join(400)
    finally:
        stop.set()
        thread.join(60)
    assert ledger.tried[-1] == numbers[-1]
    assert not slow, f"not back within a second: {slow}"


@pytest.mark.bounded(420)
def test_1000_changes_while_roles_are_killed(fresh, ssh, tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    kills = ("web", "core", "audit", "core", "audit", "web", "core")
    with fresh.root() as client:
        client.control("STOP")
    kill_during(fresh, ledger, range(1, STOPPED + 1), kills)
    check_ledger(fresh, ledger)
    with fresh.root() as client:
        client.control("START")
    kill_during(fresh, ledger, range(STOPPED + 1, STOPPED + RUNNING + 1),
                kills)
    check_ledger(fresh, ledger)
    # Each kill may cost the one call that was under way.
    assert len(ledger.acknowledged) >= STOPPED + RUNNING - 2 * len(kills)
    check_recorded_once(fresh)
    assert ssh.works()


@pytest.mark.bounded(240)
def test_kill_of_everything_loses_nothing_acknowledged(fresh, ssh, tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    number = 1
    with fresh.root() as client:
        client.call("service.update", "ssh", {"enable": True})
    for _ in range(5):
        thread = threading.Thread(target=changes_until_cut, args=(
            fresh, ledger, number))
        count = len(ledger.acknowledged)
        thread.start()
        wait_until(lambda: len(ledger.acknowledged) >= count + 10, 60,
                   "some changes")
        time.sleep(random.uniform(0, 0.2))
        fresh.kill()
        thread.join(60)
        number = ledger.tried[-1] + 1
        fresh.start()
        check_ledger(fresh, ledger)
        assert ssh.works()
    check_recorded_once(fresh)


def changes_until_cut(instance, ledger, number):
    try:
        with instance.root() as client:
            while True:
                ledger.attempt(number)
                client.call("ssh.update", {"options": text_of(number)})
                ledger.acknowledge(number)
                number += 1
    except (Closed, OSError, TimeoutError):
        pass


@pytest.mark.parametrize("victims", [
    (), ("audit",), ("core",), ("core", "audit")])
def test_record_is_written_before_the_answer_and_once(fresh, victims):
    """The audit role is stopped when the record comes to it."""
    audit = fresh.roles()["audit"]
    with fresh.root() as client, fresh.root() as other:
        os.kill(audit, signal.SIGSTOP)
        try:
            number = client.start("ssh.update", {"options": text_of(42)})
            wait_until(lambda: other.call("ssh.config")["options"] ==
                       text_of(42), 10, "the commit")
            with pytest.raises(TimeoutError):
                client.receive(0.3)
            for role in victims:
                os.kill(fresh.roles()[role], signal.SIGKILL)
        finally:
            # It may be gone already, when it was a victim.
            with contextlib.suppress(ProcessLookupError):
                os.kill(audit, signal.SIGCONT)
        if "core" not in victims:
            client.finish(number)
    wait_until(lambda: serves(fresh, "audit"), 10, "the audit role")
    wait_until(lambda: recorded(fresh)[42] > 0, 10, "the record")
    check_recorded_once(fresh)


def test_job_has_not_ended_before_its_record_is_written(fresh):
    audit = fresh.roles()["audit"]
    with fresh.root() as client:
        os.kill(audit, signal.SIGSTOP)
        try:
            number = client.call("service.control", "START", "ssh")
            wait_until(lambda: client.call("service.started", "ssh"), 20,
                       "its start")
            time.sleep(0.2)
            job, = client.call("core.get_jobs", [["id", "=", number]])
            assert (job["state"], job["result"]) == ("RUNNING", None)
        finally:
            os.kill(audit, signal.SIGCONT)
        assert client.call("core.job_wait", number) is not None


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
