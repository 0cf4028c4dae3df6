"""What the audit log goes through and holds: roles killed under load, a disk
that is full, a quota used up, a clock that jumps, records of any bytes."""

import contextlib
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import threading
import time

import pytest
from websocket import WebSocketException

from harness import ROLES, ApiError, Closed, wait_until
from test_audit_config import DAY, GIB, make_old, old_ones
from test_crash import kill_role

pytestmark = pytest.mark.release
BROKEN = (ApiError, Closed, OSError, TimeoutError, WebSocketException)


def records(client, event, *filters):
    """All that there are, page by page."""
    found = []
    while True:
        page = client.call("audit.query", {
            "query-filters": [["event", "=", event], *filters],
            "query-options": {"order_by": ["time_us"], "limit": 500,
                              "offset": len(found)}})
        found += page
        if len(page) < 500:
            return found


def made_groups(client):
    return [record["event_data"]["params"][0]["name"]
            for record in records(client, "METHOD_CALL",
                                  ["event_data.method", "=", "group.create"],
                                  ["success", "=", True])]


def verified(instance):
    return json.loads(instance.cli("--json", "audit", "verify").stdout)


def classes(client):
    return {alert["klass"] for alert in client.call("alert.list")}


class Load:
    """Changes and logins without end; what was acknowledged is kept."""

    def __init__(self, instance):
        self.instance = instance
        self.over = threading.Event()
        self.groups, self.sessions = [], []
        self.threads = [threading.Thread(target=self.change, args=(number,))
                        for number in range(2)]
        self.threads.append(threading.Thread(target=self.log_in))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def change(self, number):
        client, made = None, 0
        while not self.over.is_set():
            made += 1
            name = f"load{number}x{made}"
            try:
                client = client or self.instance.root()
                client.call("group.create", {"name": name})
                self.groups.append(name)
            except BROKEN:
                if client:
                    client.close()
                client = None
        if client:
            client.close()

    def log_in(self):
        while not self.over.is_set():
            with contextlib.suppress(*BROKEN), self.instance.admin() as one:
                session, = one.call("auth.sessions",
                                    [["current", "=", True]])
                self.sessions.append(session["id"])

    def done(self):
        return len(self.groups) + len(self.sessions)


def test_roles_killed_under_load(fresh):
    with Load(fresh) as load:
        for role in ROLES + ("core", "audit"):
            before = load.done()
            wait_until(lambda: load.done() >= before + 10, 60, "some load")
            time.sleep(random.uniform(0, 0.05))
            kill_role(fresh, role)
    fresh.admin().close()
    with fresh.root() as client:
        wait_until(lambda: set(load.groups) <= set(made_groups(client)), 30,
                   "all records")
        made = made_groups(client)
        logins = {record["session"]
                  for record in records(client, "AUTHENTICATION",
                                        ["success", "=", True])}
    assert not set(load.sessions) - logins
    assert len(made) == len(set(made))
    found = verified(fresh)
    assert found["verified"], found


def test_disk_of_the_log_is_full(fresh):
    """In a mount namespace of its own: see full_audit.py."""
    fresh.stop()
    done = subprocess.run(
        ["unshare", "-m", "/usr/bin/python3",
         pathlib.Path(__file__).with_name("full_audit.py"), fresh.directory],
        capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr


def move_clock(instance, seconds):
    """The trusted clock is behind: the machine's one was put forward."""
    file = pathlib.Path(instance.directory, "audit", "clock")
    with open("/proc/uptime", encoding="ascii") as uptime:
        boot = int(float(uptime.read().split()[0]))
    file.write_text(f"{int(time.time()) - seconds} {boot}\n")
    owner = file.parent.stat()
    os.chown(file, owner.st_uid, owner.st_gid)
    file.chmod(0o600)
    database = sqlite3.connect(instance.directory / "state" / "config.db")
    (text,) = database.execute("SELECT value FROM value WHERE name = "
                               "'task/audit.prune'").fetchone()
    task = json.loads(text) | {"after": int(time.time()) - 2 * DAY}
    database.execute("UPDATE value SET value = ? WHERE name = "
                     "'task/audit.prune'", (json.dumps(task),))
    database.commit()
    database.close()


def check_clock(root):
    """The task that came too late ran, and dropped nothing."""
    wait_until(lambda: "AuditClockForward" in classes(root), 30, "the alert")
    assert old_ones(root) == 15
    root.call("audit.confirm_clock")
    assert old_ones(root) == 5
    assert "AuditClockForward" not in classes(root)


def filled(root, file, share):
    os.truncate(file, int(share * GIB))
    used = root.call("audit.config")["space"]["used"]
    assert abs(used / GIB - share) < 0.01
    return classes(root) & {"AuditQuotaWarning", "AuditQuotaCritical"}


def check_quota(instance, root, file):
    """A file that seems large counts as if it were."""
    size = file.stat().st_size
    root.call("audit.update", {"quota": 1})
    assert filled(root, file, 0.5) == set()
    assert filled(root, file, 0.8) == {"AuditQuotaWarning"}
    assert filled(root, file, 0.96) == {"AuditQuotaCritical"}
    assert filled(root, file, 1.01) == {"AuditQuotaCritical"}
    root.call("group.create", {"name": "lastone"})
    root.call("group.create", {"name": "beyond"})   # it waits, with an alarm
    assert "AuditServiceHealth" in classes(root)
    root.call("audit.update", {"on_failure": "REFUSE_CHANGES"})
    error = root.error("group.create", {"name": "refused"})
    assert "quota exceeded" in error.data["reason"]
    instance.admin().close()
    root.call("audit.update", {"quota": 2})
    wait_until(lambda: "AuditServiceHealth" not in classes(root), 30,
               "the log to be written")
    root.call("group.create", {"name": "again"})
    wait_until(lambda: made_groups(root) == ["lastone", "beyond", "again"],
               30, "the record that waited")
    assert filled(root, file, size / GIB) == set()


def test_clock_and_quota(fresh):
    folder = pathlib.Path(fresh.directory, "audit")
    fresh.stop()
    make_old(folder, [40, 20, 3])
    move_clock(fresh, 5 * DAY)
    fresh.start()
    with fresh.root() as root:
        check_clock(root)
        root.call("audit.update", {"retention_days": 90})
        check_quota(fresh, root, folder / "segment-000003.jsonl")
    found = verified(fresh)
    assert found["verified"], found


@pytest.mark.parametrize("name", [
    "new\nline", "\u0001\u001b[2J\u007f", "\u2028\u202e", "'\"\\", "a" * 200,
    "{\"audit_id\":\"x\"}"])
def test_any_characters_of_a_name(instance, name):
    with instance.connect() as stranger, instance.root() as root:
        stranger.call("auth.login_ex", {
            "mechanism": "PASSWORD_PLAIN", "username": name,
            "password": "wrong"})
        record = records(root, "AUTHENTICATION")[-1]
    assert record["success"] is False
    assert record["event_data"]["credentials"]["credentials_data"][
        "username"] == name


def test_a_name_that_is_no_utf8(instance):
    """Nothing of it can be a record: the message is refused whole."""
    with instance.connect() as stranger, instance.root() as root:
        before = len(records(root, "AUTHENTICATION"))
        stranger.ws.send_binary(
            b'{"jsonrpc":"2.0","id":1,"method":"auth.login_ex","params":[{'
            b'"mechanism":"PASSWORD_PLAIN","username":"\xff\xfe",'
            b'"password":"x"}]}')
        with contextlib.suppress(Closed):
            assert "error" in stranger.receive(10)
        assert len(records(root, "AUTHENTICATION")) == before


def test_the_largest_parameters(instance):
    """What a message may hold, a record holds."""
    name = "x" * 60_000
    with instance.root() as root:
        root.error("group.create", {"name": name})
        record = records(root, "METHOD_CALL")[-1]
        assert record["event_data"]["params"] == [{"name": name}]
        assert record["success"] is False


@pytest.mark.parametrize("size", [70_000, 1_000_000])
def test_parameters_that_are_too_large(instance, size):
    """Nothing of them is read, nor anything recorded."""
    with instance.root() as root:
        before = len(records(root, "METHOD_CALL"))
        with pytest.raises(Closed) as closed:
            root.call("group.create", {"name": "x" * size})
        assert closed.value.code == 1009
    with instance.root() as root:
        assert len(records(root, "METHOD_CALL")) == before
