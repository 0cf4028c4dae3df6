"""The last way in by SSH is not taken unless somebody says so."""

import subprocess

import pytest

from harness import ADMIN, PASSWORD, public
from test_config_backup import put, save

pytestmark = pytest.mark.release


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    made = tmp_path_factory.mktemp("keys") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                    made], check=True, timeout=30)
    return public(made)


def refused(client, why, method, *params):
    """Refused for that reason; nothing of it is kept."""
    before = client.call("user.query"), client.call("ssh.config")
    error = client.error(method, *params)
    prefix = method.replace(".", "_")
    assert set(error.paths) == {f"{prefix}.lockout"}, error.data
    assert error.texts[0].startswith("No administrator would get in by SSH")
    assert error.texts[1:] == [f"{ADMIN}, by a key now: {why}"]
    assert (client.call("user.query"), client.call("ssh.config")) == before


HOME = {"home": "/home", "home_create": True}
NO_KEYS = {"options": "PubkeyAuthentication no"}


def test_the_last_way_in_is_kept(fresh, key):
    with fresh.root() as client:
        client.control("START")
        user = client.call("user.query", [["username", "=", ADMIN]],
                           {"get": True})
        # Who does not use SSH loses nothing.
        client.call("ssh.update", NO_KEYS)
        client.call("ssh.update", {"options": ""})
        client.call("user.update", user["id"], {"sshpubkey": key})

        refused(client, "sshd lets it in no more", "ssh.update", NO_KEYS)
        refused(client, "it has no key left", "user.update", user["id"],
                {"sshpubkey": ""})
        refused(client, "its shell lets nobody in", "user.update",
                user["id"], {"shell": "/usr/sbin/nologin"})
        seen = client.call("ssh.update", {**NO_KEYS, "dry_run": True})
        assert [account["username"] for account in seen["accounts"]
                if account["loses_access"]] == [ADMIN]

        # Another one who may do everything, but does not come by SSH.
        other = client.call("user.create", {
            "username": "bea", "full_name": "Bea", "group_create": True,
            "password": PASSWORD, "smb": False, **HOME})
        group = client.call("group.query", [["gid", "=", 544]],
                            {"get": True})
        client.call("group.update", group["id"],
                    {"users": [*group["users"], other["id"]]})
        refused(client, "it may no longer do everything", "group.update",
                group["id"], {"users": [other["id"]]})
        refused(client, "it is locked", "user.update", user["id"],
                {"locked": True})
        refused(client, "it is removed", "user.delete", user["id"])

        # What takes itself back is proven by a login, or said later.
        client.call("ssh.update", {**NO_KEYS, "rollback_timeout": 600})
        client.call("config.take_back")
        config = client.call("ssh.update", {**NO_KEYS, "lockout": True})
        assert config["options"] == NO_KEYS["options"]
        assert "lockout" not in config
        closed = save(fresh, client)
        client.call("ssh.update", {"options": ""})

        # Nor by bringing back what was once.
        def newest():
            revision, = client.call(
                "config.history", [["resource", "=", "ssh"]],
                {"order_by": ["-number"], "limit": 1})
            return revision["number"]

        error = client.error("config.rollback", newest(), {})
        assert set(error.paths) == {"ssh_update.lockout"}
        entry = put(fresh, client, closed)
        assert "No administrator would get in by SSH" in entry["error"]
        assert client.call("ssh.config")["options"] == ""
        for again in (lambda: put(fresh, client, closed, lockout=True),
                      lambda: client.call("config.rollback", newest(),
                                          {"lockout": True})):
            again()
            config = client.call("ssh.config")
            assert config["options"] == NO_KEYS["options"]
            client.call("ssh.update", {"options": ""})

        # With a second way nothing is lost; a stop says what it does.
        client.call("user.update", other["id"], {"sshpubkey": key})
        client.call("user.update", user["id"], {"sshpubkey": ""})
        client.control("STOP")
        client.call("service.update", "ssh", {"enable": True})
        error = client.error("user.update", other["id"], {"sshpubkey": ""})
        assert error.paths[0] == "user_update.lockout"
        client.call("service.update", "ssh", {"enable": False})
        client.call("user.update", other["id"], {"sshpubkey": ""})
        client.call("user.delete", user["id"], {"lockout": True})

        # A privilege may be all that makes somebody an administrator.
        client.control("START")
        user = client.call("user.create", {
            "username": "cleo", "full_name": "Cleo", "group_create": True,
            "password_disabled": True, "sshpubkey": key, "smb": False,
            **HOME})
        gid = client.call("group.query", [["id", "=", user["group"]["id"]]],
                          {"get": True})["gid"]
        made = client.call("privilege.create", {
            "name": "all", "web_shell": False, "local_groups": [gid],
            "roles": ["FULL_ADMIN"]})
        for method, params in (("privilege.update", [{"roles": []}]),
                               ("privilege.delete", [])):
            error = client.error(method, made["id"], *params)
            assert error.paths[0].endswith(".lockout")
            assert error.texts[1] == \
                "cleo, by a key now: it may no longer do everything"
        client.call("privilege.delete", made["id"], {"lockout": True})
