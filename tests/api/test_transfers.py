"""Up- and downloads, with methods that are made up for it (made_up.c)."""

import base64
import hashlib
import http.client
import json
import os
import socket
import time

import pytest
import websocket

from harness import (ADMIN, PASSWORD, ApiError, Closed, Instance,
                     next_address, wait_until)

PROGRAM = "tests/unit/holdfastd-made-up"
END = "--XX--\r\n"


@pytest.fixture
def server(shared):
    return shared("with made-up methods", lambda _: Instance(
        "asan", program=PROGRAM).start().setup_admin())


@pytest.fixture
def root(server):
    with server.root() as client:
        yield client


def pattern(size):
    blocks = (size + 4095) // 4096
    return b"".join(f"{n:4095}\n".encode() for n in range(blocks))[:size]


def basic(user=ADMIN, password=PASSWORD):
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def part(name, content, filename=None):
    extra = f'; filename="{filename}"' if filename else ""
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{extra}'
    if isinstance(content, str):
        content = content.encode()
    return head.encode() + b"\r\n\r\n" + content + b"\r\n"


def form(method, params, *files):
    data = {"method": method}
    if params is not None:
        data["params"] = params
    return part("data", json.dumps(data)) + b"".join(
        part("file", content, "f") for content in files) + END.encode()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"{self.status} {self.body[:200]}"


def ask(server, method, path, body=None, headers=None, source=None):
    connection = http.client.HTTPConnection(server.address, server.port,
                                            timeout=60)
    connection.sock = server.tls(source)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def upload(server, body, headers=None, query="", boundary="XX"):
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return ask(server, "POST", "/_upload" + query, body,
               kind | (basic() if headers is None else headers))


def ended(root, number):
    def look():
        job = root.call("core.get_jobs", [["id", "=", number]],
                        {"get": True})
        return job if job["state"] in ("SUCCESS", "FAILED") else None

    return wait_until(look, 60, f"the end of job {number}")


def outcome(root, answer):
    """The job that an upload began, when it has ended."""
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "application/json"
    return ended(root, json.loads(answer.body)["job_id"])


def digests(*files):
    return [[len(file), hashlib.sha256(file).hexdigest()] for file in files]


# Downloads.

@pytest.mark.parametrize("size", [0, 1, 70000, 3000000])
@pytest.mark.parametrize("buffered", [False, True])
def test_download(server, root, size, buffered):
    number, url = root.call("core.download", "made_up.give", [size],
                            "a.bin", buffered)
    assert url.startswith(f"/_download/{number}?auth_token=")
    answer = ask(server, "GET", url)
    assert answer.status == 200 and answer.body == pattern(size)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == \
        'attachment; filename="a.bin"'
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert ended(root, number)["state"] == "SUCCESS"
    assert ask(server, "GET", url).status == 401    # once only


def test_wrong_tokens(server, root):
    number, url = root.call("core.download", "made_up.give", [5], "a")
    other, _ = root.call("core.download", "made_up.give", [5], "a")
    login = root.call("auth.generate_token", 60)
    for path, status in (
            (f"/_download/{number}", 401),
            (f"/_download/{number}?auth_token=", 401),
            (f"/_download/{number}?auth_token=x", 401),
            (f"/_download/{number}?auth_token={login}", 401),
            (url.replace(f"/{number}?", f"/{other}?"), 401),
            (url.replace(f"/{number}?", "/99999?"), 401),
            (url.replace(f"/{number}?", f"/{number}x?"), 404),
            (url.replace(f"/{number}?", "/?"), 404),
            (url.replace(f"/{number}?", "/-1?"), 404)):
        assert ask(server, "GET", path).status == status, path
    # None of these used it up.
    assert ask(server, "HEAD", url).status == 404
    assert ask(server, "POST", url, b"x").status == 405
    assert ask(server, "GET", url).body == pattern(5)


def test_token_of_a_download_is_no_login(server, root):
    _, url = root.call("core.download", "made_up.give", [5], "a")
    with server.connect() as client:
        answer = client.call("auth.login_ex", {
            "mechanism": "TOKEN_PLAIN", "token": url.partition("=")[2]})
        assert answer["response_type"] == "AUTH_ERR"


def test_token_is_good_at_its_origin_only(server):
    here, there = next_address(104), next_address(104)
    with server.connect(here) as client:
        client.login()
        _, url = client.call("core.download", "made_up.give", [5], "a")
        assert ask(server, "GET", url, source=there).status == 401
        assert ask(server, "GET", url, source=here).status == 200


def test_token_ends_with_its_session(server):
    address = next_address(104)
    with server.connect(address) as client:
        client.login()
        _, url = client.call("core.download", "made_up.give", [5], "a")
        client.call("auth.logout")
        assert ask(server, "GET", url, source=address).status == 401


def test_name_of_the_file_is_quoted(server, root):
    _, url = root.call("core.download", "made_up.give", [1],
                       'a"\r\nSet-Cookie: b\\\u00fc')
    answer = ask(server, "GET", url)
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="a___Set-Cookie: b___"; '
        "filename*=UTF-8''a%22%0D%0ASet-Cookie%3A%20b%5C%C3%BC")
    assert "Set-Cookie" not in answer.headers


def test_job_that_fails_cuts_its_download(server, root):
    number, url = root.call("core.download", "made_up.give", [2000000, True],
                            "a")
    with pytest.raises((http.client.IncompleteRead, OSError)):
        ask(server, "GET", url)
    assert ended(root, number)["state"] == "FAILED"


def test_job_that_failed_before(server, root):
    number, url = root.call("core.download", "made_up.give", [5, True], "a")
    ended(root, number)
    assert ask(server, "GET", url).status == 500


def test_buffered_download_is_bounded(server, root):
    number, url = root.call("core.download", "made_up.give", [20000000],
                            "a", True)
    job = ended(root, number)
    assert job["state"] == "FAILED" and "EFBIG" in job["error"]
    assert ask(server, "GET", url).status == 500


def test_reader_that_goes_away_ends_the_job(server, root):
    number, url = root.call("core.download", "made_up.give", [30000000], "a")
    sock = server.tls()
    sock.sendall(f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert sock.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    sock.close()
    assert "EPIPE" in ended(root, number)["error"]


def test_slow_reader_delays_nobody(server, root):
    """Its job waits, and nothing is piled up for it."""
    number, url = root.call("core.download", "made_up.give", [30000000],
                            "a")
    sock = server.tls()
    sock.sendall(f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert sock.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    # More of what nobody asked for must not keep web busy either.
    sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    web = server.roles()["web"]

    def spent():
        fields = open(f"/proc/{web}/stat", encoding="ascii").read()
        return sum(map(int, fields.rpartition(")")[2].split()[11:13]))

    wait_until(lambda: quiet(spent), 60, "web does nothing")
    for size in (10, 100000):
        _, other = root.call("core.download", "made_up.give", [size], "b")
        assert ask(server, "GET", other).body == pattern(size)
    job = root.call("core.get_jobs", [["id", "=", number]], {"get": True})
    assert job["state"] == "RUNNING"
    sock.close()
    assert ended(root, number)["state"] == "FAILED"


def quiet(spent):
    before = spent()
    time.sleep(0.5)
    return spent() - before <= 5    # hundredths of a second


@pytest.mark.parametrize("buffered", [False, True])
def test_log_of_a_job(server, root, buffered):
    number, url = root.call("core.download", "made_up.give", [1], "a")
    ask(server, "GET", url)
    ended(root, number)
    url = root.call("core.job_download_logs", number, "job.log", buffered)
    assert url.startswith(f"/_download/{number}?auth_token=")
    answer = ask(server, "GET", url)
    assert (answer.status, answer.body) == (200, b"It begins.\n")
    assert ask(server, "GET", url).status == 401
    number = root.call("made_up.maybe")
    assert root.error("core.job_download_logs", number,
                      "x").errname == "ENODATA"
    assert root.error("core.job_download_logs", 99999, "x").paths == [None]


def test_too_many_downloads(server, root):
    made = []
    with pytest.raises(ApiError) as error:
        for _ in range(9):
            made.append(root.call("core.download", "made_up.give", [5], "a"))
    assert error.value.errname == "EBUSY"
    for _, url in made:
        assert ask(server, "GET", url).status == 200
    _, url = root.call("core.download", "made_up.give", [5], "a")
    assert ask(server, "GET", url).status == 200


def test_download_is_refused_at_once(root, server):
    assert root.error("core.download", "core.ping", [],
                      "x").errname == "EINVAL"
    assert root.error("core.download", "made_up.take", [],
                      "x").errname == "EINVAL"
    assert root.error("core.download", "no.such", [],
                      "x").errname == "ENOMETHOD"
    error = root.error("core.download", "made_up.give", [-1], "x")
    assert error.paths == ["size"]
    assert root.error("core.download", "made_up.give", {},
                      "x").paths == ["args"]
    with server.connect() as stranger:
        assert stranger.error("core.download", "made_up.give", [1],
                              "x").errname == "ENOTAUTHENTICATED"


def test_methods_with_files_are_called_no_other_way(root):
    for name in ("give", "take"):
        params = [1] if name == "give" else []
        error = root.error(f"made_up.{name}", *params)
        assert error.errname == "EINVAL" and "is not open" in \
            error.data["reason"]
    methods = root.call("core.get_methods", "made_up")
    flags = {name: (entry["downloadable"], entry["uploadable"],
                    entry["check_pipes"])
             for name, entry in methods.items()}
    assert flags["made_up.give"] == (True, False, True)
    assert flags["made_up.take"] == (False, True, True)
    assert flags["made_up.maybe"] == (False, True, False)
    assert root.job("made_up.maybe")["state"] == "SUCCESS"


# Uploads.

@pytest.mark.parametrize("size", [0, 1, 30000, 900000])
def test_upload(server, root, size):
    content = os.urandom(size)
    job = outcome(root, upload(server, form("made_up.take", None, content)))
    assert job["state"] == "SUCCESS", job
    assert job["result"] == digests(content)


def test_upload_of_several_files(server, root):
    files = [os.urandom(100000 * n) for n in range(5)]
    job = outcome(root, upload(server, form("made_up.take", [], *files)))
    assert job["result"] == digests(*files)
    answer = upload(server, form("made_up.take", [], *[b"x"] * 6))
    assert answer.status == 405
    answer = upload(server, form("made_up.take_one", [], b"x", b"y"))
    assert answer.status == 405


def test_upload_with_a_token(server, root):
    for header in (True, False):
        token = root.call("auth.generate_token", 60, {}, False)
        answer = upload(
            server, form("made_up.take", [], b"hello"),
            {"Authorization": f"Token {token}"} if header else {},
            "" if header else f"?auth_token={token}")
        assert outcome(root, answer)["result"] == digests(b"hello")


@pytest.mark.parametrize("headers", [
    {}, basic(password="wrong"), basic("nosuch"), {"Authorization": "x"},
    {"Authorization": "Basic !"}, {"Authorization": "Token x"},
    {"Authorization": "Bearer 1-x"}, {"Authorization": "Digest x"},
    {"Authorization": "Basic " + base64.b64encode(b"nocolon").decode()}])
def test_upload_without_good_credentials(server, headers):
    answer = upload(server, form("made_up.take", [], b"x"), headers)
    assert answer.status == 401, answer


def test_upload_takes_no_password_alone_where_codes_are_asked_for(
        server, root):
    """Nor that of an account without a second factor."""
    sent = form("made_up.take", [], b"x")
    root.call("auth.twofactor.update", {"enabled": True})
    try:
        answer = upload(server, sent)
        assert answer.status == 401 and b"second factor" in answer.body
    finally:
        root.call("auth.twofactor.update", {"enabled": False})
    assert outcome(root, upload(server, sent))["state"] == "SUCCESS"


@pytest.mark.parametrize("body,status", [
    (part("file", "x", "f") + part("data", "{}") + END.encode(), 405),
    (part("data", "{}") + END.encode(), 422),
    (part("data", "x") + part("file", "x") + END.encode(), 400),
    (part("data", '{"method": "made_up.take", "params": [{"$date": 1.5}]}')
     + part("file", "x") + END.encode(), 400),
    (part("data", b"{}\0") + part("file", "x") + END.encode(), 400),
    (part("data", '{"method": 5}') + END.encode(), 422),
    (part("data", "[]") + END.encode(), 422),
    (part("data", '{"method": "made_up.take"}') + END.encode(), 405),
    (form("made_up.take", {}, b"x"), 422),
    (form("no.such", [], b"x"), 422),
    (form("core.ping", [], b"x"), 422),
    (form("made_up.give", [5], b"x"), 422),
    (form("made_up.take", [-1], b"x"), 412),
    (part("data", "x" * 70000) + END.encode(), 413),
    # Parts of another boundary come before the first one.
    (form("made_up.take", [], b"x").replace(b"--XX\r\n", b"--YY\r\n"), 405),
    (form("made_up.take", [], b"x").replace(b"name=", b"nam="), 400),
    (part("data", '{"method": "made_up.take"}') + part("other", "x"), 405),
    (form("made_up.take", [], b"x") + b"what follows", 200),
])
def test_wrong_uploads(server, body, status):
    answer = upload(server, body)
    assert answer.status == status, answer


def test_upload_without_end(server, root):
    before = len(root.call("core.get_jobs"))
    answer = upload(server, form("made_up.take", [], b"x")[:-8])
    assert answer.status == 400
    job = root.call("core.get_jobs", [], {"order_by": ["id"]})[-1]
    assert "ECONNABORTED" in ended(root, job["id"])["error"]
    assert len(root.call("core.get_jobs")) == before + 1


def test_upload_cut_short(server, root):
    before = root.call("core.get_jobs", [], {"count": True})
    body = form("made_up.take", [], b"x" * 500000)
    sock = server.tls()
    head = (f"POST /_upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/"
            f"form-data; boundary=XX\r\nContent-Length: {len(body)}\r\n"
            f"Authorization: {basic()['Authorization']}\r\n\r\n")
    sock.sendall(head.encode() + body[:300000])
    job = wait_until(
        lambda: root.call("core.get_jobs", [], {"order_by": ["id"],
                                                "offset": before}),
        60, "the upload's job")[-1]
    sock.close()
    assert "ECONNABORTED" in ended(root, job["id"])["error"]


def test_upload_that_is_too_large(server, root):
    # By what the method takes: before a byte is read of it.
    answer = upload(server, form("made_up.take_one", [], b"x" * 300000))
    assert answer.status == 413
    # By what the job finds out.
    job = outcome(root, upload(server, form("made_up.take", [1000],
                                            b"x" * 900000)))
    assert job["state"] == "FAILED" and "EFBIG" in job["error"]


def test_upload_that_nobody_reads(server, root):
    answer = upload(server, form("made_up.ignore", [], b"x" * 900000))
    assert outcome(root, answer)["state"] == "SUCCESS"


def test_upload_in_small_pieces(server, root):
    body = form("made_up.take", [], b"\r\n--X" * 50)
    sock = server.tls()
    head = (f"POST /_upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/"
            f"form-data; boundary=XX\r\nContent-Length: {len(body)}\r\n"
            f"Authorization: {basic()['Authorization']}\r\n\r\n")
    for octet in head.encode() + body:
        sock.sendall(bytes([octet]))
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    number = json.loads(answer.read())["job_id"]
    assert ended(root, number)["result"] == digests(b"\r\n--X" * 50)
    sock.close()


def test_uploads_by_the_wrong_request(server):
    assert ask(server, "GET", "/_upload").status == 405
    assert ask(server, "GET", "/_upload").headers["Allow"] == "POST"
    assert ask(server, "PUT", "/_upload", b"x").status == 405
    assert upload(server, b"x", boundary="").status == 400
    assert ask(server, "POST", "/_upload", b"x", basic()).status == 400
    chunked = basic() | {"Transfer-Encoding": "chunked"}
    assert ask(server, "POST", "/_upload", b"0\r\n\r\n",
               chunked).status == 411
    for length in ("-1", "x", "99999999999999999999"):
        answer = ask(server, "POST", "/_upload", b"x",
                     basic() | {"Content-Length": length})
        assert answer.status in (400, 411), (length, answer)
    foreign = basic() | {"Origin": "https://evil.example"}
    assert upload(server, form("made_up.take", [], b"x"),
                  foreign).status == 403


def test_upload_asks_first(server):
    sock = server.tls()
    sock.sendall(
        b"POST /_upload HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        b"Content-Type: multipart/form-data; boundary=XX\r\n"
        b"Content-Length: 9999\r\nAuthorization: " +
        basic()["Authorization"].encode() + b"\r\n\r\n")
    assert sock.recv(100).startswith(b"HTTP/1.1 100 ")
    sock.close()


def test_root_needs_no_credentials_on_the_unix_socket(server, root):
    body = form("made_up.take", [], b"hello")
    folder = os.open(server.directory, os.O_PATH | os.O_DIRECTORY)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect(f"/proc/self/fd/{folder}/middlewared.sock")
    finally:
        os.close(folder)
    connection = http.client.HTTPConnection("localhost")
    connection.sock = sock
    connection.request("POST", "/_upload", body, {
        "Content-Type": "multipart/form-data; boundary=XX"})
    answer = connection.getresponse()
    assert answer.status == 200
    number = json.loads(answer.read())["job_id"]
    assert ended(root, number)["result"] == digests(b"hello")
    connection.close()


def test_transfers_of_one_address_are_bounded(server):
    """Those beyond are told so; the others' places are not touched."""
    address = next_address(104)
    socks = []
    for _ in range(16):
        sock = server.tls(address)
        sock.sendall(
            b"POST /_upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/"
            b"form-data; boundary=XX\r\nContent-Length: 9999\r\n"
            b"Expect: 100-continue\r\nAuthorization: Basic eDp5\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 100 ")
        socks.append(sock)
    kind = {"Content-Type": "multipart/form-data; boundary=XX"}
    assert ask(server, "POST", "/_upload", form("made_up.take", [], b"x"),
               kind | basic(), source=address).status == 503
    assert upload(server, form("made_up.take", [], b"x")).status == 200
    for sock in socks:
        sock.close()


def test_a_new_core_ends_transfers(server, root):
    number, url = root.call("core.download", "made_up.give", [30000000], "a")
    sock = server.tls()
    sock.sendall(f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert sock.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
    os.kill(server.roles()["core"], 9)
    data = b"x"
    while data:
        try:
            data = sock.recv(1 << 20)
        except OSError:
            break
        assert not data.endswith(b"\r\n0\r\n\r\n")
    sock.close()

    def back():
        try:
            with server.root() as client:
                return client.call("core.ping") == "pong"
        except (OSError, websocket.WebSocketException, Closed):
            return False

    wait_until(back, 60, "core is back")
    assert upload(server, form("made_up.take", [], b"x")).status == 200


def test_openrpc_document_for_who_logs_in(server, root):
    answer = ask(server, "GET", "/api/openrpc.json", headers=basic())
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    names = {method["name"] for method in json.loads(answer.body)["methods"]}
    assert names == set(root.call("core.get_methods"))
    token = root.call("auth.generate_token", 60, {}, False)
    path = f"/api/openrpc.json?auth_token={token}"
    assert ask(server, "GET", path).body == answer.body
    for headers in ({}, basic(password="wrong")):
        assert ask(server, "GET", "/api/openrpc.json",
                   headers=headers).status == 401
