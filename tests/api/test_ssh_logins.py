"""Real ssh against the real sshd under the settings of the API."""

import os
import socket
import subprocess
import threading

import pytest

from harness import PASSWORD, banner, echoes, wait_until

pytestmark = pytest.mark.release
GROUP = ["builtin_administrators"]


@pytest.fixture
def root(fresh):
    with fresh.root() as client:
        yield client


def test_login_with_a_key(ssh):
    assert ssh.works()


def test_login_with_another_key_is_refused(ssh, tmp_path):
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                    other], check=True, timeout=30)
    ssh.key = other
    assert not ssh.works()


def test_password_is_refused_by_default(ssh):
    assert not ssh.works(password=PASSWORD)


def test_password_is_refused_without_a_group(ssh, root):
    root.call("ssh.update", {"passwordauth": True})
    assert not ssh.works(password=PASSWORD)


def test_password_is_accepted_for_the_group(ssh, root):
    root.call("ssh.update", {"passwordauth": True,
                             "password_login_groups": GROUP})
    assert ssh.works(password=PASSWORD)
    assert not ssh.works(password="wrong")


def test_group_counts_only_with_passwordauth(ssh, root):
    root.call("ssh.update", {"passwordauth": False,
                             "password_login_groups": GROUP})
    assert not ssh.works(password=PASSWORD)


def test_password_is_refused_again_when_switched_off(ssh, root):
    root.call("ssh.update", {"passwordauth": True,
                             "password_login_groups": GROUP})
    root.call("ssh.update", {"passwordauth": False})
    assert not ssh.works(password=PASSWORD)
    assert ssh.works()


def test_new_port_answers_and_the_old_one_does_not(fresh, ssh, root):
    root.call("ssh.update", {"tcpport": 2345})
    assert ssh.works(port=2345)
    assert banner(fresh.address, 2222) is None


def test_open_session_survives_a_change_of_the_port(ssh, root):
    session = ssh.session()
    try:
        assert echoes(session, "before")
        root.call("ssh.update", {"tcpport": 2345})
        assert echoes(session, "after")
    finally:
        session.kill()
        session.communicate()


def test_open_session_survives_a_restart_of_the_service(ssh, root):
    session = ssh.session()
    try:
        assert echoes(session, "before")
        root.control("RESTART")
        assert echoes(session, "after")
    finally:
        session.kill()
        session.communicate()


def test_weak_cipher_works_only_when_chosen(ssh, root):
    weak = ("-c", "aes128-cbc")
    assert not ssh.works(options=weak)
    root.call("ssh.update", {"weak_ciphers": ["AES128-CBC"]})
    assert ssh.works(options=weak)
    root.call("ssh.update", {"weak_ciphers": []})
    assert not ssh.works(options=weak)


def test_weak_cipher_none_changes_nothing_on_the_wire(ssh, root):
    root.call("ssh.update", {"weak_ciphers": ["NONE"]})
    assert ssh.works()
    assert not ssh.works(options=("-c", "aes128-cbc"))


def forwards(ssh, tmp_path):
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


def test_forwarding_only_when_switched_on(ssh, root, tmp_path):
    assert not forwards(ssh, tmp_path)
    root.call("ssh.update", {"tcpfwd": True})
    assert forwards(ssh, tmp_path)
    root.call("ssh.update", {"tcpfwd": False})
    assert not forwards(ssh, tmp_path)


def compresses(ssh):
    done = ssh.run("true", options=("-C", "-v", "-o", "LogLevel=DEBUG"))
    assert done.returncode == 0, done
    return "compression: zlib" in done.stderr


def test_compression_only_when_switched_on(ssh, root):
    assert not compresses(ssh)
    root.call("ssh.update", {"compression": True})
    assert compresses(ssh)


def test_sftp_works(ssh, tmp_path):
    arguments, environment = ssh.command()
    arguments[0] = "sftp"
    arguments[arguments.index("-p")] = "-P"
    done = subprocess.run([*arguments[:1], "-b", "-", *arguments[1:]],
                          input="pwd\n", env=environment, text=True,
                          capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done


def test_options_take_effect(ssh, root):
    root.call("ssh.update", {"options": "DenyUsers truenas_admin"})
    assert not ssh.works()
    root.call("ssh.update", {"options": ""})
    assert ssh.works()


def test_the_whole_of_first_light(fresh, ssh):
    """The issue's own example, through TLS."""
    with fresh.admin() as client:
        client.call("ssh.update", {
            "tcpport": 2456, "passwordauth": True,
            "password_login_groups": GROUP, "weak_ciphers": [],
            "options": "MaxAuthTries 3"})
        assert ssh.works(port=2456, password=PASSWORD)
        assert banner(fresh.address, 2222) is None
        before = fresh.sshd_pid()
        error = client.error("ssh.update", {"options": "PermitRotLogin no"})
        assert error.paths == ["ssh_update.options"]
        assert fresh.sshd_pid() == before
        assert ssh.works(port=2456)


def test_root_does_not_log_in_with_a_password(fresh, ssh, root):
    root.call("ssh.update", {"passwordauth": True,
                             "password_login_groups": GROUP})
    ssh.user = "root"
    assert not ssh.works(password=PASSWORD)


def host_keys(instance):
    done = subprocess.run(
        ["ssh-keyscan", "-T", "10", "-p", str(instance.ssh_port),
         instance.address], capture_output=True, text=True, timeout=60,
        check=True)
    return {line for line in done.stdout.splitlines()
            if not line.startswith("#")}


def test_host_keys_are_kept(fresh, ssh, root):
    before = host_keys(fresh)
    assert before
    root.control("RESTART")
    assert host_keys(fresh) == before
    root.call("service.update", "ssh", {"enable": True})
    fresh.stop()
    fresh.start()
    assert host_keys(fresh) == before


def test_host_keys_are_the_instances_own(fresh, ssh, make_instance):
    other = make_instance().start()
    with other.root() as client:
        client.control("START")
    keys = {line.split()[2] for line in host_keys(fresh)}
    others = {line.split()[2] for line in host_keys(other)}
    assert keys and others and not keys & others
    for name in os.listdir("/etc/ssh"):
        if name.endswith("_key.pub"):
            with open(f"/etc/ssh/{name}", encoding="utf-8") as file:
                assert file.read().split()[1] not in keys


def test_sshd_listens_on_the_instances_address_alone(fresh, ssh):
    assert banner(fresh.address, fresh.ssh_port)
    assert banner("127.0.0.1", fresh.ssh_port) is None


def test_sshd_and_its_sessions_end_with_the_instance(fresh, ssh):
    session = ssh.session()
    try:
        assert echoes(session, "before")
        fresh.stop()
        wait_until(lambda: session.poll() is not None, 20, "its end")
    finally:
        session.kill()
        session.communicate()
