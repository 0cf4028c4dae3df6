"""audit.config and audit.update, and what retention drops."""

import json
import os
import pathlib
import shutil
import time

import pytest

import audit_verifier
from harness import wait_until

DAY = 24 * 60 * 60
MIB = 1 << 20
GIB = 1 << 30
OURS = {"kernel", "kernel_rules", "kernel_lock", "kernel_panic",
        "kernel_consent", "retention_days", "on_failure", "head_records",
        "head_seconds",
        "shortened", "head_webhook", "head_webhook_minutes",
        "head_alarm_hours", "head_left", "head_webhook_error"}
THEIRS = {"id", "retention", "reservation", "quota", "quota_fill_warning",
          "quota_fill_critical", "remote_logging_enabled", "space",
          "enabled_services"}


@pytest.fixture(name="settings")
def settings_fixture(root):
    """The settings, put back afterwards."""
    before = root.call("audit.config")
    yield before
    root.call("audit.update", {name: before[name] for name in (
        "retention", "retention_days", "quota", "quota_fill_warning",
        "quota_fill_critical", "on_failure", "head_records",
        "head_seconds")})


def classes(client):
    return {alert["klass"] for alert in client.call("alert.list")}


def test_settings(root):
    config = root.call("audit.config")
    assert set(config) == THEIRS | OURS
    assert config["retention"] == 7 and config["quota"] == 0
    assert config["retention_days"] is None
    assert config["on_failure"] == "ALARM"
    assert config["space"]["used"] > 0
    assert config["space"]["used"] == config["space"]["used_by_dataset"]
    assert config["space"]["available"] > 0
    assert config["enabled_services"] == {
        "MIDDLEWARE": [], "SMB": [], "SUDO": [], "SYSTEM": []}
    assert config["remote_logging_enabled"] is False


def test_used_grows_with_the_records(root):
    before = root.call("audit.config")["space"]["used"]
    root.error("ssh.update", {"options": "NoSuchDirective 1"})
    assert root.call("audit.config")["space"]["used"] > before


@pytest.mark.parametrize("data, path", [
    ({"retention": 0}, "data.retention"),
    ({"retention_days": 30}, "data.retention_days"),
    ({"quota": 101}, "data.quota"),
    ({"on_failure": "IGNORE"}, "data.on_failure"),
    ({"head_records": 0}, "data.head_records"),
    ({"head_seconds": 3601}, "data.head_seconds"),
    ({"shortened": None}, "data.shortened"),
    ({"quota_fill_warning": 80, "quota_fill_critical": 80},
     "audit_update.quota_fill_warning"),
    ({"reservation": 101}, "data.reservation"),
    ({"reservation": 2, "quota": 1}, "audit_update.quota")])
def test_what_is_refused(root, data, path):
    before = root.call("audit.config")
    assert path in root.error("audit.update", data).paths
    after = root.call("audit.config")
    assert {**after, "space": None} == {**before, "space": None}


@pytest.mark.release
def test_a_shorter_retention_waits_a_week(fresh):
    with fresh.root() as root:
        config = root.call("audit.update", {"retention_days": 90})
        assert config["shortened"] is None
        config = root.call("audit.update", {"retention_days": None,
                                            "retention": 3})
        assert config["shortened"]["days"] == 90
        assert abs(config["shortened"]["until"] - time.time()
                   - 7 * DAY) < 600
        assert "AuditRetentionShortened" in classes(root)
        # Shorter still: what counts stays, and the week begins anew.
        config = root.call("audit.update", {"retention": 1})
        assert config["shortened"]["days"] == 90
        config = root.call("audit.update", {"retention_days": 90})
        assert config["shortened"] is None
        assert "AuditRetentionShortened" not in classes(root)


def test_the_change_is_recorded(root, settings):
    root.call("audit.update", {"head_seconds": 11})
    record, = root.call("audit.query", {
        "query-filters": [["event", "=", "METHOD_CALL"]],
        "query-options": {"order_by": ["-time_us"], "limit": 1}})
    assert record["event_data"]["description"] == \
        "Update Audit Configuration"


def test_heads_come_as_often_as_set(root, settings, instance):
    root.call("audit.update", {"head_seconds": 1})
    root.call("audit.update", {"head_records": 999})
    heads = sorted(pathlib.Path(instance.directory, "audit").glob(
        "heads-*.jsonl"))[-1]
    before = heads.read_text().count("\n")
    root.error("ssh.update", {"options": "NoSuchDirective 1"})
    wait_until(lambda: heads.read_text().count("\n") > before, 30, "a head")


def line_of(number, at):
    return json.dumps({
        "audit_id": f"00000000-0000-4000-8000-{number:012}",
        "message_timestamp": at, "timestamp": {"$date": at * 1000},
        "time_us": at * 1000000, "address": "127.0.0.1", "username": "old",
        "session": None, "service": "MIDDLEWARE", "service_data": None,
        "event": "LOGOUT", "event_data": None, "success": True},
        separators=(",", ":")) + "\n"


def make_old(folder, ages):
    """Another log in the folder: a segment of five records for each age."""
    owner = folder.stat()
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    now = int(time.time())
    for number, days in enumerate(ages):
        path = folder / f"segment-{number + 1:06}.jsonl"
        path.write_text("".join(
            line_of(5 * number + i, now - days * DAY) for i in range(5)))
        os.chown(path, owner.st_uid, owner.st_gid)
        path.chmod(0o600)


def old_ones(client):
    return client.call("audit.query", {
        "query-filters": [["username", "=", "old"]],
        "query-options": {"count": True}})


def export_of_old_ones(instance, client):
    done = client.job("audit.export",
                      {"query-filters": [["username", "=", "old"]]})
    assert done["state"] == "SUCCESS", done
    return pathlib.Path(instance.directory, done["result"].lstrip("/"))


@pytest.mark.release
def test_what_is_too_old_goes_and_the_rest_verifies(fresh):
    folder = pathlib.Path(fresh.directory, "audit")
    fresh.stop()
    # The third was written while the clock was wrong.
    make_old(folder, [40, 20, 20000, 8, 3])
    fresh.start()
    with fresh.root() as root:
        assert old_ones(root) == 25
        root.call("audit.confirm_clock")
        # Of four that are too old, all; the third is as old as the second.
        assert old_ones(root) == 5
        record, = root.call("audit.query", {
            "services": ["SYSTEM"],
            "query-filters": [["event", "=", "PRUNE"]],
            "query-options": {"limit": 2}})
        data = record["event_data"]
        assert (data["days"], data["records"], data["first_record"]) == (
            7, 20, 20)
        assert data["head"]["number"] >= 0 and len(data["head"]["root"]) == 64
        report = export_of_old_ones(fresh, root)
        os.utime(report, (time.time(), time.time() - 6 * DAY))
        root.call("audit.confirm_clock")    # again there is nothing to do
        assert old_ones(root) == 5
        assert audit_verifier.verify_export(report) == 5
        os.utime(report, (time.time(), time.time() - 8 * DAY))
        root.call("audit.confirm_clock")
        assert not report.exists()
    assert audit_verifier.verify_store(folder) >= 5
    done = json.loads(fresh.cli("--json", "audit", "verify").stdout)
    assert done["verified"] and done["first_record"] == 20
    fresh.stop()
    fresh.start()
    done = json.loads(fresh.cli("--json", "audit", "verify").stdout)
    assert done["verified"] and done["first_record"] == 20


@pytest.mark.release
def test_reservation(fresh):
    """Room on the disk that is the log's; half of what is free at most."""
    file = pathlib.Path(fresh.directory, "audit", "reserve")
    with fresh.root() as root:
        space = root.call("audit.config")["space"]
        assert space["used_by_reservation"] == 0
        least = file.stat().st_size
        if space["available"] < 3 * GIB:
            assert root.error("audit.update", {"reservation": 1}).paths == [
                "audit_update.reservation"]
            return
        root.call("audit.update", {"reservation": 1})

        def reserved():
            return root.call("audit.config")["space"]

        wait_until(lambda: reserved()["used_by_reservation"] > 0, 30, "room")
        found = reserved()
        assert found["used"] == \
            found["used_by_dataset"] + found["used_by_reservation"]
        assert GIB - MIB < found["used"] <= GIB
        assert file.stat().st_blocks * 512 >= found["used_by_reservation"]
        root.call("audit.update", {"reservation": 0})
        wait_until(lambda: reserved()["used_by_reservation"] == 0, 30,
                   "no more of it")
        assert file.stat().st_size == least
