"""The files of the web interface as the web role serves them."""

import gzip
import http.client
import pathlib
import re

import pytest

from harness import BUILDS

UI = BUILDS["release"] / "ui"


def ask(connection, path, method="GET", **headers):
    connection.request(method, path, headers={
        name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    return answer, answer.read()


@pytest.fixture
def connection(instance):
    made = http.client.HTTPConnection(instance.address, instance.port,
                                      timeout=20)
    made.sock = instance.tls()
    yield made
    made.close()


def assets():
    return [f"/ui/{path.relative_to(UI)}"
            for path in pathlib.Path(UI).rglob("*.*")]


def test_each_file_is_served_on_one_connection(connection):
    """As it was built, in every encoding that was asked for."""
    assert len(assets()) > 3
    for path in assets():
        content = (UI / path.removeprefix("/ui/")).read_bytes()
        answer, body = ask(connection, path)
        assert answer.status == 200 and body == content, path
        answer, body = ask(connection, path, Accept_Encoding="gzip")
        if answer.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        assert body == content, path
        answer, body = ask(connection, path, "HEAD")
        assert body == b""
        assert int(answer.headers["Content-Length"]) == len(content)


def test_headers(connection):
    answer, _ = ask(connection, "/ui/")
    headers = answer.headers
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache"
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "*" not in policy
    for part in ("default-src 'none'", "script-src 'self'",
                 "frame-ancestors 'none'", "base-uri 'none'",
                 "form-action 'none'", "connect-src 'self'"):
        assert part in policy.split("; ")
    for name, value in {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Embedder-Policy": "require-corp",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Vary": "Accept-Encoding"}.items():
        assert headers[name] == value
    for path in assets():
        answer, _ = ask(connection, path, "HEAD")
        assert ("immutable" in answer.headers["Cache-Control"]) == (
            "/assets/" in path)


def test_entity_tag(connection):
    answer, _ = ask(connection, "/ui/")
    tag = answer.headers["ETag"]
    answer, body = ask(connection, "/ui/", If_None_Match=f'"x", W/{tag}')
    assert answer.status == 304 and body == b""
    assert answer.headers["ETag"] == tag
    assert ask(connection, "/ui/", If_None_Match='"x"')[0].status == 200


def test_page_needs_nothing_inline_and_nothing_foreign(connection):
    _, body = ask(connection, "/ui/")
    text = body.decode()
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", text)
    assert re.findall(r'(?:src|href)="(?!/ui/)', text) == []


@pytest.mark.parametrize("path", ["/", "/ui"])
def test_the_way_to_the_page(connection, path):
    answer, _ = ask(connection, path)
    assert (answer.status, answer.headers["Location"]) == (308, "/ui/")


@pytest.mark.parametrize("path", ["/ui/system/services/ssh", "/ui/x/", "/ui//",
                                  "/ui/a?b=/../c.d"])
def test_places_of_the_page_are_its_beginning(connection, path):
    answer, body = ask(connection, path)
    assert answer.status == 200 and body == (UI / "index.html").read_bytes()


@pytest.mark.parametrize("path", [
    "/ui/assets/nosuch.js", "/ui/assets/", "/ui/index.html/x.js",
    "/ui/..%2f..%2fetc%2fpasswd", "/ui/%2e%2e/%2e%2e/etc/passwd",
    "/ui/.git/config", "/ui/a%5c..%5cb", "/ui/%c0%ae%c0%ae/x",
    "/ui/INDEX.HTML", "/ui/" + "x" * 200, "/uix/", "/ui/ui.pack"])
def test_what_is_no_file_is_not_found(connection, path):
    answer, body = ask(connection, path)
    assert answer.status == 404 and b"root:" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_only_get_and_head(instance, method):
    connection = http.client.HTTPConnection(instance.address, instance.port,
                                            timeout=20)
    connection.sock = instance.tls()
    try:
        connection.request(method, "/ui/")
        assert connection.getresponse().status in (400, 403, 404, 405)
    except (http.client.HTTPException, ConnectionError):
        pass    # libwebsockets ends what it does not know
    finally:
        connection.close()


def test_requests_behind_each_other(instance):
    """Sent at once, answered in their order."""
    with instance.tls() as sock:
        sock.settimeout(20)
        sock.sendall(b"GET /ui/icon.svg HTTP/1.1\r\nHost: x\r\n\r\n" * 3
                     + b"GET /nosuch HTTP/1.1\r\nHost: x\r\n\r\n")
        text = b""
        while b"404: Not Found" not in text:
            piece = sock.recv(65536)
            assert piece, text
            text += piece
    assert text.count(b"HTTP/1.1 200 OK") == 3 == text.count(b"</svg>")
