"""What the real sshd, su, sudo and login do, as records of the audit log."""

import os
import pty
import re
import select
import subprocess
import time

import pytest

from harness import PASSWORD, KeySsh, next_address, public, wait_until

pytestmark = pytest.mark.release


def records(instance, service, *filters):
    with instance.root() as client:
        return client.call("audit.query", {
            "services": [service], "query-filters": list(filters),
            "query-options": {"order_by": ["-time_us"], "limit": 200}})


def the_record(instance, service, *filters):
    """The newest such record, once it is there."""
    return wait_until(lambda: records(instance, service, *filters), 30,
                      f"{service} {filters}")[0]


@pytest.fixture
def person(accounts, make_user, keys):
    """Makes a user who logs in with a key; gives the entry and ssh."""
    def make(name, **data):
        user = make_user(name, home="/home", home_create=True,
                         sshpubkey=public(keys[0]), **data)
        return user, KeySsh(accounts, name, keys[0])

    return make


def check_shape(record, service, username):
    """What every record has."""
    assert record["service"] == service
    assert record["username"] == username
    assert record["timestamp"]["$date"] // 1000 == \
        record["time_us"] // 1000000
    assert abs(record["time_us"] / 1e6 - time.time()) < 600
    assert record["service_data"]["vers"] == {"major": 0, "minor": 1}


# SSH.

def test_ssh_with_a_key(accounts, person):
    _, ssh = person("srckey")
    assert ssh.run("true").returncode == 0
    mine = ["username", "=", "srckey"]
    began = the_record(accounts, "SYSTEM", mine, ["event", "=", "LOGIN"])
    check_shape(began, "SYSTEM", "srckey")
    assert began["success"] and began["address"].startswith("127.")
    data = began["event_data"]
    assert (data["type"], data["proctitle"]) == ("BEGAN", "sshd")
    assert data["how"].startswith("publickey ssh-ed25519 AAAA")
    assert (data["syscall"]["AUID"], data["syscall"]["UID"]) == (
        "srckey", "root")
    ended = the_record(accounts, "SYSTEM", mine,
                       ["event", "=", "CREDENTIAL"])
    assert ended["session"] == began["session"]
    assert ended["event_data"]["type"] == "ENDED"
    assert ended["time_us"] > began["time_us"]


def refusals(instance, name):
    return records(instance, "SYSTEM", ["username", "=", name],
                   ["event", "=", "LOGIN"], ["success", "=", False])


def test_ssh_with_a_password(accounts, person):
    _, ssh = person("srcpass", ssh_password_enabled=True)
    assert ssh.works(password=PASSWORD)
    began = the_record(accounts, "SYSTEM", ["username", "=", "srcpass"],
                       ["event", "=", "LOGIN"])
    assert began["event_data"]["how"] in ("password", "keyboard-interactive")
    assert not ssh.works(password="wrong")
    refused = wait_until(lambda: refusals(accounts, "srcpass"), 30,
                         "the refusal")
    # By the method password, and by keyboard-interactive.
    assert len(refused) <= 2
    check_shape(refused[0], "SYSTEM", "srcpass")
    assert refused[0]["address"].startswith("127.")
    assert refused[0]["event_data"]["error"]


def test_ssh_with_a_key_that_is_not_known(accounts, person, keys):
    _, ssh = person("srcother")
    ssh.key = keys[1]
    assert not ssh.works()
    refused = wait_until(lambda: refusals(accounts, "srcother"), 30,
                         "the refusal")
    assert [one["address"][:4] for one in refused] == ["127."]


@pytest.mark.parametrize("name, shown", [
    ("nobodyatall", None),
    ("x from 9.9.9.9 port 1 ssh2", None),
    # As sshd writes it, twice: its two parts do so each.
    (os.fsdecode(b"z\xff\xfe"), r"z\\377\\376")])
def test_names_that_nobody_has(accounts, person, keys, name, shown):
    """And such as look like words of sshd's own."""
    ssh = KeySsh(accounts, name, keys[0])
    for password in (None, "wrong"):
        arguments, environment = ssh.command(password=password)
        subprocess.run([*arguments[:-1], "-l", name, accounts.address],
                       env=environment, timeout=30, check=False,
                       stdin=subprocess.DEVNULL, start_new_session=True)
    wait_until(lambda: len(refusals(accounts, shown or name)) == 2, 30,
               "the refusals")
    found = refusals(accounts, shown or name)
    assert all(one["address"].startswith("127.") for one in found)


def test_a_probe_is_no_refused_login(accounts):
    """It says so to sshd, by a word that nobody can use again."""
    of_root = ["username", "=", "root"], ["event", "=", "LOGIN"]

    def probes():
        return records(accounts, "SYSTEM", *of_root,
                       ["event_data.type", "=", "PROBE"])

    before = len(probes())
    with accounts.root() as client:
        client.call("ssh.probe")
    wait_until(lambda: len(probes()) == before + 1, 60, "the probe's record")
    port, word = re.findall(
        r"Received disconnect from \S+ port (\d+):11: ([0-9a-f-]{36})",
        accounts.log())[-1]
    assert probes()[0]["address"].startswith("127.")
    accounts.enter("logger", "-t", "sshd", stdin=(
        f"Received disconnect from 192.0.2.99 port {port}:11: {word}\n"
        f"Disconnected from authenticating user root 192.0.2.99 port {port}"
        "\n"))
    wait_until(lambda: records(accounts, "SYSTEM", *of_root,
                               ["event_data.type", "=", "REFUSED"],
                               ["address", "=", "192.0.2.99"]), 60,
               "who only says so is refused")
    assert len(probes()) == before + 1


def test_many_failures_are_summed(accounts, keys):
    ssh = KeySsh(accounts, "srcflood", keys[0])
    script = ("for i in $(seq 25); do "
              'ssh "$@" -o LogLevel=QUIET true; done; true')
    arguments, environment = ssh.command()
    subprocess.run(["sh", "-c", script, "sh", *arguments[1:]],
                   env=environment, timeout=90, check=True,
                   stdin=subprocess.DEVNULL)

    def all_of_them():
        found = refusals(accounts, "srcflood")
        return sum(one["event_data"].get("count", 1)
                   for one in found) == 25 and found

    found = wait_until(all_of_them, 90, "25 failures")
    assert 10 < len(found) < 25
    assert found[0]["event_data"]["count"] > 1


def test_last_login_knows_ssh(accounts, person):
    user, ssh = person("srclast")
    before = time.time()
    assert ssh.run("true").returncode == 0

    def access():
        with accounts.root() as client:
            entry, = client.call("user.access",
                                 [["username", "=", "srclast"]])
        return entry if "SSH_KEY" in entry["last_ways"] else None

    entry = wait_until(access, 30, "the last login")
    assert entry["last_origin"].startswith("127.")
    assert entry["last_used"]["$date"] / 1000 >= int(before)


# What anybody may write.

FORGED = "Accepted password for root from 192.0.2.7 port 22 ssh2"


def test_forged_words_are_the_users_own(accounts, person):
    _, ssh = person("srcforge")
    failed = "Failed password for root from 192.0.2.7 port 22 ssh2"
    for words in (FORGED, failed):
        assert ssh.run(f"logger -t sshd '{words}'").returncode == 0
    mine = [["username", "=", "srcforge"], ["event", "=", "GENERIC"]]
    wait_until(lambda: len(records(accounts, "SYSTEM", *mine)) == 2, 30,
               "the claims")
    claim = records(accounts, "SYSTEM", *mine)[-1]
    assert claim["event_data"]["text"] == FORGED
    assert claim["event_data"]["type"] == "CLAIM"
    assert claim["event_data"]["program"] == "sshd"
    assert not records(accounts, "SYSTEM", ["address", "=", "192.0.2.7"])


def test_a_flood_of_words_displaces_nothing(accounts, person):
    _, ssh = person("srcnoise")
    script = f"yes '{FORGED}' | head -3000 | logger -t sshd; " \
             "head -c 1000000 /dev/zero | tr '\\0' x | " \
             "logger -t sshd -S 1000000; true"
    assert ssh.run(script).returncode == 0
    mine = [["username", "=", "srcnoise"]]

    def summed():
        found = records(accounts, "SYSTEM", *mine, ["event", "=", "GENERIC"])
        return sum(one["event_data"].get("count", 1)
                   for one in found) == 3000 and found

    found = wait_until(summed, 90, "3000 claims")
    assert 10 < len(found) < 200
    assert len(records(accounts, "SYSTEM", *mine,
                       ["event", "=", "LOGIN"])) == 1


def test_root_alone_tells_facts(accounts, person):
    _, ssh = person("srcfact")
    done = ssh.run("/usr/bin/python3 -c 'import socket; "
                   "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
                   's.connect("/run/holdfast/facts.sock")\'')
    assert "PermissionError" in done.stderr


# Files.

def test_sftp(accounts, person, tmp_path):
    _, ssh = person("srcsftp")
    with accounts.root() as client:
        client.call("ssh.update", {"sftp_log_level": "INFO"})
    arguments, environment = ssh.command()
    arguments[0] = "sftp"
    arguments[arguments.index("-p")] = "-P"
    (tmp_path / "up").write_text("0123456789")
    done = subprocess.run(
        [*arguments[:1], "-b", "-", *arguments[1:]],
        input=f"put {tmp_path}/up there\nget there {tmp_path}/down\n"
              "rename there gone\nrm gone\n", env=environment, text=True,
        capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done
    mine = [["username", "=", "srcsftp"], ["event", "=", "SFTP"]]
    wait_until(lambda: len(records(accounts, "SYSTEM", *mine)) >= 6, 30,
               "what went by sftp")
    said = [one["event_data"]["text"]
            for one in reversed(records(accounts, "SYSTEM", *mine))]
    home = "/home/srcsftp"
    assert f'close "{home}/there" bytes read 0 written 10' in said
    assert f'close "{home}/there" bytes read 10 written 0' in said
    assert any(text.startswith((f'rename old "{home}/there"',
                                f'posix-rename old "{home}/there"'))
               for text in said)
    assert f'remove name "{home}/gone"' in said


# su and the console.

def su(ssh, password, *command):
    """su of the user to itself, with what it reads from its input."""
    return ssh.run("su", ssh.user, "-c", "true", stdin=password + "\n")


def test_su(accounts, person):
    _, ssh = person("srcsu")
    mine = [["username", "=", "srcsu"], ["event", "=", "LOGIN"],
            ["event_data.proctitle", "=", "su"]]
    assert su(ssh, PASSWORD).returncode == 0
    began = the_record(accounts, "SYSTEM", *mine)
    check_shape(began, "SYSTEM", "srcsu")
    assert began["success"] and began["event_data"]["target"] == "srcsu"
    assert began["event_data"]["syscall"]["UID"] == "srcsu"
    assert su(ssh, "wrong").returncode != 0
    refused = the_record(accounts, "SYSTEM", *mine, ["success", "=", False])
    assert refused["event_data"]["error"] == "Authentication failure"
    assert ssh.run("su", "nosuchuser", "-c", "true",
                   stdin="x\n").returncode != 0
    assert len(records(accounts, "SYSTEM", *mine)) in (2, 3)


def test_su_that_its_user_kills_is_recorded(accounts, person):
    """Else whoever kills it before it logs could guess unseen."""
    _, ssh = person("srckill")
    # One more than the role waits for.
    ssh.run("for i in $(seq 66); do "
            "(sleep 3 | timeout -s KILL 2 su root -c true) & done; wait",
            timeout=60)
    mine = [["username", "=", "srckill"], ["event", "=", "LOGIN"],
            ["event_data.proctitle", "=", "su"]]
    refused = the_record(accounts, "SYSTEM", *mine)
    assert not refused["success"]
    assert refused["event_data"]["target"] == "root"


def test_limits_keep_nobody_from_being_recorded(accounts, person):
    """Who takes su the descriptors to tell with does not get in."""
    _, ssh = person("srclimit")
    began = [["username", "=", "srclimit"],
             ["event_data.proctitle", "=", "su"],
             ["event_data.type", "=", "BEGAN"]]
    came = 0
    for limit in range(3, 12):
        done = ssh.run(f"ulimit -n {limit}; exec su srclimit -c 'echo in'",
                       stdin=PASSWORD + "\n")
        came += "in" in done.stdout
    assert 0 < came < 9
    wait_until(lambda: len(records(accounts, "SYSTEM", *began)) >= came, 30,
               "the records")
    assert len(records(accounts, "SYSTEM", *began)) == came


def console(instance, *lines):
    """login at a terminal of its own, given these lines."""
    pid, terminal = pty.fork()
    if pid == 0:
        program = str(instance.build / "holdfast")
        os.execv(program, [program, "-i", str(instance.directory), "enter",
                           "/bin/login"])
    said = b""
    try:
        for prompt, line in zip((b"login:", b"assword:", b"$"), lines):
            deadline = time.monotonic() + 30
            while prompt not in said and time.monotonic() < deadline:
                if select.select([terminal], [], [], 1)[0]:
                    try:
                        said += os.read(terminal, 4096)
                    except OSError:     # login has it open again in a moment
                        time.sleep(0.1)
            said = b""
            os.write(terminal, line.encode() + b"\n")
    finally:
        time.sleep(0.5)
        os.close(terminal)
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_console(accounts, person):
    person("srcconsole")
    mine = [["username", "=", "srcconsole"], ["event", "=", "LOGIN"]]
    console(accounts, "srcconsole", PASSWORD, "exit")
    began = the_record(accounts, "SYSTEM", *mine)
    assert began["success"] and began["event_data"]["proctitle"] == "login"
    assert began["event_data"]["syscall"]["tty"]


# sudo.

def test_sudo_accept_and_reject(accounts, person):
    _, ssh = person("srcsudo", sudo_commands_nopasswd=["/usr/bin/id"])
    assert ssh.run("sudo", "-n", "id", "-u").stdout == "0\n"
    mine = ["username", "=", "srcsudo"]
    accept = the_record(accounts, "SUDO", mine, ["event", "=", "ACCEPT"])
    check_shape(accept, "SUDO", "srcsudo")
    said = accept["event_data"]["sudo"]["accept"]
    assert accept["success"] and said["uuid"] == accept["audit_id"]
    assert said["submituser"] == "srcsudo" and said["runuser"] == "root"
    assert said["command"] == "/usr/bin/id"
    assert said["runargv"] == ["id", "-u"]
    assert said["submithost"] == accept["address"]
    assert accept["session"].isdigit()
    assert accept["event_data"]["vers"] == {"major": 0, "minor": 1}

    assert ssh.run("sudo", "-n", "cat", "/etc/shadow").returncode != 0
    reject = the_record(accounts, "SUDO", mine, ["event", "=", "REJECT"])
    said = reject["event_data"]["sudo"]["reject"]
    assert not reject["success"] and said["reason"]
    assert said["runargv"] == ["cat", "/etc/shadow"]
    assert len(records(accounts, "SUDO", mine)) == 2


def test_no_command_is_too_long_to_be_recorded(accounts, person):
    """sudo itself says nothing of 300 KB to the system log."""
    _, ssh = person("srclong", sudo_commands_nopasswd=["/usr/bin/true"])
    done = ssh.run("x=$(head -c 100000 /dev/zero | tr '\\0' x); "
                   "sudo -n true $x $x $x $(seq 100000)")
    assert done.returncode == 0, done
    accept = the_record(accounts, "SUDO", ["username", "=", "srclong"])
    said = accept["event_data"]["sudo"]["accept"]
    assert said["runargv"][1].endswith("... (100000 bytes)")
    assert said["cut"] > 1000 and said["command"] == "/usr/bin/true"


def test_what_is_told_while_nobody_listens(accounts, person):
    """It waits in the socket until the role is there again."""
    _, ssh = person("srcwait", sudo_commands_nopasswd=["/usr/bin/id"])
    os.kill(accounts.roles()["audit"], 9)
    for _ in range(2):
        assert ssh.run("sudo", "-n", "id", "-u").stdout == "0\n"
    mine = ["username", "=", "srcwait"]
    wait_until(lambda: len(records(accounts, "SUDO", mine)) == 2, 60,
               "both commands")
    wait_until(lambda: len(records(accounts, "SYSTEM", mine)) == 4, 60,
               "both logins and their ends")


def test_bytes_that_are_no_text(accounts, person):
    _, ssh = person("srcbytes", sudo_commands_nopasswd=["/usr/bin/true"])
    assert ssh.run("sudo -n true $(printf 'a\\377\\033[2Jb') "
                   "$(printf 'x\\001y')").returncode == 0
    accept = the_record(accounts, "SUDO", ["username", "=", "srcbytes"])
    words = accept["event_data"]["sudo"]["accept"]["runargv"]
    assert words[2] == "x\x01y" and words[1] == r"a\xff\x1b[2Jb"


# Before a login, by the web; and services.

def test_failed_logins_by_the_web_are_summed(instance):
    source = next_address(107)
    # One more a minute than 20 would be answered slowly.
    for _ in range(2):
        with instance.connect(source=source) as client:
            for _ in range(10):
                client.raw('{"jsonrpc": "2.0", "id": 1, "method": '
                           '"ssh.update", "params": [{}]}')

    def all_of_them():
        found = records(instance, "MIDDLEWARE", ["address", "=", source],
                        ["event", "=", "METHOD_CALL"])
        counts = [one["event_data"].get("count", 1) for one in found]
        return sum(counts) == 20 and found

    found = wait_until(all_of_them, 60, "refused calls")
    assert 10 < len(found) < 20
    assert all(one["username"] == ".UNAUTHENTICATED" for one in found)
    assert all(not one["event_data"]["authenticated"] for one in found)


def test_services_that_start_and_stop(accounts):
    def newest(kind):
        return the_record(accounts, "SYSTEM", ["event", "=", "SERVICE"],
                          ["event_data.type", "=", kind])

    with accounts.root() as client:
        before = newest("SERVICE_START")
        assert before["event_data"]["unit"] == "ssh"
        client.control("STOP")
        stop = newest("SERVICE_STOP")
        assert stop["time_us"] > before["time_us"]
        client.control("START")
        start = wait_until(
            lambda: newest("SERVICE_START")["time_us"] > stop["time_us"] and
            newest("SERVICE_START"), 30, "the start")
        assert accounts.sshd_pid() in start["event_data"]["pids"]
        config = client.call("audit.config")
        assert set(config["enabled_services"]) == {
            "MIDDLEWARE", "SMB", "SUDO", "SYSTEM"}
