"""Access for a time: what ends by itself, at its second, and over restarts."""

import time

import pytest

from harness import wait_until

PASSWORD = "Gr4nite-sky-77"


def in_seconds(seconds):
    return {"$date": int((time.time() + seconds) * 1000)}


def passed(date):
    return time.time() * 1000 > date["$date"]


@pytest.fixture
def person(root):
    """Makes one; gone in the end."""
    made = []

    def make(**members):
        number = len(made)
        entry = root.call("user.create", {
            "username": f"until{number}", "full_name": "Until",
            "group_create": True, "password": PASSWORD, "smb": False,
        } | members)
        made.append(entry["id"])
        return entry

    yield make
    for number in made:
        root.call("user.delete", number)


def now(client, entry):
    return client.call("user.get_instance", entry["id"])


def records(client, text):
    found = client.call("audit.query", {
        "query-filters": [["event", "=", "METHOD_CALL"],
                          ["event_data.method", "=", "user.update"]],
        "query-options": {"limit": 1000}})
    return [record for record in found
            if text in record["event_data"]["description"]]


@pytest.mark.parametrize("member, members", [
    ("locked_until", {"locked": False}),
    ("password_until", {"smb": True}),
    ("ssh_password_until", {"ssh_password_enabled": False})])
def test_a_date_needs_what_it_is_the_end_of(root, person, member, members):
    entry = person()
    error = root.error("user.update", entry["id"],
                       members | {member: in_seconds(60)})
    assert f"user_update.{member}" in error.paths
    assert now(root, entry)[member] is None


@pytest.mark.parametrize("value", [5, "tomorrow", {}, [], {"$set": []}])
def test_a_date_is_a_date(root, person, value):
    error = root.error("user.update", person()["id"],
                       {"locked": True, "locked_until": value})
    assert error.code == -32602


def test_what_is_over_already_is_refused(root, person):
    entry = person()
    error = root.error("user.update", entry["id"], {
        "locked": True, "locked_until": in_seconds(-1)})
    assert error.paths == ["user_update.locked_until"]
    assert now(root, entry)["locked"] is False


def test_the_lock_ends_by_itself(root, person):
    date = in_seconds(3)
    entry = person(locked=True, locked_until=date)
    assert entry["locked"] and entry["locked_until"] == date
    with_event = root.call("core.subscribe", "user.query")
    free = wait_until(lambda: not now(root, entry)["locked"], 60,
                      "the lock's end")
    assert free and passed(date)
    assert now(root, entry)["locked_until"] is None
    root.call("core.unsubscribe", with_event)
    record, = wait_until(
        lambda: records(root, "of until0: locked_until"), 30, "its record")
    assert record["success"] and "time is over" in record[
        "event_data"]["description"]


def test_the_password_is_off_again_and_its_sessions_end(
        root, person, instance):
    date = in_seconds(6)
    group = root.call("group.query", [["gid", "=", 544]], {"get": True})["id"]
    entry = person(groups=[group], password_until=date)
    with instance.connect() as client:
        answer = client.login("until0", PASSWORD)
        assert answer["response_type"] == "SUCCESS"
        wait_until(lambda: now(root, entry)["password_disabled"], 60,
                   "the password's end")
        assert passed(date)
        wait_until(lambda: "until0" not in str(root.call("auth.sessions")),
                   30, "the end of its session")
    with instance.connect() as client:
        assert client.login("until0", PASSWORD)["response_type"] == "AUTH_ERR"


def test_who_unlocks_takes_the_date_away(root, person):
    entry = person(locked=True, locked_until=in_seconds(3600))
    entry = root.call("user.update", entry["id"], {"locked": False})
    assert entry["locked_until"] is None
    entry = root.call("user.update", entry["id"], {"locked": True})
    assert entry["locked_until"] is None


def test_a_later_date_counts(root, person):
    first = in_seconds(2)
    entry = person(locked=True, locked_until=first)
    later = in_seconds(3600)
    root.call("user.update", entry["id"], {"locked_until": later})
    wait_until(lambda: passed(first), 60, "the first date")
    # Whatever would have come of it is done before this one.
    root.call("user.update", entry["id"], {"full_name": "Other"})
    entry = now(root, entry)
    assert entry["locked"] and entry["locked_until"] == later


def test_overdue_is_done_before_anything_else_at_start(fresh):
    date = in_seconds(3)
    with fresh.root() as client:
        entry = client.call("user.create", {
            "username": "late", "full_name": "Late", "group_create": True,
            "password": PASSWORD, "smb": False, "password_until": date})
    fresh.stop()
    wait_until(lambda: passed(date), 60, "the date")
    fresh.start()
    with fresh.root() as client:
        entry = now(client, entry)
        assert entry["password_disabled"] and entry["password_until"] is None
        wait_until(lambda: records(client, "of late: password_until"), 30,
                   "its record")
    line, = [line for line in fresh.enter("cat", "/etc/shadow").stdout
             .splitlines() if line.startswith("late:")]
    assert line.split(":")[1] == "*"


def test_what_is_not_over_goes_on_after_a_start(fresh):
    date = in_seconds(8)
    with fresh.root() as client:
        entry = client.call("user.create", {
            "username": "soon", "full_name": "Soon", "group_create": True,
            "password": PASSWORD, "locked": True, "locked_until": date})
    fresh.stop()
    fresh.start()
    with fresh.root() as client:
        wait_until(lambda: not now(client, entry)["locked"], 60,
                   "the lock's end")
        assert passed(date)
