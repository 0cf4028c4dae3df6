"""Connections that the other machine's API helps to set up: a second
instance, and servers that only say they are one."""

import contextlib
import itertools
import json
import socket
import ssl
import struct
import subprocess
import threading

import pytest

from authenticator import Authenticator
from harness import ADMIN, PASSWORD, Instance

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
CERTIFICATE = "/var/lib/holdfast/tls/certificate.pem"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def there():
    """The other machine; SSH does not run there yet."""
    made = Instance("asan")
    try:
        made.start().setup_admin()
        with made.root() as client:
            # Of MODERN on Debian 13 libssh, which logs in, has no exchange.
            client.call("ssh.update", {"hardening": "COMPATIBLE"})
            for name in ("backup1", "backup2"):
                client.call("user.create", {
                    "username": name, "full_name": name, "smb": False,
                    "group_create": True, "home": "/home",
                    "home_create": True, "password_disabled": True})
        yield made
        made.stop()
    finally:
        made.remove()


@pytest.fixture
def root(instance, there, instances_used):
    """Root's client here; what it adds to the keychain goes in the end."""
    instances_used.append(there)
    with instance.root() as client:
        before = {entry["id"] for entry in client.call(
            "keychaincredential.query")}
        yield client
        for entry in client.call("keychaincredential.query"):
            if entry["id"] not in before:
                with contextlib.suppress(Exception):
                    client.call("keychaincredential.delete", entry["id"],
                                {"cascade": True})


def certificate_of(address, port):
    """Its certificate as PEM, and the fingerprint that openssl prints."""
    pem = ssl.get_server_certificate((address, port))
    done = subprocess.run(["openssl", "x509", "-noout", "-fingerprint",
                           "-sha256"], input=pem, capture_output=True,
                          text=True, check=True, timeout=30)
    return pem, done.stdout.strip().partition("=")[2]


def wanted(there, **members):
    return {"url": f"https://{there.address}:{there.port}",
            "verify_ssl": False, "admin_username": ADMIN,
            "password": PASSWORD, "username": "backup1", **members}


def options(remote, pair=None):
    name = f"remote{next(_numbers)}"
    key = {"generate_key": True, "name": f"{name} key"}
    if pair is not None:
        key = {"generate_key": False, "existing_key_id": pair}
    return {"private_key": key, "connection_name": name,
            "setup_type": "SEMI-AUTOMATIC", "semi_automatic_setup": remote}


def set_up(client, remote, pair=None):
    return client.call("keychaincredential.setup_ssh_connection",
                       options(remote, pair), timeout=150)


def keys_of(there, name):
    with there.root() as client:
        user = client.call("user.query", [["username", "=", name]],
                           {"get": True})
    return (user["sshpubkey"] or "").splitlines()


def works(client, connection):
    job = client.job("keychaincredential.test", connection["id"])
    assert job["state"] == "SUCCESS", job["error"]


@pytest.mark.bounded(300)
def test_the_other_machine_takes_the_key_and_starts_ssh(root, there):
    assert there.sshd_pid() is None
    made = set_up(root, wanted(there))
    pair = root.call("keychaincredential.get_instance",
                     made["attributes"]["private_key"])
    public = " ".join(pair["attributes"]["public_key"].split()[:2])
    assert keys_of(there, "backup1") == [public]
    with there.root() as client:
        service = client.call("service.query", [["service", "=", "ssh"]],
                              {"get": True})
        keys = {" ".join(file.read_text().split()[:2]) for file in
                there.inside("/etc/ssh").glob("ssh_host_*.pub")}
    assert service["enable"] and service["state"] == "RUNNING"
    told = made["attributes"].pop("remote_host_key").splitlines()
    assert told and set(told) <= keys
    assert made["attributes"] == {
        "host": there.address, "port": there.ssh_port, "username": "backup1",
        "private_key": pair["id"], "connect_timeout": 10}
    works(root, made)
    # Once more changes nothing there; another key stands beside the first.
    again = set_up(root, wanted(there), pair["id"])
    assert keys_of(there, "backup1") == [public]
    with there.admin() as client:
        token = client.call("auth.generate_token", 600, {}, False)
    second = root.call("keychaincredential.create", {
        "name": "second", "type": "SSH_KEY_PAIR", "attributes": root.call(
            "keychaincredential.generate_ssh_key_pair")})
    other = root.call("keychaincredential.remote_ssh_semiautomatic_setup", {
        "name": "by token", **wanted(there, password=None, token=token),
        "private_key": second["id"]}, timeout=150)
    assert keys_of(there, "backup1") == [public, " ".join(
        second["attributes"]["public_key"].split()[:2])]
    works(root, other)
    assert again["attributes"]["private_key"] == pair["id"]


@pytest.mark.bounded(300)
def test_a_second_factor_is_passed_on(root, there):
    with there.root() as client:
        group = client.call("group.query", [["gid", "=", 544]],
                            {"get": True})["id"]
        client.call("user.create", {
            "username": "keeper", "full_name": "keeper", "smb": False,
            "group_create": True, "groups": [group], "password": PASSWORD})
        uri = client.call("user.renew_2fa_secret", "keeper", {})[
            "twofactor_config"]["provisioning_uri"]
        client.call("auth.twofactor.update", {"enabled": True, "window": 5})
    try:
        remote = wanted(there, admin_username="keeper", username="backup2")
        error = root.error("keychaincredential.setup_ssh_connection",
                           options(remote))
        assert "otp_token" in error.texts[0]
        assert keys_of(there, "backup2") == []
        set_up(root, remote | {"otp_token": Authenticator(uri).code()})
        assert len(keys_of(there, "backup2")) == 1
    finally:
        with there.root() as client:
            client.call("auth.twofactor.update", {"enabled": False,
                                                  "window": 0})


def test_whose_certificate_it_is(root, instance, there):
    """Nothing is said to who has another one, and it is shown."""
    pem, fingerprint = certificate_of(there.address, there.port)
    place = "options.semi_automatic_setup.verify_ssl"
    other = ":".join(32 * ["00"])
    for members in ({"verify_ssl": True}, {"fingerprint": other},
                    {"fingerprint": other, "verify_ssl": True}):
        error = root.error("keychaincredential.setup_ssh_connection",
                           options(wanted(there, **members)))
        assert error.paths == [place]
        assert fingerprint in error.texts[0]
    set_up(root, wanted(there, verify_ssl=True, fingerprint=fingerprint))
    bundle = instance.inside(BUNDLE)
    before = bundle.read_text()
    try:
        bundle.write_text(before + pem)
        set_up(root, wanted(there, verify_ssl=True))
    finally:
        bundle.write_text(before)


REFUSED = [
    ({"url": "http://{address}:{port}"}, "url", "TLS"),
    ({"url": "https://{address}:99999"}, "url", "port"),
    ({"url": "https://{address}:{port}/x?y"}, "url", ""),
    ({"url": "https://{address}:1"}, "url", "does not answer"),
    ({"url": "https://nosuch.invalid"}, "url", ""),
    ({"url": "https://root@{address}"}, "url", ""),
    ({"fingerprint": "00"}, "fingerprint", ""),
    ({"password": None}, "password", "needed"),
    ({"password": "not this one"}, "admin_username", "accept"),
    ({"password": None, "token": "x"}, "admin_username", "accept"),
    ({"username": "nosuch"}, "username", "no user"),
    ({"connect_timeout": 0}, "connect_timeout", ""),
    ({"x": 1}, "x", "")]


@pytest.mark.bounded(300)
def test_what_cannot_be_is_refused_and_keeps_nothing(root, there):
    before = root.call("keychaincredential.query")
    keys = keys_of(there, "backup1")
    for members, attribute, text in REFUSED:
        if "url" in members:
            members = {"url": members["url"].format(
                address=there.address, port=there.port)}
        error = root.error("keychaincredential.setup_ssh_connection",
                           options(wanted(there, **members)))
        assert error.paths == [
            f"options.semi_automatic_setup.{attribute}"], (members, error)
        assert text in error.texts[0]
    whole = options(wanted(there))
    for change, path in (
            ({"semi_automatic_setup": None}, "semi_automatic_setup"),
            ({"manual_setup": {"host": "a", "remote_host_key":
                               "ssh-ed25519 AAAA"}}, "manual_setup"),
            ({"setup_type": "MANUAL"}, "manual_setup"),
            ({"private_key": {"generate_key": False, "existing_key_id":
                              99999}}, "private_key.existing_key_id")):
        error = root.error("keychaincredential.setup_ssh_connection",
                           whole | change)
        assert error.paths == [f"options.{path}"]
    assert root.call("keychaincredential.query") == before
    assert keys_of(there, "backup1") == keys


# Servers that only say they are one.

class Liar(threading.Thread):
    """Speaks TLS and WebSocket, and answers each call by a function."""

    def __init__(self, folder, answer, head=None):
        super().__init__(daemon=True)
        self.answer, self.head = answer, head
        self.heard = ""
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=liar",
             "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
            check=True, capture_output=True, timeout=60)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(60)
        self.url = "https://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.start()

    def run(self):
        with contextlib.suppress(OSError, ValueError):
            while True:
                sock, _ = self.socket.accept()
                with contextlib.suppress(OSError, ValueError), sock:
                    sock.settimeout(30)
                    self.serve(self.context.wrap_socket(
                        sock, server_side=True))

    def serve(self, tls):
        head = b""
        while b"\r\n\r\n" not in head:
            head += tls.recv(4096)
        if self.head is not None:
            tls.sendall(self.head)
            return
        key = next(line.split(b": ")[1] for line in head.split(b"\r\n")
                   if line.startswith(b"Sec-WebSocket-Key"))
        accept = subprocess.run(
            ["openssl", "dgst", "-sha1", "-binary"], capture_output=True,
            input=key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", check=True)
        base64 = subprocess.run(["openssl", "base64"], input=accept.stdout,
                                capture_output=True, check=True).stdout
        tls.sendall(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\nSec-WebSocket-Accept: "
                    + base64.strip() + b"\r\n\r\n")
        while True:
            call = json.loads(self.frame(tls))
            self.heard += json.dumps(call)
            answer = self.answer(call)
            if isinstance(answer, bytes):
                tls.sendall(answer)
                return
            text = json.dumps({"jsonrpc": "2.0", "id": call["id"], **answer}
                              ).encode()
            tls.sendall(b"\x81\x7f" + struct.pack(">Q", len(text)) + text
                        if len(text) > 65535 else
                        b"\x81\x7e" + struct.pack(">H", len(text)) + text
                        if len(text) > 125 else
                        bytes([0x81, len(text)]) + text)

    @staticmethod
    def frame(tls):
        def exactly(count):
            data = b""
            while len(data) < count:
                more = tls.recv(count - len(data))
                if not more:
                    raise ValueError("gone")
                data += more
            return data

        length = exactly(2)[1] & 0x7f
        if length == 126:
            length, = struct.unpack(">H", exactly(2))
        mask = exactly(4)
        return bytes(byte ^ mask[i % 4]
                     for i, byte in enumerate(exactly(length)))


TRUE = {
    "auth.login_ex": {"response_type": "SUCCESS"},
    "user.query": [{"id": 7, "sshpubkey": None}], "user.update": {"id": 7},
    "service.query": [{"enable": True, "state": "RUNNING"}],
    "ssh.config": {"tcpport": 22},
    "keychaincredential.remote_ssh_host_key_scan":
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9"
        "/cu7/QEXn9OIeZJ\n"}
SECRET = "Secret-Gr4nite"


def lies(**lies):
    changed = TRUE | {name.replace("__", "."): value
                      for name, value in lies.items()}
    return lambda call: {"result": changed.get(call["method"])}


LIES = {
    "error that repeats the password": lambda call: {"error": {
        "code": -32001, "message": "x", "data": {
            "reason": f"{json.dumps(call)}"}}},
    "not JSON": lambda call: b"\x81\x02{]",
    "a frame without an end": lambda call: b"\x81\x7f" + b"\xff" * 8,
    "binary": lambda call: b"\x82\x01x",
    "masked": lambda call: b"\x81\x81abcdx",
    "the end": lambda call: b"",
    "too long": lambda call: {"result": "x" * (1 << 21)},
    "no login": lies(auth__login_ex=[1, 2]),
    "users that are none": lies(user__query={"id": "x"}),
    "a user without a number": lies(user__query=[{"id": "1; reboot"}]),
    "service that is none": lies(service__query=7,
                                 service__update=None),
    "no port": lies(ssh__config={"tcpport": 99999}),
    "port as text": lies(ssh__config={"tcpport": "22"}),
    "no keys": lies(**{
        "keychaincredential__remote_ssh_host_key_scan": ""}),
    "keys that are none": lies(**{
        "keychaincredential__remote_ssh_host_key_scan":
            "ssh-ed25519 AAAA\n\x1b[2J *\n"}),
}


@pytest.mark.bounded(300)
def test_who_lies_gets_nothing_kept(root, instance, tmp_path):
    before = root.call("keychaincredential.query")
    liar = Liar(tmp_path, None)
    remote = {"url": liar.url, "verify_ssl": False, "password": SECRET,
              "username": "root"}
    pair = root.call("keychaincredential.create", {
        "name": "lied to", "type": "SSH_KEY_PAIR", "attributes": root.call(
            "keychaincredential.generate_ssh_key_pair")})
    for name, answer in LIES.items():
        liar.answer = answer
        with instance.root() as client:
            # Of each method there are only so many in a minute.
            error = client.error(
                "keychaincredential.remote_ssh_semiautomatic_setup",
                {"name": "liar", "private_key": pair["id"], **remote})
        assert SECRET not in json.dumps(error.data), (name, error)
        assert "other machine" in str(error) or error.paths, (name, error)
    assert SECRET in liar.heard
    for head in (b"HTTP/1.1 200 OK\r\n\r\n", b"\0" * 100, b"x" * 10000):
        liar.head = head
        error = root.error("keychaincredential.setup_ssh_connection",
                           options(remote, pair["id"]))
        assert error.paths == ["options.semi_automatic_setup.url"]
    liar.head, liar.answer = None, lies()
    made = set_up(root, remote, pair["id"])
    assert made["attributes"]["host"] == "127.0.0.1"
    root.call("keychaincredential.delete", pair["id"], {"cascade": True})
    assert root.call("keychaincredential.query") == before
    for place in ("log", "audit", "state"):
        for file in (instance.directory / place).rglob("*"):
            if file.is_file():
                data = file.read_bytes()
                assert SECRET.encode() not in data, file
                assert b'"password": "correct horse' not in data, file
