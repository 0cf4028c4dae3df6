"""A full disk under a whole instance; run in a mount namespace of its own,
where the folder that is named becomes a small disk.

What cannot be stored is an alert all the same, and over when there is room.
"""

import os
import pathlib
import signal
import subprocess
import sys

from websocket import WebSocketException

from harness import ApiError, Closed, Instance, wait_until


def classes(client):
    client.call("holdfast.status")      # looks at the disk
    return {alert["klass"] for alert in client.call("alert.list")}


def fill(file):
    with open(file, "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass


def connected(instance):
    try:
        return instance.root()
    except (OSError, Closed, WebSocketException):
        return None


def again(instance):
    """A connection to the core that was started anew."""
    return wait_until(lambda: connected(instance), 60, "core")


def usable(instance):
    try:
        with instance.root() as client:
            client.call("config.history", [], {"limit": 1})
    except (ApiError, OSError, Closed, WebSocketException):
        return False
    return True


def check(instance, disk):
    instance.start().setup_admin()
    with instance.root() as client:
        assert classes(client) == set()
        fill(disk / "filler")
        # Each login is a record: the log's last page gets full, too.
        for _ in range(15):
            instance.admin().close()
        assert classes(client) == {"AuditServiceHealth", "DiskSpaceCritical"}
        assert instance.cli("status").returncode == 1
        export = client.job("audit.export")
        assert "too full for an export" in export["error"], export
        before = instance.inside("/etc/group").read_bytes()
        client.error("group.create", {"name": "late"})
        assert not client.call("group.query", [["name", "=", "late"]])
        assert instance.inside("/etc/group").read_bytes() == before
    # Core comes back with its store or without, and has it again with room.
    killed = instance.roles()["core"]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: instance.roles().get("core", killed) != killed, 60,
               "another core")
    with again(instance) as client:
        client.error("group.create", {"name": "late"})
    os.truncate(disk / "filler", 0)
    wait_until(lambda: usable(instance), 60, "a store")
    with instance.root() as client:
        wait_until(lambda: classes(client) == set(), 30, "no alert")
        assert instance.cli("status").returncode == 0
        client.call("ssh.update", {"compression": True})
        client.call("group.create", {"name": "late"})
    instance.stop()
    instance.start()
    with instance.root() as client:
        assert classes(client) == set()
    instance.stop()


def main(disk):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs",
                    disk], check=True)
    instance = Instance("release", disk / "instance")
    try:
        check(instance, disk)
    except BaseException:
        print(instance.log(), file=sys.stderr)
        raise
    finally:
        if instance.process and instance.process.poll() is None:
            instance.process.kill()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
