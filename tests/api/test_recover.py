"""holdfast recover: in again, with the server running or not."""

import json
import os

import pytest

from harness import ADMIN, PASSWORD

pytestmark = pytest.mark.release
NEW = "another horse 8 battery"


def lets_in(instance, password):
    with instance.connect() as client:
        return client.login(password=password)["response_type"] == "SUCCESS"


def test_with_the_server_running(fresh):
    with fresh.root() as root, fresh.admin() as admin:
        account = root.call("user.query", [["username", "=", ADMIN]],
                            {"get": True})
        assert root.call("holdfast.recovered") is None
        assert admin.error("holdfast.recover",
                           {"username": ADMIN}).errname == "EPERM"
        assert admin.error("holdfast.recover", {
            "username": ADMIN, "password": NEW}).errname == "EPERM"
        done = fresh.cli("recover", ADMIN, stdin=NEW + "\n")
        assert (done.returncode, done.stdout) == (
            0, f"{ADMIN} is recovered.\n"), done
        assert lets_in(fresh, NEW) and not lets_in(fresh, PASSWORD)
        after = root.call("user.query", [["username", "=", ADMIN]],
                          {"get": True})
        changed = {name for name in after if after[name] != account[name]}
        assert changed <= {"unixhash", "password_history",
                           "last_password_change"}
        assert root.call("holdfast.recovered")["$date"] > 0
        alert, = [one for one in root.call("alert.list")
                  if one["klass"] == "AccountRecovered"]
        assert ADMIN in alert["formatted"]
        record, = root.call("audit.query", {
            "query-filters": [["event_data.method", "=", "holdfast.recover"],
                              ["success", "=", True]],
            "query-options": {"limit": 5}})
        assert record["event_data"]["description"] == (
            f"Recover account {ADMIN}: password unlock second factor")
        assert NEW not in json.dumps(record)
    assert NEW not in fresh.log()


def test_what_is_wrong_is_said(instance):
    for arguments, code in (((), 2), ((ADMIN, "everything"), 2),
                            (("nobody-of-that-name",), 1), (("daemon",), 1)):
        done = instance.cli("recover", *arguments, stdin=NEW + "\n")
        assert done.returncode == code and done.stderr, done
    assert instance.cli("recover", ADMIN, stdin="").returncode == 2
    assert lets_in(instance, PASSWORD)


def test_with_the_server_stopped(fresh):
    fresh.stop()
    done = fresh.cli("recover", ADMIN, "password", stdin=NEW + "\n")
    assert done.returncode == 0, done
    file = fresh.directory / "state" / "request.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.stat().st_uid == file.parent.stat().st_uid
    assert NEW not in file.read_text()
    fresh.start()
    assert not file.exists()
    assert lets_in(fresh, NEW) and not lets_in(fresh, PASSWORD)
    with fresh.root() as root:
        assert root.call("holdfast.recovered")
        assert root.call("audit.query", {
            "query-filters": [["event_data.method", "=", "holdfast.recover"]],
            "query-options": {"count": True}}) == 1


def test_a_file_that_is_no_request(fresh):
    """It goes, the start goes on, status tells."""
    fresh.stop()
    state = fresh.directory / "state"
    file = state / "request.json"
    for text, problem in (
            ("[]", "no request"), ('{"user.delete": 1}', "no request"),
            ('{"holdfast.recover": {"username": "nobody-there"}}',
             "no such account"),
            ('{"holdfast.recover": {"user": 1}}', "Extra inputs")):
        file.write_text(text)
        os.chown(file, state.stat().st_uid, -1)
        fresh.start()
        assert not file.exists()
        with fresh.root() as root:
            problems = root.call("holdfast.status")["problems"]
            assert any(problem in one for one in problems), problems
        fresh.stop()
    fresh.start()
    assert lets_in(fresh, PASSWORD)
