"""user.import and user.update_many: many accounts in one change."""

import json
import time

import pytest

from harness import ADMIN, PASSWORD, ApiError, wait_until

pytestmark = pytest.mark.bounded(300)


def account(name, **more):
    return {"username": name, "full_name": name, "group_create": True,
            "password_disabled": True, "smb": False, **more}


@pytest.fixture
def root(accounts):
    with accounts.root() as client:
        before = {user["id"] for user in client.call("user.query")}
        yield client
        for user in client.call("user.query"):
            if user["id"] not in before:
                client.call("user.delete", user["id"])


def ended(client, accounts, options):
    number = client.call("user.import", accounts, options)

    def look():
        job, = client.call("core.get_jobs", [["id", "=", number]],
                           {"extra": {"raw_result": True}})
        return job if job["state"] in ("SUCCESS", "FAILED") else None

    return wait_until(look, 120, "the end of an import")


def imported(client, accounts, **options):
    job = ended(client, accounts, options)
    assert job["state"] == "SUCCESS", job
    return job["result"]


def refused(client, accounts, **options):
    try:
        job = ended(client, accounts, options)
    except ApiError as error:
        extra = error.data["extra"]
    else:
        assert job["state"] == "FAILED", job
        extra = job["exc_info"]["extra"]
    return {attribute: text for attribute, text, _ in extra}


def names(root):
    return {user["username"] for user in root.call("user.query")}


def test_all_are_made_in_one_change(accounts, root):
    made = imported(root, [
        account("im_one"), account("im_two", random_password=True,
                                   password_disabled=False),
        account("im_three", password=PASSWORD, password_disabled=False,
                uid=71234, home="/home", home_create=True)])
    assert [one["username"] for one in made] == ["im_one", "im_two",
                                                "im_three"]
    assert [one["password"] is None for one in made] == [True, False, True]
    assert made[2]["uid"] == 71234
    for one in made:
        line = accounts.enter("getent", "passwd", one["username"]).stdout
        assert line.split(":")[2] == str(one["uid"])
        user = root.call("user.get_instance", one["id"])
        assert user["group"]["bsdgrp_group"] == one["username"]
    assert accounts.enter("stat", "-c", "%U", "/home/im_three").stdout == \
        "im_three\n"
    accounts.enter("rm", "-rf", "/home/im_three")
    for name, password in (("im_two", made[1]["password"]),
                           ("im_three", PASSWORD)):
        with accounts.connect() as client:  # right, and of no use here
            assert client.login(name, password)["response_type"] == "DENIED"
            assert client.login(name, "x")["response_type"] == "AUTH_ERR"
    record, = root.call("audit.query", {
        "services": ["MIDDLEWARE"], "query-filters": [
            ["event_data.method", "=", "user.import"],
            ["event_data.description", "^", "Import users im_one"]],
        "query-options": {"limit": 5}})
    assert record["success"] is True
    assert record["event_data"]["description"] == \
        "Import users im_one, im_two, im_three"
    text = json.dumps(record) + json.dumps(root.call("core.get_jobs", [
        ["method", "=", "user.import"]]))
    assert PASSWORD not in text and made[1]["password"] not in text


BAD = [account("im_ok"), account("im:bad"), account("im_ok", uid=3999),
       account("im_shell", shell="/bin/none"), account(ADMIN),
       account("im_home", home="/etc"), account("im_uid", uid=0),
       account("im_same", uid=72000), account("im_same2", uid=72000),
       account("im_groups", groups=[999999]), account("daemon"),
       account("im_two", password="x" * 12),
       {"username": "im_few", "colour": 1}]


@pytest.mark.parametrize("dry_run", [False, True])
def test_all_errors_are_told_and_nothing_is_made(root, dry_run):
    before = names(root)
    # What the table refuses is told before what the rules do.
    told = refused(root, BAD, dry_run=dry_run)
    assert {"user_import.1.username", "user_import.12.full_name",
            "user_import.12.colour"} <= told.keys(), told
    told = refused(root, BAD[:1] + BAD[2:12], dry_run=dry_run)
    wanted = {f"user_import.{line}" for line in (
        "1.username", "2.shell", "3.username", "4.home", "5.uid", "7.uid",
        "8.groups.0", "9.username", "10.password_disabled")}
    assert wanted <= told.keys(), told
    assert "already exists" in told["user_import.1.username"]
    assert names(root) == before


def test_a_dry_run_makes_nothing(root):
    before = names(root)
    made = imported(root, [account("im_dry")], dry_run=True)
    assert made == [{"id": None, "username": "im_dry", "uid": None,
                     "password": None}]
    assert names(root) == before
    assert refused(root, [], dry_run=True) == {
        "user_import": "There are no accounts"}


def test_nobody_raises_others_by_it(accounts, root, make_user):
    group = root.call("group.query", [["name", "=", "builtin_administrators"]],
                      {"get": True})
    privilege = root.call("privilege.create", {
        "name": "Importers", "roles": ["ACCOUNT_WRITE"], "web_shell": False,
        "local_groups": [make_user("im_boss")["group"]["bsdgrp_gid"]]})
    try:
        with accounts.connect() as client:
            client.login("im_boss")
            told = refused(client, [account("im_plain"), account(
                "im_admin", groups=[group["id"]])])
            assert list(told) == ["user_import.1.groups"], told
            assert [one["username"] for one in imported(
                client, [account("im_plain")])] == ["im_plain"]
    finally:
        root.call("privilege.delete", privilege["id"])


def test_many_are_locked_or_end_at_once(accounts, root):
    made = imported(root, [account(f"im_m{n}") for n in range(3)])
    ids = [one["id"] for one in made]
    until = {"$date": int(time.time() + 3600) * 1000}
    with pytest.raises(ApiError) as caught:
        root.call("user.update_many", ids, {"locked_until": until})
    assert caught.value.paths == [
        f"ids.{n}.locked_until" for n in range(3)]
    with pytest.raises(ApiError) as caught:
        root.call("user.update_many", ids + [999999, ids[0]],
                  {"locked": True})
    assert caught.value.paths == ["ids.3.id",
                                                          "ids.4.id"]
    assert not any(user["locked"] for user in root.call(
        "user.query", [["id", "in", ids]]))
    root.call("user.update_many", ids, {"locked": True,
                                        "locked_until": until})
    assert [(user["locked"], user["locked_until"]) for user in root.call(
        "user.query", [["id", "in", ids]])] == [(True, until)] * 3
    assert accounts.enter("getent", "shadow", "im_m1").stdout.count(":") == 8
    root.call("user.update_many", ids, {"locked": False})
    assert [(user["locked"], user["locked_until"]) for user in root.call(
        "user.query", [["id", "in", ids]])] == [(False, None)] * 3
