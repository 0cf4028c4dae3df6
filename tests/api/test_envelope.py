"""JSON-RPC 2.0 envelopes, right and wrong."""

import json

import pytest

from harness import Closed, wait_until

PING = {"jsonrpc": "2.0", "id": 1, "method": "core.ping", "params": []}


def variant(**changes):
    """The ping with members changed; None leaves one out."""
    text = PING | changes
    return json.dumps({key: value for key, value in text.items()
                       if value is not ...})


def test_ping_answers_pong(root):
    assert root.raw(variant()) == {
        "jsonrpc": "2.0", "result": "pong", "id": 1}


def test_params_may_be_left_out(root):
    assert root.raw(variant(params=...))["result"] == "pong"


@pytest.mark.parametrize("number", ["a-b", None, 0, -5, 2**53, ""])
def test_id_comes_back_as_it_was_sent(root, number):
    reply = root.raw(variant(id=number))
    assert reply["id"] == number and reply["result"] == "pong"


def test_notification_is_not_answered(root):
    root.send_text(variant(id=...))
    root.send_text(variant(id=..., method="no.such"))
    assert root.raw(variant(id="marker"))["id"] == "marker"


def test_notification_is_carried_out_and_not_answered(instance, root):
    with instance.root() as other:
        for value in (True, False):
            other.send_text(variant(id=..., method="ssh.update",
                                    params=[{"compression": value}]))
            wait_until(
                lambda: root.call("ssh.config")["compression"] is value,
                20, "the change")
        other.send_text(variant(id=..., method="ssh.update", params=[5]))
        assert other.raw(variant(id="marker"))["id"] == "marker"


@pytest.mark.parametrize("changes, text", [
    ({"jsonrpc": ...}, "Missing 'jsonrpc' member"),
    ({"jsonrpc": "1.0"},
     "'jsonrpc' member must be of type string and must be exactly '2.0'"),
    ({"jsonrpc": 2.0},
     "'jsonrpc' member must be of type string and must be exactly '2.0'"),
    ({"id": 1.5}, "'id' member must be of type null, string or number"),
    ({"id": {"a": 1}}, "'id' member must be of type null, string or number"),
    ({"method": ...}, "Missing 'method' member"),
    ({"method": 5}, "'method' member must be of type string"),
    ({"method": None}, "'method' member must be of type string"),
    ({"params": {}}, "'params' member must be of type array"),
    ({"params": None}, "'params' member must be of type array"),
])
def test_wrong_envelope_is_an_invalid_request(root, changes, text):
    reply = root.raw(variant(**changes))
    assert reply["error"] == {"code": -32600, "message": text}
    assert reply["id"] == changes.get("id", 1)


@pytest.mark.parametrize("text, message", [
    ('{"jsonrpc":', None), (" ", None), ("5", "Invalid Message Format"),
    (json.dumps(PING | {"params": ["nul\0"]}), None),
    (json.dumps(PING | {"nul\0": 1}), None),
    ('"x"', "Invalid Message Format"), ("null", "Invalid Message Format"),
    ("[]", "Batch messages are not supported at this time"),
    ("[" + json.dumps(PING) + "]",
     "Batch messages are not supported at this time"),
    (json.dumps(PING) + "x", None), ('{"jsonrpc":"2.0","id":1,}', None),
    ("{'jsonrpc':'2.0'}", None),
])
def test_what_is_not_one_object_is_invalid_json(root, text, message):
    reply = root.raw(text)
    assert reply["error"]["code"] == -32700 and reply["id"] is None
    assert message is None or reply["error"]["message"] == message


def test_parse_error_quotes_nothing_of_the_text(root):
    reply = root.raw('{"password": "hunter2", oops}')
    assert "hunter2" not in json.dumps(reply)


@pytest.mark.parametrize("method", [
    "no.such", "ssh.nosuch", "ping", "", ".", "core.", "core.ping ",
    "CORE.PING", "core.ping\x00", "x" * 5000])
def test_unknown_method_does_not_exist(root, method):
    reply = root.raw(variant(method=method))
    # A name with NUL is no text of ours at all.
    assert reply["error"]["code"] in (
        (-32601, -32700) if "\0" in method else (-32601,))


def test_unknown_method_is_named_so_before_login(stranger):
    assert stranger.raw(variant(method="no.such"))["error"] == {
        "code": -32601, "message": "Method does not exist"}


def test_too_many_arguments(root):
    error = root.error("core.ping", 1, 2)
    assert error.code == -32602 and error.message == "Invalid params"
    assert error.data["extra"] == [
        ["", "Too many arguments (expected 0, found 2)", 22]]
    assert error.data["reason"] == \
        "[EINVAL] : Too many arguments (expected 0, found 2)\n"


def test_argument_of_the_wrong_type(root):
    error = root.error("ssh.update", 5)
    assert error.code == -32602 and error.paths == ["data"]


def test_every_wrong_argument_is_reported(root):
    error = root.error("ssh.update", {"tcpport": "x", "nosuch": 1})
    assert error.data["extra"] == [
        ["data.tcpport", "Input should be a valid integer", 22],
        ["data.nosuch", "Extra inputs are not permitted", 22]]
    assert error.data["errname"] == "EINVAL"


def test_deep_nesting_is_refused_and_the_connection_goes_on(root):
    text = '{"jsonrpc":"2.0","id":1,"method":"core.ping","params":[%s]}'
    reply = root.raw(text % ("[" * 30000 + "]" * 30000))
    assert reply["error"]["code"] in (-32700, -32602)
    assert root.call("core.ping") == "pong"


def test_deep_objects_are_refused_and_the_connection_goes_on(root):
    text = '{"jsonrpc":"2.0","id":1,"method":"ssh.update","params":[%s]}'
    reply = root.raw(text % ('{"a":' * 10000 + "1" + "}" * 10000))
    assert reply["error"]["code"] in (-32700, -32602)
    assert root.call("core.ping") == "pong"


def test_many_members_are_each_refused(root):
    error = root.error("ssh.update", {f"x{i}": i for i in range(2000)})
    assert error.code == -32602 and len(error.paths) >= 1


@pytest.mark.parametrize("octets", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80",
                                    b"\xf5\x80\x80\x80"])
def test_invalid_utf8_ends_this_connection_only(instance, root, octets):
    with instance.root() as client:
        frame = b'{"jsonrpc":"2.0","id":1,"method":"core.ping","x":"' + \
            octets + b'"}'
        client.ws.send(frame, opcode=1)
        try:
            reply = client.receive(10)
            assert reply["error"]["code"] == -32700
        except Closed as closed:
            assert closed.code == 1007
    assert root.call("core.ping") == "pong"


def test_a_fragmented_message_is_one_message(root):
    from websocket import ABNF
    text = variant()
    root.ws.send_frame(ABNF.create_frame(text[:10], ABNF.OPCODE_TEXT, 0))
    root.ws.send_frame(ABNF.create_frame(text[10:], ABNF.OPCODE_CONT, 1))
    assert root.receive()["result"] == "pong"


def test_strings_that_look_like_lines_do_not_forge_the_log(instance, root):
    root.error("auth.login_ex", {
        "mechanism": "PASSWORD_PLAIN\n2026-01-01T00:00:00Z core[1] info x",
        "username": "a", "password": "b"})
    with instance.connect() as client:
        client.login("eve\n2026-01-01T00:00:00.000000Z core[1] info forged",
                     "wrong")
    for line in instance.log().splitlines():
        assert not line.startswith("2026-01-01T00:00:00")


def test_malformed_extended_json_is_a_parse_error(root):
    for value in ({"$date": "x"}, {"$set": {}}, {"$time": "25:00:00"},
                  {"$type": "date", "$value": "2026-02-30"},
                  {"$ipv4_interface": "192.0.2.1/33"}):
        answer = root.raw(json.dumps({
            "jsonrpc": "2.0", "id": 1, "method": "core.ping",
            "params": [[{"a": value}]]}))
        assert (answer["id"], answer["error"]["code"]) == (None, -32700)


def test_extended_json_is_no_object(root):
    for value in ({"$date": 0}, {"$set": ["tcpport"]}):
        error = root.error("ssh.update", value)
        assert error.paths == ["data"] and "dictionary" in error.texts[0]
