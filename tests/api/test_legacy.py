"""The protocol before JSON-RPC, at /websocket."""

import json
import time

import pytest

from harness import ADMIN, PASSWORD, Closed


class Legacy:
    """One client of it, which said connect."""

    def __init__(self, client):
        self.client = client
        self.session = self.say(msg="connect", version="1",
                                support=["1"])["session"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def send(self, **message):
        self.client.send_text(json.dumps(message))

    def say(self, **message):
        self.send(**message)
        return self.client.receive()

    def call(self, method, *params, number="a"):
        answer = self.say(msg="method", id=number, method=method,
                          params=params)
        assert (answer["msg"], answer["id"]) == ("result", number)
        return answer

    def result(self, method, *params):
        answer = self.call(method, *params)
        assert "error" not in answer, answer
        return answer["result"]


@pytest.fixture
def legacy(instance):
    with Legacy(instance.root(path="/websocket")) as client:
        yield client


def test_nothing_is_heard_before_connect(instance):
    with instance.connect(path="/websocket") as client:
        for text in ('{"msg":"method","id":1,"method":"core.ping"}',
                     '{"msg":"connect","version":"2"}'):
            assert client.raw(text) == {"msg": "failed", "version": "1"}
        answer = client.raw('{"msg":"connect","version":"1"}')
        assert answer["msg"] == "connected" and len(answer["session"]) == 36


def test_login_and_call(instance):
    with Legacy(instance.connect(path="/websocket")) as client:
        assert client.call("ssh.config")["error"]["errname"] == \
            "ENOTAUTHENTICATED"
        answer = client.result("auth.login_ex", {
            "mechanism": "PASSWORD_PLAIN", "username": ADMIN,
            "password": PASSWORD})
        assert answer["response_type"] == "SUCCESS"
        assert client.result("ssh.config")["tcpport"] == 2222


def test_errors(legacy):
    error = legacy.call("ssh.update", {"tcpport": 0, "x": 1})["error"]
    assert error["error"] == 11 and error["type"] == "VALIDATION"
    assert [path for path, _, _ in error["extra"]] == ["data.tcpport",
                                                       "data.x"]
    error = legacy.call("no.such")["error"]
    assert (error["error"], error["errname"]) == (201, "ENOMETHOD")
    error = legacy.call("core.job_wait", 99999)["error"]
    assert error["type"] == "VALIDATION"
    assert legacy.call("core.ping", 1)["error"]["type"] == "VALIDATION"
    error = legacy.say(msg="method", id="p", method="core.ping",
                       params={})["error"]
    assert error["errname"] == "EINVAL"


def test_too_many_calls(instance):
    """The 21st of a minute waits a second and more; and 20 may wait."""
    answers = []
    for _ in range(5):
        start = time.monotonic()
        with Legacy(instance.connect(path="/websocket")) as client:
            for number in range(45):
                client.send(msg="method", id=number, method="core.ping")
            answers = [client.client.receive() for _ in range(25)]
        # In which none of those that wait can have been answered.
        if time.monotonic() - start < 1:
            break
    assert [answer["id"] for answer in answers] == [*range(20),
                                                    *range(40, 45)]
    assert [answer["error"]["error"] for answer in answers[20:]] == [109] * 5


def test_job_is_answered_with_its_id(legacy):
    number = legacy.result("service.control", "START", "ssh")
    assert isinstance(number, int)
    job = legacy.result("core.get_jobs", [["id", "=", number]],
                        {"get": True})
    assert job["method"] == "service.control"


def test_subscription(legacy, root):
    assert legacy.say(msg="sub", id="s1", name="service.query") == {
        "msg": "ready", "subs": ["s1"]}
    root.control("RESTART")
    event = legacy.client.receive()
    assert event["msg"] == "changed"
    assert event["collection"] == "service.query"
    assert event["fields"]["service"] == "ssh"
    legacy.send(msg="unsub", id="s1")
    legacy.send(msg="unsub", id="never")
    legacy.send(msg="method", id="end", method="core.ping")
    while legacy.client.receive().get("id") != "end":
        pass    # those of before
    root.control("RESTART")
    assert legacy.call("core.ping", number="next")["result"] == "pong"


def test_same_name_twice_is_one_subscription(legacy):
    for _ in range(300):    # more than a connection may have at a time
        assert legacy.say(msg="sub", id="again", name="ssh.config") == {
            "msg": "ready", "subs": ["again"]}


def test_refused_subscription(instance):
    with Legacy(instance.connect(path="/websocket")) as client:
        answer = client.say(msg="sub", id=7, name="ssh.config")
        assert answer["msg"] == "nosub"
        assert answer["collection"] == "ssh.config"
        assert answer["error"]["errname"] == "ENOTAUTHENTICATED"


@pytest.mark.parametrize("text", ["[]", "{", '{"msg":"method","id":1,'
                                  '"method":"core.ping","params":'
                                  '[{"$date":1.5}]}'])
def test_what_is_no_message_ends_the_connection(legacy, text):
    with pytest.raises(Closed) as closed:
        legacy.client.raw(text)
    assert closed.value.code == 1007
