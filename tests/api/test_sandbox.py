"""What each role is refused by the kernel, taken over or not.

inject.c runs single system calls inside the real processes.  Everything that
is tried would be allowed to an ordinary process of the same user, which a
control shows.
"""

import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

from harness import ROLES, ApiError, wait_until

pytestmark = pytest.mark.release
PUBLIC = "/home/for-everybody-to-read"


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.77", 0), backlog=50) as sock:
        yield sock.getsockname()


@pytest.fixture
def inject(compiled):
    binary = compiled("inject")

    def run(pid, *what):
        done = subprocess.run([binary, str(pid), *map(str, what)],
                              capture_output=True, text=True, timeout=20,
                              check=False)
        assert done.returncode == 0, done
        word = done.stdout.strip()
        return word if word == "killed" else int(word)

    return run


def uid_of(pid):
    return os.stat(f"/proc/{pid}").st_uid


def ordinary(instance, uid):
    """A process without a sandbox of that user, inside the instance."""
    return subprocess.Popen(
        ["nsenter", f"--mount=/proc/{instance.pid}/ns/mnt", "setpriv",
         f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "sleep",
         "100"], stdin=subprocess.DEVNULL)


@pytest.fixture
def target(instance):
    """{uid: pid} of an ordinary process of each role's user."""
    made = {}

    def of(uid):
        if uid not in made:
            made[uid] = ordinary(instance, uid)
            wait_until(lambda: uid_of(made[uid].pid) == uid and
                       "sleep" in pathlib.Path(
                           f"/proc/{made[uid].pid}/comm").read_text(),
                       10, "an ordinary process")
        return made[uid].pid

    instance.enter("sh", "-c", f"echo hello >{PUBLIC}; chmod 644 {PUBLIC}")
    yield of
    for process in made.values():
        process.kill()
        process.wait()


def refused(result):
    return result == "killed" or result < 0


def test_the_same_calls_are_allowed_without_a_sandbox(
        instance, inject, target, listener):
    """Else the tests below would prove nothing."""
    uid = uid_of(instance.roles()["web"])
    victim, other = target(uid), target(uid + 1000)
    assert inject(victim, "open", PUBLIC) >= 0
    assert inject(victim, "connect", *listener) == 0
    assert inject(other, "open", "/etc/shadow") < 0
    assert inject(victim, "exec", "/bin/true") == 0


@pytest.mark.parametrize("role", ROLES)
def test_role_may_not_open_the_shadow_file(instance, inject, role):
    assert refused(inject(instance.roles()[role], "open", "/etc/shadow"))


@pytest.mark.parametrize("role", ROLES)
def test_role_may_not_open_what_everybody_may(instance, inject, target,
                                              role):
    assert refused(inject(instance.roles()[role], "open", PUBLIC))


@pytest.mark.parametrize("role", ROLES)
def test_role_may_not_open_its_own_proc(instance, inject, role):
    assert refused(inject(instance.roles()[role], "open",
                          f"/proc/{instance.pid}/environ"))


@pytest.mark.parametrize("role", ROLES)
def test_role_may_not_execute(instance, inject, role):
    assert refused(inject(instance.roles()[role], "exec", "/bin/true"))


@pytest.mark.parametrize("role", ROLES)
def test_role_may_not_connect(instance, inject, listener, role):
    assert refused(inject(instance.roles()[role], "connect", *listener))


@pytest.mark.parametrize("role", ROLES)
def test_role_may_not_trace_even_its_own_user(instance, inject, target,
                                              role):
    pid = instance.roles()[role]
    assert refused(inject(pid, "ptrace", target(uid_of(pid))))


@pytest.mark.parametrize("role", ROLES)
def test_role_has_a_user_of_its_own_and_nothing_else(instance, role):
    pids = instance.roles()
    uids = {name: uid_of(pid) for name, pid in pids.items()}
    assert uids[role] != 0
    assert [name for name, uid in uids.items()
            if uid == uids[role]] == [role]
    status = dict(
        line.split(":\t", 1) for line in pathlib.Path(
            f"/proc/{pids[role]}/status").read_text().splitlines()
        if ":\t" in line)
    assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
    assert status["Seccomp_filters"] == "2"
    assert status["Groups"].split() == []
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name


@pytest.mark.parametrize("role", ROLES)
def test_role_still_works_after_the_attempts(instance, inject, role):
    pid = instance.roles()[role]
    inject(pid, "open", "/etc/shadow")
    with instance.admin() as client, instance.root() as second:
        assert client.call("core.ping") == second.call("core.ping") == "pong"
        client.call("audit.query", {"query-options": {"limit": 1}})


def test_users_exist_inside_only(instance):
    uid = uid_of(instance.roles()["web"])
    assert "_hfweb" in instance.enter("getent", "passwd", str(uid)).stdout
    assert subprocess.run(["getent", "passwd", "_hfweb"], check=False,
                          capture_output=True).returncode != 0


def sandboxed_worker(instance, seconds=20):
    """The pid of a worker that has entered its sandbox, stopped."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pid = instance.roles().get("worker")
        if pid is None:
            continue
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            # The first one is that against io_uring, from its start on.
            if "Seccomp_filters:\t2" in status:
                os.kill(pid, signal.SIGSTOP)
                return pid
        except (OSError, ProcessLookupError):
            continue
    raise AssertionError("no worker was seen")


def check_worker(instance, inject, pid):
    assert uid_of(pid) not in (0, *(
        uid_of(other) for name, other in instance.roles().items()
        if name != "worker"))
    assert refused(inject(pid, "open", "/etc/shadow"))
    assert refused(inject(pid, "open", PUBLIC))
    assert refused(inject(pid, "exec", "/bin/true"))
    victim = ordinary(instance, uid_of(pid))
    try:
        wait_until(lambda: uid_of(victim.pid) != 0, 10, "its user")
        assert refused(inject(pid, "ptrace", victim.pid))
    finally:
        victim.kill()
        victim.wait()


def test_hashing_worker_is_refused_everything(fresh, inject, listener):
    fresh.enter("sh", "-c", f"echo hello >{PUBLIC}; chmod 644 {PUBLIC}")
    with fresh.root() as client:
        # A key takes longer than a password: there is time to be seen.
        number = client.start("api_key.create",
                              {"name": "slow", "username": "truenas_admin"})
        pid = sandboxed_worker(fresh)
        try:
            check_worker(fresh, inject, pid)
            assert refused(inject(pid, "connect", *listener))
        finally:
            os.kill(pid, signal.SIGCONT)
        client.finish(number)


def test_probing_worker_may_connect_and_nothing_else(fresh, inject):
    fresh.enter("sh", "-c", f"echo hello >{PUBLIC}; chmod 644 {PUBLIC}")
    with fresh.root() as client:
        client.control("START")
        # A stopped sshd keeps the probe waiting for its first line.
        sshd = fresh.sshd_pid()
        os.kill(sshd, signal.SIGSTOP)
        try:
            number = client.start("ssh.update", {"options": "MaxAuthTries 2"})
            pid = sandboxed_worker(fresh)
            try:
                check_worker(fresh, inject, pid)
            finally:
                os.kill(pid, signal.SIGCONT)
        finally:
            os.kill(sshd, signal.SIGCONT)
        try:
            client.finish(number)
        except ApiError:    # taken back or not, it was answered
            pass


def test_open_descriptors_of_the_network_role(instance):
    """Sockets and the loop's own; no file of the instance."""
    for role in ("web", "local"):
        pid = instance.roles()[role]
        for name in os.listdir(f"/proc/{pid}/fd"):
            link = os.readlink(f"/proc/{pid}/fd/{name}")
            # libwebsockets keeps the last one open.
            assert link.startswith(("socket:", "pipe:", "anon_inode:")) or \
                link in ("/dev/null", "/dev/urandom"), link
