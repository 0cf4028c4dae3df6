"""The settings of SSH, both values of each, as real clients meet them.

Others stand where they are made: hardening in test_ssh_hardening.py, times in
test_ssh_times.py, the banner in test_banner.py, codes in
test_twofactor_ssh.py, users' own in test_locked.py and test_user_access.py.
"""

import contextlib
import os
import re
import socket
import subprocess
import threading

import pytest

from harness import (ADMIN, PASSWORD, KeySsh, banner, echoes, next_address,
                     wait_until)

pytestmark = pytest.mark.release
GROUP = ["builtin_administrators"]
ONCE = ("-o", "PreferredAuthentications=password")    # PAM takes its time
PORT, OTHER = 2222, 2345
PLAIN = {"tcpport": PORT, "passwordauth": False, "password_login_groups": [],
         "tcpfwd": False, "compression": False, "weak_ciphers": [],
         "sftp_log_level": "", "sftp_log_facility": "", "options": "",
         "lockout": True}


@pytest.fixture
def root(instance):
    with instance.root() as client:
        client.call("ssh.update", PLAIN)
        client.control("START")
        yield client
        client.call("ssh.update", PLAIN)


@pytest.fixture
def ssh(instance, root, keys):
    made = KeySsh(instance, ADMIN, keys[0])
    made.install_key()
    return made


@contextlib.contextmanager
def opened(ssh):
    session = ssh.session()
    try:
        assert echoes(session, "before")
        yield session
    finally:
        session.kill()
        session.communicate()


def test_keys(ssh, keys):
    assert ssh.works()
    assert not KeySsh(ssh.instance, ADMIN, keys[1]).works()


def test_passwords(ssh, root):
    def let_in(**change):
        root.call("ssh.update", change)
        return ssh.works(password=PASSWORD)

    assert not let_in()
    assert not let_in(passwordauth=True)
    assert let_in(password_login_groups=GROUP)
    assert not ssh.works(password="wrong", options=ONCE)
    assert not let_in(passwordauth=False, lockout=True)
    assert ssh.works()


def test_a_password_of_root(ssh, root):
    """Off unless its account says otherwise, whatever groups may."""
    user = root.call("user.query", [["uid", "=", 0]], {"get": True})["id"]
    ssh.user = "root"
    root.call("ssh.update", {"passwordauth": True,
                             "password_login_groups": [*GROUP, "root"]})
    root.call("user.update", user, {"password": PASSWORD,
                                    "password_disabled": False})
    try:
        assert not ssh.works(password=PASSWORD, options=ONCE)
        root.call("user.update", user, {
            "ssh_password_enabled": True, "without_second_factor": True})
        assert ssh.works(password=PASSWORD)
        root.call("ssh.update", {"passwordauth": False, "lockout": True})
        assert not ssh.works(password=PASSWORD)
    finally:
        root.call("user.update", user, {"ssh_password_enabled": False,
                                        "password_disabled": True})


def test_port(instance, ssh, root):
    """Moved by who is connected over TLS; sessions outlive it, a restart and
    what is refused."""
    with opened(ssh) as session, instance.admin() as client:
        client.call("ssh.update", {
            "tcpport": OTHER, "passwordauth": True,
            "password_login_groups": GROUP, "options": "MaxAuthTries 3"})
        assert echoes(session, "after")
        assert ssh.works(port=OTHER, password=PASSWORD)
        assert banner(instance.address, PORT) is None
        before = instance.sshd_pid()
        error = client.error("ssh.update", {"options": "PermitRotLogin no"})
        assert error.paths == ["ssh_update.options"]
        assert instance.sshd_pid() == before
        root.control("RESTART")
        assert echoes(session, "still")
        root.call("ssh.update", {"tcpport": PORT})
        assert ssh.works() and echoes(session, "at last")
        assert banner(instance.address, OTHER) is None


def test_listens_on_the_instances_address_alone(instance, ssh):
    assert banner(instance.address, PORT)
    assert banner("127.0.0.1", PORT) is None


def test_weak_ciphers(ssh, root):
    """CBC works when it is chosen; none never does, nor brings others."""
    for chosen, works in ((["NONE"], False), (["AES128-CBC"], True),
                          (["AES128-CBC", "NONE"], True), ([], False)):
        root.call("ssh.update", {"weak_ciphers": chosen})
        assert ssh.works(options=("-c", "aes128-cbc")) == works, chosen
    assert ssh.works()


def forwards(ssh):
    """Does a connection through the server reach a listener?"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)

        def answer():
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"through\n")
            except OSError:
                pass

        thread = threading.Thread(target=answer)
        thread.start()
        port = listener.getsockname()[1]
        done = ssh.run(options=("-W", f"127.0.0.1:{port}"))
        if "through" not in done.stdout:
            socket.create_connection(("127.0.0.1", port)).close()
        thread.join()
    return "through" in done.stdout


def test_forwarding(ssh, root):
    assert not forwards(ssh)
    root.call("ssh.update", {"tcpfwd": True})
    assert forwards(ssh)
    root.call("ssh.update", {"tcpfwd": False})
    assert not forwards(ssh)


def compresses(ssh):
    done = ssh.run("true", options=("-C", "-v", "-o", "LogLevel=DEBUG"))
    assert done.returncode == 0, done
    return "compression: zlib" in done.stderr


def test_compression(ssh, root):
    assert not compresses(ssh)
    root.call("ssh.update", {"compression": True})
    assert compresses(ssh)
    root.call("ssh.update", {"compression": False})
    assert not compresses(ssh)


def transfer(ssh, program, *arguments, stdin=""):
    command, environment = ssh.command()
    options = command[1:-1]
    options[options.index("-p")] = "-P"
    done = subprocess.run(
        [program, *options, *arguments], env=environment, input=stdin,
        text=True, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done


def at(ssh, path):
    return f"{ssh.user}@{ssh.instance.address}:{path}"


def test_files(instance, ssh, root, tmp_path):
    """By all three protocols; what sftp-server logs, and to whom."""
    def logged(**change):
        root.call("ssh.update", change)
        transfer(ssh, "sftp", "-b", "-", at(ssh, ""), stdin="pwd\n")

    def told():
        return re.findall(r" (\w+)\.info .*session opened for local user",
                          instance.log())

    (tmp_path / "one").write_text("first\n")
    transfer(ssh, "scp", tmp_path / "one", at(ssh, "two"))
    transfer(ssh, "scp", "-O", at(ssh, "two"), tmp_path / "three")
    assert (tmp_path / "three").read_text() == "first\n"
    before = len(told())
    logged()
    logged(sftp_log_level="INFO")
    logged(sftp_log_facility="LOCAL3")
    logged(sftp_log_level="QUIET")
    logged(sftp_log_level="DEBUG3", sftp_log_facility="DAEMON")
    wait_until(lambda: "daemon" in told()[before:], 30, "the last one")
    assert told()[before:] == ["auth", "local3", "daemon"]


def test_auxiliary_parameters(ssh, root):
    for options, works in ((f"DenyUsers {ADMIN}", False),
                           (f"Match User {ADMIN}\n\tMaxSessions 0", False),
                           ("", True)):
        root.call("ssh.update", {"options": options})
        assert ssh.works() == works, options


class Silent:
    """Connections that say nothing, and what they are told."""

    def __init__(self, instance):
        self.instance = instance
        self.sockets = []

    def let_in(self, source):
        sock = socket.create_connection(
            (self.instance.address, PORT), 20, source_address=(source, 0))
        self.sockets.append(sock)
        return sock.recv(256).startswith(b"SSH-2.0-")

    def end(self):
        while self.sockets:
            self.sockets.pop().close()


def test_places_for_who_has_not_logged_in(instance, root):
    """One address has twenty; MaxStartups says otherwise for all."""
    silent = Silent(instance)
    one, two = next_address(107), next_address(107)
    try:
        assert [silent.let_in(one) for _ in range(21)] == (
            20 * [True] + [False])
        assert silent.let_in(two)
        silent.end()
        root.call("ssh.update", {"options": "MaxStartups 2:100:2"})
        assert [silent.let_in(one), silent.let_in(two),
                silent.let_in(two)] == [True, True, False]
    finally:
        silent.end()


def host_keys(instance):
    """{type: key}, as clients are told."""
    done = subprocess.run(
        ["ssh-keyscan", "-T", "10", "-p", str(PORT), instance.address],
        capture_output=True, text=True, timeout=60, check=True)
    return dict(line.split()[1:] for line in done.stdout.splitlines()
                if not line.startswith("#"))


def test_host_keys_and_settings_are_its_own_and_kept(fresh, instance, root, tmp_path):
    with fresh.root() as client:
        client.control("START")
        client.call("service.update", "ssh", {"enable": True})
        before = host_keys(fresh)
        client.control("RESTART")
        config = client.call("ssh.update", {
            "compression": True, "options": "MaxStartups 20\n"})
    assert set(before) == {"ssh-ed25519", "ssh-rsa"}
    assert host_keys(fresh) == before
    others = set(host_keys(instance).values())
    for name in os.listdir("/etc/ssh"):
        if name.endswith("_key.pub"):
            with open(f"/etc/ssh/{name}", encoding="utf-8") as file:
                others.add(file.read().split()[1])
    assert not others & set(before.values())
    ssh = KeySsh(fresh, ADMIN, tmp_path / "key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                    ssh.key], check=True, timeout=30)
    ssh.install_key()
    with opened(ssh) as session:
        fresh.stop()
        wait_until(lambda: session.poll() is not None, 20, "its end")
    fresh.start()
    assert host_keys(fresh) == before
    with fresh.root() as client:
        assert client.call("ssh.config") == config
