"""A disk under the audit log of a whole instance that gets full; run in a
mount namespace of its own.  The folder of a stopped instance is named."""

import json
import os
import pathlib
import subprocess
import sys

from full_disk import fill
from harness import Instance, wait_until


def classes(client):
    return {alert["klass"] for alert in client.call("alert.list")}


def groups(client):
    return [record["event_data"]["params"][0]["name"]
            for record in client.call("audit.query", {
                "query-filters": [["event", "=", "METHOD_CALL"],
                                  ["event_data.method", "=", "group.create"],
                                  ["success", "=", True]],
                "query-options": {"order_by": ["time_us"], "limit": 1000}})]


def make_groups(client, names):
    for name in names:
        client.call("group.create", {"name": name})
    return names


def refusal(instance, client):
    """What goes on while changes are refused, and what does not."""
    client.call("audit.update", {"on_failure": "REFUSE_CHANGES"})
    before = instance.inside("/etc/group").read_bytes()
    error = client.error("group.create", {"name": "refused"})
    assert "the audit log cannot be written" in error.data["reason"]
    assert instance.inside("/etc/group").read_bytes() == before
    assert not client.call("group.query", [["name", "=", "refused"]])
    instance.admin().close()
    client.call("audit.config")
    assert instance.cli("status").returncode == 1
    client.call("audit.update", {"on_failure": "ALARM"})


def check(instance, disk):
    instance.start()
    with instance.root() as client:
        made = make_groups(client, ["first"])
        fill(disk / "filler")
        # The last page of the log may still have room for some.
        made += make_groups(client, [f"kept{i}" for i in range(12)])
        assert "AuditServiceHealth" in classes(client)
        refusal(instance, client)
        made += make_groups(client, ["alarmed"])
        killed = instance.roles()["audit"]
        os.kill(killed, 9)
        wait_until(lambda: instance.roles().get("audit", killed) != killed,
                   60, "another role")
        made += make_groups(client, ["later"])
        os.truncate(disk / "filler", 0)
        wait_until(lambda: "AuditServiceHealth" not in classes(client), 60,
                   "a log that is written")
        made += make_groups(client, ["last"])
        wait_until(lambda: sorted(groups(client)) == sorted(made), 30,
                   "all records")
    done = json.loads(instance.cli("--json", "audit", "verify").stdout)
    assert done["verified"], done
    instance.stop()


def main(directory):
    disk = directory / "audit"
    owner = disk.stat()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700,"
                    f"uid={owner.st_uid},gid={owner.st_gid}", "tmpfs", disk],
                   check=True)
    instance = Instance("release", directory)
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
