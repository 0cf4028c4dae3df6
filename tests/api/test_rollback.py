"""Changes that go wrong after they were found good: everything is as before.

The sshd of the instance is replaced, its disk filled or its port taken from
inside, as an accident would; the product has no part in it.
"""

import os
import signal
import socket
import threading

import pytest

from harness import banner, wait_until

pytestmark = [pytest.mark.release, pytest.mark.bounded(240)]
# A program of Debian's openssh-client that the instance can do without.
SPARE = "/usr/bin/ssh-argv0"


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


def mount_standin(instance, binary):
    """From now on /usr/sbin/sshd inside is this program."""
    instance.enter("mount", "--bind", "/usr/sbin/sshd", SPARE)
    instance.enter("mount", "--bind", binary, "/usr/sbin/sshd")


def unmount_standin(instance):
    instance.enter("umount", "/usr/sbin/sshd")
    # Lazily: the sshd that was put aside may still run from there.
    instance.enter("umount", "-l", SPARE)


def refused(client, change):
    error = client.error("ssh.update", change)
    assert error.code in (-32001, -32602), error
    return error


def test_port_of_another_program_is_refused(fresh, ssh):
    before = Before(fresh)
    with socket.create_server((fresh.address, 2345)):
        with fresh.root() as client:
            refused(client, {"tcpport": 2345})
            before.check_served(ssh)
            assert client.call("service.started", "ssh") is True


def test_port_taken_between_check_and_reload(fresh, ssh):
    before = Before(fresh)
    sshd = fresh.sshd_pid()
    outcome = []

    def update():
        with fresh.root() as client:
            outcome.append(refused(client, {"tcpport": 2345}))

    # A stopped sshd takes its SIGHUP later, so that there is time.
    os.kill(sshd, signal.SIGSTOP)
    thread = threading.Thread(target=update)
    thread.start()
    try:
        wait_until(lambda: "Port 2345" in fresh.sshd_config(), 30,
                   "the new file")
        holder = socket.create_server((fresh.address, 2345))
    finally:
        os.kill(sshd, signal.SIGCONT)
    with holder:
        thread.join(120)
        assert outcome, "accepted, or no answer"
        before.check_served(ssh)
    before.check_served(ssh)


def test_sshd_that_dies_on_sighup(fresh, ssh, compiled):
    before = Before(fresh)
    mount_standin(fresh, compiled("standin", f'-DREAL="{SPARE}"', "-DDIE"))
    with fresh.root() as client:
        refused(client, {"options": "MaxAuthTries 2"})
        before.check()
    unmount_standin(fresh)
    with fresh.root() as client:
        client.control("START")
    before.check_served(ssh)


def test_sshd_that_offers_something_else(fresh, ssh, compiled):
    before = Before(fresh)
    mount_standin(fresh, compiled(
        "standin", f'-DREAL="{SPARE}"', '-DOFFER="Ciphers=aes128-ctr"'))
    with fresh.root() as client:
        refused(client, {"options": "MaxAuthTries 2"})
        before.check()
    unmount_standin(fresh)
    with fresh.root() as client:
        client.control("RESTART")
    before.check_served(ssh)


def test_sshd_that_reads_something_else(fresh, ssh, compiled):
    """On the wire all is well; what it obeys is not what was rendered."""
    before = Before(fresh)
    mount_standin(fresh, compiled(
        "standin", f'-DREAL="{SPARE}"', '-DOFFER="Port=2999"'))
    with fresh.root() as client:
        refused(client, {"options": "MaxAuthTries 2"})
        before.check()
    unmount_standin(fresh)
    with fresh.root() as client:
        client.control("RESTART")
    before.check_served(ssh)


def test_no_space_for_the_file(fresh, ssh):
    before = Before(fresh)
    fresh.enter("sh", "-c", """
        set -e
        cp -a /etc/ssh /run/ssh-copy
        mount -t tmpfs -o size=4m,mode=755 tmpfs /etc/ssh
        cp -a /run/ssh-copy/. /etc/ssh/
        cat /dev/zero >/etc/ssh/filler 2>/dev/null || true
    """)
    with fresh.root() as client:
        error = refused(client, {"options": "MaxAuthTries 2"})
        assert "space" in str(error).lower() or "ENOSPC" in str(error)
        before.check_served(ssh)
    fresh.enter("sh", "-c", "umount /etc/ssh && rm -r /run/ssh-copy")
    with fresh.root() as client:
        client.call("ssh.update", {"options": "MaxAuthTries 2"})
    assert ssh.works()


def test_no_inode_for_the_file(fresh, ssh):
    before = Before(fresh)
    fresh.enter("sh", "-c", """
        set -e
        cp -a /etc/ssh /run/ssh-copy
        mount -t tmpfs -o nr_inodes=40,mode=755 tmpfs /etc/ssh
        cp -a /run/ssh-copy/. /etc/ssh/
        i=0
        while touch "/etc/ssh/filler$i" 2>/dev/null; do i=$((i + 1)); done
    """)
    with fresh.root() as client:
        refused(client, {"options": "MaxAuthTries 2"})
        before.check_served(ssh)
    fresh.enter("sh", "-c", "umount /etc/ssh && rm -r /run/ssh-copy")


def test_change_of_what_runs_not_is_checked_as_well(fresh):
    before = Before(fresh)
    with fresh.root() as client:
        refused(client, {"options": "NoSuchDirective yes"})
        before.check()
        assert client.call("service.started", "ssh") is False


def test_after_a_failure_the_next_change_works(fresh, ssh):
    with fresh.root() as client:
        with socket.create_server((fresh.address, 2345)):
            refused(client, {"tcpport": 2345})
        client.call("ssh.update", {"tcpport": 2345})
    assert ssh.works(port=2345)
    assert banner(fresh.address, 2222) is None


def test_failed_change_is_undone_after_a_power_cut(fresh, ssh):
    """Killed between install and verification: one of both, and whole."""
    before = Before(fresh)
    sshd = fresh.sshd_pid()
    os.kill(sshd, signal.SIGSTOP)
    client = fresh.root()
    client.start("ssh.update", {"options": "MaxAuthTries 2"})
    wait_until(lambda: "MaxAuthTries 2" in fresh.sshd_config(), 30,
               "the new file")
    fresh.kill()
    client.close()
    fresh.start()
    with fresh.root() as client:
        config = client.call("ssh.config")
        changed = config["options"] == "MaxAuthTries 2"
        assert config == before.config | {
            "options": "MaxAuthTries 2" if changed else ""}
        assert ("MaxAuthTries 2" in fresh.sshd_config()) == changed
        client.control("START")
    assert ssh.works()
