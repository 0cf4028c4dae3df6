"""user.access: who may log in, by which ways, and when it was."""

import time

import pytest

from harness import ADMIN, PASSWORD

KEY = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4nTzGVRq3yX3vdVEPYb6SLkNYBkWQs"
       "xmVcl0yXiVGE of.access")


@pytest.fixture
def root(accounts):
    with accounts.root() as client:
        yield client


def access(root, name):
    return root.call("user.access", [["username", "=", name]], {"get": True})


def test_the_settings_of_ssh_and_the_lock_decide(root, make_user):
    home = {"home": "/home/ac_one", "home_create": True,
            "shell": "/bin/bash"}
    user = make_user("ac_one", **home)
    assert access(root, "ac_one")["ways"] == []
    root.call("user.update", user["id"], {"sshpubkey": KEY})
    assert access(root, "ac_one")["ways"] == ["SSH_KEY"]
    former = root.call("ssh.config")["password_login_groups"]
    both = ["SSH_PASSWORD", "SSH_KEY"]
    try:
        root.call("ssh.update", {"password_login_groups": ["ac_one"]})
        assert access(root, "ac_one")["ways"] == both
        root.call("ssh.update", {"password_login_groups": former})
        assert access(root, "ac_one")["ways"] == ["SSH_KEY"]
        root.call("user.update", user["id"], {"ssh_password_enabled": True})
        assert access(root, "ac_one")["ways"] == both
        root.call("ssh.update", {"passwordauth": False})
        assert access(root, "ac_one")["ways"] == ["SSH_KEY"]
    finally:
        root.call("ssh.update", {"passwordauth": True,
                                 "password_login_groups": former})
    root.control("STOP")
    try:
        entry = access(root, "ac_one")
        assert (entry["ways"], entry["ways_off"]) == ([], both)
    finally:
        root.control("START")
    assert access(root, "ac_one")["ways_off"] == []
    root.call("user.update", user["id"], {"locked": True})
    entry = access(root, "ac_one")
    assert (entry["ways"], entry["ways_off"]) == ([], [])


def test_keys_that_are_over_do_not_count(root):
    assert "API_KEY" not in access(root, ADMIN)["ways"]
    key = root.call("api_key.create", {"name": "ac_key", "username": ADMIN})
    try:
        assert "API_KEY" in access(root, ADMIN)["ways"]
        soon = int(time.time() * 1000) + 2000
        root.call("api_key.update", key["id"],
                  {"expires_at": {"$date": soon}})
        time.sleep(max(0, soon / 1000 - time.time()) + 0.1)
        assert "API_KEY" not in access(root, ADMIN)["ways"]
    finally:
        root.call("api_key.delete", key["id"])


def test_each_way_has_its_last_time(accounts, root):
    with accounts.connect() as client:
        assert client.login(ADMIN, PASSWORD)["response_type"] == "SUCCESS"
    entry = access(root, ADMIN)
    assert entry["last_ways"]["LOGIN_PASSWORD"]["$date"] <= \
        entry["last_used"]["$date"]
