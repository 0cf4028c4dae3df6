"""holdfast user, group, privilege, session: entries by words."""

import csv
import io
import json

import pytest

from harness import ADMIN

pytestmark = pytest.mark.release


@pytest.fixture
def hf(instance):
    def run(*arguments, stdin="", code=0):
        done = instance.cli(*arguments, stdin=stdin)
        assert done.returncode == code, (arguments, done)
        if code != 0:
            assert done.stderr, arguments
            return done.stderr
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    return run


@pytest.fixture
def gone(hf):
    """Accounts of these names go at the end."""
    names = []
    yield names.append
    for name in names:
        if hf("user", "list", f"username={name}"):
            hf("user", "delete", name)


def test_an_account_from_its_begin_to_its_end(hf, gone):
    gone("cli_anna")
    made = hf("user", "create", "username=cli_anna", "full_name=Anna A",
              "group_create=yes", "groups=builtin_users", "smb=off",
              "password=-", stdin="correct horse 5 anna\n")
    group, = hf("group", "list", "name=builtin_users")
    assert made["groups"] == [group["id"]] and made["smb"] is False
    assert made["full_name"] == "Anna A"
    hf("user", "update", "cli_anna", "full_name=Anna, B", "email=null",
       "groups=")
    shown = hf("user", "show", "cli_anna")
    assert (shown["full_name"], shown["email"], shown["groups"]) == (
        "Anna, B", None, [])
    assert hf("user", "list", f"uid={shown['uid']}") == [shown]
    hf("user", "lock", "cli_anna")
    assert hf("user", "show", "cli_anna")["locked"] is True
    hf("user", "unlock", "cli_anna")
    before = shown["unixhash"]
    hf("user", "password", "cli_anna", stdin="correct horse 6 anna\n")
    after = hf("user", "show", "cli_anna")
    assert after["locked"] is False and after["unixhash"] != before
    hf("user", "delete", "cli_anna")
    assert hf("user", "list", "username=cli_anna") == []
    assert hf("group", "list", "name=cli_anna") == []


def test_groups_and_privileges(hf):
    hf("group", "create", "name=cli_staff", "smb=no")
    hf("privilege", "create", "name=Cli", "local_groups=cli_staff",
       "roles=SHARING_ADMIN,ACCOUNT_READ", "web_shell=no")
    shown = hf("privilege", "show", "Cli")
    assert set(shown["roles"]) == {"SHARING_ADMIN", "ACCOUNT_READ"}
    assert [group["name"] for group in shown["local_groups"]] == ["cli_staff"]
    hf("privilege", "delete", "Cli")
    hf("group", "delete", "cli_staff", "delete_users=no")


@pytest.mark.parametrize("arguments, code, told", [
    ((), 2, "usage"), (("fly",), 2, "usage"), (("show",), 2, "NAME"),
    (("show", "nobody-there"), 1, "there is no user nobody-there"),
    (("create", "username"), 2, "FIELD=VALUE"),
    (("create", "color=red"), 2, "there is no field color"),
    (("create", "username=x", "uid=many"), 2, "uid: many is no number"),
    (("create", "username=x", "locked=maybe"), 2, "no yes or no"),
    (("create", "username=x", "groups=no-such-group"), 1, "no-such-group"),
    (("create", "username=x", "locked_until=soon"), 2, "no time"),
    (("create", "username=x", "password=geheim"), 2, "password=-"),
    (("create", "username=x:y", "full_name=x", "password_disabled=yes",
      "smb=no", "group_create=yes"), 1, "username"),
    (("lock", "nobody-there"), 1, "nobody-there"),
    (("import", "/nonexistent.csv"), 2, "can not be read"),
    (("import", "/dev/null", "wet-run"), 2, "dry-run")])
def test_what_is_wrong_is_said(hf, arguments, code, told):
    assert told in hf("user", *arguments, code=code)


def test_sessions_are_ended_by_the_beginning_of_their_id(hf, instance):
    with instance.admin() as admin:
        own = admin.call("auth.sessions", [["current", "=", True]],
                         {"get": True})["id"]
        listed = {one["id"]: one for one in hf("session", "list")}
        assert listed[own]["username"] == ADMIN
        assert listed[own]["how"] == "LOGIN_PASSWORD"
        assert "there is no session" in hf("session", "end", "zz", code=1)
        hf("session", "end", own[:13])
        assert own not in {one["id"] for one in hf("session", "list")}


def test_import_and_export(hf, gone, tmp_path):
    for name in ("cli_one", "cli_two"):
        gone(name)
    file = tmp_path / "accounts.csv"
    rows = [["username", "full_name", "groups", "random_password",
             "password_disabled", "smb"],
            ["cli_one", 'One, "the first"', "builtin_users", "yes", "", "no"],
            ["cli_two", "", "", "", "yes", "no"]]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    file.write_text(text.getvalue())
    assert hf("user", "import", file, "dry-run") == (
        "2 accounts can be made.\n")
    assert hf("user", "list", "username=cli_one") == []
    name, password = hf("user", "import", file).split()
    assert name == "cli_one" and len(password) >= 16
    assert hf("user", "show", "cli_one")["full_name"] == 'One, "the first"'
    assert hf("user", "show", "cli_two")["password_disabled"] is True
    exported = {row["username"]: row for row in csv.DictReader(
        io.StringIO(hf("user", "export")))}
    assert exported["cli_one"]["groups"] == "builtin_users"
    assert exported["cli_one"]["group"] == "cli_one"
    assert exported["cli_two"]["full_name"] == "cli_two"


def test_an_import_tells_all_errors_and_changes_nothing(hf, tmp_path):
    file = tmp_path / "accounts.csv"
    file.write_text(
        "username,uid,smb\ncli_ok,,no\n\n" + ADMIN + ",,no\n"
        "cli_bad,x,no\ncli_short,1\ncli_ok,,no\n")
    told = hf("user", "import", file, code=2)
    for line in (f'line 4: username: A User with the username "{ADMIN}" '
                 "already exists", "line 4: password: Password is required",
                 "uid: x is no number", "line 5: is wrong",
                 "line 6: not as many", "line 7: username: A User with"):
        assert line in told, told
    assert hf("user", "list", "username=cli_ok") == []
    file.write_text("username,uid,password_disabled,smb\n"
                    "cli_ok,,yes,no\ncli_two,0,yes,no\n")
    for dry in ((), ("dry-run",)):
        told = hf("user", "import", file, *dry, code=1)
        assert "line 3: uid: " in told and "line 2" not in told, told
    assert hf("user", "list", "username=cli_ok") == []
    file.write_text('username\n"cli_ok\n')
    assert "line 2: a quote is not closed" in hf(
        "user", "import", file, code=2)


def test_access(hf, instance, root):
    with instance.admin():
        pass
    entry = root.call("user.access", [["username", "=", ADMIN]],
                      {"get": True})
    assert "WEB_PASSWORD" in entry["ways"] and entry["roles"] == ["FULL_ADMIN"]
    assert entry["second_factor"] is False and entry["locked"] is False
    nobody = root.call("user.access", [["username", "=", "nobody"]],
                       {"get": True})
    assert nobody["ways"] == [] and nobody["last_used"] is None
    assert ADMIN in {one["username"] for one in hf("user", "access")}
    assert "nobody" not in {one["username"] for one in hf("user", "access")}
