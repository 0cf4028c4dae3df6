"""Subscriptions: who may hear of what, and what is told."""

import os
import re
import signal

import pytest

from harness import Closed, wait_until

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def updates(client, collection, enough, timeout=60):
    """Receives until one update of the collection satisfies enough()."""
    while True:
        message = client.receive(timeout)
        if message.get("method") != "collection_update":
            continue
        params = message["params"]
        if params["collection"] == collection and enough(params):
            return message


def quiet(client):
    """Nothing was sent before the answer to this."""
    number = client.start("core.ping")
    return client.receive() == {"jsonrpc": "2.0", "result": "pong",
                                "id": number}


def test_service_state_is_told(instance, admin, root):
    root.control("STOP")    # whatever others did with it
    identifier = admin.call("core.subscribe", "service.query")
    assert UUID.match(identifier)
    assert admin.call("core.subscribe", "service.query") != identifier

    root.control("START")
    told = updates(admin, "service.query",
                   lambda params: params["fields"]["state"] == "RUNNING")
    entry = root.call("service.query", [["service", "=", "ssh"]],
                      {"get": True})
    assert told == {
        "jsonrpc": "2.0", "method": "collection_update",
        "params": {"msg": "changed", "collection": "service.query",
                   "id": entry["id"], "fields": entry}}
    # Subscribed to twice, told once.
    assert quiet(admin)

    # It ends unasked, and is started again.
    os.kill(entry["pids"][0], signal.SIGKILL)
    again = updates(admin, "service.query", lambda params: (
        params["fields"]["pids"] not in ([], entry["pids"])))
    assert again["params"]["fields"]["state"] == "RUNNING"

    root.call("service.update", "ssh", {"enable": True})
    updates(admin, "service.query",
            lambda params: params["fields"]["enable"])
    root.call("service.update", "ssh", {"enable": False})
    updates(admin, "service.query",
            lambda params: not params["fields"]["enable"])
    root.control("STOP")
    updates(admin, "service.query",
            lambda params: params["fields"]["state"] == "STOPPED")


@pytest.fixture
def toggle(instance):
    """Makes one event of service.query."""
    with instance.root() as client:
        def enable(value):
            client.call("service.update", "ssh", {"enable": value})

        def toggle_once():
            entry = client.call("service.query", [], {"get": True})
            enable(not entry["enable"])

        yield toggle_once
        enable(False)


def test_unsubscribing_one_of_two(admin, root, toggle):
    first = admin.call("core.subscribe", "service.query")
    second = admin.call("core.subscribe", "service.query")
    assert admin.call("core.unsubscribe", first) is None
    toggle()
    updates(admin, "service.query", lambda params: True)
    assert admin.call("core.unsubscribe", second) is None
    # Another subscriber says when the event is out.
    root.call("core.subscribe", "service.query")
    toggle()
    updates(root, "service.query", lambda params: True)
    assert quiet(admin)


def test_what_cannot_be_subscribed_to(stranger, admin):
    error = stranger.error("core.subscribe", "service.query")
    assert error.errname == "ENOTAUTHENTICATED"
    error = admin.error("core.subscribe", "service.query:{}")
    assert (error.code, error.paths) == (-32602, ["event"])
    error = admin.error("core.subscribe", 1)
    assert (error.code, error.paths) == (-32602, ["event"])
    assert admin.call("core.unsubscribe", "no-such-id") is None


def test_too_many_subscriptions(root):
    for _ in range(128):
        identifier = root.call("core.subscribe", "service.query")
    error = root.error("core.subscribe", "service.query")
    assert (error.code, error.errname) == (-32001, "EBUSY")
    root.call("core.unsubscribe", identifier)
    root.call("core.subscribe", "*")


def test_everything(admin, toggle):
    admin.call("core.subscribe", "*")
    admin.call("core.subscribe", "service.query")
    toggle()
    updates(admin, "service.query", lambda params: True)
    assert quiet(admin)


def test_who_reads_nothing_is_closed_and_nobody_else(make_instance):
    """Jobs with long arguments, until what one does not take is too much."""
    instance = make_instance().start().setup_admin()
    reason = "Too many events waiting"
    with instance.root() as worker, instance.root() as well, \
            instance.admin() as well_too, instance.root() as stuck, \
            instance.root() as idle:
        for client in (well, well_too, stuck):
            client.call("core.subscribe", "core.get_jobs")
        for _ in range(100):
            number = worker.call("core.bulk", "core.ping", [["x" * 50000]])
            for client in (well, well_too):
                updates(client, "core.get_jobs", lambda params: (
                    params["id"] == number and
                    params["fields"]["state"] == "SUCCESS"))
            if reason in instance.log():
                break
        closed = [line for line in instance.log().splitlines()
                  if reason in line]
        assert len(closed) == 1 and "1008" in closed[0]
        # What it was sent it still gets, and why there is no more.
        with pytest.raises(Closed) as end:
            while True:
                stuck.receive()
        # None: so late that it was cut.
        assert (end.value.code, end.value.reason) in (
            (1008, reason), (None, ""))
        for client in (well, well_too, idle):
            assert client.call("core.ping") == "pong"


def test_jobs_are_told_to_whom_they_belong(admin, root):
    admin.call("core.subscribe", "core.get_jobs")
    number = root.call("service.control", "RELOAD", "ssh")
    states = []
    while not states or states[-1] not in ("SUCCESS", "FAILED"):
        params = admin.receive()["params"]
        assert params["id"] == params["fields"]["id"] == number
        assert params["msg"] == ("changed" if states else "added")
        states.append(params["fields"]["state"])
    entry = root.call("core.get_jobs", [["id", "=", number]], {"get": True})
    assert set(params["fields"]) == set(entry)
    assert states[0] == "WAITING" and "RUNNING" in states


def test_console_messages(accounts, make_user):
    """The system log's last lines, then each; to full administrators."""
    name = "system.general.console"
    user = make_user("consoler")

    def told(client, text):
        def lines(params):
            return [line for line in params["fields"]["lines"]
                    if text in line["text"]]
        return lines(updates(client, name, lines)["params"])[-1]

    with accounts.root() as root, accounts.admin() as admin:
        privilege = root.call("privilege.create", {
            "name": "Console", "local_groups": [user["group"]["bsdgrp_gid"]],
            "roles": ["READONLY_ADMIN"], "web_shell": False})
        try:
            with accounts.connect() as reader:
                reader.login("consoler")
                assert reader.error("core.subscribe", name).errname == "EACCES"
        finally:
            root.call("privilege.delete", privilege["id"])
        accounts.enter("logger", "-t", "early", "before anybody looked")
        admin.call("core.subscribe", name)
        early = told(admin, "early: before anybody looked")
        accounts.enter("logger", "-p", "auth.err", "-t", "then", 'a "b" \u00e4')
        then = told(admin, 'then: a "b" \u00e4')
        assert (then["facility"], then["severity"], then["uid"]) == (
            "auth", "err", 0)
        assert then["number"] > early["number"] and then["pid"] > 0
        # Who looks later sees what was there, and neither sees it twice.
        with accounts.admin() as other:
            other.call("core.subscribe", name)
            assert told(other, "then:") == then
        audit = accounts.roles()["audit"]
        os.kill(audit, signal.SIGKILL)
        wait_until(lambda: accounts.roles().get("audit", audit) != audit, 60,
                   "audit is back")
        accounts.enter("logger", "-t", "later", "after that")
        assert told(admin, "later: after that")["number"] > then["number"]
