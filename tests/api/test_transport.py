"""TLS, HTTP, Origin, paths."""

import http.client
import json
import ssl

import pytest
import websocket

from harness import Client, tls_context


def request(instance, path, method="GET", headers=None):
    connection = http.client.HTTPConnection(instance.address, instance.port,
                                            timeout=20)
    connection.sock = instance.tls()
    connection.request(method, path, headers=headers or {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def limited(version):
    context = tls_context()
    context.minimum_version = context.maximum_version = version
    # Debian's own policy already refuses the old ones for clients.
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


VERSIONS = ["v25.04.0", "v25.04.1", "v25.04.2", "v25.10.0", "v25.10.1",
            "v25.10.2", "v25.10.3", "v25.10.4", "v25.10.5", "v26.0.0"]


@pytest.mark.parametrize("path", [
    "/api/current", "/api/v24.10", *(f"/api/{name}" for name in VERSIONS)])
def test_each_version_answers(instance, path):
    with instance.connect(path=path) as client:
        assert client.call("core.ping") == "pong"


@pytest.mark.parametrize("path", [
    "/", "/api/v25.05.0", "/api/v99.0.0", "/api", "/nosuch", "/api/versions",
    "/api/current/../../etc/passwd", "/api/currentx"])
def test_no_websocket_on_another_path(instance, path):
    with pytest.raises((websocket.WebSocketException, OSError)):
        instance.connect(path=path).close()


@pytest.mark.parametrize("path", [
    "/nosuch", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
    "/api/v2.0/system/info", "/" + "x" * 2000, "/%zz"])
def test_unknown_path_is_not_found(instance, path):
    status, body = request(instance, path)
    assert status in (400, 403, 404, 414) and b"root:" not in body


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "x"])
def test_path_of_the_api_serves_only_a_websocket(instance, method):
    status, body = request(instance, "/api/current", method)
    assert 400 <= status < 500 and b"pong" not in body


def test_versions_are_listed_oldest_first(instance):
    status, body = request(instance, "/api/versions")
    assert status == 200 and json.loads(body) == VERSIONS
    assert request(instance, "/api/versions", "HEAD") == (200, b"")


def test_boot_id_is_that_of_the_api(instance, root):
    status, body = request(instance, "/api/boot_id")
    assert status == 200 and json.loads(body) == root.call("system.boot_id")


@pytest.mark.parametrize("path,target", [
    ("/api/versions/", "/api/versions"), ("/api/current/", "/api/current"),
    ("/api//v25.10.0///", "/api/v25.10.0")])
def test_slash_too_many_is_redirected(instance, path, target):
    connection = http.client.HTTPConnection(instance.address, instance.port)
    connection.sock = instance.tls()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert (answer.status, answer.headers["Location"]) == (308, target)


@pytest.mark.parametrize("path", [
    "//evil.example/", "/api/evil/", "/\\evil.example/", "/api/versions/?a=b"])
def test_no_redirect_to_what_is_not_ours(instance, path):
    assert request(instance, path)[0] == 404


def test_path_with_nul_is_refused(instance):
    """libwebsockets answers it with the end of the connection."""
    with pytest.raises(http.client.RemoteDisconnected):
        request(instance, "/a%00b")
    assert request(instance, "/nosuch")[0] == 404


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3])
def test_tls_version_is_accepted(instance, version):
    with instance.tls(context=limited(version)) as sock:
        assert sock.version() == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1,
                                     ssl.TLSVersion.TLSv1_1])
def test_tls_version_is_refused(instance, version):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        instance.tls(context=limited(version)).close()


def test_plain_http_gets_no_service(instance):
    connection = http.client.HTTPConnection(instance.address, instance.port,
                                            timeout=10)
    with pytest.raises((OSError, http.client.HTTPException)):
        connection.request("GET", "/api/current")
        assert connection.getresponse().status >= 300
        raise OSError("not served")


def test_no_origin_is_accepted(stranger):
    assert stranger.call("core.ping") == "pong"


# Debian's python3-websocket says http:// over TLS as well.
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_own_origin_is_accepted(instance, scheme):
    origin = f"{scheme}://{instance.address}:{instance.port}"
    with instance.connect(origin=origin) as client:
        assert client.call("core.ping") == "pong"


@pytest.mark.parametrize("origin", [
    "https://evil.example", "null", "https://{0}", "https://{0}:1",
    "https://{0}:8443.evil.example", "https://x{0}:8443",
    "https://evil@{0}:8443", "file://"])
def test_foreign_origin_is_refused(instance, origin):
    with pytest.raises((websocket.WebSocketException, OSError)):
        instance.connect(origin=origin.format(instance.address)).close()


def test_host_header_does_not_make_a_foreign_origin_own(instance):
    sock = instance.tls()
    with pytest.raises((websocket.WebSocketException, OSError)):
        Client(sock, f"{instance.address}:{instance.port}",
               origin="https://evil.example",
               headers=["X-Forwarded-Host: evil.example"]).close()


def test_certificate_is_kept_over_a_restart(fresh):
    with fresh.tls() as sock:
        before = sock.getpeercert(binary_form=True)
    fresh.stop()
    fresh.start()
    with fresh.tls() as sock:
        assert sock.getpeercert(binary_form=True) == before
