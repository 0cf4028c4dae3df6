"""Accounts that only transfer files: Debian's sftp and scp, by both of its
protocols, work; whatever else a login can do does not."""

import json
import os
import pathlib
import subprocess

import pytest

from harness import REPOSITORY, KeySsh, processes, public

pytestmark = pytest.mark.release
SHELL = "/var/lib/holdfast/scponly"
SAYS = "This account is for transferring files"


class Transfer(KeySsh):
    """Its clients, and its home as root sees it."""

    def __init__(self, instance, user, key):
        super().__init__(instance, user["username"], key)
        self.entry = user
        self.home = instance.inside(user["home"])

    def client(self, program, *arguments, stdin=""):
        command, environment = self.command()
        options = command[1:-1]
        port = options.index("-p")
        options[port:port + 2] = ["-o", f"Port={self.instance.ssh_port}"]
        return subprocess.run(
            [program, *options, *arguments], env=environment, input=stdin,
            capture_output=True, text=True, timeout=60, check=False,
            start_new_session=True)

    def at(self, path):
        return f"{self.user}@{self.instance.address}:{path}"

    def put(self, path, text, folder):
        """By sftp."""
        local = folder / "to-put"
        local.write_text(text)
        done = self.client("sftp", "-b", "-", self.at(""),
                           stdin=f'put "{local}" "{path}"\n')
        assert done.returncode == 0, done.stderr

    def refuses(self, command):
        done = self.run(command)
        return done.returncode != 0 and SAYS in done.stderr


@pytest.fixture
def make(accounts, make_user, keys):
    def make_transfer(name, shell=SHELL):
        user = make_user(name, home="/home", home_create=True, shell=shell,
                         sshpubkey=public(keys[0]))
        return Transfer(accounts, user, keys[0])

    return make_transfer


@pytest.fixture
def person(make):
    return make("carry")


# What a reader of the recipe has besides: his key, and a host of that name.
READER = """
hf() { "$HOLDFAST" -i "$INSTANCE" "$@"; }
known="-F /dev/null -i carry -o BatchMode=yes -o LogLevel=ERROR \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
ssh() { command ssh $known "$@"; }
sftp() { command sftp $known "$@"; }
"""


def test_the_recipe_of_the_readme(accounts, keys, tmp_path):
    text = (REPOSITORY / "README.md").read_text()
    section = text.split("## A user who only transfers files\n")[1]
    recipe = "".join(line[4:] for line in section.split("\n## ")[0]
                     .splitlines(True) if line.startswith("    "))
    assert recipe.count("@127.0.0.1") == 2
    recipe = recipe.replace("@127.0.0.1", f"@{accounts.address}")
    (tmp_path / "carry").write_bytes(keys[0].read_bytes())
    (tmp_path / "carry").chmod(0o600)
    (tmp_path / "carry.pub").write_text(public(keys[0]))
    (tmp_path / "up").write_text("first\n")
    try:
        done = subprocess.run(
            ["bash", "-c", READER + recipe], cwd=tmp_path, timeout=60,
            input="put up\nget up down\n", text=True, capture_output=True,
            check=False, env={
                "PATH": os.environ["PATH"], "INSTANCE": accounts.directory,
                "HOLDFAST": accounts.build / "holdfast"})
        assert (tmp_path / "down").read_text() == "first\n", done
        # What ended it is the command that is refused.
        assert done.returncode != 0 and SAYS in done.stderr, done
        assert "uid=" not in done.stdout
    finally:
        with accounts.root() as client:
            for user in client.call("user.query",
                                    [["username", "=", "carry"]]):
                client.call("user.delete", user["id"])
        accounts.enter("rm", "-rf", "/home/carry")


def test_it_is_a_choice(accounts):
    with accounts.root() as client:
        assert client.call("user.shell_choices")[SHELL] == "scponly"
    assert SHELL not in accounts.inside("/etc/shells").read_text()
    # Read by nobody, so that the kernel keeps its users from its memory.
    assert accounts.enter("stat", "-c", "%U %a", SHELL).stdout == "root 711\n"


def test_sftp(person, tmp_path):
    person.put("one", "first\n", tmp_path)
    done = person.client("sftp", "-b", "-", person.at(""), stdin=(
        "mkdir sub\nrename one sub/two\nls -l sub\n"
        f"get sub/two {tmp_path}/back\n"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "back").read_text() == "first\n"
    assert (person.home / "sub/two").stat().st_uid == person.entry["uid"]


@pytest.mark.parametrize("old", [[], ["-O"]])
def test_scp(person, tmp_path, old):
    name = "a b;$(id) 'c'"
    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "tree" / name).write_text("first\n")
    (tmp_path / "tree/sub/deep").write_text("second\n")
    done = person.client("scp", *old, "-rp", f"{tmp_path}/tree",
                         person.at("there"))
    assert done.returncode == 0, done.stderr
    assert (person.home / "there" / name).read_text() == "first\n"
    assert (person.home / "there/sub/deep").read_text() == "second\n"
    done = person.client("scp", *old, "-rp", person.at("there"),
                         f"{tmp_path}/back")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "back" / name).read_text() == "first\n"


def test_names_that_a_shell_would_take_for_more(person, tmp_path):
    """scp -O sends them as they are: quoted they are names, else refused."""
    local = tmp_path / "local"
    local.write_text("x\n")
    for quoted in ("'a;id'", "a\\ b", "-x", '"c d"', "-oProxyCommand=x"):
        done = person.client("scp", "-O", f"{local}", person.at(quoted))
        assert done.returncode == 0, (quoted, done.stderr)
    assert {"a;id", "a b", "-x", "c d", "-oProxyCommand=x"} <= {
        one.name for one in person.home.iterdir()}
    for wrong in ("$(touch y)", "y;touch y", "`touch y`", "y>y", "y|sh"):
        done = person.client("scp", "-O", f"{local}", person.at(wrong))
        assert done.returncode != 0
        assert SAYS in done.stderr
    assert not (person.home / "y").exists()


def test_no_commands(person):
    for command in ("id", "sh", "/bin/bash -i", "internal-sftp", "scp x y",
                    "scp -S /bin/sh x h:y", "scp -t x; id", "true"):
        assert person.refuses(command), command
    shell = person.run(stdin="id\n")
    assert shell.returncode != 0
    assert SAYS in shell.stderr and "uid=" not in shell.stdout
    terminal = person.run(options=["-tt"], stdin="id\n")
    assert "PTY allocation request failed" in terminal.stderr
    assert "uid=" not in terminal.stdout


def test_no_forwarding(accounts, person, make):
    """Where SSH allows it to others."""
    other = make("nocarry", "/bin/bash")
    jump = ("-W", f"{accounts.address}:{accounts.ssh_port}")
    back = ("-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1")
    with accounts.root() as client:
        client.call("ssh.update", {"tcpfwd": True})
    try:
        assert "SSH-2.0" in other.run(options=jump).stdout
        denied = person.run(options=jump)
        assert denied.returncode != 0 and denied.stdout == ""
        assert person.run(options=back).returncode == 255
        told = accounts.enter(
            "/usr/sbin/sshd", "-T", "-C",
            f"user={person.user},host=x,addr=127.0.0.1").stdout.split("\n")
        for keyword in ("allowtcpforwarding", "allowstreamlocalforwarding",
                        "allowagentforwarding", "x11forwarding", "permittty",
                        "permittunnel", "permituserrc", "gatewayports"):
            assert f"{keyword} no" in told
        # What the auxiliary parameters say takes nothing of it back.
        options = client_options(accounts)
        with accounts.root() as client:
            client.call("ssh.update", {"options": (
                f"{options}\nMatch User {person.user}\n"
                "AllowTcpForwarding yes\nPermitTTY yes")})
        try:
            assert person.run(options=jump).stdout == ""
        finally:
            with accounts.root() as client:
                client.call("ssh.update", {"options": options})
    finally:
        with accounts.root() as client:
            client.call("ssh.update", {"tcpfwd": False})


def client_options(accounts):
    with accounts.root() as client:
        return client.call("ssh.config")["options"]


def test_its_files_run_nothing(accounts, make, tmp_path):
    """~/.ssh/rc, and what pam_env of Debian 12 reads for whoever logs in: it
    would have a library of theirs in their shell.  Others' are heeded."""
    reads = "user_readenv=1" in accounts.inside("/etc/pam.d/sshd").read_text()
    heeded = {}
    for name, shell in (("carrya", SHELL), ("carryb", "/bin/bash")):
        person = make(name, shell)
        person.put(".ssh/rc", "touch was-here\n", tmp_path)
        person.put(".pam_environment", "LD_PRELOAD=/none/of.so\n", tmp_path)
        said = person.run("scp -f none").stderr
        assert person.client("sftp", "-b", "-", person.at(""),
                             stdin="ls\n").returncode == 0
        heeded[name] = ((person.home / "was-here").exists(),
                        "/none/of.so" in said)
    assert heeded == {"carrya": (False, False), "carryb": (True, reads)}


def test_it_is_confined(accounts, person):
    """A transfer that waits: what the kernel says of its process."""
    arguments, environment = person.command("scp -t .")
    session = subprocess.Popen(arguments, env=environment,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               start_new_session=True)
    try:
        assert session.stdout.read(1) == b"\0"
        pid, = [one for one, _, words in processes()
                if words[:1] == ["scp"] and owner(one) == person.entry["uid"]]
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        assert "NoNewPrivs:\t1\n" in status and "Seccomp:\t2\n" in status
        names = {line.split(b"=")[0] for line in
                 pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(
                     b"\0") if line}
        assert names <= {b"PATH", b"LC_ALL", b"HOME", b"USER", b"LOGNAME",
                         b"SSH_CONNECTION"}
    finally:
        session.kill()
        session.communicate()


def owner(pid):
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None


def test_nor_by_others_that_ask_for_a_shell(accounts, person):
    for command in (("su", "-", person.user), ("su", person.user, "-c", "id"),
                    ("sudo", "-i", "-u", person.user),
                    ("sudo", "-i", "-u", person.user, "id")):
        done = accounts.enter(*command, check=False)
        assert done.returncode != 0, command
        assert SAYS in done.stderr and "uid=" not in done.stdout


ACCOUNT = """
import ctypes, json, sys
pam = ctypes.CDLL("libpam.so.0")
said = {}
for name in sys.argv[2:]:
    class Conv(ctypes.Structure):
        _fields_ = [("conv", ctypes.c_void_p), ("data", ctypes.c_void_p)]
    handle, conv = ctypes.c_void_p(), Conv()
    assert pam.pam_start(sys.argv[1].encode(), name.encode(),
                         ctypes.byref(conv), ctypes.byref(handle)) == 0
    said[name] = pam.pam_acct_mgmt(handle, 0x8000)
    pam.pam_end(handle, 0)
print(json.dumps(said))
"""


def test_nor_by_systemd(accounts, person, make):
    """Its manager of a user would run units that lie in the home."""
    if not any(accounts.inside(f"{folder}/systemd-user").exists()
               for folder in ("/etc/pam.d", "/usr/lib/pam.d")):
        pytest.skip("there is no systemd for users here")
    other = make("carryc", "/bin/bash")
    said = json.loads(accounts.enter(
        "/usr/bin/python3", "-c", ACCOUNT, "systemd-user", person.user,
        other.user).stdout)
    assert said[other.user] == 0
    assert said[person.user] != 0


def test_it_has_no_way_to_the_socket(accounts, make_user, keys):
    """Its account's list of ways says what it can do."""
    user = make_user("carryd", home="/home", home_create=True, shell=SHELL,
                     sshpubkey=public(keys[0]))
    with accounts.root() as client:
        group, = client.call("group.query",
                             [["name", "=", "builtin_administrators"]])
        client.call("user.update", user["id"], {"groups": [group["id"]]})
        access, = client.call("user.access", [["id", "=", user["id"]]])
    assert "SSH_KEY" in access["ways"]
    assert "UNIX_SOCKET" not in access["ways"]


@pytest.fixture
def box(accounts):
    """A folder of root's, for homes."""
    accounts.enter("install", "-d", "-m", "0755", "/home/box")
    yield "/home/box"
    accounts.enter("rm", "-rf", "/home/box")


def test_kept_in_a_folder(accounts, box, make_user, keys, tmp_path):
    user = make_user("carryf", home=box, home_create=True, shell=SHELL,
                     sshpubkey=public(keys[0]), sftp_chroot=True)
    assert user["home"] == "/home/box/carryf"
    person = Transfer(accounts, user, keys[0])
    person.put("one", "first\n", tmp_path)
    assert (person.home / "one").read_text() == "first\n"
    done = person.client("sftp", "-b", "-", person.at(""),
                         stdin="pwd\nls /\n-ls /etc\n-get /etc/passwd\n")
    assert "Remote working directory: /carryf" in done.stdout
    listed = done.stdout.split("ls /\n")[1].split("sftp>")[0]
    assert listed.split() == ["/carryf"]
    assert "root:" not in done.stdout
    # sftp's protocol is all there is.
    (tmp_path / "local").write_text("second\n")
    assert person.client("scp", f"{tmp_path}/local",
                         person.at("two")).returncode == 0
    assert (person.home / "two").read_text() == "second\n"
    assert person.client("scp", "-O", f"{tmp_path}/local",
                         person.at("three")).returncode != 0
    assert "uid=" not in person.run("id").stdout
    with accounts.root() as client:
        client.call("user.update", user["id"], {"sftp_chroot": False})
    done = person.client("sftp", "-b", "-", person.at(""), stdin="pwd\n")
    assert "Remote working directory: /home/box/carryf" in done.stdout


@pytest.mark.parametrize("spoil, says", [
    (("chmod", "0775", "/home/box"), "others may write to /home/box"),
    (("chown", "carryg", "/home/box"), "/home/box belongs to another user")])
def test_a_folder_that_is_not_roots(accounts, box, make_user, spoil, says):
    user = make_user("carryg", home=box, home_create=True, shell=SHELL)
    accounts.enter(*spoil)
    with accounts.root() as client:
        error = client.error("user.update", user["id"], {"sftp_chroot": True})
    assert error.paths == ["user_update.home"]
    assert says in str(error)


@pytest.mark.parametrize("data, path", [
    ({"home": "/home", "home_create": True}, "sftp_chroot"),
    ({"shell": SHELL}, "sftp_chroot"),
    ({"home": "/home/a b", "shell": SHELL}, "sftp_chroot"),
    ({"home": "/home/%u", "shell": SHELL}, "sftp_chroot")])
def test_who_cannot_be_kept_in_one(accounts, data, path):
    with accounts.root() as client:
        error = client.error("user.create", {
            "username": "carryh", "full_name": "x", "group_create": True,
            "smb": False, "password_disabled": True, "sftp_chroot": True,
            **data})
    assert error.paths == [f"user_create.{path}"]


def test_from_one_shell_to_the_other(accounts, make):
    """The block follows the account."""
    person = make("carrye", "/bin/bash")
    assert person.works()
    with accounts.root() as client:
        client.call("user.update", person.entry["id"], {"shell": SHELL})
        assert person.refuses("id")
        client.call("user.update", person.entry["id"], {"shell": "/bin/bash"})
    assert person.works()
