"""holdfast as people meet it: on a terminal, and completed by their shell."""

import fcntl
import json
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from harness import BUILDS

BUILD = BUILDS["asan"]


class Terminal:
    """A program whose terminal is ours: what it shows, what we type."""

    def __init__(self, *command, columns=80, stdout=None, **environment):
        self.shown = b""
        self.end, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=stdout or slave, stderr=slave,
            env={"PATH": f"{BUILD}:{os.environ['PATH']}", "TERM": "dumb",
                 "LC_ALL": "C.UTF-8", "TZ": "UTC", **environment},
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(
                2, termios.TIOCSCTTY, 0))
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        os.close(self.end)

    def read(self):
        """Takes what is there; False at the end."""
        if not select.select([self.end], [], [], 0.05)[0]:
            return True
        try:
            more = os.read(self.end, 65536)
        except OSError:
            return False
        self.shown += more
        return bool(more)

    def expect(self, pattern, seconds=60):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert self.read() and time.monotonic() < end, self.text
        return self.text

    def type(self, text):
        self.shown = b""
        os.write(self.end, text.encode())

    @property
    def text(self):
        return self.shown.decode("utf-8", "replace").replace("\r\n", "\n")

    def finish(self):
        """All that it showed, and its exit code."""
        while self.read():
            pass
        return self.text, self.process.wait(30)


def on_terminal(instance, *arguments, **options):
    with Terminal(instance.build / "holdfast", "-i", instance.directory,
                  *arguments, **options) as terminal:
        return terminal.finish()


def test_list_is_a_table(instance):
    text, code = on_terminal(instance, "call", "service.query")
    assert code == 0
    head, first = text.splitlines()[:2]
    assert head.split() == ["id", "service", "enable", "state", "pids"]
    assert first.split()[:2] == ["11", "ssh"]
    assert head.index("service") == first.index("ssh")


def test_object_is_names_and_values(instance):
    text, code = on_terminal(instance, "call", "ssh.config")
    assert code == 0
    assert re.search(r"^tcpport +\d+$", text, re.M)
    columns = {re.match(r"\S+ +", line).end() for line in text.splitlines()
               if re.match(r"\S+ +\S", line)}
    assert len(columns) == 1, text


@pytest.mark.parametrize("columns", [20, 40, 250])
def test_table_fits_the_terminal(instance, columns):
    text, code = on_terminal(instance, "describe", columns=columns)
    assert code == 0 and "core.ping" in text
    lines = text.splitlines()
    assert max(len(line) for line in lines) <= columns
    assert any("\u2026" in line for line in lines) == (columns < 250)


@pytest.mark.parametrize("method", ["core.ping", "service.query"])
def test_json_stays_json_on_a_terminal(instance, method):
    text, code = on_terminal(instance, "call", "--json", method)
    assert code == 0
    with instance.root() as root:
        assert json.loads(text) == root.call(method)


@pytest.mark.parametrize("arguments, code", [
    (["--json", "call", "ssh.update", '{"tcpport": 0}'], 1),
    (["--json", "call", "no.such"], 1)])
def test_error_is_json_on_stderr(instance, arguments, code):
    done = instance.cli(*arguments)
    assert done.returncode == code and done.stdout == ""
    assert {"code", "message"} <= set(json.loads(done.stderr))


def test_answer_of_a_job_alone_is_on_stdout(instance):
    out, into = os.pipe()
    with os.fdopen(out) as file:
        text, code = on_terminal(instance, "call", "service.control", "STOP",
                                 "ssh", stdout=into)
        os.close(into)
        assert (code, file.read()) == (0, "true\n")
    assert "true" not in text


def test_job_that_is_interrupted_goes_on(instance):
    """sshd sleeps meanwhile, so it can not be stopped yet."""
    with instance.root() as root:
        root.control("START")
    sshd = instance.sshd_pid()
    os.kill(sshd, signal.SIGSTOP)
    try:
        with Terminal(instance.build / "holdfast", "-i", instance.directory,
                      "call", "service.control", "STOP", "ssh") as terminal:
            terminal.expect(r"\d+% \[[#.]{20}\]")
            os.write(terminal.end, b"\x03")
            text, code = terminal.finish()
    finally:
        os.kill(sshd, signal.SIGCONT)
    assert code == -signal.SIGINT
    job = int(re.search(r"job (\d+) goes on", text)[1])
    done = instance.cli("call", "core.job_wait", str(job))
    assert (done.returncode, done.stdout) == (0, "true\n"), done


def test_text_of_a_server_can_not_steer_the_terminal(instance):
    evil = "\x1b]0;owned\x07\u202e"
    text, code = on_terminal(instance, "call", "ssh.update",
                             json.dumps({evil: 1}))
    assert code == 1
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    assert r"\u001b]0;owned\u0007\u202e" in text


def test_describe_lists_what_there_is(instance):
    done = instance.cli("describe")
    with instance.root() as root:
        listed = root.call("core.get_methods")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == \
        sorted(listed)
    done = instance.cli("describe", "ssh")
    assert {line.split()[0] for line in done.stdout.splitlines()} == {
        name for name in listed if name.startswith("ssh.")}


def test_describe_a_method(instance):
    done = instance.cli("describe", "ssh.update")
    assert done.returncode == 0
    for text in ("SSH_WRITE", "data: object, required",
                 "tcpport: 1 to 65535", "TCP port that sshd listens on."):
        assert text in done.stdout
    done = instance.cli("describe", "--json", "ssh.update")
    assert json.loads(done.stdout)["accepts"][0]["_name_"] == "data"


@pytest.mark.parametrize("name", ["nosuch", "ssh.nosuch", "ss", ".", ""])
def test_describe_what_there_is_not(instance, name):
    done = instance.cli("describe", name)
    assert done.returncode == 1 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


# What shells complete.

def shell_function(name, *arguments):
    """The same in both shells, so either may run it."""
    answers = {subprocess.run(
        [shell, "-c", f'. {BUILD}/holdfast.{shell} 2>/dev/null; "$@"', shell,
         name, *arguments], capture_output=True, text=True, timeout=30,
        check=False).stdout for shell in ("bash", "zsh")}
    assert len(answers) == 1, answers
    return answers.pop().split()


def test_completion_knows_what_the_server_has(root):
    methods = root.call("core.get_methods")
    assert shell_function("_holdfast_methods") == sorted(methods)
    assert shell_function("_holdfast_members", "ssh.update:0") == \
        methods["ssh.update"]["accepts"][0]["_attrs_order_"]
    assert shell_function("_holdfast_values", "service.control:0") == [
        "START", "STOP", "RESTART", "RELOAD"]
    assert shell_function("_holdfast_values", "service.control:1") == [
        entry["service"] for entry in root.call("service.query")]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_the_commands(shell):
    done = subprocess.run([BUILD / "holdfast", "--help"], text=True,
                          capture_output=True, timeout=30, check=True)
    commands = re.findall(r"^  (\S+)", done.stdout, re.M)
    assert " ".join(commands) in (BUILD / f"holdfast.{shell}").read_text()


@pytest.mark.parametrize("noun", ["user", "group", "privilege", "api-key",
                                  "service", "session", "ssh"])
def test_completion_knows_the_verbs(noun):
    done = subprocess.run([BUILD / "holdfast", noun], text=True,
                          capture_output=True, timeout=30, check=False)
    assert shell_function("_holdfast_verbs", noun) == re.findall(
        r"^  (\S+)", done.stderr, re.M)


@pytest.fixture(scope="module")
def shells(tmp_path_factory):
    """Both shells at a prompt, with the completion at work."""
    folder = tmp_path_factory.mktemp("zsh")
    (folder / "_holdfast").symlink_to(BUILD / "holdfast.zsh")
    prepare = {
        "bash": (["bash", "--norc", "--noprofile", "-i"],
                 f". {BUILD}/holdfast.bash; PS1='<ready''>'\n"),
        "zsh": (["zsh", "-f", "-i"],
                f"fpath=({folder} $fpath); unsetopt zle_bracketed_paste; "
                "autoload -U compinit; compinit -u -D; PS1='<ready''>'\n")}
    running = {}
    for name, (command, line) in prepare.items():
        running[name] = Terminal(*command, columns=200)
        running[name].type(line)
        running[name].expect("<ready>")
    yield running
    for terminal in running.values():
        terminal.__exit__()


@pytest.mark.parametrize("typed, completed", [
    ("holdfast sta", "tus "),
    ("holdfast call ssh.upd", "ate "),
    ("holdfast --json call ssh.upd", "ate "),
    ("holdfast -i /tmp call system.inf", "o "),
    ("holdfast call service.control STA", "RT "),
    ("holdfast call service.control START s", "sh "),
    ("holdfast call ssh.update '{\"tcpp", 'ort":'),
    ("holdfast call ssh.update '{\"tcpport\": 22, \"bin", 'diface":'),
    ("holdfast describe core.pin", "g "),
    ("holdfast setup-admin tru", "enas_admin "),
    ("holdfast user unl", "ock "),
    ("holdfast privilege create web_", "shell="),
    ("midclt call -j service.con", "trol "),
    ("midclt sub", "scribe ")])
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion(shells, shell, typed, completed):
    terminal = shells[shell]
    terminal.type(typed)
    terminal.expect(re.escape(typed))
    terminal.type("\t")
    terminal.expect(re.escape(completed))
    terminal.type("\x15\n")    # forget the line
    terminal.expect("<ready>")
