"""A full disk, and what an administrator does about it; run in a mount
namespace of its own, where the folder that is named becomes a small disk.

What is kept of the disk lets him log in, change the log's settings, export it
and let old records go, all of it recorded, while nothing else is.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys

from full_disk import again, classes, fill
from harness import ADMIN, Instance, wait_until
from test_audit_config import make_old, old_ones

MIB = 1 << 20
KEPT = MIB      # of each, on a disk of 64 MiB


def sizes(instance):
    return [(instance.directory / folder / "reserve").stat().st_size
            for folder in ("audit", "state")]


def ordinary(client):
    """A call whose record nothing is kept for."""
    client.error("ssh.update", {"options": "NoSuchDirective 1"})


def until_full(client, filler):
    """How many calls it took."""
    fill(filler)
    for number in range(1, 2000):
        ordinary(client)
        if "AuditServiceHealth" in classes(client):
            return number
    raise AssertionError("the log never got full")


def found(client, service="MIDDLEWARE", **members):
    return client.call("audit.query", {
        "services": [service],
        "query-filters": [[name.replace("__", "."), "=", value]
                          for name, value in members.items()],
        "query-options": {"limit": 5000}})


def repair(instance, client):
    """What must go on; each is in the log at once."""
    before = len(found(client, event="AUTHENTICATION", username=ADMIN))
    with instance.admin() as admin:
        assert len(found(client, event="AUTHENTICATION",
                         username=ADMIN)) == before + 1
        admin.call("audit.update", {"quota_fill_warning": 70})
        record, = found(client, event_data__method="audit.update",
                        success=True)
        assert record["username"] == ADMIN
        admin.job("audit.export", {"query-options": {"limit": 10}})
        assert found(client, event="EXPORT")
        assert found(client, event_data__method="audit.export",
                     success=True)
        head = json.loads(admin.call("audit.head"))
        assert old_ones(client) == 25
        admin.call("audit.confirm_clock")
        assert old_ones(client) == 5
        assert found(client, "SYSTEM", event="PRUNE")
        assert head["size"] > 0


def check(instance, disk):
    instance.start().setup_admin()
    instance.stop()
    make_old(instance.directory / "audit", [40, 20, 20, 8, 3])
    instance.start()
    assert sizes(instance) == [KEPT, KEPT]
    with instance.root() as client:
        # A gigabyte is more than there is.
        error = client.error("audit.update", {"reservation": 1})
        assert error.paths == ["audit_update.reservation"]
        made = until_full(client, disk / "filler")
        repair(instance, client)
        # What went made some room; then it is full again, for all else.
        made += until_full(client, disk / "another")
        count = len(found(client, event_data__method="ssh.update"))
        with instance.admin() as admin:
            admin.call("audit.update", {"quota_fill_warning": 72})
        ordinary(client)
        assert len(found(client,
                         event_data__method="ssh.update")) == count
        assert count < made
        assert "AuditServiceHealth" in classes(client)
        assert 0 < sizes(instance)[0] < KEPT
        (disk / "another").unlink()
        os.truncate(disk / "filler", 0)
        wait_until(lambda: "AuditServiceHealth" not in classes(client), 30,
                   "no alert")
        # What had to wait is there as well, once.
        wait_until(lambda: len(found(
            client, event_data__method="ssh.update")) == made + 1, 30,
                   "records")
        client.call("audit.config")
        wait_until(lambda: sizes(instance)[0] == KEPT, 30, "room kept")
    done = instance.cli("--json", "audit", "verify")
    assert json.loads(done.stdout)["verified"], done
    # It is there for roles that begin anew on the full disk.
    fill(disk / "filler")
    before = {name: instance.roles()[name] for name in ("audit", "core")}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: all(instance.roles().get(name, pid) != pid
                           for name, pid in before.items()), 60, "roles")
    with again(instance) as client:
        with instance.admin() as admin:
            admin.call("audit.update", {"quota_fill_warning": 71})
        assert len(found(client, event_data__method="audit.update",
                         success=True)) == 3
    os.truncate(disk / "filler", 0)
    instance.stop()


def main(disk):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700",
                    "tmpfs", disk], check=True)
    instance = Instance("release", disk / "instance")
    try:
        check(instance, disk)
    except BaseException:
        print(instance.log()[-8000:], file=sys.stderr)
        raise
    finally:
        if instance.process and instance.process.poll() is None:
            instance.process.kill()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
