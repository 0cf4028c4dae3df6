"""system.general: where and for whom the API is, changed while it serves."""

import http.client
import os
import signal
import socket
import ssl

import pytest

from harness import Closed, tls_context, wait_until

OWN = "127.100.7.7"


def listens(instance, port):
    with socket.socket() as sock:
        sock.settimeout(10)
        return sock.connect_ex((instance.address, port)) == 0


def plainly(instance, port, request, source=OWN):
    """All that is answered to these bytes, without TLS."""
    with socket.socket() as sock:
        sock.settimeout(30)
        sock.bind((source, 0))
        sock.connect((instance.address, port))
        sock.sendall(request)
        answer = b""
        try:
            while part := sock.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
    return answer.decode()


def check_redirect(instance, port):
    """HTTP is sent to HTTPS, by a name of ours or by the address."""
    for host, to in (("localhost", "localhost"),
                     (f"localhost:{port}", "localhost"),
                     (instance.address, instance.address),
                     ("evil.example", instance.address),
                     ("localhost@evil.example", instance.address),
                     ("[::1]", instance.address)):
        for verb in ("GET", "HEAD"):
            answer = plainly(instance, port, (
                f"{verb} //evil.example/..%0d%0ax?y HTTP/1.1\r\n"
                f"Host: {host}\r\n\r\n").encode())
            assert answer.startswith("HTTP/1.1 307 "), (host, answer)
            assert f"\r\nLocation: https://{to}:{instance.port}/ui/\r\n" \
                in answer
            assert "Strict-Transport" not in answer and "evil" not in answer
    for path in ("/ui/", "/api/boot_id", "/api/openrpc.json", "/_download/1"):
        answer = plainly(instance, port, (
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").encode())
        assert answer.startswith("HTTP/1.1 307 ")
    assert plainly(instance, port, b"POST /_upload HTTP/1.1\r\nHost: x\r\n"
                   b"Content-Length: 2\r\n\r\n{}").startswith(
                       "HTTP/1.1 405 ")
    assert plainly(
        instance, port, b"GET /api/current HTTP/1.1\r\nHost: localhost\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Version: 13\r\n\r\n") == ""
    assert " 200 " not in plainly(instance, port, b"\x16\x03\x01\0\x05hello")


def frames(instance):
    """What the page says of frames: in its policy, and in the old header."""
    connection = http.client.HTTPSConnection(instance.address)
    connection.sock = instance.tls(OWN)
    connection.request("GET", "/ui/")
    answer = connection.getresponse()
    connection.close()
    policy = answer.getheader("Content-Security-Policy")
    return (policy.partition("frame-ancestors ")[2].partition(";")[0],
            answer.getheader("X-Frame-Options"))


def versions(instance):
    """The versions of TLS that it speaks."""
    found = []
    for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2,
                    ssl.TLSVersion.TLSv1_3):
        context = tls_context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        try:
            with instance.tls(OWN, context) as sock:
                found.append(sock.version())
        except (ssl.SSLError, ConnectionError):
            pass
    return found


def test_instance_listens_where_it_was_told_to(instance):
    with instance.root() as root:
        config = root.call("system.general.config")
        assert (config["ui_address"], config["ui_v6address"],
                config["ui_httpsport"]) == ([instance.address], [],
                                            instance.port)
        assert root.call("system.general.local_url") == \
            f"https://{instance.address}:{instance.port}"
        assert root.call("system.general.ui_address_choices") == {
            instance.address: instance.address}
        assert root.call("system.general.ui_httpsprotocols_choices") == {
            "TLSv1.2": "TLSv1.2", "TLSv1.3": "TLSv1.3"}
        for wrong in ({"ui_httpsport": 9443}, {"ui_address": ["0.0.0.0"]},
                      {"ui_address": []}, {"ui_address": ["nas"]},
                      {"ui_v6address": ["::"]}, {"ui_v6address": ["127.0.0.1"]},
                      {"ui_httpsprotocols": []},
                      {"ui_httpsprotocols": ["TLSv1.1", "TLSv1.3"]},
                      {"ui_allowlist": ["10.0.0.1/8"]},
                      {"ui_certificate": 7}, {"ui_httpsredirect": True},
                      {"timezone": "Mars/Olympus"}):
            error = root.error("system.general.update", wrong)
            assert error.errname == "EINVAL"
            assert error.data["extra"][0][0].endswith(next(iter(wrong)))
        assert root.call("system.general.config") == config


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_listens_anew(make_instance):
    instance = make_instance("--expose").start().setup_admin()
    first = instance.port
    with socket.create_server(("0.0.0.0", 0)) as free:
        second = free.getsockname()[1]
    with instance.root() as root, instance.admin() as admin:
        def update(**data):
            return admin.call("system.general.update", data)

        # A port that is somebody else's: nothing changes.
        with socket.create_server((instance.address, second)):
            error = admin.error("system.general.update",
                                {"ui_httpsport": second})
            assert "in use" in str(error)
        assert listens(instance, first)
        # Tried, and taken back; who is here stays.
        update(ui_httpsport=second, rollback_timeout=600)
        assert admin.call("system.general.checkin_waiting") > 0
        assert (listens(instance, first), listens(instance, second)) == (
            False, True)
        root.call("config.take_back")
        wait_until(lambda: listens(instance, first), 60, "it came back")
        wait_until(lambda: root.call("system.general.config")["ui_httpsport"]
                   == first, 60, "and says so")
        update(ui_httpsport=second, rollback_timeout=600)
        instance.port = second
        # The connection from before shows nothing of the new way in.
        assert "connect anew" in str(admin.error("system.general.checkin"))
        with instance.admin() as other:
            other.call("system.general.checkin")
        assert admin.call("system.general.checkin_waiting") is None
        # To all addresses on the port that one of ours had, and back.
        update(ui_address=["0.0.0.0"])
        with socket.create_connection(("127.0.0.9", second), 10):
            pass
        update(ui_address=[instance.address])

        update(ui_httpsprotocols=["TLSv1.3"])
        assert versions(instance) == ["TLSv1.3"]
        update(ui_httpsprotocols=["TLSv1.2"])
        assert versions(instance) == ["TLSv1.2"]

        # HTTP: a port that is open while it is sent on.
        with socket.create_server(("0.0.0.0", 0)) as free:
            plain = free.getsockname()[1]
        assert admin.error("system.general.update", {
            "ui_httpsredirect": True, "ui_port": second}).paths == [
                "system_general_update.ui_port"]
        update(ui_port=plain)
        assert not listens(instance, plain)
        update(ui_httpsredirect=True)
        check_redirect(instance, plain)

        for setting, shown in (("SAMEORIGIN", ("'self'", "SAMEORIGIN")),
                               ("ALLOW_ALL", ("", None)),
                               ("DENY", ("'none'", "DENY"))):
            update(ui_x_frame_options=setting)
            assert frames(instance) == shown

        # Nobody keeps himself out without a way back; root may.
        error = admin.error("system.general.update",
                            {"ui_allowlist": [OWN]})
        assert error.data["extra"][0][0] == \
            "system_general_update.ui_allowlist"
        root.call("system.general.update", {
            "ui_allowlist": [OWN, "2001:db8::/32"]})
        admin.call("core.ping")     # who is in stays

    def closed_door():
        with pytest.raises(Closed) as closed:
            with instance.connect() as client:
                client.call("core.ping")
        assert closed.value.code == 1008
        assert "not allowed" in closed.value.reason
        for path in ("/api/versions", "/", "/ui/"):
            connection = http.client.HTTPSConnection(instance.address)
            connection.sock = instance.tls()
            connection.request("GET", path)
            assert connection.getresponse().status == 403
            connection.close()
        assert plainly(instance, plain, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                       "127.0.0.1").startswith("HTTP/1.1 403 ")
        check_redirect(instance, plain)
        with instance.connect(source=OWN) as client:
            assert client.call("core.ping") == "pong"

    closed_door()
    # The same with a new process, and after a start of the instance.
    web = instance.roles()["web"]
    os.kill(web, signal.SIGKILL)
    wait_until(lambda: instance.roles().get("web", web) != web and
               listens(instance, second), 60, "web is back")
    closed_door()
    instance.stop()
    instance.port = first
    instance.start()
    instance.port = second
    assert not listens(instance, first)
    assert versions(instance) == ["TLSv1.2"]
    closed_door()
    with instance.root() as root:
        root.call("system.general.update", {"ui_httpsredirect": False})
    assert not listens(instance, plain)
