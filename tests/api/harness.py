"""What the API tests are written with: instances, clients, ssh logins.

Nothing here loosens a limit of the product.  A client that must not meet the
rate limits of another one comes from an address of its own in 127/8.
"""

import itertools
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import websocket

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILDS = {
    "asan": pathlib.Path(os.environ.get("HF_BUILD_ASAN",
                                        REPOSITORY / "build-asan")),
    "release": pathlib.Path(os.environ.get("HF_BUILD_RELEASE",
                                           REPOSITORY / "build"))}
ADMIN = "truenas_admin"
PASSWORD = "correct horse 9 battery"
ROLES = ("web", "local", "core", "audit")
# What is asked to see whether an instance is as it was.
SETTINGS = ("ssh.config", "audit.config", "auth.twofactor.config",
            "system.advanced.config", "system.general.config",
            "system.security.config", "api_key.query", "group.query",
            "kerberos.keytab.query", "kerberos.realm.query",
            "keychaincredential.query", "privilege.query", "user.query")
SANITIZER = re.compile(
    r"(Address|Leak|UndefinedBehavior)Sanitizer|runtime error:")

ADDRESSES = 250 * 250
SLOTS = 25


def take_slot():
    """One of SLOTS that no other run on this machine has, while we live."""
    for slot in itertools.cycle(range(SLOTS)):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            sock.bind(f"\0holdfast-tests-{slot}")
            return sock, slot
        except OSError:
            sock.close()
            time.sleep(0.1)


# Addresses differ between runs, so that several can go on at once.
_taken, _slot = take_slot()
_numbers = itertools.count()


def next_address(network):
    """An address of 127/8 that nobody else here uses."""
    number = (_slot * (ADDRESSES // SLOTS)
              + next(_numbers) % (ADDRESSES // SLOTS))
    return f"127.{network}.{number // 250 + 1}.{number % 250 + 1}"


def wait_until(condition, seconds, what):
    """Polls until condition() is true; returns what it returned."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class ApiError(Exception):
    """An error reply."""

    def __init__(self, error):
        self.code = error["code"]
        self.message = error["message"]
        self.data = error.get("data") or {}
        super().__init__(f"{self.code} {self.message} {self.data}")

    @property
    def errname(self):
        return self.data.get("errname")

    @property
    def paths(self):
        """The attributes that a validation error names."""
        return [attribute for attribute, _, _ in self.data.get("extra") or []]

    @property
    def texts(self):
        return [text for _, text, _ in self.data.get("extra") or []]


class Closed(Exception):
    """The server closed the connection; code None: without a close frame."""

    def __init__(self, code, reason=""):
        self.code = code
        self.reason = reason
        super().__init__(f"closed {code} {reason}")


class Client:
    """One WebSocket connection."""

    def __init__(self, sock, host, path="/api/current", origin=None,
                 timeout=30, headers=None):
        self.sock = sock
        sock.settimeout(timeout)
        options = {"origin": origin} if origin else {"suppress_origin": True}
        if headers:
            options["header"] = headers
        try:
            self.ws = websocket.create_connection(
                f"ws://{host}{path}", socket=sock, timeout=timeout,
                enable_multithread=True, **options)
        except BaseException:
            sock.close()
            raise
        self.ids = itertools.count(1)
        self.replies = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.ws.close(timeout=2)
        except (OSError, websocket.WebSocketException):
            pass
        self.sock.close()

    def send_text(self, text):
        self.ws.send(text)

    def receive(self, timeout=30):
        """The next message; TimeoutError when none comes."""
        self.sock.settimeout(timeout)
        try:
            opcode, data = self.ws.recv_data(control_frame=True)
            while opcode in (websocket.ABNF.OPCODE_PING,
                             websocket.ABNF.OPCODE_PONG):
                opcode, data = self.ws.recv_data(control_frame=True)
        except websocket.WebSocketTimeoutException:
            raise TimeoutError(f"nothing within {timeout} s") from None
        except (websocket.WebSocketException, OSError):
            raise Closed(None) from None
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            if len(data) < 2:
                raise Closed(1005)
            raise Closed(int.from_bytes(data[:2], "big"),
                         data[2:].decode("utf-8", "replace"))
        return json.loads(data)

    def start(self, method, *params):
        """Sends a call without waiting; returns its id."""
        number = next(self.ids)
        self.send_text(json.dumps({"jsonrpc": "2.0", "id": number,
                                   "method": method, "params": params}))
        return number

    def finish(self, number, timeout=60):
        """The result of a call that was started; ApiError when it failed."""
        end = time.monotonic() + timeout
        while number not in self.replies:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no reply within {timeout} s")
            message = self.receive(left)
            if "id" in message:
                self.replies[message["id"]] = message
            if None in self.replies:    # what could not be read has no id
                raise ApiError(self.replies.pop(None)["error"])
        message = self.replies.pop(number)
        if "error" in message:
            raise ApiError(message["error"])
        return message["result"]

    def call(self, method, *params, timeout=60):
        return self.finish(self.start(method, *params), timeout)

    def raw(self, text, timeout=30):
        """Sends this text, returns the next message, whatever it is."""
        self.send_text(text)
        return self.receive(timeout)

    def error(self, method, *params):
        """The ApiError that this call must end with."""
        try:
            result = self.call(method, *params)
        except ApiError as error:
            return error
        raise AssertionError(f"{method} {params} was accepted: {result}")

    def login(self, username=ADMIN, password=PASSWORD):
        return self.call("auth.login_ex", {
            "mechanism": "PASSWORD_PLAIN", "username": username,
            "password": password})

    def job(self, method, *params, timeout=60):
        """Calls a job and waits for its end; returns core.get_jobs's entry."""
        number = self.call(method, *params)

        def ended():
            entry, = self.call("core.get_jobs", [["id", "=", number]])
            return entry if entry["state"] in (
                "SUCCESS", "FAILED", "ABORTED") else None

        return wait_until(ended, timeout, f"end of {method} {params}")

    def control(self, verb, service="ssh"):
        entry = self.job("service.control", verb, service)
        assert entry["state"] == "SUCCESS", entry
        return entry["result"]


def ssh_as_new(client):
    """The settings of a new machine, whatever others used before."""
    client.call("ssh.update", {
        "hardening": "MODERN", "options": "", "weak_ciphers": [],
        "tcpfwd": False})
    # By a second change: the first one keeps the types that it withdraws.
    client.call("ssh.update", {"kept_host_keys": []})


def processes():
    """Of each process: pid, parent's pid, command line as words."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = pathlib.Path("/proc", entry, "stat").read_text()
            words = pathlib.Path("/proc", entry, "cmdline").read_bytes()
        except OSError:
            continue
        fields = stat.rpartition(")")[2].split()
        if fields[0] == "Z":
            continue
        yield (int(entry), int(fields[1]),
               words.decode("utf-8", "replace").replace("\0", " ").split())


def namespace_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt")
    except OSError:
        return None


class Instance:
    """A holdfastd of its own: folder, address, ports."""

    everything = []     # every instance that was made, for the report

    def __init__(self, build, directory=None, address=None, arguments=(),
                 program="holdfastd"):
        self.build = BUILDS[build]
        self.program = program
        self.sanitized = build == "asan"
        self.directory = pathlib.Path(directory or self.new_directory())
        self.address = address or next_address(200)
        self.port = 8443
        self.ssh_port = 2222
        self.arguments = list(arguments)
        self.process = None
        self.namespace = None
        self.namespace_fd = None
        self.output = b""
        Instance.everything.append(self)

    @staticmethod
    def new_directory():
        """Beside the builds, unless somebody else could write above it."""
        parent = BUILDS["asan"] / "instances"
        parent.mkdir(parents=True, exist_ok=True)
        if any(folder.stat().st_uid != 0 or folder.stat().st_mode & 0o022
               for folder in (parent, *parent.parents)):
            parent = "/var/tmp"
        return tempfile.mkdtemp(prefix="holdfast-", dir=parent)

    # Life and death.

    def command(self, ready):
        return [self.build / self.program, "--instance", self.directory,
                "--listen", f"{self.address}:{self.port}",
                "--ssh-port", str(self.ssh_port), "--ready-fd", str(ready),
                *self.arguments]

    def start(self, seconds=60):
        """Starts it and waits for READY."""
        self.let_go()
        reader, writer = os.pipe()
        self.process = subprocess.Popen(
            self.command(writer), pass_fds=[writer],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                 "ASAN_OPTIONS": "detect_leaks=0",
                 "UBSAN_OPTIONS": "print_stacktrace=1"})
        os.close(writer)
        try:
            readable, _, _ = select.select([reader], [], [], seconds)
            word = os.read(reader, 100) if readable else None
        finally:
            os.close(reader)
        if word != b"READY\n":
            text = "no READY in time"
            if word is not None:
                text = self.process.communicate(timeout=30)[0].decode()
                text += f" (ended with {self.process.returncode})"
            self.kill()
            raise AssertionError(f"did not start: {text}")
        # Held, so that the number is nobody else's before we let go.
        self.namespace_fd = os.open(f"/proc/{self.pid}/ns/mnt", os.O_RDONLY)
        self.namespace = os.readlink(f"/proc/self/fd/{self.namespace_fd}")
        self.know_localhost()
        return self

    def know_localhost(self):
        """The smallest Debian has no /etc/hosts."""
        hosts = self.inside("/etc/hosts")
        if not hosts.exists():
            hosts.write_text("127.0.0.1 localhost\n")
            hosts.chmod(0o644)

    def let_go(self):
        if self.namespace_fd is not None:
            os.close(self.namespace_fd)
        self.namespace_fd = self.namespace = None

    def stop(self, seconds=30):
        """An orderly end; nothing of it may be left."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.output = self.process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"no end within {seconds} s") from None
        status = self.process.returncode
        self.process = None
        left = self.members()
        self.kill_members()
        self.let_go()
        assert status == 0, f"ended with {status}: {self.output.decode()}"
        assert not left, f"left running: {left}"
        self.check_sanitizers()

    def kill(self):
        """SIGKILL for everything in it at once, as a power cut would."""
        if self.process is None:
            return
        if self.namespace:
            self.kill_members()
        self.process.kill()
        self.output = self.process.communicate(timeout=30)[0]
        self.process = None
        if self.namespace:
            # One may have been started meanwhile.
            wait_until(lambda: not self.members() or self.kill_members(), 10,
                       "everything is gone")
        self.let_go()

    def kill_members(self):
        for pid in self.members():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def remove(self):
        self.kill()
        self.let_go()
        shutil.rmtree(self.directory, ignore_errors=True)

    def members(self):
        """The processes in its mount namespace."""
        if not self.namespace or self.namespace == namespace_of("self"):
            return []
        return [pid for pid, _, _ in processes()
                if namespace_of(pid) == self.namespace]

    def check_sanitizers(self):
        if not self.sanitized:
            return
        found = [line for line in self.log().splitlines()
                 if SANITIZER.search(line)]
        assert not found, "\n".join(found[:20])

    # Looking at it from outside.

    @property
    def pid(self):
        return self.process.pid

    def roles(self):
        """{name: pid} of the roles that run; a worker is one too."""
        found = {}
        for pid, parent, words in processes():
            if parent == self.pid and words and "holdfastd" in words[0]:
                for name in (*ROLES, "journal", "worker"):
                    if name in words[1:]:
                        found[name] = pid
        return found

    def log(self):
        text = self.output.decode("utf-8", "replace")
        for file in sorted((self.directory / "log").glob("*")):
            if file.is_file():
                text += file.read_text("utf-8", "replace")
        return text

    def inside(self, path):
        """A file of the instance as the host can open it."""
        return pathlib.Path(f"/proc/{self.pid}/root{path}")

    def setup_code(self):
        return (self.directory / "setup-code").read_text().strip()

    # Its programs.

    def cli(self, *arguments, stdin="", timeout=60):
        return subprocess.run(
            [self.build / "holdfast", "-i", self.directory, *arguments],
            input=stdin, capture_output=True, text=True, timeout=timeout,
            errors="surrogateescape",   # the folder's name may be any bytes
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            check=False)

    def enter(self, *command, stdin="", timeout=60, check=True):
        done = self.cli("enter", *command, stdin=stdin, timeout=timeout)
        if check:
            assert done.returncode == 0, (command, done)
        return done

    def setup_admin(self, name=ADMIN, password=PASSWORD):
        done = self.cli("setup-admin", name, stdin=password + "\n")
        assert done.returncode == 0, done
        return self

    # Clients.

    def tls(self, source=None, context=None):
        """A TLS connection from an address of 127/8."""
        sock = socket.socket()
        sock.settimeout(30)
        try:
            sock.bind((source or next_address(100), 0))
            sock.connect((self.address, self.port))
            if context is None:
                context = tls_context()
            return context.wrap_socket(sock)
        except BaseException:
            sock.close()
            raise

    def connect(self, source=None, **options):
        """A client over TLS that has not logged in."""
        return Client(self.tls(source), f"{self.address}:{self.port}",
                      **options)

    def admin(self, **options):
        """A client over TLS, logged in as the administrator."""
        client = self.connect(**options)
        answer = client.login()
        assert answer["response_type"] == "SUCCESS", answer
        return client

    def root(self, **options):
        """A client over the Unix socket, as root."""
        # Through /proc/self/fd: the folder's name may be longer than a
        # socket's path.
        folder = os.open(self.directory, os.O_PATH | os.O_DIRECTORY)
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(30)
            sock.connect(f"/proc/self/fd/{folder}/middlewared.sock")
        except BaseException:
            sock.close()
            raise
        finally:
            os.close(folder)
        return Client(sock, "localhost", **options)

    def settings(self):
        """All that is set in it and in what state it is; None: unreachable.

        Equal, whoever finds it may rely on it as on a new one.
        """
        try:
            with self.root() as client:
                found = {method: client.call(method) for method in SETTINGS}
                del found["audit.config"]["space"]
                services = client.call("service.query", [], {
                    "select": ["service", "state", "enable"]})
                alerts = {alert["klass"]
                          for alert in client.call("alert.list")}
            return found, services, alerts, set(
                os.listdir(self.inside("/etc/ssh")))
        except (OSError, ApiError):
            return None

    # Its sshd.

    def sshd_pid(self):
        """The listener, not a session's process."""
        with self.root() as client:
            entry = client.call("service.query", [["service", "=", "ssh"]],
                                {"get": True})
        return entry["pids"][0] if entry["pids"] else None

    def sshd_config(self):
        return self.inside("/etc/ssh/sshd_config").read_text()

    def effective(self):
        """The whole effective configuration, {directive: [values]}."""
        found = {}
        for line in self.enter("/usr/sbin/sshd", "-T", "-f",
                               "/etc/ssh/sshd_config").stdout.splitlines():
            word, _, value = line.partition(" ")
            found.setdefault(word, []).append(value)
        return found


def tls_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Ssh:
    """Debian's ssh against an instance's sshd."""

    def __init__(self, instance, folder, user=ADMIN):
        self.instance = instance
        self.folder = pathlib.Path(folder)
        self.user = user
        self.key = self.folder / "key"
        self.askpass = self.folder / "askpass"
        self.write_askpass()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                        self.key], check=True, timeout=30)
        self.install_key()

    def write_askpass(self):
        self.askpass.write_text('#!/bin/sh\nprintf "%s\\n" "$HF_PASSWORD"\n')
        self.askpass.chmod(0o700)

    def install_key(self):
        entry = self.instance.enter("getent", "passwd", self.user).stdout
        _, _, uid, gid, _, home, _ = entry.strip().split(":")
        self.instance.enter("install", "-d", "-o", uid, "-g", gid, "-m",
                            "0700", home, f"{home}/.ssh")
        self.instance.enter(
            "sh", "-c", 'cat >"$1" && chown "$2:$3" "$1" && chmod 600 "$1"',
            "sh", f"{home}/.ssh/authorized_keys", uid, gid,
            stdin=self.key.with_suffix(".pub").read_text())

    def command(self, *remote, options=(), password=None, port=None):
        arguments = [
            "ssh", "-F", "/dev/null",
            "-p", str(port or self.instance.ssh_port),
            "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null",
            "-o", "GlobalKnownHostsFile=/dev/null",
            "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=10",
            "-o", "LogLevel=ERROR"]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        if password is None:
            arguments += ["-o", "BatchMode=yes", "-i", str(self.key), "-o",
                          "PreferredAuthentications=publickey"]
        else:
            arguments += [
                "-o", "PubkeyAuthentication=no",
                "-o", "NumberOfPasswordPrompts=1", "-o",
                "PreferredAuthentications=password,keyboard-interactive"]
            environment |= {"SSH_ASKPASS": str(self.askpass),
                            "SSH_ASKPASS_REQUIRE": "force",
                            "HF_PASSWORD": password}
        # ssh takes the first value of an option, so these come first.
        arguments[1:1] = options
        return ([*arguments, f"{self.user}@{self.instance.address}", *remote],
                environment)

    def run(self, *remote, stdin="", timeout=30, **how):
        arguments, environment = self.command(*remote, **how)
        return subprocess.run(
            arguments, env=environment, input=stdin, capture_output=True,
            text=True, timeout=timeout, start_new_session=True, check=False)

    def works(self, **how):
        done = self.run("id", "-un", **how)
        return done.returncode == 0 and done.stdout.strip() == self.user

    def session(self, **how):
        """An open session that echoes lines; end it with its kill()."""
        arguments, environment = self.command("cat", **how)
        return subprocess.Popen(
            arguments, env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            bufsize=1, start_new_session=True)


def public(key):
    """The public part of a key's file."""
    return key.with_suffix(".pub").read_text()


class KeySsh(Ssh):
    """With a key that nobody but the API installs."""

    def __init__(self, instance, user, key):
        self.instance = instance
        self.user = user
        self.key = key
        self.askpass = key.with_name("askpass")
        self.write_askpass()


def echoes(session, line):
    """Does this open session still answer?"""
    session.stdin.write(line + "\n")
    session.stdin.flush()
    readable, _, _ = select.select([session.stdout], [], [], 20)
    return bool(readable) and session.stdout.readline() == line + "\n"


def banner(address, port, seconds=5):
    """The first line that the port sends, or None."""
    try:
        with socket.create_connection((address, port), seconds) as sock:
            sock.settimeout(seconds)
            return sock.recv(256) or None
    except OSError:
        return None
