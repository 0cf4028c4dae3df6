"""user.*: accounts, and the account files that they are merged into."""

import contextlib
import itertools
import time

import pytest

from cuts import Ledger, work_and_cut
from harness import ADMIN, ApiError, Instance, wait_until

ADMIN_ID, ROOT_ID = 2, 1
ADMINISTRATORS, USERS = 544, 545    # gids
FILES = ("passwd", "shadow", "group", "gshadow")
GIVEN = "Gr4nite-sky-77"
LAST_DAY = 7        # field of shadow(5): the day on which it expires
_numbers = itertools.count(1)


def new_name():
    return f"hand{next(_numbers)}"


def find(client, name):
    found = client.call("user.query", [["username", "=", name]])
    return found[0] if found else None


def group_id(client, gid):
    return client.call("group.query", [["gid", "=", gid]], {"get": True})["id"]


def line(instance, database, name):
    """The fields of the line as programs see it, or None."""
    done = instance.enter("getent", database, str(name), check=False)
    return done.stdout.strip().split(":") if done.returncode == 0 else None


def account_files(instance):
    return {name: instance.inside(f"/etc/{name}").read_bytes()
            for name in FILES}


def state(instance, client):
    """What a refused call must leave as it is."""
    return (client.call("user.query"), client.call("group.query"),
            account_files(instance))


def su(instance, name, password):
    """Can nobody become that user with that password?"""
    done = instance.enter(
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
        "su", name, "-c", "id -un", stdin=password + "\n", check=False)
    return done.returncode == 0 and done.stdout.strip() == name


@pytest.fixture(name="make")
def fixture_make(root):
    """Makes accounts in the shared instance; they go when the test ends."""
    made = []

    def make(**fields):
        data = {"username": new_name(), "full_name": "A hand", "smb": False,
                "password_disabled": True} | fields
        if "password" in data or data.get("random_password"):
            data["password_disabled"] = False
        if "group" not in data:
            data["group_create"] = True
        made.append(root.call("user.create", data))
        return made[-1]

    yield make
    for entry in made:
        with contextlib.suppress(ApiError):     # removed by the test
            root.call("user.delete", entry["id"])


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

def test_an_account_from_its_creation_to_its_end(instance, root, make):
    entry = make(password=GIVEN, full_name="Bea B.", email="bea@example.com")
    number, name, uid = entry["id"], entry["username"], entry["uid"]
    assert entry.pop("password") == GIVEN
    assert root.call("user.get_instance", number) == entry
    assert find(root, name) == entry
    group = root.call("group.get_instance", entry["group"]["id"])
    assert (group["name"], group["gid"], group["users"]) == (
        name, entry["group"]["bsdgrp_gid"], [])
    assert entry["unixhash"].startswith("$y$")
    assert entry["password_age"] == 0 and entry["password_history"] == []
    assert abs(entry["last_password_change"]["$date"] / 1000 - time.time()) \
        < 120
    assert line(instance, "passwd", name) == [
        name, "x", str(uid), str(group["gid"]), "Bea B.", "/var/empty",
        "/bin/bash"]
    assert line(instance, "shadow", name)[1] == entry["unixhash"]
    assert instance.enter("id", "-u", name).stdout.strip() == str(uid)

    other = new_name()
    changed = root.call("user.update", number, {
        "username": other, "full_name": "B.", "shell": "/bin/sh"})
    assert changed["password"] is None
    assert root.call("user.get_instance", number) == entry | {
        "username": other, "full_name": "B.", "shell": "/bin/sh"}
    assert line(instance, "passwd", name) is None
    assert line(instance, "passwd", uid)[0] == other
    assert line(instance, "shadow", other)[1] == entry["unixhash"]

    assert root.call("user.delete", number) == number
    assert find(root, other) is None
    for database in ("passwd", "shadow", "group"):
        assert line(instance, database, other) is None
    assert line(instance, "group", name) is None
    assert root.error("user.get_instance", number).data["trace"][
        "class"] == "InstanceNotFound"


WRONG = [
    ({"username": "a:b"}, "username"), ({"username": "a\nb"}, "username"),
    ({"username": "-x"}, "username"), ({"username": "7x"}, "username"),
    ({"username": "x" * 33}, "username"), ({"username": "b\u00e9a"},
                                           "username"),
    ({"username": "x\u202ey"}, "username"), ({"username": ADMIN}, "username"),
    ({"username": "daemon"}, "username"), ({"username": None}, "username"),
    ({"uid": 0}, "uid"), ({"uid": 999}, "uid"), ({"uid": 65534}, "uid"),
    ({"uid": -1}, "uid"), ({"uid": 90000001}, "uid"), ({"uid": "1"}, "uid"),
    ({"full_name": ""}, "full_name"), ({"full_name": "a:b"}, "full_name"),
    ({"full_name": "a\nroot::0:0:::"}, "full_name"),
    ({"full_name": "\x7f"}, "full_name"), ({"full_name": "x" * 256},
                                           "full_name"),
    ({"home": "x"}, "home"), ({"home": "/etc"}, "home"),
    ({"home": "/home"}, "home"), ({"home": "/home/"}, "home"),
    ({"home": "/homes/x"}, "home"), ({"home": "/home/../etc"}, "home"),
    ({"home": "/home/x/.."}, "home"), ({"home": "/mnt/a:b"}, "home"),
    ({"home": "/mnt//x"}, "home"), ({"home": "/mnt/a\tb"}, "home"),
    ({"home": ""}, "home"), ({"home_mode": "999"}, "home_mode"),
    ({"home_mode": "4755"}, "home_mode"),
    ({"shell": "/bin/nosuch"}, "shell"), ({"shell": "/bin/true"}, "shell"),
    ({"shell": ""}, "shell"), ({"email": "nobody"}, "email"),
    ({"email": "a@b\nc"}, "email"), ({"email": "x" * 250 + "@x.yz"}, "email"),
    ({"group": 99999}, "group"), ({"groups": [99999]}, "groups.0"),
    ({"groups": ["x"]}, "groups.0"), ({"groups": [1]}, "groups.0"),
    ({"group": 1}, "group"),
    ({"password": ""}, "password"), ({"password": "a\nb"}, "password"),
    ({"password": "x" * 513}, "password"),
    ({"password": GIVEN, "random_password": True}, "random_password"),
    ({"password": GIVEN, "password_disabled": True}, "password_disabled"),
    ({"smb": True}, "password_disabled"),
    ({"userns_idmap": "DIRECT"}, "userns_idmap"),
    ({"unixhash": "$6$x$y"}, "unixhash"), ({"builtin": True}, "builtin"),
    ({"roles": ["FULL_ADMIN"]}, "roles"), ({"nosuch": 1}, "nosuch")]


def test_what_is_wrong_is_named_and_changes_nothing(instance, root, make):
    entry = make()
    before = state(instance, root)
    good = {"username": new_name(), "full_name": "X", "smb": False,
            "password_disabled": True, "group": entry["group"]["id"]}
    for fields, path in WRONG:
        data = good | fields
        if "password" in fields:
            data["password_disabled"] = fields.get("password_disabled", False)
        error = root.error("user.create", data)
        assert error.paths == [f"user_create.{path}"], (fields, error)
        # What is a member of another account's name is not looked at there.
        if path in ("uid", "smb", "group") or "username" in fields and \
                fields["username"] is None:
            continue
        if "password" in fields and "password_disabled" not in fields:
            fields = fields | {"password_disabled": False}
        error = root.error("user.update", entry["id"], fields)
        assert error.paths == [f"user_update.{path}"], (fields, error)
    assert state(instance, root) == before


def test_every_fault_is_named(root):
    error = root.error("user.create", {
        "username": "root", "full_name": ":", "home": "etc", "groups": [-1],
        "shell": "/x", "uid": 0})
    assert set(error.paths) == {f"user_create.{path}" for path in (
        "username", "full_name", "home", "groups.0", "uid", "group",
        "password")}


def test_a_number_is_given_out_once(root, make):
    given = []
    for _ in range(2):
        expected = root.call("user.get_next_uid")
        entry = make()
        given.append(entry["uid"])
        assert given[-1] == expected
        root.call("user.delete", entry["id"])
    assert given[0] < given[1]
    assert make(uid=given[0])["uid"] == given[0]     # but to who asks for it
    assert root.error("user.create", {
        "username": new_name(), "full_name": "X", "uid": given[0],
        "password_disabled": True, "smb": False, "group_create": True
    }).paths == ["user_create.uid"]


# Groups.

def test_groups(instance, root, make):
    team, users = make()["group"]["id"], group_id(root, USERS)
    entry = make(group=team, groups=[users, users])
    name = entry["username"]
    assert entry["groups"] == [users]
    assert entry["group"]["id"] == team
    assert instance.enter("id", "-Gn", name).stdout.split() == [
        entry["group"]["bsdgrp_group"], "builtin_users"]
    assert entry["id"] in root.call("group.get_instance", users)["users"]
    assert root.call("user.get_user_obj", {
        "username": name, "get_groups": True})["grouplist"] == [
            entry["group"]["bsdgrp_gid"], USERS]
    root.call("user.update", entry["id"], {"groups": []})
    assert entry["id"] not in root.call("group.get_instance", users)["users"]
    # Of the system's own nobody becomes a member.
    error = root.error("user.update", entry["id"], {
        "groups": [users, group_id(root, 0), group_id(root, 42)]})
    assert error.paths == ["user_update.groups.1", "user_update.groups.2"]
    # Its group is somebody else's too, and stays.
    root.call("user.delete", entry["id"], {"delete_group": True})
    assert root.call("group.get_instance", team)


def test_its_group_is_made_and_goes_with_it(instance, root, make):
    entry = make()
    root.call("user.delete", entry["id"], {"delete_group": False})
    group = root.call("group.get_instance", entry["group"]["id"])
    assert group["name"] == entry["username"]
    # One of the same name is taken again.
    again = make(username=entry["username"])
    assert again["group"]["id"] == group["id"] and again["uid"] > entry["uid"]
    root.call("user.delete", again["id"])
    assert line(instance, "group", group["name"]) is None
    # Not one of the system.
    error = root.error("user.create", {
        "username": "sudo", "full_name": "X", "smb": False,
        "password_disabled": True, "group_create": True})
    assert error.paths == ["user_create.group_create"]


# Passwords and locks.

def test_a_password_works_at_once_and_no_longer(instance, root, make):
    entry = make(password=GIVEN)
    name, number = entry["username"], entry["id"]
    assert su(instance, name, GIVEN) and not su(instance, name, "wrong")
    made = root.call("user.update", number, {"random_password": True})
    assert len(made["password"]) >= 20 and made["password_history"] == [
        entry["unixhash"]]
    assert su(instance, name, made["password"]) and not su(
        instance, name, GIVEN)
    root.call("user.update", number, {"password_disabled": True})
    assert line(instance, "shadow", name)[1] == "*"
    assert not su(instance, name, made["password"])
    root.call("user.update", number, {"password_disabled": False})
    assert su(instance, name, made["password"])
    assert "password" not in root.call("user.get_instance", number)


def test_a_lock_takes_nothing_away(instance, root, make):
    entry = make(password=GIVEN)
    name, number = entry["username"], entry["id"]
    before = line(instance, "shadow", name)
    assert root.call("user.update", number, {"locked": True})["locked"]
    locked = line(instance, "shadow", name)
    assert locked[1] == "!" + before[1] and locked[LAST_DAY] == "1"
    assert not su(instance, name, GIVEN)
    # Not even root becomes a locked user.
    assert instance.enter("su", name, "-c", "true",
                          check=False).returncode != 0
    root.call("user.update", number, {"locked": False})
    assert line(instance, "shadow", name) == before
    assert su(instance, name, GIVEN)


def test_set_password(instance, root, admin, make):
    entry = make(password=GIVEN)
    name = entry["username"]
    call = {"username": name, "new_password": "Other-pass-1"}
    assert root.call("user.set_password", call) is None
    assert su(instance, name, "Other-pass-1")
    for fields, path in (
            ({"username": "nosuch"}, "username"),
            ({"username": "daemon"}, "username"),
            ({"old_password": "wrong"}, "old_password"),
            ({"new_password": "a\nb"}, "new_password")):
        error = root.error("user.set_password", call | fields)
        assert error.paths == [f"user.set_password.{path}"], fields
    assert admin.call("user.set_password", call | {
        "old_password": "Other-pass-1", "new_password": GIVEN}) is None
    assert su(instance, name, GIVEN)
    root.call("user.update", entry["id"], {"password_disabled": True})
    assert root.error("user.set_password", call).paths == [
        "user.set_password.username"]


def test_no_password_in_the_log(instance, root, make):
    secret, other = "Zebra-crossing-78-unlikely", "Other-zebra-79-unlikely"
    entry = make(password=secret)
    root.call("user.set_password", {
        "username": entry["username"], "old_password": secret,
        "new_password": other})
    records = str(root.call("audit.query", {"query-options": {
        "limit": 20, "order_by": ["-timestamp"]}}))
    assert entry["username"] in records
    for text in (records, instance.log(), str(root.call(
            "config.history", [["resource", "=", "user"]]))):
        assert secret not in text and other not in text
        assert entry["unixhash"] not in text


# The system's own.

def test_accounts_of_the_system(instance, root):
    before = state(instance, root)
    daemon = find(root, "daemon")
    assert daemon["builtin"] and daemon["immutable"]
    assert daemon["uid"] == 1 and daemon["group"]["bsdgrp_gid"] == 1
    for fields in ({"username": "x"}, {"shell": "/bin/bash"}, {"locked": True},
                   {"password": GIVEN}, {"email": "a@b"}):
        assert root.error("user.update", daemon["id"], fields).paths == [
            f"user_update.{name}" for name in fields]
    for number in (daemon["id"], ROOT_ID):
        error = root.error("user.delete", number)
        assert (error.code, error.errname) == (-32001, "EINVAL")
    for number in (ROOT_ID, ADMIN_ID):
        for fields in ({"username": "x"}, {"home": "/mnt/x"},
                       {"group": daemon["group"]["id"]},
                       {"home_create": True}):
            assert root.error("user.update", number, fields).paths == [
                f"user_update.{name}" for name in fields]
    assert state(instance, root) == before


def test_root_keeps_the_password_that_is_not_ours(files, api):
    files.enter("usermod", "-p", "$6$abcdefgh$ltjgWl6579NluT", "root")
    files.enter("chage", "-M", "90", "root")
    before = line(files, "shadow", "root")
    api.call("user.update", ROOT_ID, {"full_name": "The root"})
    assert line(files, "shadow", "root") == before
    assert line(files, "passwd", "root")[4] == "The root"
    assert api.call("user.get_instance", ROOT_ID)["unixhash"] is None
    api.call("user.update", ROOT_ID, {"locked": True})
    assert line(files, "shadow", "root")[LAST_DAY] == "1"
    api.call("user.update", ROOT_ID, {"locked": False, "full_name": "root"})
    assert line(files, "shadow", "root") == before
    api.call("user.update", ROOT_ID, {"password_disabled": True})
    assert line(files, "shadow", "root")[1] == "*"


def test_root_out_of_the_web_interface_is_told(root, admin):
    root.call("user.update", ROOT_ID, {"password": GIVEN})
    admin.call("core.subscribe", "user.web_ui_login_disabled")
    root.call("user.update", ROOT_ID, {"password_disabled": True})
    event = admin.receive()["params"]
    assert (event["collection"], event["msg"], event["id"],
            event["fields"]) == ("user.web_ui_login_disabled", "added", None,
                                 {"usernames": [ADMIN]})


def test_get_user_obj(root):
    for question in ({"username": "root"}, {"uid": 0},
                     {"uid": 0, "sid_info": True}):
        assert root.call("user.get_user_obj", question) == {
            "pw_name": "root", "pw_gecos": "root", "pw_dir": "/root",
            "pw_shell": "/bin/bash", "pw_uid": 0, "pw_gid": 0,
            "grouplist": None, "sid": None, "source": "LOCAL", "local": True}
    assert root.call("user.get_user_obj", {
        "username": ADMIN, "get_groups": True})["grouplist"] == [
            950, ADMINISTRATORS]
    assert root.error("user.get_user_obj", {"uid": 77777}).errname == "ENOENT"


def test_shells(instance, root):
    shells = root.call("user.shell_choices")
    assert shells["/bin/bash"] == "bash"
    assert shells["/usr/sbin/nologin"] == "nologin"
    listed = instance.inside("/etc/shells").read_text().splitlines()
    unlisted = {"/usr/sbin/nologin", "/var/lib/holdfast/scponly"}
    assert unlisted <= set(shells)
    assert set(shells) - unlisted <= set(listed)


# Who may, and who hears of it.

@pytest.mark.parametrize("method, params", [
    ("user.create", [{"username": "x", "full_name": "x"}]),
    ("user.update", [1, {}]), ("user.delete", [1]), ("user.query", []),
    ("user.get_instance", [1]), ("user.get_next_uid", []),
    ("user.get_user_obj", [{"uid": 0}]), ("user.shell_choices", []),
    ("user.set_password", [{"username": "root", "new_password": "x"}])])
def test_without_a_session(stranger, method, params):
    assert stranger.error(method, *params).errname == "ENOTAUTHENTICATED"


def test_events_and_audit(root, admin, make):
    admin.call("core.subscribe", "user.query")
    entry = make()
    root.call("user.update", entry["id"], {"full_name": "Other"})
    root.call("user.delete", entry["id"])
    found = [admin.receive()["params"] for _ in range(3)]
    assert [(event["msg"], event["id"]) for event in found] == [
        (kind, entry["id"]) for kind in ("added", "changed", "removed")]
    assert found[1]["fields"]["full_name"] == "Other"
    assert "password" not in found[0]["fields"]
    name = entry["username"]
    records = root.call("audit.query", {"query-filters": [
        ["event_data.description", "$", f" user {name}"]],
        "query-options": {"limit": 9}})
    assert {record["event_data"]["description"] for record in records} == {
        f"Create user {name}", f"Update user {name}", f"Delete user {name}"}


# Beside others.

FOREIGN = {
    "passwd": "visitor:x:4998:4998:A visitor,,,:/nonexistent:/bin/sh\n"
              "+@netgroup::::::\n",
    "shadow": "visitor:!locked:19000:0:99999:7:::\n+@netgroup\n",
    "group": "visitor:x:4998:visitor,daemon\n\n# no group at all\n",
    "gshadow": "visitor:!:daemon:visitor,daemon\n"}


def test_lines_of_others_stay_byte_by_byte(files, api):
    for name, text in FOREIGN.items():
        with open(files.inside(f"/etc/{name}"), "a", encoding="utf-8") as file:
            file.write(text)
    before = account_files(files)
    entry = api.call("user.create", {
        "username": "between", "full_name": "Between", "password": GIVEN,
        "smb": False, "group_create": True})
    for name in FILES:
        text = files.inside(f"/etc/{name}").read_bytes()
        assert text[:len(before[name])] == before[name]
        assert text[len(before[name]):].startswith(b"between:")
    api.call("user.update", entry["id"], {"username": "between2"})
    api.call("user.delete", entry["id"])
    assert account_files(files) == before
    for name, text in FOREIGN.items():
        path = files.inside(f"/etc/{name}")
        path.write_text(path.read_text().replace(text, ""))


def test_account_files_are_in_order(files, api):
    made = [api.call("user.create", {
        "username": name, "full_name": "X", "smb": False, **fields,
        "group_create": True}) for name, fields in (
            ("Upper.Case", {"password": GIVEN}),
            ("_under-score", {"password_disabled": True}),
            ("x" * 32, {"password": GIVEN, "locked": True}))]
    for program in ("grpck", "pwck"):
        # Homes that are not there: Debian's own accounts have such.
        done = files.enter(program, "-r", check=False)
        said = [text for text in done.stdout.splitlines()
                if "does not exist" not in text and "no changes" not in text]
        assert not said, (program, done)
    for entry in made:
        api.call("user.delete", entry["id"])


def test_an_account_made_by_another_program(files, api):
    free = api.call("user.get_next_uid")
    files.enter("useradd", "-u", str(free), "-M", "theirs")
    before = state(files, api)
    data = {"full_name": "X", "password_disabled": True, "smb": False,
            "group_create": True}
    error = api.error("user.create", data | {"username": "theirs"})
    assert set(error.paths) == {"user_create.username",
                                "user_create.group_create"}
    error = api.error("user.create", data | {"username": "ours", "uid": free})
    assert error.paths == ["user_create.uid"] and "theirs" in error.texts[0]
    assert state(files, api) == before
    entry = api.call("user.create", data | {"username": "ours"})
    assert entry["uid"] == free + 1
    assert api.error("user.update", entry["id"], {
        "username": "theirs"}).paths == ["user_update.username"]
    api.call("user.delete", entry["id"])
    # Known after a start, and theirs.
    files.stop()
    files.start()
    with files.root() as client:
        found = find(client, "theirs")
        assert (found["uid"], found["builtin"]) == (free, True)
        files.enter("userdel", "theirs")


def test_an_account_is_adopted(files, api):
    files.enter("useradd", "-m", "-c", "A person", "person")
    files.enter("usermod", "-p", "$6$abcdefgh$ltjgWl6579NluT", "person")
    files.enter("useradd", "-M", "-e", "2030-01-01", "guest")
    files.stop()
    files.start()
    before = account_files(files)
    with files.root() as client:
        entry, guest = find(client, "person"), find(client, "guest")
        for number in (ROOT_ID, ADMIN_ID, find(client, "daemon")["id"],
                       find(client, "nobody")["id"]):
            assert client.error("user.adopt", number).errname == "EINVAL"
        # A day on which it expires is not lost by the way.
        assert "expires" in client.error(
            "user.adopt", guest["id"]).data["reason"]
        adopted = client.call("user.adopt", entry["id"])
        assert adopted == entry | {"builtin": False, "immutable": False}
        assert account_files(files) == before
        number = entry["id"]
        assert client.error("user.adopt", number).errname == "EINVAL"
        assert client.error("user.update", number, {
            "username": "other"}).paths == ["user_update.username"]
        client.call("user.update", number, {"full_name": "B", "locked": True})
        assert line(files, "shadow", "person")[LAST_DAY] == "1"
        assert line(files, "passwd", "person")[4] == "B"
        client.call("user.update", number, {
            "full_name": "A person", "locked": False})
        assert account_files(files) == before
        # It goes when nothing of it is the system's any more.
        assert client.error("user.delete", number).paths == ["user_delete.id"]
        client.call("user.update", number, {"password": GIVEN})
        assert su(files, "person", GIVEN)
        client.call("user.delete", number)
        assert line(files, "passwd", "person") is None
    files.enter("userdel", "guest")


@pytest.fixture(name="no_room")
def fixture_no_room(files):
    """Puts the record of accounts on a disk that is full."""
    files.enter("sh", "-c", """set -e
        cd /etc; cp -a holdfast /run/kept
        mount -t tmpfs -o size=64k,mode=700 tmpfs holdfast
        cp -a /run/kept/. holdfast; rm -r /run/kept
        dd if=/dev/zero of=holdfast/filler bs=4k 2>/dev/null || :""")
    yield
    files.enter("umount", "/etc/holdfast")


def test_no_room_for_the_record(files, api, no_room):
    before = state(files, api)
    error = api.error("user.create", {
        "username": "late", "full_name": "Late", "password": GIVEN,
        "smb": False, "group_create": True})
    assert "No space left" in error.data["reason"], error
    assert state(files, api) == before


# kill -9.

def cut_names(instance, file):
    return sorted(text.partition(":")[0] for text in instance.inside(
        f"/etc/{file}").read_text().splitlines() if text.startswith("cut"))


def check(instance, ledger):
    """All of the acknowledged; and of each account all or nothing."""
    with instance.root() as client:
        stored = {entry["username"]: entry["uid"] for entry in client.call(
            "user.query", [["username", "^", "cut"]])}
        groups = {entry["name"] for entry in client.call(
            "group.query", [["name", "^", "cut"]])}
    assert set(ledger.made) - ledger.unsure <= set(stored)
    assert not ledger.gone & set(stored)
    assert groups == set(stored)
    for file in FILES:
        assert cut_names(instance, file) == sorted(stored), file
    assert len(set(stored.values())) == len(stored)


@pytest.mark.release
def test_kill_loses_no_account_and_leaves_no_half(fresh):
    ledger = Ledger()
    for victims in (("core",), ("everything",), ("core", "everything")):
        work_and_cut(
            fresh, ledger, victims, 20,
            lambda client, name: client.call("user.create", {
                "username": name, "full_name": "Cut", "smb": False,
                "password_disabled": True, "group_create": True})["id"],
            lambda client, entry: client.call("user.delete", entry))
        check(fresh, ledger)
    assert len(ledger.made) > 8 and ledger.gone
