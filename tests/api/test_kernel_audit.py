"""The kernel's audit: what people do in an instance, and nothing else."""

import contextlib
import fcntl
import os
import signal
import socket
import struct
import subprocess

import pytest

from harness import Instance, PASSWORD, Ssh, wait_until

LOCK = "/run/lock/holdfast-kernel-audit"
KEY = b"holdfast-"

# linux/netlink.h and linux/audit.h
NETLINK_AUDIT = 9
NLMSG_ERROR, NLMSG_DONE = 2, 3
GET, SET, ADD_RULE, DEL_RULE, LIST_RULES = 1000, 1001, 1011, 1012, 1013
FILTER_EXIT, NEVER, FIELD_KEY, OP_EQUAL = 4, 0, 210, 0x40000000
HEAD = "=IHHII"
RULE = "=III64I64I64I64II"


class Kernel:
    """The kernel's audit itself, asked without Holdfast."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                    NETLINK_AUDIT)
        self.socket.settimeout(10)

    def ask(self, kind, last, data=b""):
        """Bodies of the answers up to one of that kind; OSError."""
        self.socket.send(struct.pack(HEAD, 16 + len(data), kind, 5, 1, 0)
                         + data)
        found = []
        while True:
            answer = self.socket.recv(65536)
            kind = struct.unpack_from(HEAD, answer)[1]
            if kind == NLMSG_ERROR:
                error = -struct.unpack_from("=i", answer, 16)[0]
                if error != 0:
                    raise OSError(error, os.strerror(error))
            else:
                found.append(answer[16:])
            if kind == last:
                return found

    def status(self):
        """(enabled, failure, backlog limit)"""
        words = struct.unpack_from("=8I", self.ask(GET, GET)[0])
        return words[1], words[2], words[5]

    def keys(self):
        """Of each rule its texts, the key among them."""
        size = struct.calcsize(RULE)
        return [rule[size:].rstrip(b"\0")
                for rule in self.ask(LIST_RULES, NLMSG_DONE)[:-1]]

    def ours(self):
        return [key for key in self.keys() if KEY in key]

    def rule(self, kind, key):
        """Adds or deletes a rule that nothing matches."""
        def one(value):
            return [value] + 63 * [0]

        self.ask(kind, NLMSG_ERROR, struct.pack(
            RULE, FILTER_EXIT, NEVER, 1, *64 * [0], *one(FIELD_KEY),
            *one(len(key)), *one(OP_EQUAL), len(key)) + key)


@pytest.fixture(scope="module")
def kernel():
    """The machine's only one, for this run alone."""
    with open(LOCK, "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            kernel = Kernel()
            if kernel.ours():       # of a run that was killed
                Instance("release").start().remove()
            before = kernel.status()
        except OSError as error:
            pytest.skip(f"the kernel's audit cannot be asked: {error}")
        if before[0] == 2:
            pytest.skip("the kernel's audit is locked")
        yield kernel
        assert kernel.status() == before
        assert kernel.ours() == []


def state(instance):
    with instance.root() as client:
        return client.call("audit.config")["kernel"]


def has_state(instance, name):
    return wait_until(
        lambda: [shown for shown in [state(instance)]
                 if shown["state"] == name], 30, f"{name}")[0]


@pytest.fixture(scope="module")
def audited(kernel):
    """An instance that has it, with an sshd."""
    before = kernel.status()
    one = Instance("asan", arguments=["--kernel-audit"])
    try:
        one.start().setup_admin()
        assert has_state(one, "ON")["rules"] > 40
        with one.root() as client:
            client.control("START")
        yield one
        one.stop()
        assert kernel.status() == before
        assert kernel.ours() == []
    finally:
        one.remove()


@pytest.fixture(scope="module")
def person(audited, tmp_path_factory):
    """Somebody who logs in with a key, and may do all with sudo."""
    with audited.root() as client:
        client.call("user.create", {
            "username": "kanna", "full_name": "kanna", "group_create": True,
            "password": PASSWORD, "smb": False, "home": "/home",
            "home_create": True, "sudo_commands_nopasswd": ["ALL"]})
    return Ssh(audited, tmp_path_factory.mktemp("kanna"), user="kanna")


def records(instance, *filters, client=None):
    data = {"services": ["SYSTEM"], "query-filters": list(filters),
            "query-options": {"order_by": ["-time_us"], "limit": 500}}
    if client is not None:
        return client.call("audit.query", data)
    with instance.root() as asking:
        return asking.call("audit.query", data)


def the_record(instance, *filters):
    """The newest such record, once it is there."""
    return wait_until(lambda: records(instance, *filters), 60,
                      str(filters))[0]


MINE = ["username", "=", "kanna"]


def event(name, *filters):
    return (MINE, ["event", "=", name], *filters)


# What is recorded.

def test_an_execution(audited, person):
    assert person.run("/bin/echo 'a b' marker-one").returncode == 0
    record = the_record(audited, *event(
        "EXECUTION", ["event_data.syscall.exe", "$", "/echo"]))
    data = record["event_data"]
    assert record["success"] is True and record["service"] == "SYSTEM"
    assert data["arguments"] == ["/bin/echo", "a b", "marker-one"]
    assert data["cwd"].startswith("/home/kanna")
    assert data["raw_lines"] is None
    call = data["syscall"]
    assert (call["SYSCALL"], call["AUID"], call["UID"], call["GID"]) == (
        "execve", "kanna", "kanna", "kanna")
    assert call["auid"] == call["uid"]
    assert call["tty"] is None
    assert record["session"] == str(call["ses"])
    assert record["time_us"] // 1000 == int(
        data["audit_msg_id_str"].split(":")[0].replace(".", ""))


def test_what_is_done_as_root_is_whose_it_is(audited, person):
    assert person.run("sudo -n /bin/echo marker-two").returncode == 0
    record = the_record(audited, *event(
        "EXECUTION", ["event_data.arguments", "rin", "marker-two"],
        ["event_data.syscall.exe", "$", "/echo"]))
    call = record["event_data"]["syscall"]
    assert (call["AUID"], call["UID"], call["uid"]) == ("kanna", "root", 0)
    escalation = the_record(audited, *event(
        "ESCALATION", ["event_data.proctitle", "$", "marker-two"]))
    assert escalation["event_data"]["syscall"]["EUID"] == "root"


def test_refusals(audited, person):
    assert person.run("cat /etc/shadow").returncode != 0
    record = the_record(audited, *event(
        "DENIED", ["event_data.proctitle", "$", "cat /etc/shadow"]))
    assert record["success"] is False
    assert record["event_data"]["paths"][0]["name"] == "/etc/shadow"
    assert record["event_data"]["syscall"]["exit"] == -13


def test_modules(audited, person):
    """No module is loaded: what is given is none."""
    assert person.run("sudo -n /sbin/insmod /bin/true").returncode != 0
    record = the_record(audited, *event("MODULE-LOAD"))
    assert record["success"] is False
    assert record["event_data"]["syscall"]["SYSCALL"] in (
        "finit_module", "init_module")
    assert record["event_data"]["syscall"]["UID"] == "root"


def test_mounts(audited, person):
    done = person.run("mount -t tmpfs none /mnt; "
                      "sudo -n mount -t tmpfs none /mnt && "
                      "sudo -n umount /mnt")
    assert done.returncode == 0, done
    refused = the_record(audited, *event(
        "EXPORT", ["success", "=", False]))
    assert refused["event_data"]["syscall"]["uid"] != 0
    made = the_record(audited, *event(
        "EXPORT", ["success", "=", True],
        ["event_data.syscall.SYSCALL", "=", "mount"]))
    assert made["event_data"]["syscall"]["UID"] == "root"
    the_record(audited, *event(
        "EXPORT", ["event_data.syscall.SYSCALL", "=", "umount2"]))


@pytest.mark.parametrize("name, command", [
    ("IDENTITY", "touch /etc/passwd"),
    ("PRIVILEGE", "touch /etc/sudoers.d/marker"),
    ("PRIVILEGE", "chmod u+s /home/kanna/.ssh"),
    ("AUDIT-CONFIG", "touch /run/holdfast/audit/marker"),
    ("SYSTEM-LOCALE", "touch /etc/hosts"),
], ids=lambda value: value.split()[-1])
def test_changes(audited, person, name, command):
    person.run(f"sudo -n {command}")
    audited.enter("rm", "-f", "/etc/sudoers.d/marker",
                  "/run/holdfast/audit/marker")
    record = the_record(audited, *event(
        name, ["event_data.proctitle", "$", command]))
    assert record["event_data"]["syscall"]["UID"] == "root"


def test_a_change_of_the_rules(audited, person, kernel):
    """By somebody of the instance: the kernel tells by itself."""
    before = kernel.status()
    # What it is set to is what it is.
    script = (
        "import socket, struct\n"
        "s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)\n"
        f"s.send(struct.pack('{HEAD}10I', 16 + 40, {SET}, 5, 1, 0,"
        f" 2, 0, {before[1]}, *7 * [0]))\n"
        "s.recv(100)\n")
    done = person.run("sudo -n /usr/bin/python3 -", stdin=script)
    assert done.returncode == 0, done
    record = the_record(audited, *event(
        "AUDIT-CONFIG", ["event_data.type", "=", "CONFIG_CHANGE"]))
    assert "audit_failure" in record["event_data"]["fields"]
    assert kernel.status() == before


def test_any_bytes(audited, person):
    """Names and arguments of any bytes, and long ones."""
    long = 20000 * "x"
    script = ("import os; os.execv(b'/bin/true', "
              f"[b'any-bytes', b'\\xff\\n\"\\x1b', b'{long}'])")
    assert person.run("/usr/bin/python3 -", stdin=script).returncode == 0
    record = the_record(audited, *event(
        "EXECUTION", ["event_data.arguments", "rin", "any-bytes"]))
    zeroth, odd, cut = record["event_data"]["arguments"]
    assert zeroth == "any-bytes"
    assert "\\xff" in odd and "\x1b" not in odd
    assert cut.startswith("xxxx") and "20000 bytes" in cut


# What is not.

@contextlib.contextmanager
def login_session(auid):
    """A process of the host that a login began, elsewhere."""
    script = (f"import os; open('/proc/self/loginuid', 'w').write('{auid}'); "
              "print(flush=True); input(); "
              "os.execv('/bin/echo', ['echo', 'marker-host'])")
    with subprocess.Popen(["/usr/bin/python3", "-c", script],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        process.stdout.readline()
        yield process


def test_not_of_the_hosts_sessions(audited, person):
    """Even where the number is that of a user of the instance."""
    with audited.root() as client:
        user, = client.call("user.query", [["username", "=", "kanna"]])
    with login_session(user["uid"]) as process:
        out, _ = process.communicate("\n", timeout=30)
        assert "marker-host" in out
    assert person.run("/bin/echo marker-after").returncode == 0
    the_record(audited, *event(
        "EXECUTION", ["event_data.proctitle", "$", "marker-after"]))
    assert not records(audited, ["event_data.proctitle", "rin",
                                 "marker-host"])


def test_one_record_of_a_login(audited, person):
    """The kernel's word of it is none beside sshd's own."""
    assert person.run("/bin/echo marker-login").returncode == 0
    the_record(audited, *event(
        "EXECUTION", ["event_data.proctitle", "$", "marker-login"]))
    assert not records(audited, MINE, ["event", "=", "GENERIC"])


# Who sees what.

@pytest.fixture(scope="module")
def reader(audited):
    """Somebody who may only look."""
    with audited.root() as client:
        group = client.call("group.create", {"name": "kreaders"})
        gid = client.call("group.get_instance", group)["gid"]
        client.call("privilege.create", {
            "name": "kreaders", "local_groups": [gid], "ds_groups": [],
            "roles": ["READONLY_ADMIN"], "web_shell": False})
        client.call("user.create", {
            "username": "kreader", "full_name": "kreader",
            "group_create": True, "groups": [group], "password": PASSWORD,
            "smb": False})
    with audited.connect() as client:
        assert client.login("kreader")["response_type"] == "SUCCESS"
        yield client


def test_arguments_are_hidden(audited, person, reader):
    assert person.run("/bin/echo marker-secret").returncode == 0
    record = the_record(audited, *event(
        "EXECUTION", ["event_data.arguments", "rin", "marker-secret"],
        ["event_data.syscall.exe", "$", "/echo"]))
    mine = ["audit_id", "=", record["audit_id"]]
    shown, = records(audited, mine, client=reader)
    assert shown["event_data"]["arguments"] == "********"
    assert shown["event_data"]["proctitle"] == "********"
    # Without it the hash of the line would tell who guesses.
    assert len(record["event_data"]["salt"]) == 36
    assert shown["event_data"]["salt"] == "********"
    assert shown["event_data"]["syscall"] == record["event_data"]["syscall"]
    # A filter does not tell either, by the index or without it.
    for filters in (
            [mine, ["event_data.proctitle", "$", "marker-secret"]],
            [["event_data.arguments", "rin", "marker-secret"]],
            [["event_data.proctitle", "~", ".*marker-secret.*"]]):
        assert records(audited, *filters)
        assert not records(audited, *filters, client=reader)
    ordered = reader.call("audit.query", {
        "services": ["SYSTEM"], "query-filters": [mine],
        "query-options": {"select": ["event_data.proctitle"], "limit": 1}})
    assert "marker" not in str(ordered)


def test_nor_exported(reader):
    number = reader.call("audit.export", {"services": ["SYSTEM"]})
    job = wait_until(
        lambda: [job for job in reader.call(
            "core.get_jobs", [["id", "=", number]])
            if job["state"] not in ("WAITING", "RUNNING")], 30, "its end")[0]
    assert job["state"] == "FAILED"
    assert "SYSTEM_AUDIT_WRITE" in job["error"]


# The settings.

def test_only_a_machine_is_locked_or_stopped(audited, kernel):
    before = kernel.status()
    with audited.root() as client:
        for field in ("kernel_lock", "kernel_panic"):
            error = client.error("audit.update", {
                field: True, "kernel_consent": True})
            assert error.paths == [f"audit_update.{field}"]
    assert kernel.status() == before


def test_the_rules_go_and_come(audited, kernel):
    theirs = b"somebody-elses"
    kernel.rule(ADD_RULE, theirs)
    try:
        with audited.root() as client:
            client.call("audit.update", {"kernel_rules": False})
            has_state(audited, "OFF")
            assert kernel.ours() == [] and kernel.status()[0] == 0
            assert theirs in kernel.keys()
            client.call("audit.update", {"kernel_rules": True})
            assert has_state(audited, "ON")["rules"] > 40
            assert len(kernel.ours()) > 40 and kernel.status()[0] == 1
    finally:
        kernel.rule(DEL_RULE, theirs)
        with audited.root() as client:
            client.call("audit.update", {"kernel_rules": True})


# One a machine, and what it was before.

def test_another_instance(audited, kernel, make_instance):
    had = kernel.ours()
    other = make_instance("--kernel-audit").start()
    shown = has_state(other, "TAKEN")
    assert str(audited.pid) in shown["problem"]
    with other.root() as client:
        problems = client.call("holdfast.status")["problems"]
    assert any(shown["problem"] in problem for problem in problems)
    other.stop()
    assert kernel.ours() == had
    # One that was not told to neither asks for it nor complains.
    other = make_instance().start()
    assert state(other) == {"state": "OFF", "rules": 0, "problem": None}
    with other.root() as client:
        assert client.call("holdfast.status")["problems"] == []


def test_the_audit_role_dies(audited, person):
    """Sessions that began before go on being recorded."""
    session = person.session()
    session.stdin.write("x\n")
    assert session.stdout.readline() == "x\n"
    pid = audited.roles()["audit"]
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: audited.roles().get("audit") not in (None, pid), 60,
               "another")
    session.kill()
    session.wait()
    assert person.run("/bin/echo marker-again").returncode == 0
    the_record(audited, *event(
        "EXECUTION", ["event_data.proctitle", "$", "marker-again"]))


def test_many_at_once(audited, person):
    """What is too much is counted, and said of whom."""
    made = 800
    script = ("import subprocess\n"
              f"for i in range({made}): "
              "subprocess.run(['/bin/true', f'flood-{i}'])\n")
    done = person.run("/usr/bin/python3 -", stdin=script, timeout=100)
    assert done.returncode == 0

    def counted():
        flood = [MINE, ["event_data.proctitle", "rin", "flood-"],
                 ["success", "=", True]]
        with audited.root() as client:
            kept = client.call("audit.query", {
                "services": ["SYSTEM"], "query-filters": flood,
                "query-options": {"count": True}})
        missed = sum(record["event_data"]["count"] for record in records(
            audited, ["event_data.type", "in", ["SUMMED", "LOST"]]))
        return kept + missed >= made

    wait_until(counted, 60, "each is kept or counted")


def test_killed(audited, kernel):
    """What an instance leaves that is killed goes at any start."""
    assert len(kernel.ours()) > 40
    audited.kill()
    # Those about its files went with its file systems.
    assert KEY + b"execution" in kernel.ours()
    other = Instance("release").start()
    try:
        assert kernel.ours() == [] and kernel.status()[0] == 0
    finally:
        other.stop()
        other.remove()
    audited.start()
    assert has_state(audited, "ON")["rules"] > 40
