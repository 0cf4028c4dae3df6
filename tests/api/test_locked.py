"""What locking, and the switches of passwords, mean to the real sshd, su and
sudo, and to what already runs."""

import subprocess

import pytest
from websocket import WebSocketException

from harness import (PASSWORD, REPOSITORY, Closed, KeySsh, echoes, public,
                     wait_until)

pytestmark = pytest.mark.release


@pytest.fixture
def root(accounts):
    with accounts.root() as client:
        yield client


@pytest.fixture
def person(accounts, make_user, keys):
    """Makes a user who can log in by SSH in both ways."""
    def make(name, **data):
        user = make_user(name, home="/home", home_create=True,
                         sshpubkey=public(keys[0]),
                         **{"ssh_password_enabled": True, **data})
        return user, KeySsh(accounts, name, keys[0])

    return make


def runs(instance, uid):
    """The processes of that uid inside."""
    done = instance.enter("ps", "-o", "pid=", "-U", str(uid), check=False)
    return done.stdout.split()


def test_password_of_ssh_is_a_switch_of_its_own(accounts, root, person):
    user, ssh = person("ssha", ssh_password_enabled=False)
    assert ssh.works() and not ssh.works(password=PASSWORD)
    root.call("user.update", user["id"], {"ssh_password_enabled": True})
    assert ssh.works(password=PASSWORD)
    assert not ssh.works(password="wrong")
    root.call("ssh.update", {"passwordauth": False})
    try:
        assert ssh.works() and not ssh.works(password=PASSWORD)
    finally:
        root.call("ssh.update", {"passwordauth": True})
    root.call("user.update", user["id"], {"ssh_password_enabled": False})
    assert not ssh.works(password=PASSWORD)


def test_disabled_password_leaves_the_key(root, person):
    user, ssh = person("sshb")
    root.call("user.update", user["id"], {
        "password_disabled": True, "ssh_password_enabled": False})
    assert ssh.works() and not ssh.works(password=PASSWORD)


def test_root_has_no_password_by_ssh_unless_asked_for(accounts):
    done = accounts.enter("sshd", "-T", "-C", "user=root,host=x,addr=1.2.3.4")
    assert "permitrootlogin without-password" in done.stdout
    assert "passwordauthentication no" in done.stdout


def test_locked_account_has_no_way_in_and_unlocked_all_again(
        accounts, root, person):
    user, ssh = person("locka", sudo_commands_nopasswd=["/usr/bin/id"])
    assert ssh.works() and ssh.works(password=PASSWORD)
    assert ssh.run("sudo", "-n", "id", "-u").stdout == "0\n"
    hash_before = accounts.enter("getent", "shadow", "locka").stdout
    root.call("user.update", user["id"], {"locked": True})
    assert not ssh.works()
    assert not ssh.works(password=PASSWORD)
    assert accounts.enter("su", "locka", "-c", "id",
                          check=False).returncode != 0
    done = accounts.enter("setpriv", "--reuid", "locka", "--clear-groups",
                          "sudo", "-n", "id", check=False)
    assert done.returncode != 0, done
    root.call("user.update", user["id"], {"locked": False})
    assert ssh.works() and ssh.works(password=PASSWORD)
    assert ssh.run("sudo", "-n", "id", "-u").stdout == "0\n"
    assert accounts.enter("getent", "shadow", "locka").stdout == hash_before


# What cron and at ask before they run a job (crond and atd of Debian, each a
# PAM service whose account lines are common-account's): 0, or PAM's error.
ASKS = """
import ctypes, ctypes.util, sys
pam = ctypes.CDLL(ctypes.util.find_library("pam") or "libpam.so.0")
class Conv(ctypes.Structure):
    _fields_ = [("conv", ctypes.c_void_p), ("data", ctypes.c_void_p)]
handle, conv = ctypes.c_void_p(), Conv()
assert pam.pam_start(sys.argv[1].encode(), sys.argv[2].encode(),
                     ctypes.byref(conv), ctypes.byref(handle)) == 0
print(pam.pam_acct_mgmt(handle, 0x8000))
"""


@pytest.mark.parametrize("service", ["cron", "atd"])
def test_jobs_of_a_locked_account_do_not_run(accounts, root, make_user,
                                             service):
    user = make_user("job" + service)

    def answer():
        return int(accounts.enter("/usr/bin/python3", "-c", ASKS, service,
                                  user["username"]).stdout)

    assert answer() == 0
    root.call("user.update", user["id"], {"locked": True})
    assert answer() != 0
    root.call("user.update", user["id"], {"locked": False})
    assert answer() == 0
    # Who has no password has his jobs all the same.
    root.call("user.update", user["id"], {"password_disabled": True})
    assert answer() == 0


@pytest.mark.parametrize("end", ["lock", "delete"])
def test_what_runs_ends_with_the_account(accounts, root, person, end):
    user, ssh = person("end" + end)
    other, other_ssh = person("stays" + end)
    session, stays = ssh.session(), other_ssh.session()
    try:
        assert echoes(session, "before") and echoes(stays, "before")
        # One that no session holds, and that minds no polite word.
        accounts.enter("setpriv", "--reuid", str(user["uid"]),
                       "--clear-groups", "setsid", "-f", "sh", "-c",
                       "trap '' TERM HUP; exec sleep 600 >/dev/null 2>&1")
        wait_until(lambda: len(runs(accounts, user["uid"])) > 1, 20,
                   "it runs")
        if end == "lock":
            root.call("user.update", user["id"], {"locked": True})
        else:
            root.call("user.delete", user["id"])
        wait_until(lambda: not runs(accounts, user["uid"]), 40,
                   "the end of its processes")
        wait_until(lambda: session.poll() is not None, 20, "its session's")
        assert echoes(stays, "after")
        assert runs(accounts, other["uid"])
    finally:
        for one in (session, stays):
            one.kill()
            one.communicate()


def test_processes_of_the_host_with_that_number_stay(accounts, root, person):
    user, _ = person("hosted")
    host = subprocess.Popen(["sleep", "600"], user=user["uid"])
    try:
        root.call("user.update", user["id"], {"locked": True})
        wait_until(lambda: "processes of hosted" in accounts.log(), 40,
                   "the end of its processes")
        assert host.poll() is None
    finally:
        host.kill()
        host.wait()


def core_dies_sending(instance, compiled, name, change):
    """Core is ended as it is about to send that message for the change."""
    killer = subprocess.Popen(
        [compiled("die_sending", f"-I{REPOSITORY}/src", f"-DTYPE={name}"),
         str(instance.roles()["core"])], stdout=subprocess.PIPE, text=True)
    assert killer.stdout.readline() == "ready\n"
    with instance.root() as client:
        with pytest.raises(Closed):
            client.call(*change)
    assert killer.wait(timeout=20) == 0

    def serves():
        try:
            with instance.root() as again:
                return again.call("core.ping")
        except (OSError, WebSocketException, Closed):
            return None

    wait_until(serves, 30, "core serves again")


@pytest.mark.parametrize("end", ["lock", "delete"])
def test_what_a_crash_leaves_of_them_ends_at_the_next_start(
        accounts, person, compiled, end):
    user, ssh = person("crash" + end)
    session = ssh.session()
    try:
        assert echoes(session, "before")
        change = (["user.update", user["id"], {"locked": True}]
                  if end == "lock" else ["user.delete", user["id"]])
        core_dies_sending(accounts, compiled, "MSG_OP_END_SSH", change)
        with accounts.root() as client:
            there = client.call("user.query", [["id", "=", user["id"]]])
        assert [one["locked"] for one in there] == (
            [True] if end == "lock" else [])
        wait_until(lambda: not runs(accounts, user["uid"]), 40,
                   "the end of its processes")
        wait_until(lambda: session.poll() is not None, 20, "its session's")
    finally:
        session.kill()
        session.communicate()


def test_what_a_crash_takes_back_ends_nobody(accounts, person, compiled):
    user, ssh = person("crashback")
    session = ssh.session()
    try:
        assert echoes(session, "before")
        # Before the accounts are installed: it was never in force.
        core_dies_sending(accounts, compiled, "MSG_OP_INSTALL_ACCOUNTS", [
            "user.update", user["id"], {"locked": True}])
        with accounts.root() as client:
            entry = client.call("user.get_instance", user["id"])
        assert not entry["locked"] and echoes(session, "after")
    finally:
        session.kill()
        session.communicate()
