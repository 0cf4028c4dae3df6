"""Logging in: one-time passwords, coming back, what is remembered of it."""

import itertools
import json
import os
import re
import signal
import time

import pytest

from authenticator import Authenticator
from harness import ADMIN, PASSWORD, Instance, next_address, wait_until

NUMBERS = itertools.count(1)
ONETIME = re.compile(r"\d+_[A-Za-z0-9]{6}(-[A-Za-z0-9]{6}){3}$")


@pytest.fixture
def machine(shared):
    """One that these tests share: core is killed now and then."""
    return shared("for logins",
                  lambda build: Instance(build).start().setup_admin())


@pytest.fixture
def boss(machine):
    with machine.root() as client:
        yield client


@pytest.fixture
def here():
    """An address that several clients of a test share."""
    return next_address(105)


def password_login(client, password=PASSWORD, username=ADMIN, **options):
    return client.call("auth.login_ex", {
        "mechanism": "PASSWORD_PLAIN", "username": username,
        "password": password, "login_options": options})


def token_login(client, token, **options):
    return client.call("auth.login_ex", {
        "mechanism": "TOKEN_PLAIN", "token": token, "login_options": options})


def kill_core(instance):
    before = instance.roles()["core"]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: instance.roles().get("core", before) != before, 30,
               "core is back")

    def ready():
        try:
            with instance.root() as client:
                return client.call("system.ready")
        except (OSError, RuntimeError):
            return False

    wait_until(ready, 30, "core serves again")


def onetime(client, username=ADMIN):
    return client.call("auth.generate_onetime_password",
                       {"username": username})


def group_id(root, gid):
    return root.call("group.query", [["gid", "=", gid]], {"get": True})["id"]


@pytest.fixture
def member(machine, boss):
    """Another full administrator, gone with the test."""
    user = boss.call("user.create", {
        "username": f"member{next(NUMBERS)}", "full_name": "A Member",
        "group_create": True, "password": PASSWORD, "smb": False,
        "groups": [group_id(boss, 544)]})
    yield user
    with machine.root() as again:   # core may have been killed meanwhile
        again.call("user.delete", user["id"])


@pytest.fixture
def settings(machine, boss):
    """Sets fields of system.security until the test is over."""
    changed = {}

    def update(**fields):
        before = boss.call("system.security.config")
        changed.update({name: before[name] for name in fields
                        if name not in changed})
        boss.job("system.security.update", fields)

    yield update
    with machine.root() as again:
        again.job("system.security.update", changed)


def authentications(root, address):
    return root.call("audit.query", {
        "query-filters": [["event", "=", "AUTHENTICATION"],
                          ["address", "=", address]],
        "query-options": {"order_by": ["time_us"], "limit": 100}})


def session_of(client):
    return client.call("auth.sessions", [["current", "=", True]],
                       {"get": True})


def on_disk(instance):
    """Everything that is kept, as bytes."""
    found = b""
    for file in sorted(instance.directory.rglob("*")):
        if file.is_file() and "upper" not in file.parts:
            found += file.read_bytes()
    return found


# What a session is told of itself.

def test_me(machine, here):
    with machine.connect(here) as client:
        answer = password_login(client)
        me = client.call("auth.me")
    assert answer["user_info"] == me
    assert (me["pw_name"], me["pw_uid"], me["pw_gid"]) == (ADMIN, 950, 950)
    assert (me["pw_dir"], me["pw_shell"]) == (
        "/home/truenas_admin", "/bin/bash")
    assert me["account_attributes"] == ["LOCAL", "SYS_ADMIN"]
    assert me["two_factor_config"]["secret_configured"] is False
    assert (me["local"], me["source"], me["sid"]) == (True, "LOCAL", None)


def test_the_last_login_is_told(machine, here):
    with machine.connect(here) as client:
        password_login(client)
        first = session_of(client)
        assert password_login(client, "wrong")["response_type"] == "AUTH_ERR"
        # A failure leaves the session that there is.
        assert session_of(client) == first
    with machine.connect(here) as client:
        last = password_login(client)["user_info"]["last_login"]
        assert last["at"] == first["credentials_data"]["login_at"]
        assert last["origin"] == first["origin"]
        assert last["credentials"] == "LOGIN_PASSWORD"
        assert last["failures"] == 1
        assert last["failure_origin"] == first["origin"]
        # The same as long as the session goes on.
        assert client.call("auth.me")["last_login"] == last
        password_login(client)
        assert client.call("auth.me")["last_login"]["failures"] == 0


def test_attributes_are_kept_with_the_account(machine, boss):
    with machine.admin() as client:
        assert client.call("auth.set_attribute", "color", "blue") is None
        assert client.call("auth.set_attribute", "preferences",
                           {"lifetime": 900}) is None
        wanted = {"color": "blue", "preferences": {"lifetime": 900}}
        assert client.call("auth.me")["attributes"] == wanted
        client.call("auth.set_attribute", "big", ["x" * 1000] * 40)
        error = client.error("auth.set_attribute", "more", ["y" * 1000] * 40)
        assert (error.code, error.paths) == (-32602, ["value"])
        client.call("auth.set_attribute", "big", None)
        wanted["big"] = None
        assert client.error("auth.set_attribute", "color").code == -32602
    kill_core(machine)
    with machine.admin() as client:
        assert client.call("auth.me")["attributes"] == wanted
        client.call("auth.set_attribute", "color", None)
        client.call("auth.set_attribute", "preferences", {})
        assert client.call("auth.me")["attributes"] == {
            "big": None, "color": None, "preferences": {}}


# Failures.

def test_every_failure_looks_the_same(machine, boss, here):
    """Whatever was wrong, and after a second at the soonest."""
    attempts = [(ADMIN, "wrong"), ("nobody-there", PASSWORD),
                ("daemon", PASSWORD), (ADMIN, ""), ("", PASSWORD),
                ("root; id", PASSWORD), ("x" * 1000, PASSWORD),
                (ADMIN, "1_AAAAAA-AAAAAA-AAAAAA-AAAAAA")]
    clients = [machine.connect(here) for _ in attempts]
    began = time.monotonic()
    calls = [client.start("auth.login_ex", {
        "mechanism": "PASSWORD_PLAIN", "username": name,
        "password": password})
        for client, (name, password) in zip(clients, attempts)]
    for client, number in zip(clients, calls):
        assert client.finish(number) == {"response_type": "AUTH_ERR"}
        assert time.monotonic() - began >= 1
        client.close()
    found = authentications(boss, here)
    assert len(found) == len(attempts)
    for record in found:
        assert not record["success"]
        assert record["username"] == ".UNAUTHENTICATED"
        assert record["event_data"]["error"] == "Bad username or password"
        assert record["event_data"]["credentials"]["credentials"] == (
            "LOGIN_PASSWORD")
    assert sorted(record["event_data"]["credentials"]["credentials_data"][
        "username"] for record in found) == sorted(
            name for name, _ in attempts)
    assert PASSWORD not in json.dumps(found)


# One-time passwords.

def test_onetime_password_lets_in_once(machine, boss, here):
    text = onetime(boss)
    other = onetime(boss)
    assert ONETIME.match(text) and text != other
    with machine.connect(here) as client:
        me = password_login(client, text, reconnect_token=True)
        assert me["response_type"] == "SUCCESS"
        assert me["reconnect_token"] is None
        assert me["user_info"]["account_attributes"] == [
            "LOCAL", "SYS_ADMIN", "OTPW", "PASSWORD_CHANGE_REQUIRED"]
        entry = session_of(client)
        assert entry["credentials"] == "LOGIN_ONETIME_PASSWORD"
        assert "TOKEN_PLAIN" not in client.call("auth.mechanism_choices")
        assert client.error("auth.generate_token").errname == "EOPNOTSUPP"
    with machine.connect(here) as client:
        assert "TOKEN_PLAIN" in client.call("auth.mechanism_choices")
        assert password_login(client, text)["response_type"] == "AUTH_ERR"
        assert password_login(client, other[:-1])["response_type"] == (
            "AUTH_ERR")
    kill_core(machine)
    with machine.connect(here) as client:
        assert client.call("auth.login", ADMIN, text) is False
        assert client.call("auth.login", ADMIN, other) is True
        assert session_of(client)["credentials"] == "LOGIN_ONETIME_PASSWORD"
    with machine.root() as again:
        assert [(record["success"], record["event_data"]["credentials"][
            "credentials"]) for record in authentications(again, here)] == [
                (True, "LOGIN_ONETIME_PASSWORD"), (False, "LOGIN_PASSWORD"),
                (False, "LOGIN_PASSWORD"), (False, "LOGIN_PASSWORD"),
                (True, "LOGIN_ONETIME_PASSWORD")]
    kept = on_disk(machine)
    assert text.encode() not in kept and other.encode() not in kept


def test_the_oldest_onetime_passwords_go(machine, boss, here):
    texts = [onetime(boss) for _ in range(9)]
    with machine.connect(here) as client:
        assert password_login(client, texts[0])["response_type"] == "AUTH_ERR"
        assert password_login(client, texts[8])["response_type"] == "SUCCESS"


def test_onetime_password_of_nobody(machine, boss, stranger):
    error = boss.error("auth.generate_onetime_password",
                       {"username": "nosuch"})
    assert (error.code, error.paths) == (
        -32602, ["auth.generate_onetime_password.username"])
    assert stranger.error("auth.generate_onetime_password", {
        "username": ADMIN}).errname == "ENOTAUTHENTICATED"


def test_a_new_password_ends_onetime_passwords(machine, boss, member):
    text = onetime(boss, member["username"])
    boss.call("user.update", member["id"], {"password": "another 1 word"})
    with machine.connect() as client:
        assert password_login(client, text, member["username"])[
            "response_type"] == "AUTH_ERR"


# Coming back.

def test_reconnect_token_outlives_core(machine, here):
    with machine.connect(here) as client:
        token = password_login(client, reconnect_token=True)[
            "reconnect_token"]
        data = session_of(client)["credentials_data"]
    assert token.encode() not in on_disk(machine)
    kill_core(machine)
    with machine.connect() as client:
        assert token_login(client, token)["response_type"] == "AUTH_ERR"
    with machine.connect(here) as client:
        answer = token_login(client, token, reconnect_token=True)
        assert answer["response_type"] == "SUCCESS"
        entry = session_of(client)
        assert entry["credentials"] == "TOKEN"
        # It goes back to the login that it came from.
        parent = entry["credentials_data"]["parent"]
        assert parent["credentials"] == "LOGIN_PASSWORD"
        assert parent["credentials_data"] == data
        assert token_login(client, token)["response_type"] == "AUTH_ERR"
        again = answer["reconnect_token"]
        client.call("auth.logout")
        # What the session made is void with its end.
        assert token_login(client, again)["response_type"] == "AUTH_ERR"


def test_token_of_a_token_ends_with_the_login(machine, here):
    with machine.connect(here) as client:
        password_login(client)
        token = client.call("auth.generate_token")
        with machine.connect(here) as other:
            assert token_login(other, token)["response_type"] == "SUCCESS"
            derived = other.call("auth.generate_token")
            reconnect = token_login(other, derived, reconnect_token=True)[
                "reconnect_token"]
            assert other.call("auth.login_with_token", derived) is True
        client.call("auth.logout")
    for dead in (token, derived, reconnect):
        with machine.connect(here) as client:
            assert token_login(client, dead)["response_type"] == "AUTH_ERR"


@pytest.mark.parametrize("change", [
    {"password": "something 2 else"}, {"password_disabled": True},
    {"locked": True}, {"groups": []}])
def test_tokens_die_with_what_they_rest_on(machine, boss, member, here,
                                           change):
    name = member["username"]
    with machine.connect(here) as client:
        reconnect = password_login(client, username=name,
                                   reconnect_token=True)["reconnect_token"]
        token = client.call("auth.generate_token")
        with machine.connect(here) as other:
            assert token_login(other, token)["response_type"] == "SUCCESS"
        # What changes nothing of that does nothing to them.
        boss.call("user.update", member["id"], {"full_name": "Another Name"})
        with machine.connect(here) as other:
            assert token_login(other, token)["response_type"] == "SUCCESS"
        boss.call("user.update", member["id"], change)
        for dead in (token, reconnect):
            with machine.connect(here) as other:
                assert token_login(other, dead)["response_type"] == "AUTH_ERR"
    # They do not come back to life.
    boss.call("user.update", member["id"], {
        "locked": False, "password_disabled": False, "password": PASSWORD,
        "groups": member["groups"]})
    for dead in (token, reconnect):
        with machine.connect(here) as other:
            assert token_login(other, dead)["response_type"] == "AUTH_ERR"


# Who is not let in.

def test_who_may_not_log_in(machine, boss, member):
    name = member["username"]

    def answer():
        with machine.connect() as client:
            return password_login(client, username=name)["response_type"]

    assert answer() == "SUCCESS"
    boss.call("user.update", member["id"], {"groups": []})
    assert answer() == "DENIED"
    boss.call("user.update", member["id"], {
        "groups": member["groups"], "locked": True})
    assert answer() in ("AUTH_ERR", "EXPIRED", "DENIED")
    boss.call("user.update", member["id"], {
        "locked": False, "password_disabled": True})
    assert answer() == "AUTH_ERR"


# Lockout.

def fail(instance, source, name, times=3):
    clients = [instance.connect(source) for _ in range(times)]
    calls = [client.start("auth.login_ex", {
        "mechanism": "PASSWORD_PLAIN", "username": name,
        "password": "wrong"}) for client in clients]
    for client, number in zip(clients, calls):
        assert client.finish(number)["response_type"] == "AUTH_ERR"
        client.close()


def test_lockout_is_of_one_source(machine, boss, member, settings, here):
    name, elsewhere = member["username"], next_address(105)
    settings(lockout_failures=3)

    def shown():
        return boss.call("user.get_instance", member["id"])["locked"]

    def answer(source, who=name):
        with machine.connect(source) as client:
            return password_login(client, username=who)["response_type"]

    with machine.connect(here) as client:
        password_login(client, username=name)
        token = client.call("auth.generate_token")
        assert shown() is False
        fail(machine, here, name)
        assert shown() is True
        assert answer(here) == "DENIED"
        record = authentications(boss, here)[-1]
        assert not record["success"]
        assert "locked out" in record["event_data"]["error"].lower()
        # Tokens, the open session and other places are not concerned.
        assert client.call("auth.me")["pw_name"] == name
        with machine.connect(here) as other:
            assert token_login(other, token)["response_type"] == "SUCCESS"
    assert answer(elsewhere) == "SUCCESS"
    # It outlives core; a name that nobody has is told the same.
    kill_core(machine)
    assert answer(here) == "DENIED"
    fail(machine, here, "nobody-there")
    assert answer(here, "nobody-there") == "DENIED"
    with machine.root() as root:
        root.call("user.update", member["id"], {"locked": False})
        assert root.call("user.get_instance", member["id"])["locked"] is False
    assert answer(here) == "SUCCESS"


def test_lockout_is_off_unless_asked_for(machine, member, here):
    fail(machine, here, member["username"], 4)
    with machine.connect(here) as client:
        assert password_login(client, username=member["username"])[
            "response_type"] == "SUCCESS"


def test_the_last_administrator_is_delayed(machine, boss, settings, here):
    settings(lockout_failures=3)
    fail(machine, here, ADMIN)
    with machine.connect(here) as client:
        began = time.monotonic()
        assert password_login(client)["response_type"] == "SUCCESS"
        assert time.monotonic() - began >= 20


# Second factors.

@pytest.fixture
def app(machine, boss, member):
    """The member's, whom a code is asked of; ten steps are good."""
    boss.call("auth.twofactor.update", {"enabled": True, "window": 10})
    answer = boss.call("user.renew_2fa_secret", member["username"], {})
    yield Authenticator(answer["twofactor_config"]["provisioning_uri"])
    with machine.root() as again:
        again.call("auth.twofactor.update", {"enabled": False, "window": 0})


def show_code(client, code, method="auth.login_ex_continue", **options):
    return client.call(method, {
        "mechanism": "OTP_TOKEN", "otp_token": code,
        "login_options": options})


def test_a_code_is_asked_for(machine, boss, member, app, here):
    name = member["username"]
    asked = {"response_type": "OTP_REQUIRED", "username": name}
    with machine.connect(here) as client:
        assert password_login(client, username=name) == asked
        # Nobody yet, whatever is called meanwhile.
        assert client.error("auth.me").errname == "ENOTAUTHENTICATED"
        assert client.call("core.ping") == "pong"
        answer = show_code(client, app.code(-5), reconnect_token=True)
        assert answer["response_type"] == "SUCCESS"
        assert "2FA" in answer["user_info"]["account_attributes"]
        assert session_of(client)["credentials"] == "LOGIN_TWOFACTOR"
        # Once used, it is of no use.
        assert password_login(client, username=name) == asked
        assert show_code(client, app.code(-5)) == {
            "response_type": "AUTH_ERR"}
    # Who comes back was asked before.
    with machine.connect(here) as client:
        assert token_login(client, answer["reconnect_token"])[
            "response_type"] == "SUCCESS"
        parent = session_of(client)["credentials_data"]["parent"]
        assert parent["credentials"] == "LOGIN_TWOFACTOR"
        assert "2FA" in client.call("auth.me")["account_attributes"]
    found = [(record["success"], record["event_data"]["credentials"][
        "credentials"]) for record in authentications(boss, here)]
    assert found == [(True, "LOGIN_TWOFACTOR"), (False, "LOGIN_TWOFACTOR"),
                     (True, "TOKEN")]


def test_what_drops_a_login_that_waits(machine, boss, member, app, here):
    name = member["username"]

    def gone(client):
        error = client.error("auth.login_ex", {
            "mechanism": "OTP_TOKEN", "otp_token": app.code()})
        return error.errname == "EINVAL"

    with machine.connect(here) as client:
        # A wrong code.
        password_login(client, username=name)
        assert show_code(client, app.wrong(), "auth.login_ex") == {
            "response_type": "AUTH_ERR"}
        assert gone(client)
        # Another attempt.
        password_login(client, username=name)
        assert token_login(client, "x")["response_type"] == "AUTH_ERR"
        assert gone(client)
        # A change of the account.
        password_login(client, username=name)
        boss.call("user.update", member["id"], {"password": "n3w password"})
        assert show_code(client, app.code()) == {"response_type": "AUTH_ERR"}
        assert gone(client)
        password_login(client, "n3w password", name)
    # The end of the connection, which is recorded as well.
    wait_until(lambda: [
        record for record in authentications(boss, here)
        if record["event_data"]["error"] == "The second factor was not shown"
        ][1:], 30, "both abandoned logins are recorded")
    with machine.connect(here) as client:
        assert gone(client)


def test_the_older_login_takes_the_code_along(machine, member, app):
    name = member["username"]
    with machine.connect() as client:
        assert client.call("auth.login", name, PASSWORD) is False
        assert client.call("auth.login", name, PASSWORD, app.wrong()) is False
        assert client.error("auth.me").errname == "ENOTAUTHENTICATED"
        assert client.call("auth.login", name, PASSWORD, app.code()) is True
        assert session_of(client)["credentials"] == "LOGIN_TWOFACTOR"


def test_a_onetime_password_needs_the_code_as_well(machine, boss, member,
                                                   app):
    text = onetime(boss, member["username"])
    with machine.connect() as client:
        assert password_login(client, text, member["username"])[
            "response_type"] == "OTP_REQUIRED"
        assert show_code(client, app.code())["response_type"] == "SUCCESS"
        assert session_of(client)["credentials"] == "LOGIN_ONETIME_PASSWORD"
        assert {"2FA", "OTPW"} <= set(
            client.call("auth.me")["account_attributes"])
