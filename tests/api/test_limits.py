"""The limits of the wire: sizes, calls at once, calls per minute, clients."""

import json
import resource
import socket
import threading
import time

import pytest
import websocket

from harness import ADMIN, ApiError, Closed, next_address, wait_until


def closing(client, text, **how):
    """The close that this message must be answered with."""
    with pytest.raises(Closed) as raised:
        client.ws.send(text, **how)
        client.receive()
    return raised.value


def padded(characters):
    text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "core.ping",
                       "params": [], "x": ""})
    return text[:-2] + "x" * (characters - len(text)) + text[-2:]


def test_8192_characters_before_login_are_taken(stranger):
    assert stranger.raw(padded(8192))["result"] == "pong"


def test_8193_characters_before_login_close_with_1007(stranger):
    closed = closing(stranger, padded(8193))
    assert (closed.code, closed.reason) == (
        1007, "Anonymous connection max message length is 8 kB")


def test_65536_characters_after_login_are_taken(admin):
    assert admin.raw(padded(65536))["result"] == "pong"


def test_65537_characters_after_login_close_with_1009(admin):
    closed = closing(admin, padded(65537))
    assert (closed.code, closed.reason) == (
        1009, "Max message length is 64 kB")


def test_65537_characters_over_the_unix_socket_close_with_1009(root):
    assert closing(root, padded(65537)).code == 1009


def test_many_megabytes_before_login_close_the_connection(instance, root):
    with instance.connect() as client:
        try:
            assert closing(client, "x" * 20_000_000).code in (1007, None)
        except OSError:
            pass    # closed while we were sending
    assert root.call("core.ping") == "pong"


def test_limit_counts_characters_not_bytes(admin):
    text = padded(60000).replace("x" * 20000, "\u20ac" * 20000)
    assert admin.raw(text)["result"] == "pong"


def test_limit_falls_back_after_logout(instance):
    with instance.admin() as client:
        assert client.call("auth.logout") is True
        assert closing(client, padded(8193)).code == 1007


def test_binary_message_closes_with_1003(stranger):
    assert closing(stranger, padded(100), opcode=2).code == 1003


def test_more_than_20_calls_at_once_are_refused(root):
    numbers = [root.start("ssh.update", {"options": f"LoginGraceTime {n}"})
               for n in range(60, 90)]
    outcomes = []
    for number in numbers:
        try:
            root.finish(number)
            outcomes.append("done")
        except ApiError as error:
            assert error.code == -32000
            assert error.message == \
                "Maximum number of concurrent calls (20) has exceeded"
            assert not error.data
            outcomes.append("refused")
    root.call("ssh.update", {"options": ""})
    assert outcomes[:20] == ["done"] * 20 and "refused" in outcomes


def test_21st_call_of_a_minute_without_a_session_waits_and_is_busy(
        instance):
    source = next_address(101)
    with instance.connect(source) as client, \
            instance.connect(source) as second:
        for _ in range(20):
            assert client.call("core.ping") == "pong"
        began = time.monotonic()
        error = second.error("core.ping")
        took = time.monotonic() - began
        assert (error.code, error.errname) == (-32001, "EBUSY")
        assert error.data["reason"] == "[EBUSY] Rate Limit Exceeded"
        assert 0.9 <= took <= 11
        # Another method and another address have counts of their own.
        assert client.call("auth.mechanism_choices")
        with instance.connect() as other:
            assert other.call("core.ping") == "pong"


def test_rate_limit_ends_with_the_login(instance):
    with instance.admin() as client:
        assert [client.call("core.ping") for _ in range(30)] == ["pong"] * 30


def test_forwarding_headers_do_not_change_the_source(instance):
    source = next_address(102)
    for number in range(21):
        with instance.connect(source, headers=[
                f"X-Forwarded-For: 192.0.2.{number}",
                f"X-Real-Remote-Addr: 192.0.2.{number}",
                "X-Https: on"]) as client:
            if number < 20:
                assert client.call("core.ping") == "pong"
            else:
                assert client.error("core.ping").errname == "EBUSY"


def test_replies_may_come_out_of_order(root):
    slow = root.start("ssh.update", {"options": "LoginGraceTime 77"})
    fast = root.start("core.ping")
    first = root.receive()
    root.replies[first["id"]] = first
    root.finish(slow)
    root.finish(fast)
    root.call("ssh.update", {"options": ""})
    assert first["id"] == fast


def test_client_that_never_reads_delays_nobody(instance):
    greedy = instance.admin()
    stop = threading.Event()

    def flood():
        text = json.dumps({"jsonrpc": "2.0", "id": 1,
                           "method": "core.get_methods", "params": []})
        greedy.sock.settimeout(1)
        while not stop.is_set():
            try:
                greedy.ws.send(text)
            except Exception:   # full, or closed: both are fine
                return

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        with instance.admin() as client:
            for _ in range(30):
                began = time.monotonic()
                assert client.call("core.ping") == "pong"
                assert time.monotonic() - began < 1
    finally:
        stop.set()
        thread.join()
        greedy.sock.close()


def test_half_a_message_delays_nobody(instance):
    with instance.admin() as stuck, instance.admin() as client:
        # A frame of 1,000 masked bytes of which ten come.
        stuck.sock.sendall(b"\x81\xfe\x03\xe8" + b"\0" * 14)
        began = time.monotonic()
        assert client.call("core.ping") == "pong"
        assert time.monotonic() - began < 1


def test_half_a_tls_handshake_delays_nobody(instance, admin):
    with socket.socket() as sock:
        sock.connect((instance.address, instance.port))
        sock.sendall(b"\x16\x03\x01\x02\x00\x01")
        began = time.monotonic()
        assert admin.call("core.ping") == "pong"
        with instance.connect() as other:
            assert other.call("core.ping") == "pong"
        assert time.monotonic() - began < 3


def test_one_address_gets_64_connections(instance):
    source = next_address(104)
    clients = [instance.connect(source) for _ in range(64)]
    try:
        with pytest.raises((OSError, websocket.WebSocketException)):
            instance.connect(source).close()
        with instance.connect() as other:
            assert other.call("core.ping") == "pong"
        clients.pop().close()
        wait_until(lambda: connects(instance, source), 10, "room for one")
    finally:
        for client in clients:
            client.sock.close()


def connects(instance, source):
    try:
        with instance.connect(source) as client:
            return client.call("core.ping") == "pong"
    except (OSError, websocket.WebSocketException):
        return False


@pytest.mark.release
def test_1000_idle_connections(instance):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    clients = []
    try:
        for _ in range(1000):
            clients.append(instance.connect())
        with instance.admin() as client:
            began = time.monotonic()
            assert client.call("core.ping") == "pong"
            assert time.monotonic() - began < 1
        for client in clients[::100]:
            assert client.call("core.ping") == "pong"
    finally:
        for client in clients:
            client.sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.release
def test_no_room_but_for_who_has_no_session(make_instance):
    """The one that is silent for longest goes, never one with a session."""
    instance = make_instance()
    command = instance.command
    instance.command = lambda ready: [
        "prlimit", "--nofile=384:384", *command(ready)]
    instance.start().setup_admin()
    clients = []
    try:
        with instance.admin() as admin:
            clients += [instance.connect() for _ in range(191)]
            assert "room for 192 connections only" in instance.log()
            # Not the first one by its number.
            assert clients[0].call("core.ping") == "pong"
            with instance.connect() as late:
                assert late.call("core.ping") == "pong"
                with pytest.raises(Closed) as closed:
                    clients[1].receive()
                assert closed.value.code is None
                assert admin.call("auth.me")["pw_name"] == ADMIN
                assert clients[0].call("core.ping") == "pong"
    finally:
        for client in clients:
            client.sock.close()
