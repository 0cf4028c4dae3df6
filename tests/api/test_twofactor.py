"""Second factors: when they are asked for, and the secrets they are made of.

Codes are computed here, with hmac, as an authenticator does.
"""

import base64
import json
import os
import subprocess

import pytest

from authenticator import Authenticator, person_at
from harness import ADMIN, PASSWORD, ApiError
from test_config_backup import put, save

OFF = {"enabled": False, "services": {"ssh": False}, "window": 0}


@pytest.fixture
def root(instance):
    with instance.root() as client:
        yield client
        client.call("auth.twofactor.update", OFF)


def test_policy_is_off_at_first(untouched):
    with untouched.root() as client:
        assert client.call("auth.twofactor.config") == {**OFF, "id": 1}


def test_policy_is_changed_member_by_member(root):
    assert root.call("auth.twofactor.update", {"window": 1}) == {
        **OFF, "window": 1, "id": 1}
    assert root.call("auth.twofactor.update", {"enabled": True}) == {
        **OFF, "window": 1, "enabled": True, "id": 1}
    assert root.call("auth.twofactor.config")["enabled"]


@pytest.mark.parametrize("data, path", [
    ({"window": -1}, "auth_twofactor_update.window"),
    ({"window": 21}, "auth_twofactor_update.window"),
    ({"window": "1"}, "auth_twofactor_update.window"),
    ({"enabled": None}, "auth_twofactor_update.enabled"),
    ({"services": {"ssh": 1}}, "auth_twofactor_update.services.ssh"),
    ({"services": {"smb": True}}, "auth_twofactor_update.services.smb"),
    ({"secret": "x"}, "auth_twofactor_update.secret"),
])
def test_policy_that_is_none(root, data, path):
    before = root.call("auth.twofactor.config")
    assert root.error("auth.twofactor.update", data).paths == [path]
    assert root.call("auth.twofactor.config") == before


def test_services_left_out_are_off(root):
    assert root.call("auth.twofactor.update", {"services": {}})[
        "services"] == {"ssh": False}


def test_nothing_waits_to_be_confirmed(root):
    assert root.error("auth.twofactor.confirm", "123456").errname == "EINVAL"


# Secrets.

@pytest.fixture
def user(root):
    """An account without rights, and without a second factor."""
    entry = root.call("user.create", {
        "username": "enrolled", "full_name": "Enrolled", "smb": False,
        "group_create": True, "password": "Gr4nite-sky-77"})
    yield entry
    root.call("user.delete", entry["id"])


def configured(root):
    return root.call("user.query", [["username", "=", "enrolled"]],
                     {"get": True})["twofactor_auth_configured"]


def renew(client, **options):
    return client.call("user.renew_2fa_secret", "enrolled", options)


def test_renewed_at_once(root, user):
    assert not configured(root)
    answer = renew(root)
    assert answer["id"] == user["id"]
    assert answer["twofactor_auth_configured"] and configured(root)
    config = answer["twofactor_config"]
    assert (config["secret_configured"], config["interval"],
            config["otp_digits"]) == (True, 30, 6)
    app = Authenticator(config["provisioning_uri"])
    assert app.issuer == "Holdfast"
    assert app.label.startswith("Holdfast:enrolled@")
    assert len(base64.b32decode(app.secret)) == 20
    again = Authenticator(renew(root, interval=60, otp_digits=8)[
        "twofactor_config"]["provisioning_uri"])
    assert (again.period, again.digits) == (60, 8)
    assert again.secret != app.secret
    assert root.call("user.unset_2fa_secret", "enrolled") is None
    assert not configured(root)
    assert root.call("user.unset_2fa_secret", "enrolled") is None


def test_a_new_secret_waits_for_its_code(root, user):
    config = renew(root, confirm=True)["twofactor_config"]
    assert not config["secret_configured"] and not configured(root)
    assert Authenticator(config["provisioning_uri"])
    root.call("user.unset_2fa_secret", "enrolled")


@pytest.mark.parametrize("options, path", [
    ({"interval": 45}, "twofactor_options.interval"),
    ({"interval": "30"}, "twofactor_options.interval"),
    ({"otp_digits": 5}, "twofactor_options.otp_digits"),
    ({"otp_digits": 9}, "twofactor_options.otp_digits"),
    ({"confirm": 1}, "twofactor_options.confirm"),
    ({"secret": "GEZDGNBVGY3TQOJQ"}, "twofactor_options.secret"),
])
def test_options_that_are_none(root, user, options, path):
    assert root.error("user.renew_2fa_secret", "enrolled",
                      options).paths == [path]
    assert not configured(root)


def test_of_nobody(root):
    assert root.error("user.renew_2fa_secret", "nobody_here",
                      {}).errname == "ENOENT"
    assert root.error("user.unset_2fa_secret",
                      "nobody_here").errname == "ENOENT"


def test_secret_goes_with_its_account(root):
    """The next one of the name, or of the id, has none."""
    new = {"username": "enrolled", "full_name": "Enrolled", "smb": False,
           "group_create": True, "password": "Gr4nite-sky-77"}
    first = root.call("user.create", new)
    renew(root)
    root.call("user.delete", first["id"])
    second = root.call("user.create", new)
    assert not configured(root)
    root.call("user.delete", second["id"])


def secret_files(instance):
    """Everything of the instance that could keep one, as bytes."""
    for folder in ("state", "audit", "log"):
        for path in sorted((instance.directory / folder).rglob("*")):
            if path.is_file():
                yield path, path.read_bytes()


def test_no_secret_is_written_or_told(instance, root, user):
    with instance.root() as listener:
        listener.call("core.subscribe", "*")
        secrets = [Authenticator(renew(root, **options)["twofactor_config"][
            "provisioning_uri"]).secret for options in ({}, {"confirm": True})]
        root.call("user.update", user["id"], {"full_name": "Somebody Else"})
        told = ""
        while "Somebody Else" not in told:
            told += json.dumps(listener.receive())
    told += json.dumps(root.call("config.history", [], {}))
    told += json.dumps(root.call("audit.query", {
        "query-options": {"limit": 100, "order_by": ["-timestamp"]}}))
    told += json.dumps(root.call("user.query"))
    for secret in secrets:
        assert secret not in told
        for path, content in secret_files(instance):
            assert secret.encode() not in content, path


def test_upload_brings_no_secret_back(instance, root, user):
    """One that was taken away since stays so; one that is there stays."""
    before = Authenticator(renew(root)["twofactor_config"][
        "provisioning_uri"])
    saved = save(instance, root)
    root.call("user.unset_2fa_secret", "enrolled")
    assert put(instance, root, saved)["state"] == "SUCCESS"
    assert not configured(root)
    renew(root)
    saved_without = save(instance, root)
    assert before.secret.encode() not in saved_without
    assert put(instance, root, saved)["state"] == "SUCCESS"
    assert configured(root)


@pytest.mark.bounded(300)
def test_own_secret_is_confirmed(instance, root):
    """A wrong code is none; ten in a row, and even the right one is none for
    a while, unless somebody who may gives a new secret."""
    with instance.admin() as admin:
        def enrol():
            return Authenticator(admin.call(
                "user.renew_2fa_secret", ADMIN, {"confirm": True})[
                    "twofactor_config"]["provisioning_uri"])

        def mine():
            return admin.call("auth.me")["two_factor_config"]

        assert not mine()["secret_configured"]
        root.call("auth.twofactor.update", {"window": 1})
        app = enrol()
        assert not admin.call("auth.twofactor.confirm", app.wrong())
        assert not mine()["secret_configured"]
        assert admin.call("auth.twofactor.confirm", app.fresh())
        assert mine() == {"provisioning_uri": None, "interval": 30,
                          "secret_configured": True, "otp_digits": 6}
        # The one in force stays so while another waits.
        again = enrol()
        assert mine()["secret_configured"]
        calls = [admin.start("auth.twofactor.confirm", again.wrong())
                 for _ in range(10)]
        assert [admin.finish(call) for call in calls] == [False] * 10
        assert not admin.call("auth.twofactor.confirm", again.fresh())
        admin.call("user.unset_2fa_secret", ADMIN)
        assert not mine()["secret_configured"]
        last = enrol()
        assert admin.call("auth.twofactor.confirm", last.fresh())
        admin.call("user.unset_2fa_secret", ADMIN)


def test_what_ssh_would_ask(root, user):
    assert "enrolled" not in str(root.call("auth.twofactor.ssh_logins"))
    renew(root)
    assert {"username": "enrolled", "codes": "ASKED", "keys": 0,
            "restricted": False} in root.call("auth.twofactor.ssh_logins")


def test_terminal_shows_a_qr_code(instance, root, user):
    """And a pipe shows nothing."""
    command = [instance.build / "holdfast", "-i", instance.directory,
               "renew-2fa", "enrolled"]
    piped = subprocess.run(command, capture_output=True, text=True,
                           timeout=60, check=False)
    assert (piped.returncode, piped.stdout) == (2, "")
    assert not configured(root)
    status, text, _ = person_at(command, dict(os.environ), [])
    assert status == 0 and configured(root)
    uri = next(line for line in text.splitlines()
               if line.startswith("otpauth://"))
    assert Authenticator(uri).label.startswith("Holdfast:enrolled@")
    drawn = [line for line in text.splitlines() if "\u2588" in line]
    assert len(drawn) > 20 and len({len(line) for line in drawn}) == 1


def test_root_keeps_it_while_ssh_takes_its_password(fresh):
    with fresh.root() as root:
        number = root.call("user.query", [["uid", "=", 0]],
                           {"get": True})["id"]
        root.call("user.update", number, {"password": PASSWORD})
        root.call("user.renew_2fa_secret", "root", {})
        root.call("user.update", number, {"ssh_password_enabled": True})
        error = root.error("user.unset_2fa_secret", "root")
        assert error.paths == ["username"]
        assert "without_second_factor" in error.texts[0]
        assert root.call("user.query", [["uid", "=", 0]], {"get": True})[
            "twofactor_auth_configured"]
        root.call("user.unset_2fa_secret", "root",
                  {"without_second_factor": True})
        root.call("user.renew_2fa_secret", "root", {})
        root.call("user.update", number, {"ssh_password_enabled": False})
        root.call("user.unset_2fa_secret", "root")


def test_root_by_ssh_password_needs_one_or_a_word(root):
    number = root.call("user.query", [["uid", "=", 0]], {"get": True})["id"]
    field = "user_update.ssh_password_enabled"
    try:
        error = root.error("user.update", number,
                           {"ssh_password_enabled": True})
        assert field in error.paths and "second factor" in str(error.texts)
        root.call("user.renew_2fa_secret", "root", {})
        for data in ({}, {"without_second_factor": True}):
            try:
                root.call("user.update", number,
                          {"ssh_password_enabled": True} | data)
                root.call("user.update", number,
                          {"ssh_password_enabled": False})
            except ApiError as other:
                assert "second factor" not in str(other)
            root.call("user.unset_2fa_secret", "root")
    finally:
        root.call("user.unset_2fa_secret", "root")
