"""Second factors in SSH logins: real ssh, at a terminal, against real sshd."""

import os
import signal
import subprocess

import pytest
from websocket import WebSocketException

from authenticator import Authenticator, person_at
from harness import ADMIN, PASSWORD, Closed, Instance, Ssh, wait_until

pytestmark = pytest.mark.release
GROUP = ["builtin_administrators"]
WINDOW = 20     # codes are plenty, none is waited for
OFF = {"enabled": False, "services": {"ssh": False}, "window": 0}
ON = {"enabled": True, "services": {"ssh": True}, "window": WINDOW}
CODE = r"code:$"
PASSWORD_PROMPT = r"assword:$"


@pytest.fixture
def served(shared):
    """Shared by these tests, without second factors at first."""
    return shared("to ask for codes",
                  lambda build: Instance(build).start().setup_admin())


@pytest.fixture
def root(served):
    with served.root() as client:
        client.call("ssh.update", {
            "options": "", "tcpfwd": False, "passwordauth": False,
            "password_login_groups": [], "lockout": True})
        client.control("START")
        yield client
    with served.root() as client:
        client.call("auth.twofactor.update", OFF)
        client.call("user.unset_2fa_secret", ADMIN)


@pytest.fixture
def ssh(served, root, tmp_path):
    return Ssh(served, tmp_path)


@pytest.fixture
def app(ssh, root):
    """The administrator's authenticator; SSH asks for its codes."""
    answer = root.call("user.renew_2fa_secret", ADMIN, {})
    root.call("auth.twofactor.update", ON)
    return Authenticator(answer["twofactor_config"]["provisioning_uri"],
                         WINDOW)


def login(ssh, answers, key=True, methods=None):
    """(is he in, the prompts that came)"""
    arguments, environment = ssh.command("id", "-un")
    skip = arguments.index("BatchMode=yes")
    del arguments[skip - 1:skip + 1]
    wanted = methods or ("publickey,keyboard-interactive,password" if key
                         else "keyboard-interactive,password")
    arguments[1:1] = ["-o", f"PreferredAuthentications={wanted}",
                      "-o", "NumberOfPasswordPrompts=1", "-o",
                      f"PubkeyAuthentication={'yes' if key else 'no'}"]
    status, text, prompts = person_at(arguments, environment, answers)
    return status == 0 and ssh.user in text.split(), prompts


@pytest.mark.bounded(240)
def test_key_and_code(ssh, app, root):
    assert not ssh.works()                      # the key alone
    code = app.fresh()
    came_in, prompts = login(ssh, [(CODE, code)])
    assert came_in and len(prompts) == 1 and "assword" not in prompts[0]
    # The same code is none any more, and a wrong one never was.
    assert not login(ssh, [(CODE, code)])[0]
    assert not login(ssh, [(CODE, app.wrong())])[0]
    root.call("auth.twofactor.update", {"services": {"ssh": False}})
    assert ssh.works()


@pytest.mark.bounded(300)
def test_password_and_code(ssh, app, root):
    root.call("ssh.update", {"passwordauth": True,
                             "password_login_groups": GROUP})
    came_in, prompts = login(ssh, [(PASSWORD_PROMPT, PASSWORD),
                                   (CODE, app.fresh())], key=False)
    assert came_in and len(prompts) == 2, prompts
    assert not login(ssh, [(PASSWORD_PROMPT, "wrong"),
                           (CODE, app.fresh())], key=False)[0]
    # sshd's own password method, which could not ask twice, is off.
    assert not ssh.works(password=PASSWORD)
    # Who is no member has no way to a password, nor to a code by itself.
    root.call("ssh.update", {"password_login_groups": [], "lockout": True})
    code = app.fresh()
    came_in, prompts = login(ssh, [(PASSWORD_PROMPT, PASSWORD),
                                   (CODE, code)], key=False)
    assert not came_in and not prompts, prompts
    came_in, prompts = login(ssh, [(CODE, code)])
    assert came_in and len(prompts) == 1, prompts


def test_sshd_that_asks_for_less_lets_nobody_in(ssh, app, root):
    """PAM holds what auxiliary parameters gave away."""
    root.call("ssh.update", {
        "options": f"Match User {ADMIN}\n  AuthenticationMethods publickey"})
    assert not ssh.works()
    root.call("ssh.update", {"options": "AuthenticationMethods publickey"})
    assert not ssh.works()


@pytest.mark.bounded(300)
def test_code_is_used_once_everywhere(served, ssh, root):
    """One that the API took is none for SSH, after a crash of core too; and
    while core does not answer, none is right."""
    with served.admin() as admin:
        config = admin.call("user.renew_2fa_secret", ADMIN,
                            {"confirm": True})["twofactor_config"]
        app = Authenticator(config["provisioning_uri"], WINDOW)
        root.call("auth.twofactor.update", ON)
        assert ssh.works()      # nothing is in force
        code = app.fresh()
        assert admin.call("auth.twofactor.confirm", code)
    assert not ssh.works()
    assert not login(ssh, [(CODE, code)])[0]
    before = served.roles()["core"]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: served.roles().get("core") not in (None, before), 30,
               "a new core")
    assert not login(ssh, [(CODE, code)])[0]
    core = served.roles()["core"]
    os.kill(core, signal.SIGSTOP)
    try:
        assert not login(ssh, [(CODE, app.fresh())])[0]
    finally:
        os.kill(core, signal.SIGCONT)
    assert login(ssh, [(CODE, app.fresh())])[0]


@pytest.mark.bounded(240)
def test_nobody_but_root_asks_core(served, ssh, app):
    """The socket is root's, and takes nothing that is no question."""
    script = (
        "import socket,sys\n"
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
        "s.settimeout(20)\n"
        "s.connect('/run/holdfast/second-factor.sock')\n"
        "s.send(bytes.fromhex(sys.argv[1]))\n"
        "print(s.recv(9))\n")

    def ask(packet, *wrapper):
        return served.enter(*wrapper, "/usr/bin/python3", "-c", script,
                           packet.hex(), check=False).stdout.strip()

    def question(code, user=ADMIN):
        return b"\2c" + b"\0".join([user.encode(), code.encode(), b""]) + b"\0"

    assert ask(question(app.fresh()), "setpriv", "--reuid", "65534",
               "--clear-groups") == ""
    for packet in (b"\2", b"\1" + question("0")[1:],
                   b"\2?" + question("0")[2:], question("0")[:-1],
                   question("0") + b"x", question("0" * 600),
                   question("0", "a b"), question("0", "\n")):
        assert ask(packet) == "b''", packet
    assert ask(question(app.wrong())) == "b'n'"
    assert ask(question("", "nobody_here")) == "b'n'"
    assert ask(question(app.fresh())) == "b'y'"


@pytest.mark.bounded(240)
def test_machines_with_restricted_keys_are_exempt(
        served, ssh, root, tmp_path):
    """With those keys alone, whatever else lies in authorized_keys."""
    public = ssh.key.with_suffix(".pub").read_text().strip()
    robot = root.call("user.create", {
        "username": "robot", "full_name": "Backup", "smb": False,
        "group_create": True, "password_disabled": True,
        "home": "/home", "home_create": True, "shell": "/bin/bash",
        "sshpubkey": f'from="127.0.0.0/8" {public}', "machine": True})
    root.call("user.renew_2fa_secret", "robot", {})
    root.call("auth.twofactor.update", ON)
    assert {"username": "robot", "codes": "EXEMPT", "keys": 1,
            "restricted": True} in root.call("auth.twofactor.ssh_logins")
    ssh.user = "robot"
    assert ssh.works()
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                    other], check=True, timeout=30)
    served.enter("sh", "-c", "cat >>/home/robot/.ssh/authorized_keys",
                stdin=other.with_suffix(".pub").read_text())
    known, ssh.key = ssh.key, other
    assert not ssh.works()
    ssh.key = known
    root.call("user.update", robot["id"], {"machine": False})
    assert not ssh.works()
    # By a group of its own, and no more once one key is free to use.
    root.call("group.update", robot["group"]["id"], {"machine": True})
    assert ssh.works()
    root.call("user.update", robot["id"], {"sshpubkey": public})
    assert not ssh.works()
    root.call("user.delete", robot["id"], {"delete_group": True})
    served.enter("rm", "-rf", "/home/robot")


def test_lines_that_a_package_took_are_told_of_and_put_back(
        served, ssh, root):
    def lines():
        return [line for line in served.enter(
            "cat", "/etc/pam.d/sshd").stdout.splitlines()
            if "pam_holdfast" in line]

    def alerts(client, name="SshSecondFactorOff"):
        return [alert["args"] for alert in client.call("alert.list")
                if alert["klass"] == name]

    def of_audit():
        return [served.enter("grep", "-c", "holdfast", f"/etc/{file}"
                            ).stdout.strip()
                for file in ("pam.d/su", "pam.d/login", "sudo.conf")]

    before = lines()
    assert len(before) > 5 and not alerts(root)
    assert not alerts(root, "AuditHooksGone")
    whole = of_audit()
    assert whole == ["2", "2", "1"]
    served.enter("sed", "-i", "/pam_holdfast.so key/d", "/etc/pam.d/sshd")
    served.enter("sed", "-i", "/pam_holdfast/d", "/etc/pam.d/su")
    served.enter("rm", "/etc/sudo.conf")
    # It looks daily, and at each start of its own.
    core = served.roles()["core"]
    os.kill(core, signal.SIGKILL)

    def told():
        try:
            with served.root() as client:
                return alerts(client)
        except (OSError, Closed, WebSocketException):
            return None

    wait_until(told, 30, "the alert")
    assert len(lines()) == len(before) - 1
    with served.root() as client:
        client.call("ssh.update", {"tcpfwd": True})
        assert not alerts(client)
    assert sorted(lines()) == sorted(before) and ssh.works()
    # What the audit log is told by is put back at once; until then, nobody
    # knows what went unrecorded.
    files = "/etc/pam.d/su, /etc/sudo.conf"
    with served.root() as client:
        wait_until(lambda: alerts(client, "AuditHooksGone") == [
            {"what": files, "outcome": "it was put back"}], 30, "its alert")
        record = wait_until(lambda: client.call("audit.query", {
            "services": ["SYSTEM"], "query-options": {"limit": 10},
            "query-filters": [
                ["event_data.type", "=", "HOOKS"]]}), 30, "its record")[-1]
        assert record["event_data"]["files"] == files
    assert of_audit() == whole
