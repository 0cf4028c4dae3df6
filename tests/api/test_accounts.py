"""The first administrator, logins, and who may do what."""

import re
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import ADMIN, PASSWORD

ME = {"pw_name", "pw_gecos", "pw_dir", "pw_shell", "pw_uid", "pw_gid",
      "grouplist", "sid", "source", "local", "attributes",
      "two_factor_config", "privilege", "account_attributes"}


# The first administrator.

def test_no_administrator_at_first(untouched):
    with untouched.connect() as client:
        assert client.call("user.has_local_administrator_set_up") is False
    assert untouched.setup_code()


def test_setup_over_the_unix_socket_needs_no_code_and_ends_it(empty):
    code = empty.setup_code()
    empty.setup_admin()
    assert not (empty.directory / "setup-code").exists()
    with empty.connect() as client:
        assert client.call("user.has_local_administrator_set_up") is True
        assert client.login()["response_type"] == "SUCCESS"
    with empty.connect() as client:
        error = client.error("user.setup_local_administrator", "root",
                             PASSWORD, {"setup_code": code})
        assert error.errname == "EEXIST"


def test_root_may_be_the_first_administrator(empty):
    empty.setup_admin("root")
    with empty.connect() as client:
        assert client.login("root")["response_type"] == "SUCCESS"


def test_setup_over_tcp_with_the_code(empty):
    assert len(empty.setup_code()) >= 16
    empty.stop()
    empty.start()
    # The same code still or a new one: either is sound if it is the file's.
    with empty.connect() as client:
        assert client.call("user.setup_local_administrator", ADMIN, PASSWORD,
                           {"setup_code": empty.setup_code()}) is None
        assert client.login()["response_type"] == "SUCCESS"


@pytest.mark.parametrize("options", [
    (), ({},), ({"setup_code": ""},), ({"setup_code": "0" * 32},)])
def test_setup_over_tcp_without_the_code_is_refused(untouched, options):
    with untouched.connect() as client:
        error = client.error("user.setup_local_administrator", ADMIN,
                             PASSWORD, *options)
        assert error.code == -32602
        assert error.paths == ["options.setup_code"]
        assert client.call("user.has_local_administrator_set_up") is False


@pytest.mark.parametrize("name", ["daemon", "", "ROOT", "truenas_admin ",
                                  "root\n", "x" * 300])
def test_setup_of_another_name_is_refused(untouched, name):
    with untouched.root() as client:
        error = client.error("user.setup_local_administrator", name, PASSWORD)
        assert error.code == -32602 and error.paths == ["username"]


def test_setup_with_an_empty_password_is_refused(untouched):
    with untouched.root() as client:
        error = client.error("user.setup_local_administrator", ADMIN, "")
        assert error.code == -32602
        assert client.call("user.has_local_administrator_set_up") is False


def test_setup_with_a_password_that_pam_could_not_take_is_refused(untouched):
    with untouched.root() as client:
        error = client.error("user.setup_local_administrator", ADMIN,
                             "x" * 2000)
        assert (error.code, error.paths) == (-32602, ["password"])
        error = client.error("user.setup_local_administrator", ADMIN,
                             "nul\0inside")
        assert error.code == -32700
        assert client.call("user.has_local_administrator_set_up") is False


def test_second_setup_is_refused_for_ever(fresh):
    done = fresh.cli("setup-admin", "root", stdin=PASSWORD + "\n")
    assert done.returncode == 1 and "EEXIST" in done.stderr
    fresh.stop()
    fresh.start()
    with fresh.root() as client:
        error = client.error("user.setup_local_administrator", "root", "x1y2")
        assert error.errname == "EEXIST"
        assert client.call("user.has_local_administrator_set_up") is True


def test_setup_code_is_for_root_alone(untouched):
    assert (untouched.directory / "setup-code").stat().st_mode & 0o077 == 0


def test_password_of_the_host_does_not_work_inside(untouched):
    fields = [line.split(":") for line in untouched.enter(
        "cat", "/etc/shadow").stdout.splitlines()]
    for name, field, *_ in fields:
        assert not field or field[0] in "!*", name


# Logins.

def test_login_tells_who_it_is(admin):
    me = admin.call("auth.me")
    assert ME <= set(me)
    assert (me["pw_name"], me["pw_uid"]) == (ADMIN, 950)
    assert "FULL_ADMIN" in me["privilege"]["roles"]["$set"]
    assert {"method": "*", "resource": "*"} in me["privilege"]["allowlist"]
    assert me["privilege"]["webui_access"] is True


def test_login_answers_with_user_info(stranger):
    answer = stranger.login()
    assert set(answer) == {"response_type", "user_info", "authenticator",
                           "reconnect_token"}
    assert ME <= set(answer["user_info"])
    assert answer["authenticator"] == "LEVEL_1"


def test_login_without_user_info(stranger):
    answer = stranger.call("auth.login_ex", {
        "mechanism": "PASSWORD_PLAIN", "username": ADMIN,
        "password": PASSWORD, "login_options": {"user_info": False}})
    assert answer["response_type"] == "SUCCESS"
    assert answer["user_info"] is None


WRONG = [
    (ADMIN, "wrong"), (ADMIN, ""), (ADMIN, PASSWORD + "x"),
    ("nosuch", PASSWORD), ("", PASSWORD), ("root", ""), ("daemon", ""),
    ("x" * 1000, "x"), ("../../etc", "x"), ("truenas_admin ", PASSWORD)]


def test_wrong_login_is_an_auth_err_after_a_delay(instance):
    """All at once, as each takes its second or two."""
    def attempt(username, password):
        with instance.connect() as client:
            began = time.monotonic()
            answer = client.login(username, password)
            took = time.monotonic() - began
            return answer, took, client.error("auth.me").errname

    with ThreadPoolExecutor(len(WRONG)) as threads:
        outcomes = list(threads.map(lambda each: attempt(*each), WRONG))
    for (username, _), (answer, took, errname) in zip(WRONG, outcomes):
        assert answer == {"response_type": "AUTH_ERR"}, username
        assert 0.9 <= took <= 5, username
        assert errname == "ENOTAUTHENTICATED", username


def test_login_with_nul_in_the_name_is_no_message(stranger):
    reply = stranger.raw('{"jsonrpc":"2.0","id":1,"method":"auth.login_ex",'
                         '"params":[{"mechanism":"PASSWORD_PLAIN",'
                         f'"username":"{ADMIN}\\u0000",'
                         f'"password":"{PASSWORD}"}}]}}')
    assert reply["error"]["code"] == -32700 and reply["id"] is None
    assert stranger.error("auth.me").errname == "ENOTAUTHENTICATED"


def test_expired_account_is_told_so(fresh):
    fresh.enter("usermod", "--expiredate", "1", ADMIN)
    with fresh.connect() as client:
        assert client.login() == {"response_type": "EXPIRED"}


@pytest.mark.parametrize("data, path", [
    ({}, ".mechanism"), ({"mechanism": "NOSUCH"}, ""),
    ({"mechanism": "PASSWORD_PLAIN", "username": ADMIN},
     ".PASSWORD_PLAIN.password"),
    ({"mechanism": "PASSWORD_PLAIN", "username": 5, "password": "x"},
     ".PASSWORD_PLAIN.username"),
    ({"mechanism": "PASSWORD_PLAIN", "username": ADMIN, "password": PASSWORD,
      "x": 1}, ".PASSWORD_PLAIN.x")])
def test_malformed_login_is_invalid(stranger, data, path):
    error = stranger.error("auth.login_ex", data)
    assert error.code == -32602 and error.paths == ["login_data" + path]


def test_wrong_login_leaves_the_session_that_was(instance):
    with instance.admin() as client:
        assert client.login(password="wrong") == {"response_type": "AUTH_ERR"}
        assert client.call("auth.me")["pw_name"] == ADMIN


def test_logout(instance):
    with instance.admin() as client:
        assert client.call("auth.logout") is True
        assert client.error("auth.me").errname == "ENOTAUTHENTICATED"
        assert client.error("ssh.config").data["error"] == 207


def test_mechanism_choices(stranger):
    assert "PASSWORD_PLAIN" in stranger.call("auth.mechanism_choices")


@pytest.mark.parametrize("method, params", [
    ("auth.me", []), ("auth.logout", []), ("ssh.config", []),
    ("ssh.update", [{"tcpport": 22}]), ("service.control", ["START", "ssh"]),
    ("core.get_methods", []), ("core.get_jobs", []), ("system.info", []),
    ("system.version", []), ("audit.query", [{}]), ("service.query", []),
    ("service.update", ["ssh", {"enable": True}]), ("system.host_id", [])])
def test_call_without_a_session_is_not_authenticated(stranger, method,
                                                     params):
    error = stranger.error(method, *params)
    assert (error.code, error.data["error"], error.errname) == (
        -32001, 207, "ENOTAUTHENTICATED")
    assert error.data["reason"] == "[ENOTAUTHENTICATED] Not authenticated"
    assert error.data["trace"]["class"] == "CallError"


@pytest.mark.parametrize("method", [
    "core.ping", "auth.mechanism_choices", "system.boot_id",
    "user.has_local_administrator_set_up"])
def test_call_that_needs_no_session(stranger, method):
    stranger.call(method)


def test_passwords_stand_in_no_file(fresh):
    secret = "Zebra-crossing-77-unlikely"
    with fresh.connect() as client:
        client.login(password=secret)
        client.login()
    fresh.cli("setup-admin", "root", stdin=secret + "\n")
    for file in fresh.directory.rglob("*"):
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
            assert secret.encode() not in content, file
            assert PASSWORD.encode() not in content, file


# Who a peer of the Unix socket is.

# Runs inside the instance under another uid.
PEER = textwrap.dedent("""
    import json, socket, websocket
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(20)
    sock.connect("/run/middleware/middlewared.sock")
    ws = websocket.create_connection("ws://localhost/api/current",
        socket=sock, suppress_origin=True, timeout=20)
    ws.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "auth.me"}))
    reply = json.loads(ws.recv())
    print(reply.get("result", {}).get("pw_name")
        or reply["error"]["data"]["errname"])
""")


def as_uid(instance, uid):
    done = instance.enter(
        "setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups",
        "/usr/bin/python3", "-c", PEER, check=False)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_root_on_the_unix_socket_is_a_full_administrator(root):
    me = root.call("auth.me")
    assert me["pw_name"] == "root"
    assert "FULL_ADMIN" in me["privilege"]["roles"]["$set"]


def test_uid_without_a_privilege_gets_no_session(instance):
    answer = as_uid(instance, 65534)
    assert answer == "ENOTAUTHENTICATED" or re.search(
        "refused|Permission|closed|reset|Connection", answer), answer


def test_administrator_on_the_unix_socket_has_a_session(instance):
    assert as_uid(instance, 950) == ADMIN


def test_folder_keeps_the_hosts_users_from_the_socket(instance):
    assert instance.directory.stat().st_mode & 0o777 == 0o700
