"""Nobody raises anybody above himself, and an administrator remains.

A limited administrator, who may change accounts and privileges, tries every
way there is to get what he has not: EPERM on the attribute at fault, and
nothing is changed.
"""

import itertools

import pytest

from harness import ADMIN, ApiError

PASSWORD = "Gr4nite-sky-77"
HIS = ["ACCOUNT_WRITE", "PRIVILEGE_WRITE", "API_KEY_WRITE", "SSH_READ"]
_numbers = itertools.count(1)


def group_id(client, gid):
    return client.call("group.query", [["gid", "=", gid]],
                       {"get": True})["id"]


def user_of(client, name):
    return client.call("user.query", [["username", "=", name]],
                       {"get": True})


def new_user(client, name, **members):
    client.call("user.create", {
        "username": name, "full_name": name, "group_create": True,
        "password": PASSWORD, "smb": False, **members})
    return user_of(client, name)


class World:
    """The limited administrator's connection, and whom he tries it on."""

    def __init__(self, instance, root):
        self.root = root
        self.group = root.call("group.create", {"name": "limited"})
        self.gid = root.call("group.get_instance", self.group)["gid"]
        self.privilege = root.call("privilege.create", {
            "name": "Limited", "local_groups": [self.gid], "roles": HIS,
            "web_shell": False})["id"]
        self.me = new_user(root, "limited-one", groups=[self.group])
        # The same rights, more, and none at all.
        self.peer = new_user(root, "limited-two", groups=[self.group])
        self.plain = new_user(root, "plain")
        self.plain_group = root.call("group.create", {"name": "plain-group"})
        self.client = instance.connect()
        assert self.client.login(
            "limited-one", PASSWORD)["response_type"] == "SUCCESS"
        self.ids = {name: group_id(root, gid) for name, gid in (
            ("administrators", 544), ("readers", 951), ("disk", 6),
            ("limited", self.gid))}
        self.ids |= {"plain-group": self.plain_group}
        self.users = {name: user_of(root, name)["id"] for name in (
            ADMIN, "limited-one", "limited-two", "plain")}
        self.privileges = {
            entry["builtin_name"] or entry["name"]: entry["id"]
            for entry in root.call("privilege.query")}

    def everything(self):
        """What must be the same after something was refused."""
        return [sorted(self.root.call(f"{name}.query"),
                       key=lambda entry: entry["id"])
                for name in ("user", "group", "privilege")]

    def close(self):
        self.client.close()
        for name in ("limited-one", "limited-two", "plain"):
            self.root.call("user.delete", user_of(self.root, name)["id"])
        self.root.call("privilege.delete", self.privilege)
        self.root.call("group.delete", self.group)
        self.root.call("group.delete", self.plain_group)


@pytest.fixture(scope="module")
def worlds():
    made = {}
    yield made
    for world in made.values():
        world.close()
        world.root.close()


@pytest.fixture
def world(instance, worlds):
    if instance not in worlds:
        worlds[instance] = World(instance, instance.root())
    return worlds[instance]


def user(**members):
    number = next(_numbers)
    return {"username": f"raised{number}", "full_name": "x", "smb": False,
            "group_create": True, "password": PASSWORD, **members}


def privilege(**members):
    return {"name": f"Raised {next(_numbers)}", "web_shell": False, **members}


# What he calls, as a function of his world; the attribute at fault.
RAISING = {
    "make an administrator": lambda w: (
        "user.create", user(groups=[w.ids["administrators"]]), "groups"),
    "make one who may read more": lambda w: (
        "user.create", user(groups=[w.ids["readers"]]), "groups"),
    "make one whose first group reads the disks": lambda w: (
        "user.create", user(group_create=False, group=w.ids["disk"]),
        "group"),
    "make one with sudo": lambda w: (
        "user.create", user(sudo_commands=["/usr/bin/less"]),
        "sudo_commands"),
    "make one with sudo without password": lambda w: (
        "user.create", user(sudo_commands_nopasswd=["ALL"]),
        "sudo_commands_nopasswd"),
    "become an administrator": lambda w: (
        "user.update", w.users["limited-one"],
        {"groups": [w.ids["limited"], w.ids["administrators"]]}, "groups"),
    "give himself sudo": lambda w: (
        "user.update", w.users["limited-one"],
        {"sudo_commands_nopasswd": ["ALL"]}, "sudo_commands_nopasswd"),
    "an administrator's password": lambda w: (
        "user.update", w.users[ADMIN], {"password": PASSWORD}, "password"),
    "an administrator's key": lambda w: (
        "user.update", w.users[ADMIN], {"sshpubkey":
         "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGvTqBR0n2cXM3ZgS5Nlv3s4zSLSx7"
         "WYNmcs0nVh1bXt x"}, "sshpubkey"),
    "an administrator's lock": lambda w: (
        "user.update", w.users[ADMIN], {"locked": True}, "locked"),
    "an administrator's name": lambda w: (
        "user.update", w.users[ADMIN], {"full_name": "x"}, "full_name"),
    "an administrator's account": lambda w: (
        "user.delete", w.users[ADMIN], "id"),
    "join the administrators": lambda w: (
        "group.update", w.ids["administrators"],
        {"users": [w.users[ADMIN], w.users["limited-one"]]}, "users"),
    "thin out the administrators": lambda w: (
        "group.update", w.ids["administrators"], {"users": []}, "users"),
    "join the readers": lambda w: (
        "group.update", w.ids["readers"],
        {"users": [w.users["plain"]]}, "users"),
    "take an administrator into another group": lambda w: (
        "group.update", w.ids["plain-group"], {"users": [w.users[ADMIN]]},
        "users"),
    "give a group sudo": lambda w: (
        "group.update", w.ids["plain-group"],
        {"sudo_commands_nopasswd": ["ALL"]}, "sudo_commands_nopasswd"),
    "grant all": lambda w: (
        "privilege.create", privilege(roles=["FULL_ADMIN"]), "roles"),
    "grant one more": lambda w: (
        "privilege.create", privilege(roles=["SSH_READ", "SSH_WRITE"],
                                      local_groups=[w.gid]), "roles"),
    "grant the web shell": lambda w: (
        "privilege.create", privilege(web_shell=True), "web_shell"),
    "grant to the administrators": lambda w: (
        "privilege.create", privilege(roles=["SSH_READ"],
                                      local_groups=[544]), "roles"),
    "grant himself more": lambda w: (
        "privilege.update", w.privileges["Limited"],
        {"roles": [*HIS, "DISK_WRITE"]}, "roles"),
    "have what administrators have": lambda w: (
        "privilege.update", w.privileges["LOCAL_ADMINISTRATOR"],
        {"local_groups": [544, w.gid]}, "local_groups"),
    "have what readers have": lambda w: (
        "privilege.update", w.privileges["READONLY_ADMINISTRATOR"],
        {"local_groups": [951, w.gid]}, "local_groups"),
    "take from readers": lambda w: (
        "privilege.update", w.privileges["READONLY_ADMINISTRATOR"],
        {"local_groups": []}, "local_groups"),
}


def refused_attributes(error):
    return [(attribute.split(".", 1)[1], number)
            for attribute, _, number in error.data.get("extra") or []]


@pytest.mark.parametrize("what", RAISING)
def test_nobody_raises_anybody(world, what):
    method, *params, attribute = RAISING[what](world)
    before = world.everything()
    error = world.client.error(method, *params)
    assert (attribute, 1) in refused_attributes(error), error
    assert world.everything() == before


@pytest.mark.parametrize("what", [
    "make an administrator", "join the administrators", "grant all"])
def test_nor_in_bulk(world, what):
    method, *params, attribute = RAISING[what](world)
    before = world.everything()
    result, = world.client.job("core.bulk", method, [params])["result"]
    assert attribute in result["error"], result
    assert world.everything() == before


def test_what_is_no_more_than_his_goes(world):
    """The check is about rights, not about the method."""
    client, root = world.client, world.root
    name = user()
    client.call("user.create", name | {"groups": [world.ids["limited"]]})
    made = user_of(root, name["username"])
    assert made["roles"] == HIS
    client.call("user.update", made["id"], {"locked": True})
    client.call("user.update", made["id"], {"locked": False, "groups": []})
    client.call("group.update", world.ids["plain-group"],
                {"users": [made["id"], world.users["plain"]]})
    entry = client.call("privilege.create", privilege(
        roles=["ACCOUNT_READ", "SSH_READ"], local_groups=[world.gid]))
    client.call("privilege.delete", entry["id"])
    client.call("user.delete", made["id"])
    # Himself, as long as it is no more than he has.
    client.call("user.update", world.users["limited-one"],
                {"full_name": "Somebody"})


# What he may not see.

def test_hashes_are_for_full_administrators(world):
    client, root = world.client, world.root
    whole = user_of(root, ADMIN)
    assert whole["unixhash"].startswith("$")
    shown = user_of(client, ADMIN)
    assert whole["unixhash"] not in str(shown)
    assert shown["unixhash"] == "********"
    number = shown["id"]
    assert client.call("user.get_instance", number) == shown
    # Nor is it found out by asking for it.
    for filters in ([["unixhash", "=", whole["unixhash"]]],
                    [["unixhash", "^", "$"]],
                    [["id", "=", number], ["unixhash", "~", "[$]y"]],
                    [["password_history", "rin", "$"]]):
        assert client.call("user.query", filters) == []
    assert client.call("user.query", [["id", "=", number]],
                       {"select": ["unixhash"]}) == [{"unixhash": "********"}]


def test_hashes_are_in_no_event_for_others(world, instance):
    with instance.connect() as listener:
        listener.login("limited-two", PASSWORD)
        listener.call("core.subscribe", "user.query")
        world.root.call("user.update", world.users["plain"],
                        {"full_name": "Plain again"})
        message = listener.receive()
    fields = message["params"]["fields"]
    assert fields["full_name"] == "Plain again"
    assert fields["unixhash"] == "********"
    assert "$y$" not in str(message)


def test_methods_are_those_that_he_may_call(world):
    mine = set(world.client.call("core.get_methods"))
    assert {"user.update", "ssh.config", "core.ping"} <= mine
    assert not {"ssh.update", "config.history"} & mine
    named = {entry["resource"] for entry in world.client.call(
        "auth.me")["privilege"]["allowlist"] if entry["method"] == "CALL"}
    assert named < mine and "user.update" in named


# An administrator remains.

def last_ways(client):
    admin = user_of(client, ADMIN)
    administrators = group_id(client, 544)
    builtin = client.call(
        "privilege.query", [["builtin_name", "=", "LOCAL_ADMINISTRATOR"]],
        {"get": True})["id"]
    yield "locked", "user.update", admin["id"], {"locked": True}
    yield "password_disabled", "user.update", admin["id"], {
        "password_disabled": True}
    yield "groups", "user.update", admin["id"], {"groups": []}
    yield "users", "group.update", administrators, {"users": []}
    yield "local_groups", "privilege.update", builtin, {"local_groups": []}


def attempts(client):
    for attribute, method, *params in last_ways(client):
        try:
            client.call(method, *params)
        except ApiError as error:
            yield attribute, [path.split(".", 1)[1] for path in error.paths]
        else:
            yield attribute, []


def test_the_last_administrator_stays(fresh):
    with fresh.root() as client:
        before = client.call("user.query"), client.call("privilege.query")
        for attribute, paths in attempts(client):
            assert attribute in paths, (attribute, paths)
        assert before == (client.call("user.query"),
                          client.call("privilege.query"))
        # One whose time ends, or who has no password, is not another one.
        administrators = group_id(client, 544)
        other = new_user(client, "other", groups=[administrators])
        client.call("user.update", other["id"], {"locked": True})
        for attribute, paths in attempts(client):
            assert attribute in paths, (attribute, paths)
        # With another one he may go.
        client.call("user.update", other["id"], {"locked": False})
        admin = user_of(client, ADMIN)
        client.call("user.update", admin["id"], {"password_disabled": True})
        error = client.error("user.update", other["id"], {"locked": True})
        assert error.paths == ["user_update.locked"]
        error = client.error("user.delete", other["id"])
        assert error.code == -32602
