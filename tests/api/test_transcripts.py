"""The exchanges recorded from the real server, replayed and compared.

What is compared is the shape: codes, errnos, the attributes at fault, the
texts that clients match, the members and types of results.  What differs on
purpose stands in differences.py.
"""

import concurrent.futures
import itertools
import json
import pathlib
import re

import pytest
import websocket

import differences
import http_replay
from harness import ADMIN, PASSWORD, Closed, next_address

FOLDER = pathlib.Path(__file__).with_name("transcripts")
FILES = ("api_key", "auth", "envelope", "http", "core", "group", "privilege",
         "keychain", "query", "ssh", "service", "system", "user", "audit",
         "twofactor")
STRANGER = "nobody yet, TCP"
ADMIN_ID = 2    # of the entry, as the real server has it
LOGGED_IN = "root over TCP, logged in by password"
BEA, BEA_PASSWORD = "bea over TCP, logged in by password", "Gr4nite-sky-77"
# What was done before a case, and not recorded: the privilege's new roles,
# None: it is removed; and whether bea logs in anew.
UNRECORDED = {
    "privilege changed while logged in: user.query": (
        ["READONLY_ADMIN"], False),
    "a read-only administrator: the secrets in a user": (
        ["READONLY_ADMIN"], True),
    "privilege deleted while logged in": (None, False),
}
LEFT_OUT = "-----BEGIN OPENSSH PRIVATE KEY-----\n…"
# A token, a one-time password or a uuid, perhaps at the end of a path.
VARYING = re.compile(r"([\w-]{64}|\d+_\w{6}(-\w{6}){3}"
                     r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$")
# The schema layer's texts travel on the wire and are matched by clients.
MATCHED = re.compile(r"Input should |Field required|Extra inputs|String "
                     r"should|Too many arguments")
REASONS = {"ENOTAUTHENTICATED", "EACCES", "EBUSY"}


def cases(name):
    with open(FOLDER / f"{name}.jsonl", encoding="utf-8") as file:
        return [here(json.loads(line)) for line in file if line.strip()]


def here(case):
    """Without the shells that this machine has not."""
    if (case["send"] or {}).get("method") == "user.shell_choices":
        answer, = case["receive"]
        answer["result"] = {
            path: name for path, name in answer["result"].items()
            if pathlib.Path(path).exists()}
    return case


# What the recording shortened, written out again.

def envelope(params):
    return ('{"jsonrpc":"2.0","id":1,"method":"core.ping",'
            f'"params":[{params}]}}')


WRITTEN_OUT = {
    "2,000 nested arrays": envelope("[" * 2000 + "]" * 2000),
    "8,193 bytes without a session": envelope('"' + "x" * 8200 + '"'),
    "65,537 bytes with a session": envelope('"' + "x" * 66000 + '"'),
}
SHORTENED = re.compile(r"(.)… \((\d+) characters\)$", re.S)


def lengthened(value):
    """Strings that end in "x… (5001 characters)" at their full length."""
    if isinstance(value, dict):
        return {key: lengthened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [lengthened(item) for item in value]
    if isinstance(value, str):
        found = SHORTENED.search(value)
        if found:
            start = value[:found.start() + 1]
            return start.ljust(int(found.group(2)), found.group(1))
    return value


# Shapes.

def type_of(value):
    if isinstance(value, bool):
        return "boolean"
    return {int: "integer", float: "number", str: "string",
            type(None): "null"}.get(type(value))


def same_shape(expected, actual, path="result"):
    """Where two results differ in members and types, as texts."""
    if expected is None or actual is None:
        return []       # a nullable member
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            return [f"{path} is no object"]
        if not expected:
            return []   # a map that was empty there
        missing = [f"{path}.{key} is missing"
                   for key in expected if key not in actual]
        return missing + [
            text for key in expected if key in actual
            for text in same_shape(expected[key], actual[key],
                                   f"{path}.{key}")]
    if isinstance(expected, list):
        if not isinstance(actual, list):
            return [f"{path} is no array"]
        if expected and actual:
            return same_shape(expected[0], actual[0], f"{path}.0")
        return []
    if type_of(expected) != type_of(actual):
        return [f"{path} is {type_of(actual)}, not {type_of(expected)}"]
    return []


def event(message):
    params = message["params"]
    return (params["msg"], params["collection"],
            (params.get("fields") or {}).get("state"))


def reduced(messages):
    """Without the updates of a job that tell no new state: how often its
    progress is told depends on how fast it is."""
    found = []
    for message in messages:
        if message.get("method") == "collection_update" and event(message) in [
                event(other) for other in found if "params" in other]:
            continue
        found.append(message)
    return found


def essence(message):
    """What must agree of an error, a close, or that it is a result."""
    if "closed" in message:
        return {"closed": message["closed"]}
    if "status" in message or "refused" in message:
        return http_replay.essence(message)
    if message.get("method") == "collection_update":
        return {"event": event(message)}
    if "jsonrpc" not in message:
        found = {"legacy": message.get("msg"), "id": message.get("id")}
        for key in ("error", "errname", "type", "reason"):
            if "error" in message:
                found[key] = message["error"][key]
        return found
    if "error" not in message:
        return "result"
    error = message["error"]
    found = {"code": error["code"], "id": message["id"]}
    if error["code"] != -32700:
        found["message"] = error["message"]
    elif "Batch" in error["message"] or "Format" in error["message"]:
        found["message"] = error["message"]
    data = error.get("data")
    found["data"] = data is not None
    if data is not None:
        found |= {"error": data["error"], "errname": data["errname"],
                  "class": data["trace"]["class"]}
        if data["errname"] in REASONS:
            found["reason"] = data["reason"]
        if data["extra"] is not None:
            found["extra"] = [
                (attribute, text if MATCHED.match(text) else "…", errno)
                for attribute, text, errno in data["extra"]]
    return found


def compare(expected, actual):
    """Where two lists of messages differ, as texts."""
    expected, actual = reduced(expected), reduced(actual)
    if len(expected) != len(actual):
        return [f"{len(actual)} messages, not {len(expected)}"]
    found = []
    for one, other in zip(expected, actual):
        if essence(one) != essence(other):
            found.append(f"{json.dumps(other)[:400]}")
        elif essence(one) == "result":
            if one["id"] != other["id"]:
                found.append(f"id {other['id']}")
            found += same_shape(one["result"], other["result"])
        elif "params" in one:
            found += same_shape(one["params"], other["params"], "params")
    return found


def answer_of(actual):
    """Ours in the notation of differences.py."""
    if not actual:
        return ["nothing"]
    first = actual[0]
    if "closed" in first:
        return [{"closed": first["closed"]}]
    if "status" in first or "refused" in first:
        return [first.get("status") or first["refused"][:20]]
    if "error" not in first:
        return ["result"]
    error = first["error"]
    data = error.get("data") or {}
    paths = [attribute for attribute, _, _ in data.get("extra") or []]
    return [error["code"], [error["code"], data.get("errname")],
            [error["code"], data.get("errname"), paths]]


# Replay.

class Replayer:
    """Keeps the connections that a file's cases share."""

    def __init__(self, instance, strangers_alone=False):
        self.instance = instance
        # Each case of a stranger is another one.
        self.strangers_alone = strangers_alone
        self.learnt = {}    # what was recorded: what it is now
        self.clients = {}
        self.sent = 0
        self.numbers = {}   # recorded id: ours
        self.users = {}     # the same of users

    def close(self):
        for client in self.clients.values():
            client.close()

    def client(self, who):
        if who not in self.clients:
            path = "/websocket" if "legacy" in who else "/api/current"
            self.clients[who] = (
                self.instance.root(path=path) if "Unix" in who else
                self.instance.connect(next_address(103), path=path))
            if who == LOGGED_IN:
                self.clients[who].login()
            if who == BEA:
                self.clients[who].login("bea", BEA_PASSWORD)
        return self.clients[who]

    def drop(self, who):
        client = self.clients.pop(who, None)
        if client:
            client.close()

    def replay(self, case):
        if case["as"] == http_replay.HTTP:
            return http_replay.request(self.instance, case["send"],
                                       self.learnt)
        if case["case"] in http_replay.HANDSHAKES:
            return http_replay.handshake(self.instance, case)
        if self.strangers_alone and case["as"] == STRANGER:
            with self.instance.connect(next_address(103)) as client:
                return self.exchange(client, case)
        self.reach(case["case"])
        self.change_privilege(case["case"])
        client = self.client(case["as"])
        try:
            actual = self.exchange(client, case)
        except Closed as closed:
            self.drop(case["as"])
            return [{"closed": closed.code}]
        self.learn(case["receive"], actual)
        return actual

    def learn(self, recorded, actual):
        """Tokens and ids, which later cases send."""
        if isinstance(recorded, dict) and isinstance(actual, dict):
            for key in recorded.keys() & actual.keys():
                self.learn(recorded[key], actual[key])
        elif isinstance(recorded, list) and isinstance(actual, list):
            for one, other in zip(recorded, actual):
                self.learn(one, other)
        elif isinstance(recorded, str) and VARYING.search(recorded):
            self.learnt[recorded] = actual

    def as_now(self, value):
        if isinstance(value, dict):
            return {key: self.as_now(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.as_now(item) for item in value]
        if isinstance(value, str):
            return self.learnt.get(value, value)
        return value

    def reach(self, name):
        """ "call 20 of one method": what was not recorded comes first."""
        found = re.match(r"call (\d+) of one method", name)
        if not found:
            return
        if found.group(1) == "1":
            self.drop("nobody yet, TCP")
            self.sent = 0
        client = self.client("nobody yet, TCP")
        while self.sent < int(found.group(1)) - 1:
            client.call("core.ping")
            self.sent += 1
        self.sent += 1

    def change_privilege(self, name):
        if name not in UNRECORDED:
            return
        roles, again = UNRECORDED[name]
        with self.instance.root() as client:
            number = client.call("privilege.query", [["name", "=", "Watch"]],
                                 {"get": True})["id"]
            if roles is None:
                client.call("privilege.delete", number)
            else:
                client.call("privilege.update", number, {"roles": roles})
        if again:
            self.drop(BEA)

    def know_bea(self):
        """Her group has the number and, in calls, the id of the recording."""
        with self.instance.root() as client:
            self.numbers[82] = client.call(
                "group.create", {"name": "crew9", "gid": 3001})
            client.call("user.create", {
                "username": "bea", "full_name": "Bea B.", "smb": False,
                "group_create": True, "groups": [self.numbers[82]], "password": BEA_PASSWORD})

    def know_groups(self):
        """The numbers that the recorded machine had for what is there."""
        with self.instance.root() as client:
            self.numbers = {number: client.call(
                "group.query", [["name", "=", name]], {"get": True})["id"]
                for number, name in ((2, "bin"), (43, "root"))}
            # The recorded user's own group; the user is our administrator.
            self.numbers[72] = client.call("group.create", {"name": "bea"})
            self.users[43] = ADMIN_ID

    def numbered(self, value, numbers):
        if isinstance(value, dict):
            return {key: self.numbered(item, self.users) if key == "users"
                    else item for key, item in value.items()}
        if isinstance(value, list):
            return [self.numbered(item, numbers) for item in value]
        return numbers.get(value, value) if type(value) is int else value

    def know_otto(self):
        """Made before the recording began.  An administrator: ours says
        DENIED to who may not use the API before it asks for any code."""
        with self.instance.root() as client:
            group = client.call(
                "group.query", [["gid", "=", 544]], {"get": True})
            client.call("user.create", {
                "username": "otto", "full_name": "Otto", "smb": False,
                "group_create": True, "groups": [group["id"]],
                "password": "Gr4nite-sky-77"})

    def know_key(self):
        """The recording left its private keys out: all are ours."""
        with self.instance.root() as client:
            pair = client.call("keychaincredential.generate_ssh_key_pair")
        for case in cases("keychain"):
            params = (case["send"].get("params") or [{}])[0]
            sent = params.get("attributes", {}) if isinstance(
                params, dict) else {}
            if sent.get("private_key", "") == LEFT_OUT:
                self.learnt[LEFT_OUT] = pair["private_key"]
                if sent.get("public_key", "").startswith("ssh-rsa"):
                    self.learnt[sent["public_key"]] = pair["public_key"]

    def know_users(self):
        with self.instance.root() as client:
            self.users[2] = client.call(
                "user.query", [["username", "=", "daemon"]],
                {"get": True})["id"]
        # Not every machine has it.
        self.learnt["/usr/bin/zsh"] = "/usr/bin/sh"

    def of_users(self, params):
        """The id of a call, or of a filter."""
        first, *others = params or [None]
        if type(first) is int:
            return [self.users.get(first, first), *others]
        if re.match(r'\[\["id", "=", ', json.dumps(first)):
            number = first[0][2]
            return [[["id", "=", self.users.get(number, number)]], *others]
        return params

    def ours(self, send):
        """With our numbers of what was made in the recording."""
        method = send.get("method") or ""
        if method.startswith("user."):
            return send | {"params": self.of_users(send["params"])}
        if not re.match(r"core\.job_|group\.", method):
            return send
        return send | {"params": self.numbered(send["params"], self.numbers)}

    def with_events(self, client, case):
        """The answer, and the updates that were recorded beside it."""
        expected = reduced(case["receive"])
        found = []
        while not any("id" in message for message in found):
            found.append(client.receive(120))
        answer, = (message for message in found if "id" in message)
        if "error" in answer:
            return [answer]
        while len(reduced(found)) < len(expected):
            found.append(client.receive(120))
        recorded, = (message for message in expected if "id" in message)
        if isinstance(recorded["result"], int):
            self.numbers[recorded["result"]] = answer["result"]
        return found

    def created(self, client, case):
        answer = client.receive(120)
        recorded = case["receive"][0].get("result")
        if "result" in answer and isinstance(recorded, dict):
            self.users[recorded["id"]] = answer["result"]["id"]
        elif "result" in answer and recorded is not None:
            self.numbers[recorded] = answer["result"]
        return [answer]

    def exchange(self, client, case):
        send, name = self.as_now(case["send"] or {}), case["case"]
        if not send and case["receive"]:
            return [client.receive(120)]
        if "binary" in send:
            client.ws.send(envelope(""), opcode=2)
            return [client.receive(120)]
        if name.startswith("25 slow calls"):
            for number in range(25):
                client.send_text(json.dumps({
                    "jsonrpc": "2.0", "id": number, "method": "user.query",
                    "params": [[], {"count": True}]}))
            return [client.receive(120) for _ in range(25)]
        text = WRITTEN_OUT.get(name) or send.get("raw") or json.dumps(
            lengthened(self.ours(send)))
        if send:
            client.send_text(text)
        if case["receive"] and (name.startswith("events:") or any(
                "params" in message for message in case["receive"])):
            return self.with_events(client, case)
        if send.get("method") in ("group.create", "user.create"):
            return self.created(client, case)
        if case["receive"]:
            return [client.receive(120)]
        # Nothing is expected: the next answer must be the marker's.
        client.send_text('{"jsonrpc":"2.0","id":"marker","msg":"method",'
                         '"method":"core.ping"}')
        first = client.receive(120)
        if first.get("id") == "marker":
            return []
        client.receive(120)
        return [first]


def judge(name, case, actual):
    """None when the exchange is in order, else what is not."""
    unlike = compare(case["receive"], actual)
    listed = differences.DIFFERENCES.get((name, case["case"]))
    if listed is None:
        return "; ".join(unlike) or None
    if not unlike:
        return "agrees, yet differences.py lists it"
    if listed[0] not in answer_of(actual):
        return f"differs otherwise than listed: {json.dumps(actual)[:400]}"
    return None


def lets_in(case):
    """Does the recorded server log this one in?"""
    result = case["receive"][0].get("result")
    return result is True or (isinstance(result, dict) and
                              result.get("response_type") == "SUCCESS")


def replays(replayer, found):
    """Each case with our answers.

    Failed logins of strangers in a row go on together: each is told late.
    """
    for alone, group in itertools.groupby(
            found, lambda case: replayer.strangers_alone and
            case["as"] == STRANGER):
        group = list(group)
        if alone and not any(map(lets_in, group)):
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                yield from zip(group, pool.map(replayer.replay, group))
        else:
            for case in group:
                yield case, replayer.replay(case)


@pytest.mark.parametrize("name", FILES)
def test_replay(make_instance, name, record_property):
    # Exposed, so that interfaces may be chosen as on the recorded machine.
    instance = make_instance("--expose").start()
    instance.setup_admin("root" if name == "user" else ADMIN)
    replayer = Replayer(instance, strangers_alone=name == "auth")
    if name == "group":
        replayer.know_groups()
    if name == "privilege":
        replayer.know_bea()
    if name == "user":
        replayer.know_users()
    if name == "twofactor":
        replayer.know_otto()
    if name == "keychain":
        replayer.know_key()
    if name == "auth":
        replayer.learnt |= {"root": ADMIN, "root-password": PASSWORD}
        # Who is going to be terminated is there before.
        replayer.client(LOGGED_IN)
    wrong, different, total = [], 0, 0
    try:
        for case, actual in replays(replayer, cases(name)):
            total += 1
            problem = judge(name, case, actual)
            if problem:
                wrong.append(f"{case['case']}: {problem}")
            elif (name, case["case"]) in differences.DIFFERENCES:
                different += 1
    finally:
        replayer.close()
    record_property("says", (
        f"{name}: {total - different - len(wrong)} matched, "
        f"{different} different on purpose, {total} in total"))
    assert not wrong, "\n".join(wrong)


def test_every_difference_names_a_case_and_a_reason():
    known = {(name, case["case"]) for name in FILES for case in cases(name)}
    for key, (answer, reason) in differences.DIFFERENCES.items():
        assert key in known, f"no such case: {key}"
        assert len(reason) > 10 and answer is not None


# The comparison itself must be able to fail.

@pytest.mark.parametrize("name", FILES)
def test_each_recorded_answer_equals_itself(name):
    for case in cases(name):
        assert compare(case["receive"], case["receive"]) == []


def changed(message):
    """Each a version of the message that a client would notice."""
    if "closed" in message:
        yield {"closed": 4000}
        return
    if "status" in message:
        yield message | {"status": 418}
        if isinstance(message["body"], list):
            yield message | {"body": message["body"][1:]}
        return
    if "refused" in message:
        yield {"refused": "Handshake status 403"}
        return
    if "jsonrpc" not in message:
        yield {"msg": "other"}
        return
    if "params" in message:
        params = message["params"]
        yield message | {"params": params | {"msg": "other"}}
        yield message | {"params": params | {"collection": "other"}}
        if params.get("fields"):
            fields = dict(list(params["fields"].items())[1:])
            yield message | {"params": params | {"fields": fields}}
            yield message | {"params": params | {
                "fields": params["fields"] | {"state": "other"}}}
        return
    if "error" not in message:
        yield {"jsonrpc": "2.0", "id": message["id"],
               "error": {"code": -32601, "message": "x"}}
        result = message["result"]
        if isinstance(result, dict) and result:
            yield message | {"result": dict(list(result.items())[1:])}
        if isinstance(result, (bool, str, int)):
            yield message | {"result": [result]}
        yield message | {"id": "other"}
        return
    error, data = message["error"], message["error"].get("data")
    yield message | {"error": error | {"code": -1}}
    if data:
        yield message | {"error": error | {
            "data": data | {"errname": "EOTHER"}}}
        for extra in ([], [["other.path", "x", 22]]):
            if data["extra"]:
                yield message | {"error": error | {
                    "data": data | {"extra": extra}}}


@pytest.mark.parametrize("name", FILES)
def test_each_changed_answer_is_noticed(name):
    for case in cases(name):
        for version in map(changed, case["receive"][:1]):
            for message in version:
                assert compare(case["receive"],
                               [message, *case["receive"][1:]]), case["case"]
        if case["receive"]:
            assert compare(case["receive"], [])
