"""Lines of systemd's journal as records, from files that systemd made.

An instance reads the journal in its /run/log/journal when it is told to; on a
machine given to Holdfast the same role reads that of the machine.
"""

import os
import pathlib
import signal
import struct
import subprocess
import time

import pytest

from harness import Instance, wait_until

WRITER = "/lib/systemd/systemd-journal-remote"
BOOT = b"0123456789abcdef0123456789abcdef"
FAILED = "Failed password for {} from 192.0.2.7 port 5 ssh2"


def export(now, fields):
    """One entry, as systemd.journal-export-formats(7) has it."""
    text = b"__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n" % (
        now, now % 10**12) + b"_BOOT_ID=" + BOOT + b"\n"
    for name, value in fields.items():
        value = value if isinstance(value, bytes) else str(value).encode()
        if b"\n" in value or b"\0" in value:
            text += (name.encode() + b"\n" + struct.pack("<Q", len(value))
                     + value + b"\n")
        else:
            text += name.encode() + b"=" + value + b"\n"
    return text + b"\n"


class Journal:
    """The journal of an instance."""

    def __init__(self, instance):
        self.instance = instance
        machine = pathlib.Path("/etc/machine-id").read_text().strip()
        self.folder = instance.inside(f"/run/log/journal/{machine}")
        self.folder.mkdir(parents=True)
        self.group = next(
            int(line.split(":")[2]) for line in
            instance.inside("/etc/group").read_text().splitlines()
            if line.startswith("systemd-journal:"))
        self.last = 0

    def write(self, *entries, file="system"):
        """Dicts of fields, or texts that root's sshd says."""
        text = b""
        for number, entry in enumerate(entries):
            if isinstance(entry, str):
                entry = {"_UID": 0, "_PID": 700 + number, "_COMM": "sshd",
                         "MESSAGE": entry}
            entry = {"SYSLOG_IDENTIFIER": "sshd", **entry}
            self.last = max(self.last + 1, time.time_ns() // 1000)
            text += export(self.last, entry)
        path = self.folder / f"{file}.journal"
        # Made beside it, so that it has its group when it is first seen.
        if not path.exists():
            aside = self.folder.parents[1] / f"{file}.journal"
            self.run(text, aside)
            os.chown(aside, 0, self.group)
            aside.rename(path)
        else:
            self.run(text, path)

    @staticmethod
    def run(text, path):
        subprocess.run([WRITER, "-o", path, "-"], input=text, check=True,
                       capture_output=True, timeout=60)


def kill(instance, role):
    before = instance.roles()[role]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: instance.roles().get(role) not in (None, before), 60,
               f"{role} is back")


def records(instance, *filters):
    with instance.root() as client:
        return client.call("audit.query", {
            "services": ["SYSTEM"], "query-filters": list(filters),
            "query-options": {"order_by": ["time_us"], "limit": 1000}})


def names(instance):
    return [one["username"] for one in
            records(instance, ["event", "=", "LOGIN"])]


def has_names(instance, expected):
    wait_until(lambda: len(names(instance)) >= len(expected), 60, expected)
    assert names(instance) == expected


@pytest.fixture(scope="module")
def journal():
    instance = Instance("asan", arguments=["--journal"])
    try:
        instance.start().setup_admin()
        wait_until(lambda: "journal" in instance.roles(), 60, "the role")
        made = Journal(instance)
        made.write({"_UID": 0, "_PID": 1, "MESSAGE": "Nothing of a login"})
        kill(instance, "journal")   # it had no folder to read
        yield made
        instance.stop()
    finally:
        instance.remove()


def test_lines_become_records(journal):
    """Who it was is journald's to say, not the line's; any bytes will do."""
    instance = journal.instance
    user = {"_UID": 1000, "_PID": 812, "_COMM": "logger"}
    journal.write(
        FAILED.format("anna"),
        {**user, "MESSAGE": FAILED.format("root")},
        # Root's own, by another program than sshd.
        {"_UID": 0, "_PID": 813, "_COMM": "logger",
         "MESSAGE": FAILED.format("bert")},
        # A field that anybody may send.
        {"UID": 0, "_PID": 814, "MESSAGE": FAILED.format("nobody")},
        {"_UID": "0x0", "_PID": 814, "MESSAGE": FAILED.format("nobody")},
        # It was gone before journald looked.
        {"_UID": 0, "_PID": 815, "MESSAGE": FAILED.format("carl")})
    journal.write(
        {**user, "SYSLOG_IDENTIFIER": "internal-sftp",
         "MESSAGE": b'close "/home/\xff\n\0" bytes read 0 written 7'},
        {**user, "SYSLOG_IDENTIFIER": "sftp-server",
         "MESSAGE": b'remove name "' + b"x" * 100000 + b'"'},
        file="user-1000")
    has_names(instance, ["anna", "carl"])
    anna = records(instance, ["username", "=", "anna"])[0]
    assert (anna["address"], anna["session"], anna["success"]) == (
        "192.0.2.7", "700", False)
    assert abs(anna["time_us"] - journal.last) < 60 * 10**6
    claims = wait_until(
        lambda: records(instance, ["event_data.type", "=", "CLAIM"]), 60,
        "the claims")
    assert [(one["event_data"]["uid"], one["event_data"]["pid"])
            for one in claims] == [(1000, 812), (0, 813)]
    assert all(one["event_data"]["text"].startswith("Failed password for ")
               for one in claims)

    def files():
        found = records(instance, ["event", "=", "SFTP"])
        return found if len(found) == 2 else None

    closed, removed = wait_until(files, 60, "what sftp did")
    assert closed["event_data"]["text"] == (
        r'close \"/home/\xff\n\x00\" bytes read 0 written 7')
    assert (closed["event_data"]["uid"], closed["session"]) == (1000, "812")
    assert len(removed["event_data"]["text"]) == 8192


def test_nothing_twice_and_nothing_lost(journal):
    """Roles are killed before what they did is settled, and after."""
    instance = journal.instance
    before = names(instance)
    journal.write(*(FAILED.format(f"d{i}") for i in range(5)))
    expected = before + [f"d{i}" for i in range(5)]
    has_names(instance, expected)
    kill(instance, "audit")
    kill(instance, "journal")
    journal.write(FAILED.format("later"))
    expected.append("later")
    has_names(instance, expected)
    instance.stop()
    instance.start()
    # Its /run is a new one: the line that was read last is in no file, and
    # the oldest that is came when nobody read.
    again = Journal(instance)
    again.last = journal.last
    again.write(FAILED.format("anew"))
    journal.folder = again.folder
    kill(instance, "journal")
    expected.append("anew")
    has_names(instance, expected)
    lost = records(instance, ["event_data.type", "=", "LOST"])
    assert [one["event_data"]["count"] for one in lost] == [None]
    assert "journal" in lost[0]["event_data"]["why"]


def test_sums_are_exact(journal):
    """What was summed and not told is read again after a crash."""
    instance = journal.instance
    count = 300     # more than an answer has

    def told():
        found = records(instance, ["username", "=", "many"])
        return sum(one["event_data"].get("count", 1) for one in found)

    journal.write(*[FAILED.format("many")] * count)
    kill(instance, "audit")
    wait_until(lambda: told() == count, 60, f"{count} refusals")
    kill(instance, "audit")
    journal.write(FAILED.format("last"))
    wait_until(lambda: "last" in names(instance), 60, "the last line")
    assert told() == count


def test_rotated(journal):
    """journald gives a full file another name and begins a new one."""
    instance = journal.instance
    lost = len(records(instance, ["event_data.type", "=", "LOST"]))
    for file in journal.folder.glob("*.journal"):
        file.rename(file.with_name(f"{file.stem}@0-0.journal"))
    journal.write(FAILED.format("rotated"))
    wait_until(lambda: "rotated" in names(instance), 60, "the new file")
    # All that is older goes: it was read.
    for file in journal.folder.glob("*@*.journal"):
        file.unlink()
    journal.write(FAILED.format("vacuumed"))
    wait_until(lambda: "vacuumed" in names(instance), 60, "the line")
    assert names(instance).count("rotated") == 1
    assert len(records(instance, ["event_data.type", "=", "LOST"])) == lost


def test_the_role_reads_that_and_nothing_else(journal):
    """It is in one group more than its own, and has no capability."""
    pid = journal.instance.roles()["journal"]
    status = dict(
        line.split(":\t", 1) for line in
        pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        if ":\t" in line)
    assert status["Uid"].split() == ["476"] * 4
    assert status["Groups"].split() == [str(journal.group)]
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
