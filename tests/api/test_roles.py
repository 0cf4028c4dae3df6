"""Who may call what: every method and every collection of events, against
every role that one of them names, and against nobody at all.

Compared is with roles.json, a copy of what the API says, and with
api/holdfast.json for what is Holdfast's own; not with the product's tables.
That a caller may is seen by his wrong arguments being looked at.
"""

import itertools
import json
import pathlib

import pytest

from harness import BUILDS, REPOSITORY, Closed

FACTS = json.loads(pathlib.Path(__file__).with_name("roles.json").read_text())
OWN = json.loads((REPOSITORY / "api" / "holdfast.json").read_text())
PASSWORD = "Gr4nite-sky-77"
TOO_MANY = ["x"] * 12
BUILTIN_GROUPS = {"READONLY_ADMIN": 951, "SHARING_ADMIN": 952,
                  "FULL_ADMIN": 544}
EVERYBODY, SESSION = "without a session", "any session"
AT_ONCE = 16    # calls of one connection; the limit is 20


def expand(name):
    """The role and what it includes, by the copy."""
    found, new = set(), [name]
    while new:
        role = new.pop()
        if role not in found:
            found.add(role)
            new += FACTS["roles"][role]["includes"]
    return found


def facts_of(kind, own):
    """Of each name in the API: EVERYBODY, SESSION, or the roles that may."""
    found = {}
    for role, lists in FACTS["allowlists"].items():
        for name in lists.get(kind, []):
            found.setdefault(name, set()).add(role)
    found |= {name: SESSION for name in FACTS["any_session"][kind]}
    found |= {name: EVERYBODY for name in FACTS["no_session"].get(kind, [])}
    for entry in own:
        found[entry["name"]] = {
            "role": set(entry["roles"]), "authenticated": SESSION,
            "none": EVERYBODY}[entry["auth"]]
    return found


CALLS = facts_of("CALL", OWN["methods"])
EVENTS = facts_of("SUBSCRIBE", OWN["events"])


def allowed(rule, role):
    """May one with this role?  "" is one without any, None is nobody."""
    if rule == EVERYBODY:
        return True
    if role is None:
        return False
    if rule == SESSION or role == "FULL_ADMIN":
        return True
    return bool(role) and bool(rule & expand(role))


def in_batches(names):
    names = sorted(names)
    for at in range(0, len(names), AT_ONCE):
        yield names[at:at + AT_ONCE]


def outcome(answer):
    """True: was let through; False: was not, before anything else."""
    data = answer.get("error", {}).get("data") or {}
    if data.get("errname") in ("EACCES", "ENOTAUTHENTICATED"):
        assert data["reason"].split("] ")[1] in (
            "Not authorized", "Not authenticated"), answer
        return False
    assert answer.get("error", {}).get("code") != -32601, answer
    return True


def answers(client, calls):
    """The answers to {name: (method, params)}, by name."""
    numbers = {}
    for name, (method, params) in calls.items():
        numbers[client.start(method, *params)] = name
    found = {}
    while len(found) < len(numbers):
        message = client.receive()
        if message.get("id") in numbers:
            found[numbers[message["id"]]] = message
    return found


def may_call(client, names):
    found = {}
    for batch in in_batches(names):
        found |= answers(client, {name: (name, TOO_MANY) for name in batch})
    return {name for name, answer in found.items() if outcome(answer)}


def may_subscribe(client, names):
    found = {}
    for batch in in_batches(names):
        new = answers(client, {name: ("core.subscribe", [name])
                               for name in batch})
        for answer in new.values():
            if isinstance(answer.get("result"), str):
                client.call("core.unsubscribe", answer["result"])
        found |= new
    return {name for name, answer in found.items() if outcome(answer)}


def wrong(rules, names, role, may):
    return [f"{name} with {role}: {'may' if name in may else 'may not'}"
            for name in sorted(names)
            if allowed(rules[name], role) != (name in may)]


@pytest.fixture(scope="module")
def methods():
    """Those of the product, as it describes itself."""
    return {}


@pytest.fixture
def surface(root, methods):
    if not methods:
        methods["CALL"] = set(root.call("core.get_methods"))
        openrpc = json.loads((BUILDS["asan"] / "openrpc.json").read_text())
        methods["SUBSCRIBE"] = {
            entry["name"] for entry in openrpc["x-events"]}
    return methods


def check(client, surface, role):
    calls = surface["CALL"] - {"auth.logout"}
    problems = wrong(CALLS, calls, role, may_call(client, calls))
    events = surface["SUBSCRIBE"]
    if role is not None:
        problems += wrong(EVENTS, events, role, may_subscribe(client, events))
    assert not problems, "\n".join(problems)


def test_everything_is_known(surface):
    """The product has nothing that neither the API nor our own list has."""
    assert surface["CALL"] <= set(CALLS)
    assert surface["SUBSCRIBE"] <= set(EVENTS)


def test_the_copy_is_of_one_piece():
    for role, roles in FACTS["expanded"].items():
        assert expand(role) == set(roles)


@pytest.mark.parametrize("entry", OWN["methods"] + OWN["events"],
                         ids=lambda entry: entry["name"])
def test_reading_alone_opens_nothing_of_our_own(entry):
    """A right of READONLY_ADMIN comes from one of the roles it includes."""
    roles = set(entry["roles"])
    if "READONLY_ADMIN" in roles:
        assert roles & (expand("READONLY_ADMIN") - {"READONLY_ADMIN"})


def test_nobody(instance, surface):
    """Each from an address of its own, as its calls are counted."""
    with instance.connect() as client:
        check(client, surface, None)
    with instance.connect() as client:
        for name in sorted(surface["SUBSCRIBE"])[:5]:
            assert client.error(
                "core.subscribe", name).errname == "ENOTAUTHENTICATED"


_numbers = itertools.count(1)


@pytest.fixture
def new_user(root):
    """Makes users with a password; they and their groups go at the end."""
    made = []

    def make(gids):
        name = f"role{next(_numbers)}"
        groups = [root.call("group.query", [["gid", "=", gid]],
                            {"get": True})["id"] for gid in gids]
        entry = root.call("user.create", {
            "username": name, "full_name": name, "group_create": True,
            "password": PASSWORD, "smb": False, "groups": groups})
        made.append(entry["id"])
        return name

    yield make
    for number in made:
        root.call("user.delete", number)


def connection_of(instance, name):
    client = instance.connect()
    assert client.login(name, PASSWORD)["response_type"] == "SUCCESS"
    return client


@pytest.mark.parametrize("role", BUILTIN_GROUPS)
def test_the_built_in_administrators(instance, surface, new_user, role):
    name = new_user([BUILTIN_GROUPS[role]])
    with connection_of(instance, name) as client:
        mine = client.call("auth.me")["privilege"]["roles"]["$set"]
        if role in FACTS["expanded"]:
            assert set(mine) == set(FACTS["expanded"][role])
        check(client, surface, role)


def roles_named(surface):
    """Each that a method or a collection of the product needs."""
    found = set()
    for kind, rules in (("CALL", CALLS), ("SUBSCRIBE", EVENTS)):
        for name in surface[kind]:
            if isinstance(rules[name], set):
                found |= rules[name]
    return found


def test_each_single_role(instance, root, surface, new_user):
    """One session, whose roles are changed while it is open."""
    group = root.call("group.create", {"name": "single-role"})
    gid = root.call("group.get_instance", group)["gid"]
    privilege = root.call("privilege.create", {
        "name": "A single role", "local_groups": [gid], "web_shell": True})
    try:
        name = new_user([gid])
        with connection_of(instance, name) as client:
            check(client, surface, "")
            for role in sorted(roles_named(surface) - set(BUILTIN_GROUPS)):
                root.call("privilege.update", privilege["id"],
                          {"roles": [role]})
                check(client, surface, role)
            # And without any right there is no session.
            root.call("privilege.update", privilege["id"],
                      {"roles": [], "web_shell": False})
            with pytest.raises(Closed):
                client.receive()
    finally:
        root.call("privilege.delete", privilege["id"])
        root.call("group.delete", group)
