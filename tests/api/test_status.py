"""What needs attention: alerts, from raise to clear, and `holdfast status`."""

import json
import os
import pathlib
import signal
import subprocess

import pytest

from harness import Instance, wait_until

PATH_STATE = "/run/holdfast/state"


def alerts(client, klass):
    """Those of a class: by status and by the API, which must agree."""
    shown = client.call("holdfast.status")["alerts"]
    listed = client.call("alert.list")
    assert [entry["uuid"] for entry in shown] == [
        entry["uuid"] for entry in listed]
    return [entry for entry in listed if entry["klass"] == klass]


def told(client, kind):
    """The next event of alert.list is of this kind."""
    while True:
        message = client.receive()
        if message.get("method") == "collection_update":
            assert message["params"]["collection"] == "alert.list"
            assert message["params"]["msg"] == kind
            return message["params"]


def test_edited_file_from_raise_to_clear(fresh):
    with fresh.root() as client:
        client.call("ssh.update", {"options": "MaxAuthTries 2"})
        assert alerts(client, "ConfigurationFileEdited") == []
    fresh.enter("sh", "-c", "echo '# mine' >>/etc/ssh/sshd_config")
    fresh.stop()
    fresh.start()
    with fresh.root() as client:
        alert, = alerts(client, "ConfigurationFileEdited")
        assert alert["level"] == "WARNING"
        assert alert["args"] == {"file": "/etc/ssh/sshd_config"}
        assert alert["formatted"].startswith("/etc/ssh/sshd_config was edited")
        assert alert["datetime"]["$date"] > 0
    # In words for people, in JSON for scripts.
    done = fresh.cli("status")
    assert done.returncode == 1
    line, = [line for line in done.stdout.splitlines() if "edited" in line]
    assert line.startswith("WARNING  20")
    assert "No problems" not in done.stdout
    done = fresh.cli("--json", "status")
    assert done.returncode == 1
    assert json.loads(done.stdout)["alerts"] == [alert]
    # Nothing of it is lost with core.
    before = fresh.roles()["core"]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: fresh.roles().get("core") not in (None, before), 10,
               "core is back")

    def reconnected():
        try:
            return fresh.root()
        except OSError:
            return None

    assert fresh.sshd_config().endswith("# mine\n")
    with wait_until(reconnected, 20, "a connection") as client:
        again, = alerts(client, "ConfigurationFileEdited")
        assert (again["uuid"], again["datetime"]) == (
            alert["uuid"], alert["datetime"])
        client.call("core.subscribe", "alert.list")
        client.start("ssh.foreign_edits", {"action": "DISCARD"})
        assert told(client, "removed")["id"] == alert["uuid"]
    with fresh.root() as client:
        assert alerts(client, "ConfigurationFileEdited") == []
    done = fresh.cli("status")
    assert done.returncode == 0 and "No problems" in done.stdout


def test_service_that_gave_up(instance, root, admin):
    keys = list(instance.inside("/etc/ssh").glob("ssh_host_*_key"))
    assert keys
    root.control("START")
    admin.call("core.subscribe", "alert.list")
    try:
        for key in keys:
            key.chmod(0o644)
        os.kill(instance.sshd_pid(), signal.SIGKILL)
        alert = told(admin, "added")["fields"]
    finally:
        for key in keys:
            key.chmod(0o600)
    assert alert["klass"] == "ServiceFailed" and alert["level"] == "CRITICAL"
    assert alert["formatted"].startswith("Service ssh is down: exited with")
    assert "no hostkeys available" in alert["formatted"]
    done = instance.cli("status")
    assert done.returncode == 1
    assert done.stdout.count("no hostkeys available") == 2    # its row as well
    root.control("START")
    assert told(admin, "removed")["id"] == alert["uuid"]
    root.control("STOP")
    assert alerts(root, "ServiceFailed") == []
    assert instance.cli("status").returncode == 0


def test_disk_that_gets_full(instance, root):
    """A small disk over the folder: what its name leads to is looked at."""
    try:
        instance.enter("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs",
                       PATH_STATE)
        assert instance.cli("status").returncode == 0
        instance.enter("sh", "-c", "head -c 980000 /dev/zero >"
                       f"{PATH_STATE}/filler")
        alert, = alerts(root, "DiskSpaceLow")
        assert alert["args"] == {"free": 0, "percent": 6}
        assert alerts(root, "DiskSpaceCritical") == []
        instance.enter("sh", "-c", "head -c 60000 /dev/zero >"
                       f"{PATH_STATE}/more")
        assert len(alerts(root, "DiskSpaceCritical")) == 1
        assert alerts(root, "DiskSpaceLow") == []
        assert instance.cli("status").returncode == 1
    finally:
        instance.enter("umount", PATH_STATE)
    assert alerts(root, "DiskSpaceCritical") == []
    assert instance.cli("status").returncode == 0


@pytest.mark.release
@pytest.mark.parametrize("program", ["full_disk.py", "full_log.py"])
def test_full_disk(program):
    """In a mount namespace of its own: see these."""
    disk = Instance.new_directory()
    try:
        done = subprocess.run(
            ["unshare", "-m", "/usr/bin/python3",
             pathlib.Path(__file__).with_name(program), disk],
            capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr
    finally:
        os.rmdir(disk)


def test_nothing_asks_for_a_new_start(root):
    info = root.call("system.reboot.info")
    assert info == {"boot_id": root.call("system.boot_id"),
                    "reboot_required_reasons": []}
    assert root.call("holdfast.status")["reboot_required"] == []
