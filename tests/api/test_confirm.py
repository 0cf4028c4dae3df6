"""Changes that take themselves back unless they are confirmed.

Everything is killed between a change and its confirmation, with the real sshd
listening.
"""

import json
import os
import pathlib
import signal
import subprocess
import time

import pytest
import websocket

from harness import (PASSWORD, ApiError, Closed, Instance, KeySsh, Ssh,
                     banner, echoes, wait_until)

pytestmark = pytest.mark.release
PORT, OTHER = 2222, 2223
LONG = 600          # nobody waits for its end
SOON = 2            # its end is waited for


@pytest.fixture
def served(shared, tmp_path):
    """Shared by these tests; each leaves sshd on PORT and nothing waiting."""
    instance = shared("with sshd, to be confirmed",
                      lambda build: Instance(build).start().setup_admin())
    with instance.root() as client:
        client.control("START")
    made = Ssh(instance, tmp_path)
    yield made
    with instance.root() as client:
        if client.call("config.pending"):
            client.call("config.take_back")
        client.call("ssh.update", {"tcpport": PORT, "options": ""})
        client.control("START")


@pytest.fixture
def client(served):
    with served.instance.root() as client:
        yield client


def change(client, seconds, **data):
    data = data or {"tcpport": OTHER}
    return client.call("ssh.update", {**data, "rollback_timeout": seconds})


def answers(instance, port):
    return banner(instance.address, port) is not None


def port_of(instance):
    with instance.root() as client:
        return client.call("ssh.config")["tcpport"]


def is_back(instance):
    """All of it: the store, the file, sshd, and nothing waits."""
    try:
        with instance.root() as client:
            return (client.call("config.pending") is None
                    and client.call("ssh.config")["tcpport"] == PORT
                    and f"Port {PORT}" in instance.sshd_config()
                    and answers(instance, PORT)
                    and not answers(instance, OTHER))
    except (OSError, Closed, ApiError, websocket.WebSocketException):
        return False


def wait_until_back(instance):
    wait_until(lambda: is_back(instance), 60, "all is as before")


def kill(instance, role):
    pid = instance.roles()[role]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: instance.roles().get(role) not in (None, pid), 30,
               f"{role} is back")


def serving(instance):
    def pings():
        try:
            with instance.root() as client:
                return client.call("core.ping") == "pong"
        except (OSError, Closed, websocket.WebSocketException):
            return False
    wait_until(pings, 30, "core serves")


# --- Confirmed ---------------------------------------------------------------

def test_a_confirmed_change_stays(served, client):
    change(client, SOON + 27)
    assert 0 < client.call("ssh.checkin_waiting") <= SOON + 27
    session = served.session(port=OTHER)
    assert echoes(session, "here")
    client.call("ssh.checkin")
    assert client.call("ssh.checkin_waiting") is None
    assert client.call("config.pending") is None
    assert answers(served.instance, OTHER)
    session.kill()
    # Nothing of it is left that could end later.
    assert not list((served.instance.directory / "held").iterdir())


def test_it_takes_a_login_after_the_change(served, client):
    before = served.session()
    assert echoes(before, "before the change")
    change(client, LONG, compression=True)
    error = client.error("ssh.checkin")
    assert error.errname == "EAGAIN"
    assert "logged in by SSH after" in error.data["reason"]
    assert client.call("ssh.checkin_waiting") is not None
    after = served.session()
    assert echoes(after, "after it")
    client.call("ssh.checkin")
    for session in before, after:
        assert echoes(session, "open sessions survive")
        session.kill()
    client.call("ssh.update", {"compression": False})


def test_unverified_is_said_explicitly(served, client):
    change(client, LONG)
    client.call("ssh.checkin", {"unverified": True})
    assert client.call("config.pending") is None
    assert port_of(served.instance) == OTHER


def test_without_rollback_timeout_it_is_final(served, client):
    client.call("ssh.update", {"tcpport": OTHER})
    assert client.call("ssh.checkin_waiting") is None
    client.call("ssh.update", {"tcpport": PORT, "rollback_timeout": None})
    assert client.call("ssh.checkin_waiting") is None


def test_nothing_to_confirm(client):
    for method in "ssh.checkin", "config.checkin", "config.take_back":
        assert client.error(method).errname == "ENOENT"


@pytest.mark.parametrize("value", [0, -1, 3601, "60", 1.5])
def test_wrong_timeouts(client, value):
    error = client.error("ssh.update", {"tcpport": OTHER,
                                        "rollback_timeout": value})
    assert error.paths == ["data.rollback_timeout"]
    assert client.call("ssh.config")["tcpport"] == PORT


def test_it_is_neither_stored_nor_shown(served, client):
    answer = change(client, LONG)
    assert "rollback_timeout" not in answer
    assert "rollback_timeout" not in client.call("ssh.config")


# --- Not confirmed -----------------------------------------------------------

def test_an_unconfirmed_change_takes_itself_back(served, client):
    session = served.session()
    assert echoes(session, "before")
    answer = change(client, SOON)
    assert answer["tcpport"] == OTHER
    assert answers(served.instance, OTHER)
    wait_until_back(served.instance)
    assert echoes(session, "open sessions survive")
    session.kill()
    assert served.works()
    newest, = client.call("config.history", [["resource", "=", "ssh"]],
                          {"order_by": ["-number"], "limit": 1})
    assert newest["user"] == "root" and newest["origin"] == "confirmation"
    record, = client.call("audit.query", {
        "query-filters": [["event", "=", "METHOD_CALL"]],
        "query-options": {"order_by": ["-message_timestamp"], "limit": 1}})
    assert "Not confirmed, taken back" in record["event_data"]["description"]
    assert record["event_data"]["method"] == "ssh.update"
    assert any(alert["klass"] == "ChangeNotConfirmed"
               for alert in client.call("alert.list"))


def test_take_back_before_the_time(served, client):
    change(client, LONG)
    client.call("config.take_back")
    assert client.call("ssh.config")["tcpport"] == PORT
    assert client.call("ssh.checkin_waiting") is None
    wait_until_back(served.instance)


def test_the_events_say_so(served, client):
    said = []
    with served.instance.root() as listener:
        listener.call("core.subscribe", "ssh.checkin_waiting")
        change(client, LONG)
        client.call("config.take_back")
        while len(said) < 2:
            message = listener.receive()
            if message.get("method") == "collection_update":
                said.append(message["params"]["fields"]["seconds"])
    assert 0 < said[0] <= LONG
    assert said[1] is None


# --- Killed between change and confirmation ----------------------------------

@pytest.mark.parametrize("times", [1, 3])
def test_core_killed(served, times):
    with served.instance.root() as client:
        change(client, SOON + 3)
    for _ in range(times):
        kill(served.instance, "core")
    serving(served.instance)
    wait_until_back(served.instance)


def test_core_killed_and_confirmed_by_the_next(served):
    with served.instance.root() as client:
        change(client, LONG)
    kill(served.instance, "core")
    serving(served.instance)
    with served.instance.root() as client:
        waits = client.call("config.pending")
        assert waits["resource"] == "ssh" and waits["username"] == "root"
        assert 0 < waits["seconds"] <= LONG
        session = served.session(port=OTHER)
        assert echoes(session, "in")
        client.call("ssh.checkin")
        session.kill()
    assert port_of(served.instance) == OTHER


def test_without_core_the_files_come_back(served):
    """Core does nothing at all: it is stopped, as if it hung."""
    instance = served.instance
    with instance.root() as client:
        change(client, SOON)
    core = instance.roles()["core"]
    os.kill(core, signal.SIGSTOP)
    try:
        wait_until(lambda: answers(instance, PORT), 60, "sshd is back")
        assert f"Port {PORT}" in instance.sshd_config()
        assert served.works()
    finally:
        os.kill(core, signal.SIGCONT)
    wait_until_back(instance)


def test_its_file_is_damaged(served, client):
    """The monitor knows what stood in it."""
    change(client, SOON)
    kept, = (served.instance.directory / "held").iterdir()
    kept.write_bytes(kept.read_bytes()[:-1])
    wait_until_back(served.instance)
    assert list(kept.parent.iterdir()) == []


def test_core_killed_after_the_files_came_back(served):
    """The store says the new, the files the old: the old one wins."""
    instance = served.instance
    with instance.root() as client:
        change(client, SOON)
    os.kill(instance.roles()["core"], signal.SIGSTOP)
    wait_until(lambda: answers(instance, PORT), 60, "sshd is back")
    kill(instance, "core")
    serving(instance)
    wait_until_back(instance)
    with instance.root() as client:
        assert not any(alert["klass"] == "ConfigurationFileEdited"
                       for alert in client.call("alert.list"))


def test_everything_killed(fresh, tmp_path):
    with fresh.root() as client:
        client.control("START")
        client.call("service.update", "ssh", {"enable": True})
        change(client, LONG)
    fresh.kill()
    fresh.start()
    # At once, by the start: not when sshd has served for a while.
    assert is_back(fresh)
    assert Ssh(fresh, tmp_path).works()
    with fresh.root() as client:
        change(client, LONG)
    fresh.stop()
    fresh.start()
    assert is_back(fresh)


def test_monitor_killed(fresh):
    with fresh.root() as client:
        client.control("START")
        client.call("service.update", "ssh", {"enable": True})
        change(client, LONG)
    fresh.process.kill()
    fresh.process.wait(30)
    fresh.kill()
    fresh.start()
    assert is_back(fresh)


def test_core_killed_while_it_is_made(served):
    """Until it is stored nobody was told of it: it is not made."""
    instance = served.instance
    for delay in (0.0, 0.02, 0.05, 0.1, 0.2):
        try:
            with instance.root() as client:
                client.start("ssh.update", {"tcpport": OTHER,
                                            "rollback_timeout": LONG})
                time.sleep(delay)
                kill(instance, "core")
        except Closed:
            pass
        serving(instance)
        with instance.root() as client:
            if client.call("config.pending"):
                assert client.call("ssh.config")["tcpport"] == OTHER
                client.call("config.take_back")
        wait_until_back(instance)


# --- Two at once -------------------------------------------------------------

def test_others_are_told_who_and_until_when(served, client):
    change(client, LONG)
    for data in ({"compression": True}, {"tcpport": 2224},
                 {"compression": True, "rollback_timeout": 10}):
        error = client.error("ssh.update", data)
        assert error.errname == "EBUSY"
        assert "by root" in error.data["reason"]
        assert "until" in error.data["reason"]
    # What shares nothing with it goes on.
    client.call("group.create", {"name": "confirming"})
    number = client.call("group.query", [["name", "=", "confirming"]],
                         {"get": True})["id"]
    # What it was before may name it.
    assert client.error("group.delete", number).errname == "EBUSY"
    client.call("config.take_back")
    client.call("group.delete", number)


def test_only_its_maker_or_a_full_administrator_confirms(served, client):
    group = client.call("group.create", {"name": "sshwriters"})
    client.call("privilege.create", {
        "name": "sshwriters", "roles": ["SSH_WRITE"], "web_shell": False,
        "local_groups": [client.call("group.query", [["id", "=", group]],
                                     {"get": True})["gid"]]})
    users = [client.call("user.create", {
        "username": name, "full_name": name, "group_create": True,
        "password": PASSWORD, "smb": False, "groups": [group]})
        for name in ("writer1", "writer2")]
    instance = served.instance
    with instance.connect() as one, instance.connect() as two:
        one.login("writer1")
        two.login("writer2")
        change(one, LONG)
        error = two.error("ssh.checkin", {"unverified": True})
        assert error.errname == "EPERM" and "writer1" in error.data["reason"]
        assert two.error("config.take_back").errname == "EPERM"
        one.call("ssh.checkin", {"unverified": True})
        change(one, LONG, tcpport=PORT)
        client.call("ssh.checkin", {"unverified": True})
    client.call("privilege.delete", client.call(
        "privilege.query", [["name", "=", "sshwriters"]],
        {"get": True})["id"])
    for user in users:
        client.call("user.delete", user["id"])
    client.call("group.delete", group)


def test_a_change_that_fails_does_not_wait(served, client):
    error = client.error("ssh.update", {"options": "NoSuchOption yes",
                                        "rollback_timeout": LONG})
    assert error.paths == ["ssh_update.options"]
    assert client.call("config.pending") is None
    change(client, LONG)
    client.call("config.take_back")


def test_nothing_new_does_not_wait(client):
    client.call("ssh.update", {"tcpport": PORT, "rollback_timeout": LONG})
    assert client.call("config.pending") is None


# --- What is no setting of SSH ------------------------------------------------

def test_a_stop_takes_itself_back(served, client):
    entry = client.job("service.control", "STOP", "ssh",
                       {"rollback_timeout": SOON})
    assert entry["state"] == "SUCCESS", entry
    assert not answers(served.instance, PORT)
    assert client.call("config.pending")["method"] == "service.control"
    wait_until(lambda: answers(served.instance, PORT), 60, "sshd again")
    wait_until(lambda: not client.call("config.pending"), 30, "its end")


def test_a_stop_that_is_confirmed(served, client):
    client.job("service.control", "STOP", "ssh", {"rollback_timeout": LONG})
    client.call("ssh.checkin")
    assert not answers(served.instance, PORT)
    entry = client.job("service.control", "STOP", "ssh",
                       {"rollback_timeout": LONG})
    assert entry["state"] == "FAILED"
    assert client.call("config.pending") is None


def test_a_stop_is_started_though_core_was_killed(served):
    with served.instance.root() as client:
        client.job("service.control", "STOP", "ssh",
                   {"rollback_timeout": SOON + 2})
    kill(served.instance, "core")
    serving(served.instance)
    wait_until(lambda: answers(served.instance, PORT), 60, "sshd again")
    with served.instance.root() as client:
        wait_until(lambda: not client.call("config.pending"), 30, "its end")


@pytest.mark.parametrize("verb", ["START", "RESTART", "RELOAD"])
def test_only_a_stop_is_taken_back(client, verb):
    error = client.error("service.control", verb, "ssh",
                         {"rollback_timeout": LONG})
    assert error.paths == ["options.rollback_timeout"]


@pytest.fixture
def another(served, client):
    """A second administrator, who has a key."""
    made = client.call("user.create", {
        "username": "second", "full_name": "second", "group_create": True,
        "password": PASSWORD, "smb": False, "home": "/home/second",
        "home_create": True,
        "groups": [client.call("group.query", [["gid", "=", 544]],
                               {"get": True})["id"]],
        "sshpubkey": served.key.with_suffix(".pub").read_text()})
    yield made
    with served.instance.root() as last:    # core may be another one
        if last.call("config.pending"):
            last.call("config.take_back")
        last.call("user.delete", made["id"], {"lockout": True})
    served.instance.enter("rm", "-rf", "/home/second")


def second(served, tmp_path):
    return KeySsh(served.instance, "second", served.key)


def test_an_account_is_as_it_was(served, client, another, tmp_path):
    """Password, lock and keys: files, homes and what they let in."""
    ssh = second(served, tmp_path)
    assert ssh.works()
    answer = client.call("user.update", another["id"], {
        "password": "another " + PASSWORD, "sshpubkey": "", "locked": True,
        "rollback_timeout": SOON, "lockout": True})
    assert answer["locked"]
    assert not ssh.works()
    wait_until(lambda: not client.call("config.pending"), 60, "its end")
    assert not client.call("user.get_instance", another["id"])["locked"]
    assert ssh.works()
    with served.instance.connect() as session:
        assert session.login("second")["response_type"] == "SUCCESS"


def test_an_account_without_core(served, another, tmp_path):
    instance = served.instance
    with instance.root() as client:
        client.call("user.update", another["id"],
                    {"locked": True, "rollback_timeout": SOON,
                     "lockout": True})
    core = instance.roles()["core"]
    os.kill(core, signal.SIGSTOP)
    try:
        wait_until(lambda: second(served, tmp_path).works(), 60, "a login")
    finally:
        os.kill(core, signal.SIGKILL)
    serving(instance)
    with instance.root() as client:
        wait_until(lambda: not client.call("config.pending"), 30, "its end")
        assert not client.call("user.get_instance", another["id"])["locked"]


def test_a_login_to_the_api_confirms_an_account(served, client, another):
    data = {"full_name": "another", "rollback_timeout": LONG}
    with served.instance.connect() as session:
        session.login("second")
        session.call("user.update", another["id"], data)
        # It logged in before the change.
        assert session.error("config.checkin").errname == "EAGAIN"
        assert session.error("ssh.checkin").errname == "ENOENT"
        with served.instance.connect() as after:
            after.login("second")
            session.call("config.checkin")
    assert client.call("config.pending") is None


def test_rules_for_passwords_take_themselves_back(client):
    before = client.call("system.security.config")
    client.job("system.security.update",
               {"min_password_length": 20, "rollback_timeout": LONG})
    assert client.call("system.security.config")["min_password_length"] == 20
    client.call("config.take_back")
    wait_until(lambda: not client.call("config.pending"), 30, "its end")
    assert client.call("system.security.config") == before


def test_recover_takes_back_what_waits(served, client, another):
    client.call("user.update", another["id"],
                {"locked": True, "rollback_timeout": LONG, "lockout": True})
    done = served.instance.cli("recover", "second", "unlock")
    assert done.returncode == 0, done
    assert client.call("config.pending") is None
    assert not client.call("user.get_instance", another["id"])["locked"]


def test_nobody_sees_what_it_keeps(served, client, another):
    client.call("user.update", another["id"],
                {"password": "another " + PASSWORD, "rollback_timeout": LONG})
    kept, = (served.instance.directory / "held").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600 and kept.stat().st_uid == 0
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert PASSWORD.encode() not in kept.read_bytes()


# --- On the command line --------------------------------------------------------

def test_the_command_line_asks_for_a_confirmation(served, client):
    done = served.instance.cli("ssh", "update", f"tcpport={OTHER}")
    assert done.returncode == 0, done
    assert "unless it is confirmed" in done.stderr
    assert 0 < client.call("ssh.checkin_waiting") <= 60
    done = served.instance.cli("ssh", "checkin")
    assert done.returncode == 1 and "unverified" in done.stderr
    session = served.session(port=OTHER)
    assert echoes(session, "in")
    assert served.instance.cli("ssh", "checkin").returncode == 0
    session.kill()
    assert client.call("config.pending") is None
    assert '"tcpport":2223' in served.instance.cli(
        "ssh", "show").stdout.replace(" ", "")


def test_the_command_line_takes_back(served, client):
    instance = served.instance
    done = instance.cli("ssh", "update", f"tcpport={OTHER}",
                        "rollback_timeout=600")
    assert done.returncode == 0, done
    assert client.call("ssh.checkin_waiting") > 60
    assert "A change of ssh by root takes itself back in" in instance.cli(
        "status").stdout
    assert instance.cli("ssh", "take-back").returncode == 0
    assert "takes itself back" not in instance.cli("status").stdout
    assert port_of(instance) == PORT
    assert instance.cli("ssh", "checkin", "unverified").returncode == 1


def test_the_command_line_for_scripts(served, client):
    done = served.instance.cli("ssh", "update", "--no-confirm",
                               f"tcpport={OTHER}")
    assert done.returncode == 0 and done.stderr == "", done
    assert client.call("config.pending") is None
    assert served.instance.cli("ssh", "checkin", "perhaps").returncode == 2


def test_the_command_line_counts_down(served, client):
    """On a terminal, to the end."""
    command = (f"{served.instance.build}/holdfast -i "
               f"{served.instance.directory} ssh update tcpport={OTHER} "
               f"rollback_timeout={SOON}")
    done = subprocess.run(["script", "-qec", command, "/dev/null"],
                          capture_output=True, text=True, timeout=60,
                          check=False)
    assert "s left to confirm it" in done.stdout
    assert "as before" in done.stdout and done.returncode == 1, done
    wait_until_back(served.instance)


# --- Looked at before ----------------------------------------------------------

def of(answer, name):
    found, = [one for one in answer["accounts"] if one["username"] == name]
    return found


def test_a_dry_run_changes_nothing_and_shows_the_difference(served, client):
    before, text = client.call("ssh.config"), served.instance.sshd_config()
    answer = client.call("ssh.update", {"tcpport": OTHER, "dry_run": True})
    assert f"-Port {PORT}\n+Port {OTHER}\n" == answer["diff"]
    assert client.call("ssh.config") == before
    assert served.instance.sshd_config() == text
    assert client.call("config.pending") is None
    answer = client.call("ssh.update", {"tcpport": PORT, "dry_run": True})
    assert answer["diff"] == ""
    error = client.error("ssh.update", {"options": "NoSuchOption yes",
                                        "dry_run": True})
    assert error.paths == ["ssh_update.options"]


@pytest.mark.parametrize("options, after", [
    ("PubkeyAuthentication no", []), ("DenyUsers second", []),
    ("AllowGroups nobody-is-in-it", []), ("AllowUsers sec*", ["SSH_KEY"]),
    ("Match User second\nPubkeyAuthentication no", []),
    ("Match User other\nPubkeyAuthentication no", ["SSH_KEY"]),
])
def test_a_dry_run_says_who_would_lose_access(served, client, another,
                                              tmp_path, options, after):
    """As it says, so it is."""
    answer = client.call("ssh.update", {"options": options, "dry_run": True})
    account = of(answer, "second")
    assert account == {"username": "second", "before": ["SSH_KEY"],
                       "after": after, "loses_access": not after}
    client.call("ssh.update", {"options": options, "lockout": True})
    assert second(served, tmp_path).works() == bool(after)


def test_a_dry_run_tells_passwords(served, client, another):
    client.call("user.update", another["id"], {"ssh_password_enabled": True})
    answer = client.call("ssh.update", {"passwordauth": True,
                                        "dry_run": True})
    assert of(answer, "second")["after"] == ["SSH_KEY", "SSH_PASSWORD"]
    assert not of(answer, "second")["loses_access"]


def test_a_dry_run_on_the_command_line(served, client):
    done = served.instance.cli("ssh", "update", "--dry-run",
                               f"tcpport={OTHER}")
    assert done.returncode == 0, done
    assert f"Port {OTHER}" in json.loads(done.stdout)["diff"]
    assert client.call("ssh.config")["tcpport"] == PORT
    assert client.call("config.pending") is None


def test_whether_it_starts_with_the_machine(served, client):
    """By the API and on the command line; core's end changes nothing."""
    instance = served.instance

    def enabled():
        with instance.root() as asking:
            return asking.call("service.query", [["service", "=", "ssh"]],
                               {"get": True})["enable"]

    def said(*arguments):
        done = instance.cli(*arguments)
        assert done.returncode == 0, done
        return "unless it is confirmed" in done.stderr

    client.call("service.update", "ssh", {"enable": True})
    client.call("service.update", "ssh",
                {"enable": False, "rollback_timeout": LONG})
    assert not enabled()
    assert 0 < client.call("ssh.checkin_waiting") <= LONG
    error = client.error("service.update", "ssh",
                         {"enable": True, "rollback_timeout": LONG})
    assert error.errname == "EBUSY"
    kill(instance, "core")
    serving(instance)
    with instance.root() as again:
        assert again.call("config.pending")["resource"] == "ssh"
        again.call("config.take_back")
        assert enabled()
        assert said("service", "disable", "ssh")
        assert instance.cli("service", "checkin", "unverified").returncode == 0
        assert not enabled()
        assert not said("service", "enable", "ssh")
        assert not said("service", "disable", "--no-confirm", "ssh")
        assert not enabled() and again.call("config.pending") is None
        assert said("service", "stop", "ssh")
        assert not said("service", "take-back")
        assert again.call("service.started", "ssh")
        assert not said("service", "restart", "ssh")
        assert instance.cli("service", "stop", "nosuch").returncode == 1


def test_an_account_on_the_command_line(served, client, another):
    done = served.instance.cli("user", "update", "second", "locked=yes",
                               "lockout=yes", f"rollback_timeout={LONG}")
    assert done.returncode == 0, done
    assert "unless it is confirmed" in done.stderr
    assert served.instance.cli("user", "take-back").returncode == 0
    assert not client.call("user.get_instance", another["id"])["locked"]


# A machine of one's own: its places are empty, but for what is copied there.
ELSEWHERE = """
mount -t tmpfs -o mode=755 none /run && mount -t tmpfs -o mode=755 none \
/var/lib && mount -t tmpfs -o mode=755 none /etc/ssh || exit 9
mkdir -m 700 /var/lib/holdfast && cd /var/lib/holdfast || exit 9
mkdir -m 700 state held && touch lock && cat >held/change || exit 9
cp -a "$1/." /etc/ssh || exit 9
echo "Port 2223" >/etc/ssh/sshd_config
"$0" --take-back || exit 1
cat /etc/ssh/sshd_config
echo "Port 2224" >/etc/ssh/sshd_config
"$0" --take-back && cat /etc/ssh/sshd_config
exec 3<lock && flock -x 3 && ! "$0" --take-back 2>&1
"""


def test_taken_back_before_sshd_starts(served, client):
    """holdfastd --take-back, of a change that a boot interrupted, or none."""
    before = served.instance.sshd_config()
    change(client, LONG)
    file, = (served.instance.directory / "held").iterdir()
    kept = file.read_bytes()
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_bytes()[:36]
    assert boot in kept

    def take_back(content):
        done = subprocess.run(
            ["unshare", "--mount", "--", "sh", "-c", ELSEWHERE,
             served.instance.build / "holdfastd",
             served.instance.inside("/etc/ssh")], input=content,
            capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done
        return done.stdout.decode()

    # Of an earlier boot: once, whoever asks again.
    output = take_back(kept.replace(boot, b"0" * 36))
    assert output.startswith(f"{before}Port 2224\n")
    assert "is in use by another holdfastd" in output
    # Of this one: its time has not come.
    assert take_back(kept).startswith("Port 2223\nPort 2224\n")
