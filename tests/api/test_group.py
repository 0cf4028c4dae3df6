"""group.*: entries, and the account files that they are merged into."""

import contextlib
import itertools
import json
import sqlite3
import subprocess

import pytest

from cuts import Ledger, work_and_cut
from harness import ADMIN, ApiError, Instance, wait_until

ADMIN_ID = 2
ADMINISTRATORS, USERS = 544, 545    # gids
FILES = ("passwd", "shadow", "group", "gshadow")
RECORD = "/etc/holdfast/accounts"
METHODS = {
    "group.create": [{"name": "x"}], "group.update": [1, {}],
    "group.delete": [1], "group.query": [], "group.get_instance": [1],
    "group.get_next_gid": [], "group.get_group_obj": [{"gid": 0}],
    "group.has_password_enabled_user": [[0]]}
_numbers = itertools.count(1)


def new_name():
    return f"crew{next(_numbers)}"


def find(client, name):
    """The entry of that name, or None."""
    found = client.call("group.query", [["name", "=", name]])
    return found[0] if found else None


def id_of(client, gid):
    return client.call("group.query", [["gid", "=", gid]], {"get": True})["id"]


def getent(instance, name):
    """[name, gid, [members]] as programs see it, or None."""
    done = instance.enter("getent", "group", str(name), check=False)
    if done.returncode == 2:
        return None
    found, _, gid, members = done.stdout.strip().split(":")
    return [found, int(gid), members.split(",") if members else []]


def account_files(instance):
    return {name: instance.inside(f"/etc/{name}").read_bytes()
            for name in FILES}


def names_in(instance, file):
    return [line.partition(":")[0] for line in instance.inside(
        f"/etc/{file}").read_text().splitlines()]


def state(instance, client):
    """What a refused call must leave as it is."""
    return client.call("group.query"), account_files(instance)


@pytest.fixture(name="make")
def fixture_make(root):
    """Makes groups in the shared instance; they go when the test ends."""
    made = []

    def make(**fields):
        made.append(root.call("group.create", {"name": new_name(), **fields}))
        return made[-1]

    yield make
    for number in made:
        with contextlib.suppress(ApiError):     # removed by the test
            root.call("group.delete", number)


@pytest.fixture(name="files")
def fixture_files(shared):
    """An instance whose account files others write to as well."""
    return shared("with foreign accounts",
                  lambda build: Instance(build).start().setup_admin())


@pytest.fixture(name="api")
def fixture_api(files):
    with files.root() as client:
        yield client


# Entries.

def test_a_group_from_its_creation_to_its_end(instance, root, make):
    number = make(smb=False)
    entry = root.call("group.get_instance", number)
    name, gid = entry["name"], entry["gid"]
    assert entry == {
        "id": number, "gid": gid, "name": name, "builtin": False,
        "sudo_commands": [], "sudo_commands_nopasswd": [], "smb": False,
        "userns_idmap": None, "group": name, "local": True, "sid": None,
        "roles": [], "users": [], "immutable": False, "machine": False}
    assert getent(instance, name) == [name, gid, []]

    other = new_name()
    assert root.call("group.update", number, {
        "name": other, "users": [ADMIN_ID]}) == number
    assert root.call("group.get_instance", number) == entry | {
        "name": other, "group": other, "users": [ADMIN_ID]}
    assert getent(instance, name) is None
    assert getent(instance, other) == [other, gid, [ADMIN]]
    assert other in instance.enter("id", "-Gn", ADMIN).stdout.split()

    assert root.call("group.delete", number) == number
    assert find(root, other) is None
    assert getent(instance, other) is None and getent(instance, gid) is None
    assert root.error("group.get_instance", number).data["trace"][
        "class"] == "InstanceNotFound"
    # Who was in it is in the others still.
    assert getent(instance, ADMINISTRATORS)[2] == [ADMIN]


def test_members_are_given_with_the_creation(instance, root, make):
    number = make(users=[ADMIN_ID, ADMIN_ID])
    entry = root.call("group.get_instance", number)
    assert entry["users"] == [ADMIN_ID]
    assert getent(instance, entry["gid"])[2] == [ADMIN]
    # What is not sent stays.
    root.call("group.update", number, {"smb": False})
    assert root.call("group.get_instance", number)["users"] == [ADMIN_ID]
    root.call("group.update", number, {"users": []})
    assert getent(instance, entry["gid"])[2] == []


def test_a_group_of_the_system_cannot_be_changed(instance, root):
    before = state(instance, root)
    system = id_of(root, 0)
    for change in ({"name": "x"}, {"users": [ADMIN_ID]}, {"smb": True}):
        assert root.error("group.update", system, change).paths == [
            "group_update.id"]
    for gid in (0, 65534, USERS, ADMINISTRATORS):
        error = root.error("group.delete", id_of(root, gid),
                           {"delete_users": True})
        assert (error.errname, error.data["error"]) == ("EACCES", 13)
    entry = root.call("group.get_instance", system)
    assert entry["builtin"] and entry["immutable"]
    assert state(instance, root) == before


def test_of_our_own_ones_the_members_can_be_changed(instance, root):
    users = id_of(root, USERS)
    entry = root.call("group.get_instance", users)
    assert entry["builtin"] and not entry["immutable"]
    assert root.error("group.update", users, {"name": "x"}).paths == [
        "group_update.name"]
    root.call("group.update", users, {"users": [ADMIN_ID]})
    assert getent(instance, USERS) == ["builtin_users", USERS, [ADMIN]]
    root.call("group.update", users, {"users": []})
    assert getent(instance, USERS)[2] == []


def test_there_is_always_an_administrator(instance, root):
    group = id_of(root, ADMINISTRATORS)
    assert root.error("group.update", group, {"users": []}).paths == [
        "group_update.users"]
    assert getent(instance, ADMINISTRATORS)[2] == [ADMIN]
    assert root.call("group.get_instance", group)["roles"] == ["FULL_ADMIN"]


def test_a_number_is_given_out_once(root, make):
    assert root.call("group.get_next_gid") == root.call("group.get_next_gid")
    given = []
    for _ in range(3):
        expected = root.call("group.get_next_gid")
        number = make()
        given.append(root.call("group.get_instance", number)["gid"])
        assert given[-1] == expected
        root.call("group.delete", number)
    assert given == sorted(set(given)), given
    # Nor is one that was asked for, and none of the system's.
    root.call("group.delete", make(gid=65533))
    assert root.call("group.get_next_gid") == 65536
    # After the last one come those below.
    root.call("group.delete", make(gid=90000000))
    first = root.call("group.get_next_gid")
    assert 3000 <= first < 65533
    assert root.call("group.get_instance", make())["gid"] == first


def test_get_group_obj(instance, root):
    for question in ({"groupname": ADMIN}, {"gid": 950},
                     {"gid": 950, "sid_info": True}):
        assert root.call("group.get_group_obj", question) == {
            "gr_name": ADMIN, "gr_gid": 950, "gr_mem": [], "sid": None,
            "source": "LOCAL", "local": True}
    obj = root.call("group.get_group_obj", {"gid": ADMINISTRATORS})
    assert obj["gr_mem"] == getent(instance, ADMINISTRATORS)[2]
    for question in ({"groupname": "nosuch"}, {"gid": 54321}):
        assert root.error("group.get_group_obj", question).errname == "ENOENT"
    for question in ({}, {"groupname": "root", "gid": 0}):
        assert root.error("group.get_group_obj", question).paths == [
            "get_group_obj.groupname"]


def test_has_password_enabled_user(root, make):
    method = "group.has_password_enabled_user"
    gid = root.call("group.get_instance", make())["gid"]
    assert root.call(method, [ADMINISTRATORS]) is True
    assert root.call(method, [950]) is True     # by the primary group
    assert root.call(method, [gid, ADMINISTRATORS], [ADMIN_ID]) is False
    assert root.call(method, [gid, 99999]) is False
    assert root.call(method, []) is False


# Wrong arguments.

WRONG = [   # of create and update alike
    ({"name": ""}, "name"), ({"name": 5}, "name"), ({"name": None}, "name"),
    ({"name": "a:b"}, "name"), ({"name": "a b"}, "name"),
    ({"name": "-a"}, "name"), ({"name": "0"}, "name"), ({"name": "a\nroot:x:0:"}, "name"),
    ({"name": "a,b"}, "name"), ({"name": "\u00e9"}, "name"),
    ({"name": "x" * 256}, "name"), ({"name": "root"}, "name"),
    ({"name": "builtin_users"}, "name"),
    ({"smb": "yes"}, "smb"), ({"smb": None}, "smb"), ({"smb": 1.5}, "smb"),
    ({"users": "x"}, "users"), ({"users": None}, "users"),
    ({"users": ["x"]}, "users.0"), ({"users": [99999]}, "users"),
    ({"users": [ADMIN_ID, -1]}, "users"), ({"users": [[ADMIN_ID]]},
                                           "users.0"),
    ({"sudo_commands": "/bin/ls"}, "sudo_commands"),
    ({"sudo_commands_nopasswd": [""]}, "sudo_commands_nopasswd.0"),
    ({"userns_idmap": "DIRECT"}, "userns_idmap"),
    ({"userns_idmap": 5000}, "userns_idmap"),
    ({"nosuch": 1}, "nosuch"), ({"id": 5}, "id"),
    ({"builtin": True}, "builtin"), ({"immutable": False}, "immutable"),
    ({"roles": ["FULL_ADMIN"]}, "roles"), ({"local": True}, "local"),
    ({"sid": "S-1"}, "sid"), ({"group": "x"}, "group")]
WRONG_NUMBERS = ["x", -1, 90000001, 1.5, 2 ** 63 - 1, [], 0, 500, 545, 65534,
                 65535]


def test_wrong_arguments_change_nothing(instance, root, make):
    number = make()
    before = state(instance, root)

    def refused(path, method, *params):
        error = root.error(method, *params)
        assert (error.code, error.paths) == (-32602, [path]), (params, error)

    for fields, path in WRONG:
        refused(f"group_update.{path}", "group.update", number, fields)
        refused(f"group_create.{path}", "group.create",
                {"name": "other"} | fields)
    for gid in WRONG_NUMBERS:
        refused("group_create.gid", "group.create",
                {"name": "other", "gid": gid})
    refused("group_update.gid", "group.update", number, {"gid": 5000})
    refused("group_create.name", "group.create", {})
    refused("options.nosuch", "group.delete", number, {"nosuch": 1})
    refused("options.delete_users", "group.delete", number,
            {"delete_users": "x"})
    for method in ("group.delete", "group.update", "group.get_instance"):
        more = [{}] if method == "group.update" else []
        refused("id", method, "x", *more)
        refused(None, method, 99999, *more)
    refused("gids.0", "group.has_password_enabled_user", ["x"])
    refused("gids", "group.has_password_enabled_user", "x")
    refused("get_group_obj.gid", "group.get_group_obj", {"gid": "x"})
    assert state(instance, root) == before


def test_every_fault_is_named(root):
    error = root.error("group.create", {"name": "root", "gid": 0,
                                        "users": [99999],
                                        "userns_idmap": 5000})
    assert sorted(error.paths) == [
        f"group_create.{name}" for name in (
            "gid", "name", "userns_idmap", "users")]


def test_without_a_session(stranger):
    for method, params in METHODS.items():
        error = stranger.error(method, *params)
        assert error.errname == "ENOTAUTHENTICATED", method


def test_what_roles_they_need(root):
    methods = root.call("core.get_methods", "group")
    assert set(methods) == set(METHODS)
    for name, entry in methods.items():
        changes = name.rpartition(".")[2] in ("create", "update", "delete")
        assert "ACCOUNT_WRITE" in entry["roles"]
        assert ("READONLY_ADMIN" in entry["roles"]) is not changes, name


# What others hear of it.

def test_events(root, make, admin):
    admin.call("core.subscribe", "group.query")
    number = make()
    entry = root.call("group.get_instance", number)
    root.call("group.update", number, {"users": [ADMIN_ID]})
    root.call("group.delete", number)
    expected = [("added", entry), ("changed", entry | {"users": [ADMIN_ID]}),
                ("removed", None)]
    for message, fields in expected:
        params = admin.receive()["params"]
        assert params["collection"] == "group.query"
        assert (params["msg"], params["id"]) == (message, number)
        assert params.get("fields") == fields


def test_audit(root, make):
    number = make()
    name = root.call("group.get_instance", number)["name"]
    other = new_name()
    root.call("group.update", number, {"name": other})
    root.error("group.update", number, {"name": "root"})
    root.call("group.delete", number, {"delete_users": True})
    root.error("group.delete", number)
    records = root.call("audit.query", {
        "query-filters": [["event_data.method", "^", "group."]],
        "query-options": {"order_by": ["-time_us"], "limit": 5}})
    assert [(one["event_data"]["description"], one["success"])
            for one in reversed(records)] == [
        (f"Create group {name}", True),
        (f"Update group {name}", True),
        (f"Update group {other}", False),
        (f"Delete group {other} and all users that have this group as "
         "their primary group", True),
        ("Delete group", False)]


# The account files.

FOREIGN = {
    "passwd": "stranger:x:4999:4999:A stranger,,,:/nonexistent:/bin/sh\n"
              "+@netgroup::::::\n",
    "shadow": "stranger:!locked:19000:0:99999:7:::\n+@netgroup\n",
    "group": "stranger:x:4999:stranger,daemon\n\n# no group at all\n"
             "odd line\n+@netgroup:::\n",
    "gshadow": "stranger:!:daemon:stranger,daemon\n+@netgroup::\n"}


def test_lines_of_others_stay_byte_by_byte(files, api):
    for name, text in FOREIGN.items():
        with open(files.inside(f"/etc/{name}"), "a", encoding="utf-8") as file:
            file.write(text)
    before = account_files(files)
    number = api.call("group.create", {"name": "between", "users": [ADMIN_ID]})
    for name in ("group", "gshadow"):
        text = files.inside(f"/etc/{name}").read_bytes()
        assert text.startswith(before[name])
        assert text[len(before[name]):].startswith(b"between:")
        assert text.count(b"\n") == before[name].count(b"\n") + 1
    api.call("group.update", number, {"name": "between2"})
    api.call("group.delete", number)
    assert account_files(files) == before
    for name, text in FOREIGN.items():
        path = files.inside(f"/etc/{name}")
        path.write_text(path.read_text().replace(text, ""))


def test_account_files_are_in_order(files, api):
    numbers = [api.call("group.create", {"name": name, "users": [ADMIN_ID]})
               for name in ("Upper.Case", "_under-score", "x" * 32)]
    for program in ("grpck", "pwck"):
        # Homes that are not there: Debian's own accounts have such.
        done = files.enter(program, "-r", check=False)
        said = [line for line in done.stdout.splitlines()
                if "does not exist" not in line and "no changes" not in line]
        assert not said, (program, done)
    record = files.inside(RECORD).stat()
    assert (record.st_mode & 0o7777, record.st_uid) == (0o600, 0)
    for name, mode in (("passwd", 0o644), ("group", 0o644),
                       ("shadow", 0o640), ("gshadow", 0o640)):
        assert files.inside(f"/etc/{name}").stat().st_mode & 0o7777 == mode
    for number in numbers:
        api.call("group.delete", number)


def test_a_group_made_by_another_program(files, api):
    free = api.call("group.get_next_gid")
    files.enter("groupadd", "-g", str(free), "theirs")
    before = state(files, api)
    error = api.error("group.create", {"name": "theirs"})
    assert error.paths == ["group_create.name"]
    error = api.error("group.create", {"name": "ours", "gid": free})
    assert error.paths == ["group_create.gid"] and "theirs" in error.texts[0]
    assert state(files, api) == before
    # One that may choose takes another.
    number = api.call("group.create", {"name": "ours"})
    assert api.call("group.get_instance", number)["gid"] == free + 1
    error = api.error("group.update", number, {"name": "theirs"})
    assert error.paths == ["group_update.name"]
    # A name that was ours is theirs as soon as they use it.
    api.call("group.delete", number)
    files.enter("groupadd", "ours")
    api.call("group.delete", api.call("group.create", {"name": "other"}))
    assert getent(files, "ours") is not None
    files.enter("groupdel", "ours")
    # Theirs is known after a start, and theirs.
    files.stop()
    files.start()
    with files.root() as client:
        entry = find(client, "theirs")
        assert (entry["gid"], entry["immutable"]) == (free, True)
        files.enter("groupdel", "theirs")
        assert getent(files, "theirs") is None


HOLD_LOCK = ("import ctypes, sys; assert ctypes.CDLL(None).lckpwdf() == 0; "
             "print('held', flush=True); sys.stdin.read()")


def test_account_files_locked_by_another_program(files, api):
    before = state(files, api)
    with subprocess.Popen(
            [files.build / "holdfast", "-i", files.directory, "enter",
             "/usr/bin/python3", "-c", HOLD_LOCK], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        error = api.error("group.create", {"name": "late"})
        assert "locked by another program" in error.data["reason"]
        holder.stdin.close()
        assert holder.wait(10) == 0
    assert state(files, api) == before
    api.call("group.delete", api.call("group.create", {"name": "late"}))


@pytest.fixture(name="no_room")
def fixture_no_room(files):
    """Puts the record of accounts on a disk that is full."""
    folder = RECORD.rpartition("/")[0]
    files.enter("sh", "-c", f"""set -e
        cp -a {folder} /run/kept
        mount -t tmpfs -o size=64k,mode=700 tmpfs {folder}
        cp -a /run/kept/. {folder}; rm -r /run/kept
        dd if=/dev/zero of={folder}/filler bs=4k 2>/dev/null || :""")
    yield
    files.enter("umount", folder)


def test_no_room_for_the_record(files, api, no_room):
    before = state(files, api)
    error = api.error("group.create", {"name": "late", "users": [ADMIN_ID]})
    assert "No space left" in error.data["reason"], error
    assert state(files, api) == before


def add_user(instance, **fields):
    """Into the store of one that is not running: user.create comes later."""
    store = instance.directory / "state" / "config.db"
    with contextlib.closing(sqlite3.connect(store)) as opened, opened:
        user = {"unixhash": None, "home": "/var/empty", "full_name": "",
                "shell": "/usr/sbin/nologin", "builtin": False,
                "password_disabled": True, "ssh_password_enabled": False,
                "locked": False, **fields}
        opened.execute("INSERT INTO entry VALUES ('user', ?, 0, ?)",
                       (user["id"], json.dumps(user)))


def test_primary_group_removed(files, api):
    goes, stays = (api.call("group.create", {"name": name})
                   for name in ("goes", "stays"))
    files.stop()
    for number, name, group in ((70, "ann", goes), (71, "bea", stays)):
        add_user(files, id=number, uid=4900 + number, username=name,
                 group=group, groups=[goes, stays])
    files.start()
    with files.root() as client:
        assert getent(files, "goes")[2] == ["ann", "bea"]
        assert client.call("group.delete", goes,
                           {"delete_users": True}) == goes
        assert "ann" not in names_in(files, "passwd")
        assert "ann" not in names_in(files, "shadow")
        assert getent(files, "stays")[2] == ["bea"]
        client.call("group.delete", stays)
        entry = files.enter("getent", "passwd", "bea").stdout.split(":")
        assert entry[2:4] == ["4971", "65534"]
        assert getent(files, "stays") is None


# kill -9.

def check(instance, ledger):
    """All of the acknowledged; and of each group all or nothing."""
    with instance.root() as client:
        stored = {entry["name"]: entry["gid"] for entry in client.call(
            "group.query", [["name", "^", "cut"]])}
    assert set(ledger.made) - ledger.unsure <= set(stored)
    assert not ledger.gone & set(stored)
    lines = [line.split(":") for line in instance.inside(
        "/etc/group").read_text().splitlines()]
    assert stored == {line[0]: int(line[2]) for line in lines
                      if line[0].startswith("cut")}
    assert sorted(stored) == sorted(name for name in names_in(
        instance, "gshadow") if name.startswith("cut"))
    assert len(set(stored.values())) == len(stored)


@pytest.mark.release
def test_kill_loses_no_group_and_leaves_no_half(fresh):
    ledger = Ledger()
    for victims in (("core", "core"), ("everything",), ("core", "everything")):
        work_and_cut(
            fresh, ledger, victims, 35,
            lambda client, name: client.call("group.create", {"name": name}),
            lambda client, entry: client.call("group.delete", entry))
        check(fresh, ledger)
    assert len(ledger.made) > 20 and ledger.gone
