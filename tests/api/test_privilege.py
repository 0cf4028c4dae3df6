"""privilege.*: which groups have which roles."""

import contextlib
import itertools

import pytest

BUILTIN = {
    "LOCAL_ADMINISTRATOR": (544, "FULL_ADMIN", True),
    "READONLY_ADMINISTRATOR": (951, "READONLY_ADMIN", False),
    "SHARING_ADMINISTRATOR": (952, "SHARING_ADMIN", False)}
_numbers = itertools.count(1)


@contextlib.contextmanager
def group(client, **members):
    """A new group's entry, removed at the end."""
    number = client.call("group.create", {
        "name": f"priv{next(_numbers)}", **members})
    try:
        yield client.call("group.get_instance", number)
    finally:
        client.call("group.delete", number)


@contextlib.contextmanager
def privilege(client, **members):
    """A new privilege, removed at the end."""
    entry = client.call("privilege.create", {
        "name": f"Privilege {next(_numbers)}", "web_shell": False, **members})
    try:
        yield entry
    finally:
        client.call("privilege.delete", entry["id"])


def builtin(client, name):
    return client.call("privilege.query", [["builtin_name", "=", name]],
                       {"get": True})


def test_the_built_in_ones(root):
    found = {entry["builtin_name"]: entry
             for entry in root.call("privilege.query")
             if entry["builtin_name"]}
    assert set(found) == set(BUILTIN)
    for name, (gid, role, web_shell) in BUILTIN.items():
        entry = found[name]
        assert entry["roles"] == [role]
        assert entry["web_shell"] is web_shell
        one, = entry["local_groups"]
        assert one["gid"] == gid and one["roles"] == [role]
        assert one == root.call("group.get_instance", one["id"])


def test_a_group_has_the_roles_of_its_privileges(root):
    with group(root) as one:
        assert one["roles"] == []
        with privilege(root, local_groups=[one["gid"]],
                       roles=["SSH_READ"]) as first, \
                privilege(root, local_groups=[one["gid"]],
                          roles=["ALERT_READ", "SSH_READ"]):
            again = root.call("group.get_instance", one["id"])
            assert again["roles"] == ["SSH_READ", "ALERT_READ"]
            # Shown with it, as it is now.
            shown = root.call("privilege.get_instance", first["id"])
            assert shown["local_groups"] == [again]
        assert root.call("group.get_instance", one["id"])["roles"] == []


@pytest.mark.parametrize("members, paths", [
    ({"name": "Local Administrator"}, ["privilege_create.name"]),
    ({"name": ""}, ["privilege_create.name"]),
    ({"roles": ["SSH_READ", "NOSUCH"]}, ["privilege_create.roles.1"]),
    ({"roles": [""]}, ["privilege_create.roles.0"]),
    ({"local_groups": [544, 54321]}, ["privilege_create.local_groups.1"]),
    ({"local_groups": ["root"]}, ["privilege_create.local_groups.0"]),
    ({"ds_groups": ["S-1-5-21-1-2"]}, ["privilege_create.ds_groups.0"]),
    ({"ds_groups": ["S-1-5-21-0-2-3"]}, ["privilege_create.ds_groups.0"]),
    ({"ds_groups": ["S-1-5-21-1-2-3-4-5"]}, ["privilege_create.ds_groups.0"]),
    ({"ds_groups": ["S-1-5-21-1-2-3-"]}, ["privilege_create.ds_groups.0"]),
    ({"ds_groups": ["S-1"]}, ["privilege_create.ds_groups.0"]),
    ({"ds_groups": [-1]}, ["privilege_create.ds_groups.0"]),
    ({"builtin_name": "X"}, ["privilege_create.builtin_name"]),
    ({"web_shell": 1}, ["privilege_create.web_shell"]),
])
def test_what_is_wrong_is_refused(root, members, paths):
    before = root.call("privilege.query")
    error = root.error("privilege.create", {
        "name": "Wrong", "web_shell": False, **members})
    assert error.code == -32602 and error.paths == paths
    assert root.call("privilege.query") == before


def test_groups_of_a_directory_are_kept(root):
    with privilege(root, ds_groups=[
            " s-1-5-21-1-2-3-1104 ", "S-1-5-32-544", 7]) as entry:
        assert entry["ds_groups"] == [
            {"gid": None, "sid": "S-1-5-21-1-2-3-1104", "group": None},
            {"gid": None, "sid": "S-1-5-32-544", "group": None},
            {"gid": 7, "sid": None, "group": None}]


@pytest.mark.parametrize("name, data, paths", [
    ("LOCAL_ADMINISTRATOR", {"name": "x"}, ["name"]),
    ("SHARING_ADMINISTRATOR", {"roles": ["FULL_ADMIN"]}, ["roles"]),
    ("READONLY_ADMINISTRATOR", {"web_shell": True}, ["web_shell"]),
])
def test_a_built_in_one_keeps_what_it_is(root, name, data, paths):
    before = builtin(root, name)
    error = root.error("privilege.update", before["id"], data)
    assert error.code == -32602
    assert error.paths == [f"privilege_update.{path}" for path in paths]
    assert builtin(root, name) == before


def test_a_built_in_one_is_not_deleted(root):
    for name in BUILTIN:
        error = root.error("privilege.delete", builtin(root, name)["id"])
        assert (error.code, error.errname) == (-32001, "EPERM")


def test_to_whom_a_built_in_one_is_granted_may_change(root):
    before = builtin(root, "SHARING_ADMINISTRATOR")
    with group(root) as one:
        entry = root.call("privilege.update", before["id"], {
            "local_groups": [952, one["gid"]]})
        try:
            assert [g["gid"] for g in entry["local_groups"]] == [
                952, one["gid"]]
        finally:
            root.call("privilege.update", before["id"],
                      {"local_groups": [952]})
    assert builtin(root, "SHARING_ADMINISTRATOR") == before


def test_a_group_in_use_is_not_deleted(root):
    with group(root) as one:
        with privilege(root, local_groups=[one["gid"]]) as entry:
            error = root.error("group.delete", one["id"])
            assert (error.code, error.errname) == (-32001, "EACCES")
            assert entry["name"] in error.data["reason"]


def test_roles(root):
    roles = {role["name"]: role for role in root.call("privilege.roles")}
    assert len(roles) == 146
    assert roles["SSH_WRITE"] == {
        "name": "SSH_WRITE", "title": "SSH_WRITE", "includes": ["SSH_READ"],
        "builtin": True, "stig": 1}
    assert roles["VM_WRITE"]["stig"] is None
    named = root.call("privilege.roles", [["builtin", "=", False]],
                      {"select": ["name"], "order_by": ["name"]})
    assert {"name": "FULL_ADMIN"} in named and \
        {"name": "SSH_READ"} not in named


def test_events(root, admin):
    admin.call("core.subscribe", "privilege.query")
    with privilege(root, roles=["SSH_READ"]) as entry:
        pass
    seen = []
    while len(seen) < 2:
        message = admin.receive()
        if message.get("method") == "collection_update":
            seen.append(message["params"])
    assert [(params["msg"], params["id"]) for params in seen] == [
        ("added", entry["id"]), ("removed", entry["id"])]
    assert seen[0]["fields"] == entry


def test_become_readonly(admin):
    with privilege(admin):
        pass
    assert admin.call("privilege.become_readonly") is None
    mine = admin.call("auth.me")["privilege"]
    assert "READONLY_ADMIN" in mine["roles"]["$set"]
    assert "FULL_ADMIN" not in mine["roles"]["$set"]
    assert mine["web_shell"] is False
    error = admin.error("privilege.create",
                        {"name": "After", "web_shell": False})
    assert error.errname == "EACCES"


def test_what_became_readonly_stays_so(instance, admin, root):
    """After a change of privileges, and for those whom its token lets in."""
    admin.call("privilege.become_readonly")
    with privilege(root):
        error = admin.error("service.control", "STOP", "ssh")
        assert error.errname == "EACCES"
    token = admin.call("auth.generate_token")
    with instance.connect(source=admin.sock.getsockname()[0]) as other:
        assert other.call("auth.login_with_token", token) is True
        assert other.error("privilege.delete", 1).errname == "EACCES"
