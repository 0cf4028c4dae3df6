"""Host keys: replaced while clients learn, withdrawn in time, damaged."""

import os
import signal
import time

import pytest

from cuts import reconnect
from harness import ApiError, Ssh, echoes, wait_until

pytestmark = pytest.mark.release
CHANGED = "REMOTE HOST IDENTIFICATION HAS CHANGED"
PERIOD = 86400


class KnowingSsh(Ssh):
    """A client with a known_hosts of its own."""

    def __init__(self, instance, folder):
        super().__init__(instance, folder)
        self.known = self.folder / "known_hosts"

    def knows(self, key):
        self.known.write_text(
            f"[{self.instance.address}]:{self.instance.ssh_port} {key}\n")

    def lines(self):
        return {" ".join(line.split()[1:3])
                for line in self.known.read_text().splitlines()}

    def strict(self, update="no"):
        return ["-o", f"UserKnownHostsFile={self.known}",
                "-o", "StrictHostKeyChecking=yes",
                "-o", f"UpdateHostKeys={update}", "-o", "LogLevel=INFO"]

    def gets_in(self):
        return self.works(options=self.strict())

    def learns(self, condition):
        """Stays until what the server told stands in known_hosts."""
        session = self.session(options=self.strict("yes"))
        try:
            wait_until(lambda: condition(self.lines()), 30, "known_hosts")
        finally:
            session.kill()
            session.communicate()


def keys(client):
    """{type: (current, new or None)}"""
    found = {}
    for key in client.call("ssh.host_keys"):
        assert key["problem"] is None
        old, new = found.get(key["type"], (None, None))
        found[key["type"]] = ((old, key["public_key"]) if key["replaces"]
                              else (key["public_key"], new))
    return found


def alerts(client, klass):
    return [one["args"] for one in client.call("alert.list")
            if one["klass"] == klass]


def files(instance):
    listed = instance.enter("ls", "/etc/ssh").stdout.split()
    return {name for name in listed if name.startswith("ssh_host_") and
            not name.endswith(".pub")}


def rotate(client, **options):
    return client.call("ssh.rotate_host_keys", options)


@pytest.fixture
def ssh(instance, root, tmp_path):
    if root.call("ssh.config")["new_host_keys"]:
        rotate(root, action="UNDO")
    root.call("ssh.update", {"options": "", "hardening": "MODERN"})
    root.call("ssh.update", {"kept_host_keys": []})
    root.control("START")
    yield KnowingSsh(instance, tmp_path)
    with instance.root() as client:
        if client.call("ssh.config")["new_host_keys"]:
            rotate(client, action="UNDO")
        client.control("STOP")


def kill_core(instance):
    before = instance.roles()["core"]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: instance.roles().get("core", before) != before, 30,
               "another core")
    return reconnect(instance.root)


def test_clients_learn_the_new_key_before_the_old_one_goes(
        instance, root, ssh):
    old, _ = keys(root)["ed25519"]
    ssh.knows(old)
    rotate(root, types=["ed25519"], seconds=PERIOD)
    same, new = keys(root)["ed25519"]
    assert same == old != new and new.startswith("ssh-ed25519 ")
    assert root.call("ssh.config")["new_host_keys"] == ["ed25519"]
    assert alerts(root, "SshHostKeysReplaced")[0]["types"] == "ed25519"
    with pytest.raises(ApiError) as refused:
        rotate(root, types=["rsa"])
    assert refused.value.paths == ["options.action"]
    # Nothing of it is lost with core, nor begun anew.
    root = kill_core(instance)
    assert keys(root)["ed25519"] == (old, new)
    assert ssh.gets_in() and ssh.lines() == {old}
    ssh.learns(lambda known: {old, new} <= known)
    # Who was here meanwhile works on, who was not is warned.
    assert keys(root)["rsa"][1] is None
    rotate(root, action="FINISH")
    assert keys(root)["ed25519"] == (new, None)
    assert not alerts(root, "SshHostKeysReplaced")
    wait_until(lambda: len(files(instance)) == 3, 30, "the former one goes")
    assert ssh.gets_in()
    ssh.learns(lambda known: old not in known)
    ssh.knows(old)
    assert CHANGED in ssh.run("true", options=ssh.strict()).stderr


def test_it_ends_by_itself_and_can_be_undone(instance, root, ssh):
    before = keys(root)
    # By the scheduler, all that are offered.
    rotate(root, seconds=1)
    wait_until(lambda: not root.call("ssh.config")["new_host_keys"], 60,
               "its end")
    after = keys(root)
    assert set(after) == set(before) == {"ed25519", "rsa"}
    assert not {one for one, _ in before.values()} & {
        one for one, _ in after.values()}
    assert not alerts(root, "SshHostKeysReplaced")
    ssh.knows(after["ed25519"][0])
    assert ssh.gets_in()
    # Undone, all is as it was, for clients too.
    done = instance.cli("ssh", "rotate-host-keys", "ed25519")
    assert done.returncode == 0, done.stderr
    new = keys(root)["ed25519"][1]
    ssh.learns(lambda known: new in known)
    assert new in instance.cli("ssh", "host-keys").stdout
    assert instance.cli("ssh", "rotate-host-keys", "undo").returncode == 0
    assert keys(root) == after
    ssh.learns(lambda known: new not in known)
    wait_until(lambda: len(files(instance)) == 3, 30, "the new one goes")
    for action in ("UNDO", "FINISH"):
        with pytest.raises(ApiError) as refused:
            rotate(root, action=action)
        assert refused.value.paths == ["options.action"]


def test_what_cannot_be_replaced(instance, root, ssh):
    with pytest.raises(ApiError) as refused:
        rotate(root, types=["ecdsa"])
    assert refused.value.paths == ["options.types"]
    root.call("ssh.update", {"options": "HostKey /etc/ssh/ssh_host_rsa_key"
              if "ssh_host_rsa_key" in files(instance)
              else "HostKey /etc/ssh/ssh_host_rsa_key_2"})
    with pytest.raises(ApiError) as refused:
        rotate(root)
    assert refused.value.paths == ["options.action"]
    root.call("ssh.update", {"options": ""})
    with pytest.raises(ApiError) as refused:
        root.call("ssh.update", {"new_host_keys": ["rsa"]})
    assert refused.value.paths == ["data.new_host_keys"]


@pytest.mark.parametrize("victim", ["core", "monitor"])
def test_a_crash_leaves_it_done_or_not_done(fresh, victim):
    with fresh.root() as client:
        client.control("START")
    for seconds in (0.0, 0.02, 0.05, 0.15, 0.3):
        client = fresh.root()
        old = keys(client)["ed25519"][0]
        client.start("ssh.rotate_host_keys",
                     {"types": ["ed25519"], "seconds": PERIOD})
        time.sleep(seconds)  # how far it gets is not what is asserted
        if victim == "core":
            client = kill_core(fresh)
        else:
            # First alone, and its roles die with it; then what is left.
            fresh.process.kill()
            fresh.process.wait(30)
            fresh.kill()
            fresh.start()
            client = fresh.root()
        current, new = keys(client)["ed25519"]
        assert current == old
        if new is None:
            assert not client.call("ssh.config")["new_host_keys"]
        else:
            rotate(client, action="FINISH")
            assert keys(client)["ed25519"] == (new, None)
        assert not alerts(client, "SshHostKeyDamaged")
        wait_until(lambda: len(files(fresh)) == 3, 30, "no file is left over")
        client.close()
    # In which files they are is no setting that a reset takes back.
    with fresh.root() as client:
        rotate(client, types=["rsa"])
        rotate(client, action="FINISH")
        before = keys(client)
        assert client.job("config.reset", {"reboot": False})["error"] is None
        assert keys(client) == before


def test_a_damaged_key_is_told_and_nothing_changes(instance, root, ssh):
    good = keys(root)
    name, = (one for one in files(instance) if "ed25519" in one)
    ssh.knows(good["rsa"][0])
    session = ssh.session()
    assert echoes(session, "hello")
    config = instance.sshd_config()
    instance.enter("sh", "-c", f"echo nonsense >/etc/ssh/{name}")
    with pytest.raises(ApiError) as refused:
        root.call("ssh.update", {"tcpfwd": True})
    assert refused.value.paths == ["ssh_update.host_ed25519_key"]
    assert name in refused.value.texts[0]
    assert instance.sshd_config() == config
    assert not root.call("ssh.config")["tcpfwd"]
    # What ran goes on, and so do the other keys.
    assert echoes(session, "still here")
    session.kill()
    session.communicate()
    assert ssh.gets_in()
    # Found at start, too.
    root = kill_core(instance)
    alert, = wait_until(lambda: alerts(root, "SshHostKeyDamaged"), 30,
                        "the alert")
    assert alert["type"] == "ed25519"
    # It is replaced at once, as nobody could learn from it.
    replaced = {key["type"]: key for key in rotate(root, types=["ed25519"])}
    assert not replaced["ed25519"]["replaces"]
    assert replaced["ed25519"]["public_key"] != good["ed25519"][0]
    assert not alerts(root, "SshHostKeyDamaged")
    assert root.call("ssh.config")["new_host_keys"] == []
    ssh.knows(replaced["ed25519"]["public_key"])
    assert ssh.gets_in()
    wait_until(lambda: name not in files(instance), 30, "it is gone")
