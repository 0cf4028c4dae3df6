"""Second factors: when they are asked for, and the secrets they are made of.

Codes are computed here, with hmac, as an authenticator does.
"""

import pytest

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
