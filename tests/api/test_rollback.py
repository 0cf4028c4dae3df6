"""Changes that go wrong after they were found good: everything is as before.

The sshd of the instance is replaced, its disk filled or its port taken from
inside, as an accident would; the product has no part in it.
"""

import contextlib
import os
import signal
import socket
import subprocess
import threading

import pytest

from harness import (ADMIN, ApiError, Instance, KeySsh, Ssh, banner,
                     wait_until)

pytestmark = [pytest.mark.release, pytest.mark.bounded(240)]
# A program of Debian's openssh-client that the instance can do without.
SPARE = "/usr/bin/ssh-argv0"
PORT = 2222


@pytest.fixture
def served(shared):
    """Shared by these tests; each leaves it so that it works again."""
    made = shared("to be spoiled",
                  lambda build: Instance(build).start().setup_admin())
    with made.root() as client:
        client.call("ssh.update", {
            "tcpport": PORT, "options": "", "compression": False})
        client.control("START")
    return made


@pytest.fixture
def ssh(served, keys):
    made = KeySsh(served, ADMIN, keys[0])
    made.install_key()
    return made


class Before:
    """What must be the same after a change that failed."""

    def __init__(self, instance):
        self.instance = instance
        with instance.root() as client:
            self.config = client.call("ssh.config")
        self.text = instance.sshd_config()

    def check(self):
        with self.instance.root() as client:
            assert client.call("ssh.config") == self.config
        assert self.instance.sshd_config() == self.text
        left = [name for name in os.listdir(
            self.instance.inside("/etc/ssh")) if "sshd_config" in name]
        assert [name for name in left if "tmp" in name.lower()] == []

    def check_served(self, ssh):
        self.check()
        wait_until(lambda: ssh.works(port=self.config["tcpport"]), 60,
                   "logins as before")


@contextlib.contextmanager
def standin(instance, binary):
    """Meanwhile /usr/sbin/sshd inside is this program."""
    instance.enter("mount", "--bind", "/usr/sbin/sshd", SPARE)
    instance.enter("mount", "--bind", binary, "/usr/sbin/sshd")
    try:
        yield
    finally:
        instance.enter("umount", "/usr/sbin/sshd")
        # Lazily: the sshd that was put aside may still run from there.
        instance.enter("umount", "-l", SPARE)
        with instance.root() as client:
            client.control("RESTART")


@contextlib.contextmanager
def small_folder(instance, limit):
    """Meanwhile /etc/ssh has little room."""
    instance.enter("sh", "-ec", """
        cp -a /etc/ssh /run/ssh-copy
        mount -t tmpfs -o "$1,mode=755" tmpfs /etc/ssh
        cp -a /run/ssh-copy/. /etc/ssh/
    """, "sh", limit)
    try:
        yield instance.inside("/etc/ssh")
    finally:
        instance.enter("sh", "-c", "umount /etc/ssh && rm -r /run/ssh-copy")


class Pending:
    """An ssh.update that has installed its file and is not yet verified.

    The sshd is stopped meanwhile, so that it neither reloads nor answers.
    """

    def __init__(self, instance, change, expected):
        self.sshd = instance.sshd_pid()
        self.client = instance.root()
        os.kill(self.sshd, signal.SIGSTOP)
        self.number = self.client.start("ssh.update", change)
        wait_until(lambda: expected in instance.sshd_config(), 30,
                   "the new file")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.go_on()
        self.client.close()

    def go_on(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.sshd, signal.SIGCONT)

    def error(self):
        with pytest.raises(ApiError) as raised:
            self.client.finish(self.number)
        return raised.value


def fill(folder):
    """Until there is no room for another byte."""
    with contextlib.suppress(OSError), \
            open(f"{folder}/filler", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def refused(client, change):
    error = client.error("ssh.update", change)
    assert error.code in (-32001, -32602), error
    return error


def test_port_of_another_program_is_refused(served, ssh):
    """Until it is free."""
    before = Before(served)
    with served.root() as client:
        with socket.create_server((served.address, 2345)):
            refused(client, {"tcpport": 2345})
            before.check_served(ssh)
            assert client.call("service.started", "ssh") is True
        client.call("ssh.update", {"tcpport": 2345})
    assert ssh.works(port=2345)
    assert banner(served.address, 2222) is None


def test_port_taken_between_check_and_reload(served, ssh):
    before = Before(served)
    sshd = served.sshd_pid()
    outcome = []

    def update():
        with served.root() as client:
            outcome.append(refused(client, {"tcpport": 2345}))

    # A stopped sshd takes its SIGHUP later, so that there is time.
    os.kill(sshd, signal.SIGSTOP)
    thread = threading.Thread(target=update)
    thread.start()
    try:
        wait_until(lambda: "Port 2345" in served.sshd_config(), 30,
                   "the new file")
        holder = socket.create_server((served.address, 2345))
    finally:
        os.kill(sshd, signal.SIGCONT)
    with holder:
        thread.join(120)
        assert outcome, "accepted, or no answer"
        before.check_served(ssh)
    before.check_served(ssh)


def test_sshd_that_dies_on_sighup(served, ssh, compiled):
    before = Before(served)
    dies = compiled("standin", f'-DREAL="{SPARE}"', "-DDIE")
    with standin(served, dies), served.root() as client:
        refused(client, {"options": "MaxAuthTries 2"})
        before.check()
    before.check_served(ssh)


def test_sshd_killed_while_it_reloads(served, ssh):
    """The next one reads what is installed; it is all new, or all old."""
    with Pending(served, {"tcpport": 2345}, "Port 2345") as pending:
        os.kill(pending.sshd, signal.SIGKILL)
        try:
            port = pending.client.finish(pending.number)["tcpport"]
        except ApiError as error:
            assert "did not take effect" in error.data["reason"]
            port = 2222
    with served.root() as client:
        assert client.call("ssh.config")["tcpport"] == port
        assert f"\nPort {port}\n" in served.sshd_config()
        wait_until(lambda: ssh.works(port=port), 60, "logins")
        assert banner(served.address, 2222 + 2345 - port) is None
        client.call("ssh.update", {"tcpport": 2222})
    assert ssh.works()


def test_sshd_that_offers_something_else(served, ssh, compiled):
    before = Before(served)
    other = compiled("standin", f'-DREAL="{SPARE}"',
                     '-DOFFER="Ciphers=aes128-ctr"')
    with standin(served, other), served.root() as client:
        refused(client, {"options": "MaxAuthTries 2"})
        before.check()
    before.check_served(ssh)


def test_sshd_that_reads_something_else(served, ssh, compiled):
    """On the wire all is well; what it obeys is not what was rendered."""
    before = Before(served)
    other = compiled("standin", f'-DREAL="{SPARE}"',
                     '-DOFFER="Port=2999"')
    with standin(served, other), served.root() as client:
        refused(client, {"options": "MaxAuthTries 2"})
        before.check()
    before.check_served(ssh)


def test_no_space_for_the_file(served, ssh):
    before = Before(served)
    with small_folder(served, "size=4m") as folder, served.root() as client:
        fill(folder)
        error = refused(client, {"options": "MaxAuthTries 2"})
        assert "space" in str(error).lower() or "ENOSPC" in str(error)
        before.check_served(ssh)
    with served.root() as client:
        client.call("ssh.update", {"options": "MaxAuthTries 2"})
    assert ssh.works()


def test_no_space_to_go_back(served, ssh):
    """The disk fills up after the new file: the old one needs no room."""
    before = Before(served)
    with small_folder(served, "size=4m") as folder:
        with Pending(served, {"tcpport": 2345}, "Port 2345") as pending:
            fill(folder)
            assert "did not take effect" in pending.error().data["reason"]
        before.check_served(ssh)
        with served.root() as client:
            assert client.call("service.started", "ssh") is True


def test_file_that_cannot_be_put_back_is_tried_again(served, ssh):
    before = Before(served)
    with small_folder(served, "size=4m"), served.root() as client:
        with Pending(served, {"tcpport": 2345}, "Port 2345") as pending:
            served.enter("mount", "-o", "remount,ro", "/etc/ssh")
            reason = pending.error().data["reason"]
            assert "cannot be restored" in reason
            assert "previous settings are in effect" not in reason
        assert client.call("ssh.config") == before.config
        error = client.error("ssh.update", {"compression": True})
        assert error.errname == "EBUSY"
        assert served.cli("status").returncode == 1
        served.enter("mount", "-o", "remount,rw", "/etc/ssh")
        wait_until(lambda: served.sshd_config() == before.text, 10,
                   "the old file")
        wait_until(lambda: changes(client, {"compression": True}), 10,
                   "an update")
        assert served.cli("status").returncode == 0
        assert ssh.works()
        client.call("ssh.update", {"compression": False})


def changes(client, change):
    try:
        return client.call("ssh.update", change)
    except ApiError:
        return None


@contextlib.contextmanager
def small_store(instance):
    """The instance started anew with little room for its store."""
    state = instance.directory / "state"
    instance.stop()
    subprocess.run(["sh", "-ec", """
        cp -a "$1" "$1.copy"
        mount -t tmpfs -o size=2m,mode=700 tmpfs "$1"
        chown --reference="$1.copy" "$1"
        cp -a "$1.copy/." "$1/"
    """, "sh", state], check=True, timeout=30)
    try:
        instance.start()
        with instance.root() as client:
            client.control("START")
        yield state
        instance.stop()
    finally:
        subprocess.run(["umount", "-l", state], check=True, timeout=30)


def test_no_space_in_the_store(fresh, tmp_path):
    ssh = Ssh(fresh, tmp_path)
    with small_store(fresh) as state, fresh.root() as client:
        before = Before(fresh)
        fill(state)
        error = refused(client, {"options": "MaxAuthTries 2"})
        assert error.errname == "ENOSPC"
        before.check_served(ssh)
        (state / "filler").unlink()
        client.call("ssh.update", {"options": "MaxAuthTries 2"})
        assert ssh.works()
        # Neither what was done nor that it was undone can be stored.
        before = Before(fresh)
        with Pending(fresh, {"options": "MaxAuthTries 3"},
                     "MaxAuthTries 3") as pending:
            fill(state)
            pending.go_on()
            assert "could not be stored" in pending.error().data["reason"]
        before.check_served(ssh)
        assert refused(client, {"compression": True}).errname == "EBUSY"
        (state / "filler").unlink()
        wait_until(lambda: changes(client, {"compression": True}), 10,
                   "an update")
        assert client.call("ssh.config") == before.config | {
            "compression": True}
        assert ssh.works()


@pytest.mark.parametrize("change, expected", [
    ({"options": "MaxAuthTries 2"}, "MaxAuthTries 2"),
    ({"tcpport": 2345}, "Port 2345")])
def test_core_dies_between_install_and_commit(served, ssh, change, expected):
    """Not acknowledged, not verified: taken back, and the sshd obeys."""
    before = Before(served)
    with Pending(served, change, expected) as pending:
        core = served.roles()["core"]
        os.kill(core, signal.SIGKILL)
        wait_until(lambda: served.roles().get("core") not in (None, core), 10,
                   "core")
        pending.go_on()
    wait_until(lambda: served.sshd_config() == before.text, 10,
               "the old file")
    before.check_served(ssh)
    assert served.sshd_pid() == pending.sshd
    with served.root() as client:
        client.call("ssh.update", change)
    assert ssh.works(port=change.get("tcpport", 2222))


def test_core_dies_when_sshd_obeys_already(served, ssh, compiled):
    """It offers something else, so that verification goes on for a while."""
    before = Before(served)
    other = compiled("standin", f'-DREAL="{SPARE}"',
                     '-DOFFER="Ciphers=aes128-ctr"')
    with standin(served, other):
        with served.root() as client:
            client.start("ssh.update", {"tcpport": 2345})
            wait_until(lambda: banner(served.address, 2345), 10,
                       "the new port")
            os.kill(served.roles()["core"], signal.SIGKILL)
        wait_until(lambda: banner(served.address, 2222), 10, "the old port")
        assert banner(served.address, 2345) is None
    before.check_served(ssh)


def test_stop_between_install_and_commit(served, ssh):
    before = Before(served)
    with Pending(served, {"tcpport": 2345}, "Port 2345") as pending:
        served.process.send_signal(signal.SIGTERM)
        pending.go_on()
        served.stop()
    served.start()
    before.check()
    with served.root() as client:
        client.control("START")
    before.check_served(ssh)


def test_file_edited_by_somebody_else_is_left_alone(fresh):
    with fresh.root() as client:
        client.call("ssh.update", {"options": "MaxAuthTries 2"})
    fresh.enter("sh", "-c", "echo '# mine' >>/etc/ssh/sshd_config")
    fresh.stop()
    fresh.start()
    assert fresh.sshd_config().endswith("# mine\n")
    assert fresh.cli("status").returncode == 1


def test_no_inode_for_the_file(served, ssh):
    before = Before(served)
    with small_folder(served, "nr_inodes=40") as folder, \
            served.root() as client:
        with contextlib.suppress(OSError):
            for number in range(100):
                (folder / f"filler{number}").touch()
        refused(client, {"options": "MaxAuthTries 2"})
        before.check_served(ssh)


def test_change_of_what_runs_not_is_checked_as_well(served):
    before = Before(served)
    with served.root() as client:
        client.control("STOP")
        refused(client, {"options": "NoSuchDirective yes"})
        before.check()
        assert client.call("service.started", "ssh") is False


def test_failed_change_is_undone_after_a_power_cut(served, ssh):
    """Killed between install and verification."""
    before = Before(served)
    with Pending(served, {"options": "MaxAuthTries 2"}, "MaxAuthTries 2"):
        served.kill()
    served.start()
    before.check()
    with served.root() as client:
        client.control("START")
    before.check_served(ssh)
