"""Heads of the audit log leave the machine, and a copied log gets a name."""

import http.client
import http.server
import json
import pathlib
import shutil
import sqlite3
import ssl
import subprocess
import threading
import time

import pytest

from harness import ApiError, Instance, wait_until

pytestmark = pytest.mark.release
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
UNSET = {"head_webhook": None, "head_webhook_minutes": 60,
         "head_alarm_hours": None}


class Receiver(http.server.ThreadingHTTPServer):
    """What takes heads: an HTTPS server that keeps what it was sent."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.cert = folder / "cert.pem"
        key = folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key,
             "-out", self.cert], check=True, capture_output=True, timeout=30)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, key)
        self.socket = context.wrap_socket(self.socket, server_side=True,
                                          do_handshake_on_connect=False)
        self.taken = []
        self.status = 204
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self, host="localhost", path="/heads", userinfo=""):
        return f"https://{userinfo}{host}:{self.server_port}{path}"

    def handle_error(self, request, client_address):
        """Who does not believe us hangs up."""

    def lines(self):
        return [body for _, _, body in self.taken]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", self.server.url(path="/else"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.server.taken.append((self.path, {}, b""))
        self.send_error(404)

    def log_message(self, *_):
        pass


@pytest.fixture(name="receiver", scope="module")
def receiver_fixture(tmp_path_factory):
    server = Receiver(tmp_path_factory.mktemp("receiver"))
    yield server
    server.shutdown()


@pytest.fixture(name="machine")
def machine_fixture(shared, receiver):
    """A shared one that believes the receiver; no webhook is set."""
    def make(build):
        made = Instance(build).start().setup_admin()
        path = made.inside(AUTHORITIES)
        path.write_text(path.read_text() + receiver.cert.read_text())
        return made

    found = shared("that believes the receiver", make)
    receiver.taken.clear()
    receiver.status = 204
    yield found
    with found.root() as root:
        root.call("audit.update", UNSET)


def verify(instance, head, verified=True):
    done = instance.cli("--json", "audit", "verify", "--against", head)
    found = json.loads(done.stdout)
    assert found["verified"] == verified, found
    return found


def left(client):
    return client.call("audit.config")["head_left"]


def classes(client):
    return {alert["klass"] for alert in client.call("alert.list")}


# Asked for.

def test_head(fresh):
    with fresh.root() as root:
        head = root.call("audit.head")
        parsed = json.loads(head)
        assert parsed["size"] > 0 and len(parsed["signature"]) == 128
        verify(fresh, head)
        # It is for all there is, and to be given it is not to keep it.
        root.error("ssh.update", {"options": "NoSuchDirective 1"})
        later = json.loads(root.call("audit.head"))
        assert later["size"] > parsed["size"]
        assert later["log"] == parsed["log"]
        assert left(root) is None
        assert "has left this machine: holdfast audit head" in \
            fresh.cli("status").stdout
        error = root.error("audit.head_kept", head[:-20] + "0" * 18 + '"}')
        assert error.paths == ["head"]
        assert root.error("audit.head_kept", "").paths == ["head"]
        assert left(root) is None


def test_one_of_another_log(fresh, machine):
    with machine.root() as root, fresh.root() as other:
        root.call("audit.head")
        theirs = other.call("audit.head")
        assert root.error("audit.head_kept", theirs).paths == ["head"]


def test_command(fresh):
    done = fresh.cli("audit", "head")
    assert done.returncode == 0 and done.stdout.count("\n") == 1
    verify(fresh, done.stdout.strip())
    head = json.loads(done.stdout)
    with fresh.root() as root:
        found = left(root)
        assert (found["way"], found["log"], found["head"]) == \
            ("KEPT", head["log"], head["head"])
        record, = root.call("audit.query", {
            "query-filters": [["event_data.method", "=", "audit.head_kept"]],
            "query-options": {"limit": 2}})
        assert record["success"]
    assert f"(number {head['head']}, KEPT)" in fresh.cli("status").stdout
    # Over a restart.
    fresh.stop()
    fresh.start()
    with fresh.root() as root:
        assert left(root) == found
    assert fresh.cli("audit", "head", "x").returncode == 2
    # What could not be printed was not kept.
    full = subprocess.run(
        [fresh.build / "holdfast", "-i", fresh.directory, "audit", "head"],
        stdout=open("/dev/full", "w"), stderr=subprocess.PIPE, timeout=60,
        check=False)
    assert full.returncode == 1
    with fresh.root() as root:
        assert left(root) == found


def fetch(instance, url):
    connection = http.client.HTTPConnection(instance.address, instance.port,
                                            timeout=60)
    connection.sock = instance.tls()
    try:
        connection.request("GET", url)
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read().decode()
    finally:
        connection.close()


def state_of(client, job):
    return client.call("core.get_jobs", [["id", "=", job]],
                       {"get": True})["state"]


def test_download(machine):
    with machine.root() as root:
        before = left(root)
        job, url = root.call("core.download", "audit.download_head", [],
                             "head.json")
        # Nobody has read it yet.
        time.sleep(0.3)
        assert state_of(root, job) == "RUNNING" and left(root) == before
        line = fetch(machine, url)
        verify(machine, line.strip())
        wait_until(lambda: state_of(root, job) == "SUCCESS", 30, "its end")
        found = left(root)
        assert (found["way"], found["head"]) == \
            ("DOWNLOAD", json.loads(line)["head"])
        # A buffered one is there, and nobody knows whether it is taken.
        job, url = root.call("core.download", "audit.download_head", [],
                             "head.json", True)
        wait_until(lambda: state_of(root, job) == "SUCCESS", 30, "its end")
        verify(machine, fetch(machine, url).strip())
        assert left(root) == found


# The webhook.

@pytest.mark.parametrize("url", [
    "http://localhost/", "https://", "https:///x", "https://a b/",
    "https://host/#fragment", "https://host:123456/", "https://h\u00f6st/",
    "https://host/\n", "ftp://host/", "https://user@/", "https://-/",
    "https://a@b@c/", "https://host/" + 1100 * "x"])
def test_no_webhook(machine, url):
    with machine.root() as root:
        assert root.error("audit.update", {"head_webhook": url}).paths == \
            ["data.head_webhook"]
        assert root.call("audit.config")["head_webhook"] is None


def sent_head(client, receiver):
    """The first head that came, once it is known to have left."""
    wait_until(lambda: receiver.taken, 60, "a head")
    number = json.loads(receiver.taken[0][2])["head"]
    wait_until(lambda: left(client), 60, "that one left")
    wait_until(lambda: left(client)["head"] >= number, 60, "that it left")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_webhook(machine, receiver, host):
    url = receiver.url(host, "/heads?a=b", "us%65r:pass@")
    with machine.root() as root:
        config = root.call("audit.update", {"head_webhook": url,
                                            "head_webhook_minutes": 7})
        assert config["head_webhook"] == url
        sent_head(root, receiver)
        assert left(root)["way"] == "WEBHOOK"
        (path, headers, body), = receiver.taken
        assert path == "/heads?a=b"
        assert headers["Authorization"] == "Basic dXNlcjpwYXNz"
        assert headers["Content-Type"] == "application/json"
        assert set(headers) == {"Host", "Accept", "Authorization",
                                "Content-Type", "Content-Length"}
        assert body.endswith(b"\n")
        verify(machine, body.decode().strip())
        assert left(root)["head"] == json.loads(body)["head"]
        assert root.call("audit.config")["head_webhook_error"] is None
        assert "WEBHOOK" in machine.cli("status").stdout
        assert "ScheduledTaskFailed" not in classes(root)


def test_nobody_reads_its_secret(machine, receiver):
    """Not in records, logs, the history, nor by who may read settings."""
    url = receiver.url("localhost", "/token-in-path", "user:kept-secret@")
    with machine.root() as root:
        root.call("audit.update", {"head_webhook": url})
        sent_head(root, receiver)
        group = root.call("group.create", {"name": "auditors"})
        gid = root.call("group.get_instance", group)["gid"]
        root.call("privilege.create", {
            "name": "auditors", "local_groups": [gid], "ds_groups": [],
            "roles": ["SYSTEM_AUDIT_READ", "SYSTEM_AUDIT_WRITE"],
            "web_shell": False})
        root.call("user.create", {
            "username": "auditor", "full_name": "A", "group_create": True,
            "groups": [group], "password": "an auditor 1 password",
            "smb": False})
        history = json.dumps(root.call("config.history", [], {}))
    with machine.connect() as client:
        client.login("auditor", "an auditor 1 password")
        assert client.call("audit.config")["head_webhook"] == "********"
        for data in ({"head_webhook": None}, {"head_webhook_minutes": 8},
                     {"head_alarm_hours": 0}):
            name, = data
            assert client.error("audit.update", data).paths == \
                [f"audit_update.{name}"]
        client.call("audit.update", {"quota_fill_warning": 74})
        client.call("audit.head")
        client.error("audit.reidentify")
    records = "".join(path.read_text() for path in pathlib.Path(
        machine.directory, "audit").glob("segment-*.jsonl"))
    assert "head_webhook" in records
    for text in (history, records, machine.log()):
        assert "kept-secret" not in text and "token-in-path" not in text
    for path in pathlib.Path(machine.directory, "state").rglob("*"):
        if path.is_file():
            assert b"kept-secret" not in path.read_bytes(), path


def failure(client):
    return client.call("audit.config")["head_webhook_error"]


def test_what_is_not_taken_has_not_left(machine, receiver):
    with machine.root() as root:
        before = left(root)
        receiver.status = 500
        root.call("audit.update", {"head_webhook": receiver.url()})
        wait_until(lambda: failure(root), 60, "a failure")
        assert "answered 500" in failure(root)
        assert left(root) == before
        wait_until(lambda: "ScheduledTaskFailed" in classes(root), 30,
                   "an alert")
        status = machine.cli("status")
        assert status.returncode == 1
        assert "The last one for the webhook did not" in status.stdout
        # No redirect is followed, wherever it leads.
        receiver.taken.clear()
        receiver.status = 302
        root.call("audit.update", {"head_webhook": receiver.url(path="/2")})
        wait_until(lambda: "302" in (failure(root) or ""), 60, "a failure")
        assert [path for path, _, _ in receiver.taken] == ["/2"]
        # Who is not who he says.
        root.call("audit.update", {
            "head_webhook": receiver.url("localhost.localdomain")})
        wait_until(lambda: "reached" in (failure(root) or ""), 60,
                   "a failure")
        assert left(root) == before
        receiver.status = 201
        root.call("audit.update", {"head_webhook": receiver.url(path="/3")})
        wait_until(lambda: left(root) != before, 60, "that it left")
        assert failure(root) is None
        wait_until(lambda: "ScheduledTaskFailed" not in classes(root), 30,
                   "no alert")


def test_who_is_not_believed(fresh, receiver):
    """The certificate is of nobody that this machine knows."""
    with fresh.root() as root:
        root.call("audit.update", {"head_webhook": receiver.url()})
        before = len(receiver.taken)
        wait_until(lambda: failure(root), 60, "a failure")
        assert "SSL" in failure(root)
        assert len(receiver.taken) == before and left(root) is None


def test_a_restart_tries_again_and_keeps_the_cadence(machine, receiver):
    receiver.status = 503
    with machine.root() as root:
        root.call("audit.update", {"head_webhook": receiver.url()})
        wait_until(lambda: failure(root), 60, "a failure")
    machine.stop()
    receiver.taken.clear()
    receiver.status = 200
    machine.start()
    with machine.root() as root:
        sent_head(root, receiver)
        assert failure(root) is None
        found = left(root)
    count = len(receiver.taken)
    machine.stop()
    machine.start()
    with machine.root() as root:
        assert left(root) == found
        time.sleep(0.5)
        assert len(receiver.taken) == count == 1    # an hour is not over


# An alert.

def set_back(instance, hours):
    """As if the last had left so long ago; the instance does not run."""
    file = pathlib.Path(instance.directory, "state", "config.db")
    with sqlite3.connect(file) as store:
        (text,), = store.execute(
            "SELECT value FROM value WHERE name = 'audit.heads'")
        kept = json.loads(text)
        kept["left"]["at"]["$date"] -= hours * 3600 * 1000
        store.execute("UPDATE value SET value = ? "
                      "WHERE name = 'audit.heads'", (json.dumps(kept),))
    store.close()


def test_too_long_ago(fresh):
    assert fresh.cli("audit", "head").returncode == 0
    fresh.stop()
    set_back(fresh, 30)
    fresh.start()
    with fresh.root() as root:
        # Nothing was set up that one could expect any more from.
        assert "AuditHeadsStay" not in classes(root)
        root.call("audit.update", {"head_alarm_hours": 24})
        assert "AuditHeadsStay" in classes(root)
        assert fresh.cli("status").returncode == 1
        root.call("audit.update", {"head_alarm_hours": 48})
        assert "AuditHeadsStay" not in classes(root)
        root.call("audit.update", {"head_alarm_hours": 1})
        assert "AuditHeadsStay" in classes(root)
        root.call("audit.update", {"head_alarm_hours": 0})
        assert "AuditHeadsStay" not in classes(root)
        root.call("audit.update", {"head_alarm_hours": None,
                                   "head_webhook": "https://127.0.0.1:1/"})
        assert "AuditHeadsStay" in classes(root)
        assert fresh.cli("audit", "head").returncode == 0
        assert "AuditHeadsStay" not in classes(root)


# Copies.

def last_head(instance):
    with instance.root() as root:
        root.call("audit.head")     # for all that there is
    done = instance.cli("--json", "audit", "verify")
    found = json.loads(done.stdout)
    assert found["verified"], found
    return found


def work(instance, name):
    with instance.root() as root:
        root.call("group.create", {"name": name})


def test_two_copies(fresh, make_instance):
    """Two machines from one image, which nothing tells apart; and then."""
    work(fresh, "before")
    fresh.stop()
    clone = make_instance()
    shutil.rmtree(clone.directory)
    subprocess.run(["cp", "-a", fresh.directory, clone.directory],
                   check=True)
    # An image has the same numbers; a copied folder is another place.
    audit = pathlib.Path(clone.directory, "audit")
    machine_id, _ = (audit / "place").read_text().split()
    owner = (audit / "place").stat()
    (audit / "place").write_text(f"{machine_id} {audit.stat().st_ino}\n")
    assert (audit / "place").stat().st_uid == owner.st_uid
    fresh.start()
    clone.start()
    work(fresh, "original")
    work(clone, "cloned")
    ours, theirs = last_head(fresh), last_head(clone)
    assert ours["log"] == theirs["log"]
    # Each is whole by itself; the head of the other one tells.
    found = verify(clone, ours["last_head"]["line"], False)
    assert "forked" in found["problem"]["text"] or \
        "rolled back" in found["problem"]["text"]

    done = clone.cli("reidentify")
    assert done.returncode == 0 and "with a new key" in done.stdout
    for number in range(5):
        work(fresh, f"original{number}")
    renamed = last_head(clone)
    assert renamed["log"] != ours["log"]
    assert ours["log"] in renamed["continued"][0]
    assert f"as log {renamed['log']}" in renamed["continued"][0]
    found = verify(clone, last_head(fresh)["last_head"]["line"], False)
    assert "The log forked" in found["problem"]["text"]
    assert last_head(fresh)["log"] == ours["log"]
    verify(fresh, ours["last_head"]["line"])
    verify(clone, renamed["last_head"]["line"])
    with clone.root() as root:
        record, = root.call("audit.query", {
            "services": ["SYSTEM"],
            "query-filters": [["event", "=", "REIDENTIFY"]],
            "query-options": {"limit": 2}})
        assert record["event_data"]["log"] == ours["log"]
        assert record["username"] == "root"
        record, = root.call("audit.query", {
            "query-filters": [["event_data.method", "=",
                               "audit.reidentify"]],
            "query-options": {"limit": 2}})
        assert record["success"]
        assert root.call("audit.head_kept", root.call("audit.head")) is None
    # It stays so.
    clone.stop()
    clone.start()
    assert last_head(clone)["log"] == renamed["log"]


def test_restored(fresh, tmp_path):
    """An older state comes back and goes on: verify names it."""
    work(fresh, "before")
    fresh.stop()
    saved = tmp_path / "saved"
    subprocess.run(["cp", "-a", fresh.directory / "audit", saved],
                   check=True)
    fresh.start()
    for number in range(5):
        work(fresh, f"after{number}")
    seen = last_head(fresh)["last_head"]["line"]
    fresh.stop()
    # Both are there for a while, so that one has another number.
    shutil.move(fresh.directory / "audit", tmp_path / "later")
    subprocess.run(["cp", "-a", saved, fresh.directory / "audit"],
                   check=True)
    assert "was rolled back" in verify(fresh, seen, False)["problem"]["text"]
    fresh.start()
    work(fresh, "later")
    text = verify(fresh, seen, False)["problem"]["text"]
    assert "forked" in text and "an older state restored" in text
    assert json.loads(seen)["log"] in text


def test_only_root_at_the_machine(machine):
    with machine.admin() as admin:
        assert admin.error("audit.reidentify").errname == "EPERM"
    with pytest.raises(ApiError), machine.connect() as client:
        client.call("audit.head")
    assert machine.cli("reidentify", "x").returncode == 2
