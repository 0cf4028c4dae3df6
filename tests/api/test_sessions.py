"""Sessions and tokens: what lets somebody in again, and what must not."""

import inspect
import json
import re
import secrets
import time

import pytest

from harness import ADMIN, Closed, next_address

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
TOKEN = re.compile(r"[A-Za-z0-9_-]{64}$")


def with_token(client, token, **options):
    """The response of a login with this token."""
    return client.call("auth.login_ex", {
        "mechanism": "TOKEN_PLAIN", "token": token, **options})


def lets_in(instance, token, source=None):
    with instance.connect(source) as client:
        return with_token(client, token)["response_type"] == "SUCCESS"


@pytest.fixture(scope="module")
def refused():
    """Tries a token that must not let anybody in.

    The server judges at once and tells a second or two later: all answers
    are awaited at the end, together.
    """
    tried = []

    def attempt(instance, token, source=None):
        client = instance.connect(source)
        number = client.start("auth.login_ex", {
            "mechanism": "TOKEN_PLAIN", "token": token})
        client.call("core.ping")    # so it was judged
        where = inspect.stack()[1]
        tried.append((client, number, f"{where.function}:{where.lineno}"))

    yield attempt
    wrong = []
    for client, number, where in tried:
        if client.finish(number) != {"response_type": "AUTH_ERR"}:
            wrong.append(where)
        client.close()
    assert not wrong, wrong


def records(root, *filters):
    return root.call("audit.query", {
        "query-filters": list(filters),
        "query-options": {"limit": 50, "order_by": ["-timestamp"]}})


def current(client):
    return client.call("auth.sessions", [["current", "=", True]],
                       {"get": True})


@pytest.fixture
def here():
    """An address that several clients of a test share."""
    return next_address(104)


# Tokens.

def test_token_logs_in_from_where_it_was_made(instance, here, refused):
    with instance.admin(source=here) as client:
        token = client.call("auth.generate_token")
        assert TOKEN.match(token)
        assert token != client.call("auth.generate_token")
        parent = current(client)
        refused(instance, token)
        # Many times, as nobody said once.
        with instance.connect(here) as other:
            answer = with_token(other, token)
            assert answer["response_type"] == "SUCCESS"
            assert answer["user_info"]["pw_name"] == ADMIN
            assert answer["authenticator"] == "LEVEL_1"
            assert answer["reconnect_token"] is None
            entry = current(other)
        assert entry["credentials"] == "TOKEN"
        data = entry["credentials_data"]
        assert data["username"] == ADMIN and UUID.match(data["login_id"])
        assert data["parent"] == {
            "credentials": "LOGIN_PASSWORD",
            "credentials_data": parent["credentials_data"]}
        with instance.connect(here) as other:
            assert other.call("auth.login_with_token", token) is True
            assert other.call("auth.me")["pw_name"] == ADMIN


def test_token_once_and_from_anywhere(instance, admin, refused):
    token = admin.call("auth.generate_token", 300, {}, False, True)
    with instance.connect() as client:
        assert with_token(client, token, login_options={
            "user_info": False})["user_info"] is None
    refused(instance, token)


def test_token_for_something_is_no_login(instance, admin, refused):
    token = admin.call("auth.generate_token", 300, {"job": 1}, False)
    refused(instance, token)


def test_token_runs_out(instance, admin, refused):
    token = admin.call("auth.generate_token", 1, {}, False)
    time.sleep(1.1)
    refused(instance, token)


@pytest.mark.parametrize("parameters, path", [
    ([0], "ttl"), ([-5], "ttl"), (["600"], "ttl"), ([600, []], "attrs"),
    ([600, {"x": "y" * 1000 * 5}], "attrs"), ([600, {}, 1], "match_origin"),
    ([600, {}, True, None], "single_use")])
def test_wrong_wishes_for_a_token(admin, parameters, path):
    error = admin.error("auth.generate_token", *parameters)
    assert (error.code, error.paths) == (-32602, [path])


def test_too_many_tokens(make_instance):
    # Of its own, as the limit is the user's.
    instance = make_instance().start()
    with instance.root() as root:
        tokens = {root.call("auth.generate_token") for _ in range(256)}
        assert len(tokens) == 256
        assert root.error("auth.generate_token").errname == "EBUSY"
        # They go with the session that is ended, and count no more.
        with instance.root() as other:
            identifier = current(root)["id"]
            assert other.call("auth.terminate_session", identifier) is True
            assert other.call("auth.generate_token")


def test_token_needs_a_session(stranger):
    assert stranger.error("auth.generate_token").errname == (
        "ENOTAUTHENTICATED")


def test_token_of_the_unix_socket(instance, root, refused):
    bound = root.call("auth.generate_token")
    loose = root.call("auth.generate_token", None, {}, False)
    refused(instance, bound)
    with instance.connect() as client:
        assert with_token(client, loose)["response_type"] == "SUCCESS"
        entry = current(client)
    assert entry["internal"] is False
    assert entry["credentials_data"]["parent"]["credentials"] == "UNIX_SOCKET"
    assert entry["credentials_data"]["username"] == "root"
    with instance.root() as other:
        assert other.call("auth.login_with_token", bound) is True


def test_reconnect_token(instance, here, refused):
    wish = {"reconnect_token": True}
    with instance.connect(here) as client:
        answer = client.call("auth.login_ex", {
            "mechanism": "PASSWORD_PLAIN", "username": ADMIN,
            "password": "correct horse 9 battery", "login_options": wish})
    # The connection is gone; the token brings its owner back, once.
    token = answer["reconnect_token"]
    assert TOKEN.match(token)
    refused(instance, token)
    with instance.connect(here) as client:
        answer = with_token(client, token, login_options=wish)
        assert answer["response_type"] == "SUCCESS"
        refused(instance, token, here)
    assert lets_in(instance, answer["reconnect_token"], here)


def test_token_is_void_after_logout(instance, here, refused):
    with instance.admin(source=here) as client:
        token = client.call("auth.generate_token")
        assert lets_in(instance, token, here)
        # By who came with it.
        with instance.connect(here) as other:
            assert with_token(other, token)["response_type"] == "SUCCESS"
            assert other.call("auth.logout") is True
        refused(instance, token, here)
        token = client.call("auth.generate_token")
        assert client.call("auth.logout") is True
    refused(instance, token, here)


def test_token_outlives_its_connection(instance, here):
    with instance.admin(source=here) as client:
        token = client.call("auth.generate_token")
    assert lets_in(instance, token, here)


def test_no_token_is_written_down(instance, admin, root, refused):
    token = admin.call("auth.generate_token", 600, {}, False)
    wrong = secrets.token_urlsafe(48)
    refused(instance, wrong)
    assert lets_in(instance, token)
    with instance.connect() as client:
        assert client.call("auth.login_with_token", token) is True
        assert client.error("auth.login_with_token", token, 1)
    everything = json.dumps(records(root)) + instance.log()
    assert token not in everything and wrong not in everything


def test_audit_of_tokens(instance, admin, root):
    token = admin.call("auth.generate_token", 600, {}, False)
    made, = records(root, ["session", "=", current(admin)["id"]],
                    ["event_data.method", "=", "auth.generate_token"])
    assert made["event_data"]["description"] == (
        "Generate authentication token for session")
    assert made["success"]
    with instance.connect() as client:
        with_token(client, token)
        identifier = current(client)["id"]
    entry = records(root, ["session", "=", identifier],
                    ["event", "=", "AUTHENTICATION"])[0]
    assert entry["success"] and entry["username"] == ADMIN
    assert entry["event_data"]["credentials"]["credentials"] == "TOKEN"
    source = next_address(104)
    assert not lets_in(instance, "x" * 64, source)
    entry = records(root, ["address", "=", source],
                    ["event", "=", "AUTHENTICATION"])[0]
    assert not entry["success"] and entry["session"] is None
    assert entry["event_data"]["credentials"] == {
        "credentials": "TOKEN", "credentials_data": {"username": None}}
    assert entry["event_data"]["error"] == "Invalid token"


# Sessions.

def test_sessions(instance, admin, root):
    entry = current(admin)
    assert UUID.match(entry["id"])
    assert entry["origin"].startswith("127.")
    assert (entry["credentials"], entry["internal"],
            entry["secure_transport"]) == ("LOGIN_PASSWORD", False, True)
    assert entry["created_at"] == entry["credentials_data"]["login_at"]
    entry = current(root)
    assert re.match(r"UNIX socket \(pid=\d+ uid=0 gid=0\)$", entry["origin"])
    assert entry["credentials"] == "UNIX_SOCKET" and entry["internal"]
    assert admin.call("auth.sessions", [["id", "=", entry["id"]]],
                      {"get": True})["current"] is False
    with instance.connect() as stranger:
        assert stranger.error("auth.sessions").errname == "ENOTAUTHENTICATED"


def ended(client):
    """How the server closes this connection."""
    with pytest.raises(Closed) as closed:
        client.receive()
    return closed.value.code, closed.value.reason


def test_terminating_a_session(instance, admin, root, here, refused):
    with instance.admin(source=here) as client:
        token = client.call("auth.generate_token")
        identifier = current(client)["id"]
        assert admin.call("auth.terminate_session", identifier) is True
        assert ended(client) == (1000, "")
    refused(instance, token, here)
    assert admin.call("auth.terminate_session", identifier) is False
    assert admin.call("auth.terminate_session", "no-id") is False
    record = records(root, ["session", "=", identifier],
                     ["event", "=", "LOGOUT"])[0]
    by = record["event_data"]["terminated_by"]
    assert by["credentials_data"] == current(admin)["credentials_data"]


def test_terminating_ones_own_session(instance):
    with instance.admin() as client:
        client.start("auth.terminate_session", current(client)["id"])
        assert ended(client) == (1000, "")


def test_terminating_the_others(make_instance):
    instance = make_instance().start().setup_admin()
    with instance.root() as root, instance.admin() as one, \
            instance.admin() as another:
        assert one.call("auth.terminate_other_sessions") is True
        assert ended(another) == (1000, "")
        left = {entry["id"] for entry in root.call("auth.sessions")}
        assert left == {current(root)["id"], current(one)["id"]}


def test_sessions_that_begin_and_end_are_told(instance, admin, root):
    admin.call("core.subscribe", "auth.sessions")
    with instance.root() as unseen:
        unseen.call("core.ping")
    with instance.admin() as client:
        entry = current(client)
        told = admin.receive()["params"]
        assert told == {"msg": "added", "collection": "auth.sessions",
                        "fields": entry | {"current": False}}
        client.call("auth.logout")
        gone = {"msg": "removed", "collection": "auth.sessions",
                "extra": {"fields": {"id": entry["id"]}}}
        assert admin.receive()["params"] == gone
        client.login()
        entry = admin.receive()["params"]["fields"]
    gone["extra"]["fields"]["id"] = entry["id"]
    assert admin.receive()["params"] == gone


def test_second_factor_without_a_first(stranger):
    data = {"mechanism": "OTP_TOKEN", "otp_token": "123456"}
    for method in ("auth.login_ex", "auth.login_ex_continue"):
        error = stranger.error(method, data)
        assert (error.code, error.errname) == (-32001, "EINVAL")
    error = stranger.error("auth.login_ex_continue", {
        "mechanism": "TOKEN_PLAIN", "token": "x"})
    assert error.code == -32602


def test_the_older_login(stranger):
    assert stranger.call("auth.login", ADMIN, "wrong") is False
    assert stranger.call("auth.login_with_token", "wrong") is False
    assert stranger.error("auth.me").errname == "ENOTAUTHENTICATED"
    assert stranger.call("auth.login", ADMIN,
                         "correct horse 9 battery") is True
    assert stranger.call("auth.me")["pw_name"] == ADMIN
