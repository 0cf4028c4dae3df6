"""audit.query: what is recorded, and what never is."""

import json
import time

import pytest

from harness import ADMIN, PASSWORD, wait_until

MEMBERS = {"audit_id", "message_timestamp", "timestamp", "address",
           "username", "session", "service", "service_data", "event",
           "event_data", "success"}


def records(client, *filters, **options):
    if not {"limit", "count", "get"} & set(options):
        options["limit"] = 1000     # one of the three is needed
    return client.call("audit.query", {
        "query-filters": list(filters),
        "query-options": {"order_by": ["message_timestamp"]} | options})


def last(client, *filters):
    record, = records(client, *filters, order_by=["-time_us"], limit=1)
    return record


def test_update_is_recorded(admin, root):
    admin.call("ssh.update", {"compression": False})
    record = last(root, ["event", "=", "METHOD_CALL"],
                  ["username", "=", ADMIN])
    assert MEMBERS <= set(record)
    assert record["service"] == "MIDDLEWARE" and record["success"] is True
    assert record["address"].startswith("127.")
    data = record["event_data"]
    assert data["method"] == "ssh.update"
    assert data["params"] == [{"compression": False}]
    assert data["description"].startswith("Update SSH configuration")
    assert data["authenticated"] is True and data["authorized"] is True
    assert abs(record["timestamp"]["$date"] / 1000 - time.time()) < 60
    credentials = record["service_data"]["credentials"]
    assert credentials["credentials"] == "LOGIN_PASSWORD"
    assert credentials["credentials_data"]["username"] == ADMIN


def test_refused_update_is_recorded_as_failed(root):
    root.error("ssh.update", {"options": "NoSuchDirective 1"})
    record = last(root, ["event", "=", "METHOD_CALL"])
    assert record["success"] is False
    assert record["event_data"]["method"] == "ssh.update"


def test_what_root_does_over_the_unix_socket_is_recorded(root):
    root.call("ssh.update", {"tcpfwd": False})
    record = last(root, ["event", "=", "METHOD_CALL"])
    assert record["username"] == "root" and record["success"] is True
    assert record["service_data"]["credentials"]["credentials"] == \
        "UNIX_SOCKET"


def test_call_without_a_session_that_would_change_is_recorded(stranger,
                                                              root):
    stranger.error("ssh.update", {"tcpport": 22})
    record = last(root, ["event", "=", "METHOD_CALL"])
    assert record["success"] is False
    assert record["event_data"]["authenticated"] is False
    assert record["username"] == ".UNAUTHENTICATED"


def test_job_is_recorded_when_it_ends(root):
    root.control("STOP")
    record = last(root, ["event", "=", "METHOD_CALL"])
    assert record["event_data"]["method"] == "service.control"
    assert record["event_data"]["description"] == \
        "Service Control: STOP ssh"
    assert record["success"] is True


def test_notification_is_recorded_too(root):
    before = records(root, count=True)
    root.send_text('{"jsonrpc": "2.0", "method": "service.update", '
                   '"params": ["ssh", {"enable": false}]}')
    wait_until(lambda: records(root, count=True) == before + 1, 10,
               "the record")
    data = last(root)["event_data"]
    assert data["method"] == "service.update"
    assert data["description"] == "Update service configuration ssh"


def test_login_and_failed_login_are_recorded(instance, root):
    with instance.connect() as client:
        client.login(password="not-the-password")
        record = last(root, ["event", "=", "AUTHENTICATION"])
        assert record["success"] is False and record["event_data"]["error"]
        client.login()
        record = last(root, ["event", "=", "AUTHENTICATION"])
        assert record["success"] is True
        assert record["username"] == ADMIN


def test_reading_is_not_recorded(root):
    before = records(root, count=True)
    root.call("ssh.config")
    root.call("service.query")
    root.error("service.get_instance", 999)
    assert records(root, count=True) == before


def test_no_password_is_in_any_record(fresh):
    with fresh.connect() as client:
        client.login(password="Wrong-zebra-5")
        client.login()
    with fresh.root() as client:
        client.error("user.setup_local_administrator", "root",
                     "Other-zebra-6")
        text = json.dumps(records(client))
    for secret in (PASSWORD, "Wrong-zebra-5", "Other-zebra-6"):
        assert secret not in text
    assert "Set up local administrator" in text
    assert "********" in text


def test_audit_ids_are_unique(root):
    ids = [record["audit_id"] for record in records(root)]
    assert len(ids) == len(set(ids)) and None not in ids


@pytest.mark.parametrize("options, shape", [
    ({"count": True}, int), ({"limit": 1}, list),
    ({"get": True}, dict), ({"select": ["event"], "limit": 2}, list)])
def test_query_options(root, options, shape):
    assert isinstance(records(root, **options), shape)


@pytest.mark.parametrize("data, path", [
    ({}, "audit_query.query-options"),
    ({"query-options": {"limit": 0}}, "audit_query.query-options"),
    ({"services": ["NOSUCH"]}, "data.services.0"),
    ({"nosuch": 1}, "data.nosuch"),
    ({"query-options": {"limit": "x"}}, "data.query-options.limit"),
    ({"query-filters": 5}, "data.query-filters")])
def test_wrong_query_names_its_attribute(root, data, path):
    error = root.error("audit.query", data)
    assert error.code == -32602 and error.paths == [path]


@pytest.mark.parametrize("filters", [
    [["event", "??", 1]], [["event"]], [5],
    [["event", "~", "(" * 500]]])
def test_wrong_filter_is_invalid(root, filters):
    error = root.error("audit.query", {
        "query-filters": filters, "query-options": {"limit": 1}})
    assert error.code == -32602
    assert error.paths == ["audit_query.query-filters"]


def test_filter_is_never_sql(root):
    before = records(root, count=True)
    assert before > 0
    assert records(root, ["username", "=",
                          "' OR 1=1; DROP TABLE audit; --"]) == []
    assert records(root, count=True) == before


def test_record_survives_a_restart(fresh):
    with fresh.root() as client:
        client.call("ssh.update", {"compression": True})
        before = records(client)
    fresh.stop()
    fresh.start()
    with fresh.root() as client:
        after = records(client)
    assert [record for record in before if record not in after] == []


@pytest.mark.release
def test_record_is_on_disk_before_the_reply(fresh):
    for number in range(5):
        with fresh.root() as client:
            text = f"LoginGraceTime {100 + number}"
            client.call("ssh.update", {"options": text})
        fresh.kill()
        fresh.start()
        with fresh.root() as client:
            assert client.call("ssh.config")["options"] == text
            assert any(record["event_data"]["params"] == [{"options": text}]
                       for record in records(
                           client, ["event", "=", "METHOD_CALL"]))
