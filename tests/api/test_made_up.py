"""A resource of every kind of field, which is nothing but tables.

It exists in the tests only (made_up_thing.c); all that is tried here comes
from the engine.
"""

import json
import os
import signal
import subprocess

import pytest

from harness import BUILDS, Instance, wait_until
from test_events import updates

PROGRAM = "tests/unit/holdfastd-made-up"
DATE = {"$date": 86400000}
SECRET = "********"
DEFAULTS = {
    "number": None, "flag": False, "colour": "RED", "words": [],
    "days": ["MON"], "place": None, "parts": [], "labels": {}, "source": None,
    "extra": None, "owner": None, "kind": "thing", "password": None,
    "serial": "", "later": False, "made": DATE, "shelf": None, "spare": None,
    "shelves": []}
FULL = {
    "name": "full", "number": 77, "flag": True, "colour": "BLUE",
    "words": ["a", "b"], "days": ["TUE", "WED"],
    "place": {"x": 3, "key": "tops3cret"},
    "parts": [{"name": "one", "password": "tops3cret"}, {"name": "two"}],
    "labels": {"of": "old"},
    "source": {"type": "NET", "host": "h", "password": "tops3cret"},
    "extra": [1, {"deep": None}], "owner": "me", "kind": "thing",
    "password": "tops3cret", "serial": "A1"}


@pytest.fixture
def server(shared):
    return shared("with made-up methods", lambda _: Instance(
        "asan", program=PROGRAM).start().setup_admin())


@pytest.fixture
def root(server):
    """Nothing is there yet."""
    with server.root() as client:
        for name in ("thing", "shelf"):
            for entry in client.call(f"made_up.{name}.query"):
                client.call(f"made_up.{name}.delete", entry["id"])
        yield client


def make(root, name="a", **members):
    return root.call("made_up.thing.create", {"name": name, **members})


def shelf(root, name="s"):
    return root.call("made_up.shelf.create", {"name": name})["id"]


def faults(root, verb, *params):
    error = root.error(f"made_up.thing.{verb}", *params)
    return [(attribute, code) for attribute, _, code in error.data["extra"]]


def test_defaults_and_values_are_kept(root, server):
    entry = make(root)
    assert entry == DEFAULTS | {"id": entry["id"], "name": "a"}
    full = make(root, **FULL)
    assert full == DEFAULTS | FULL | {
        "id": full["id"], "place": {"x": 3, "y": 0, "key": "tops3cret"},
        "parts": [{"name": "one", "password": "tops3cret"},
                  {"name": "two", "password": None}]}
    assert full["id"] > entry["id"]
    assert root.call("made_up.thing.get_instance", full["id"]) == full
    # A nested object is replaced as a whole, other members stay.
    now = root.call("made_up.thing.update", full["id"],
                    {"place": {"x": 4}, "flag": False})
    assert now == full | {"flag": False,
                          "place": {"x": 4, "y": 0, "key": None}}
    server.kill()
    server.start()
    with server.root() as again:
        assert again.call("made_up.thing.query",
                          [["id", "=", full["id"]]]) == [now]


@pytest.mark.parametrize("members, at", [
    ({"name": "A"}, "name"), ({"name": ""}, "name"), ({"name": None}, "name"),
    ({"number": 1001}, "number"), ({"number": True}, "number"),
    ({"flag": 1}, "flag"), ({"colour": "PINK"}, "colour"),
    ({"words": ["a"] * 4}, "words"), ({"days": ["SUN"]}, "days.0"),
    ({"place": {}}, "place.x"), ({"place": {"x": 101}}, "place.x"),
    ({"place": {"x": 1, "z": 2}}, "place.z"),
    ({"parts": [{"name": "a"}, {"name": ""}]}, "parts.1.name"),
    ({"labels": {"a": 5}}, "labels.a"),
    ({"source": {"type": "AIR"}}, "source"),
    ({"source": {"type": "NET", "host": "h"}}, "source.NET.password"),
    ({"source": {"type": "FILE", "path": "/", "host": "h"}},
     "source.FILE.host"),
    ({"owner": 1.5}, "owner"), ({"kind": "other"}, "kind"),
    ({"id": 5}, "id"), ({"made": DATE}, "made"), ({"strange": 1}, "strange"),
])
def test_bad_values_are_refused_at_the_field(root, members, at):
    wrong = {"name": "a"} | members
    assert f"thing_create.{at}" in [
        attribute for attribute, _ in faults(root, "create", wrong)]
    assert root.call("made_up.thing.query") == []


def test_all_errors_come_at_once(root):
    found = faults(root, "create", {"colour": "PINK", "flag": 1})
    assert {at for at, _ in found} == {
        "thing_create.name", "thing_create.colour", "thing_create.flag"}


def test_what_is_for_create_only_or_has_no_effect(root):
    entry = make(root, serial="B2")
    assert faults(root, "update", entry["id"], {"serial": "C3"})[0][0] == (
        "thing_update.serial")
    assert faults(root, "update", entry["id"], {"later": True})[0][0] == (
        "made_up_thing_update.later")
    assert root.call("made_up.thing.get_instance", entry["id"]) == entry


def test_unique_members(root):
    first, second = make(root, number=5), make(root, "b")
    assert faults(root, "create", {"name": "a", "number": 5}) == [
        ("made_up_thing_create.name", 17), ("made_up_thing_create.number", 17)]
    assert faults(root, "update", second["id"], {"number": 5}) == [
        ("made_up_thing_update.number", 17)]
    # What it has itself is no obstacle, and what was given up is free.
    root.call("made_up.thing.update", first["id"], {"name": "a", "number": 6})
    root.call("made_up.thing.update", second["id"], {"number": 5})
    root.call("made_up.thing.delete", first["id"])
    again = make(root, number=6)
    assert again["id"] > second["id"]
    # Many may have none.
    make(root, "c"), make(root, "d")
    assert len(root.call("made_up.thing.query", [["number", "=", None]])) == 2


def test_references(root):
    one, two = shelf(root, "one"), shelf(root, "two")
    assert faults(root, "create", {"name": "a", "shelf": 999}) == [
        ("made_up_thing_create.shelf", 22)]
    entry = make(root, shelf=one, spare=two, shelves=[two, one, two])
    error = root.error("made_up.shelf.delete", one)
    assert error.data["extra"][0][1:] == [
        f"Shelf {one} is in use by Thing {entry['id']}", 16]
    # Named where it may go: it is gone from there too.
    assert root.call("made_up.shelf.delete", two) is True
    now = root.call("made_up.thing.get_instance", entry["id"])
    assert now == entry | {"spare": None, "shelves": [one]}
    root.call("made_up.thing.update", entry["id"], {"shelf": None})
    root.call("made_up.shelf.delete", one)
    assert root.call("made_up.thing.get_instance",
                     entry["id"])["shelves"] == []


def test_a_release_is_one_change_with_the_removal(root):
    two = shelf(root, "two")
    entry = make(root, spare=two)
    root.call("made_up.shelf.delete", two)
    last = root.call("config.history", [], {"order_by": ["-number"],
                                            "limit": 2})
    assert {(r["resource"], r["entry"]) for r in last} == {
        ("made_up.shelf", two), ("made_up.thing", entry["id"])}
    assert len({r["change"] for r in last}) == 1


def revision(root, entry):
    return root.call("config.history", [["resource", "=", "made_up.thing"],
                                        ["entry", "=", entry["id"]]],
                     {"order_by": ["-number"], "limit": 1})[0]["number"]


def test_compare_and_set(root):
    entry = make(root)
    first = revision(root, entry)
    root.call("made_up.thing.update", entry["id"],
              {"flag": True, "if_revision": first})
    for change in ({"flag": False}, {"flag": True}, {}):
        error = root.error("made_up.thing.update", entry["id"],
                           change | {"if_revision": first})
        assert error.errname == "ESTALE"
    now = root.call("made_up.thing.update", entry["id"],
                    {"flag": False, "if_revision": revision(root, entry)})
    assert now == entry


def test_no_change_is_no_revision_and_no_event(root, server):
    entry = make(root)
    with server.root() as other:
        other.call("core.subscribe", "made_up.thing.query")
        before = revision(root, entry)
        root.call("made_up.thing.update", entry["id"], {"name": "a"})
        assert revision(root, entry) == before
        root.call("made_up.thing.update", entry["id"], {"flag": True})
        told = updates(other, "made_up.thing.query", lambda _: True)
        assert told["params"]["fields"]["flag"] is True


def test_events_follow_the_entry(root, server):
    with server.admin() as other:
        other.call("core.subscribe", "made_up.thing.query")
        # Refused: nothing is told.
        root.error("made_up.thing.create", {"name": "A"})
        entry = make(root)
        root.call("made_up.thing.update", entry["id"], {"words": ["new"]})
        root.call("made_up.thing.delete", entry["id"])
        told = [updates(other, "made_up.thing.query", lambda _: True)["params"]
                for _ in range(3)]
    assert [t["msg"] for t in told] == ["added", "changed", "removed"]
    assert told[0]["fields"] == entry
    assert told[1]["fields"] == entry | {"words": ["new"]}
    assert {t["id"] for t in told} == {entry["id"]}


def test_secrets_are_in_no_record(root, server):
    entry = make(root, **FULL)
    root.call("made_up.thing.update", entry["id"], {"password": "other5ecret"})
    root.error("made_up.thing.update", entry["id"],
               {"password": "other5ecret", "place": {"x": 900, "key": "tops3cret"}})
    records = json.dumps([
        root.call("audit.query", {"query-options": {
            "limit": 50, "order_by": ["-time_us"]}, "query-filters": []}),
        root.call("config.history", [], {"order_by": ["-number"], "limit": 9})])
    assert "made_up.thing.create" in records and SECRET in records
    files = [file.read_bytes() for name in ("state", "audit", "log")
             for file in (server.directory / name).rglob("*")
             if file.is_file()]
    for secret in ("tops3cret", "other5ecret"):
        assert secret not in records
        assert not any(secret.encode() in content for content in files)


@pytest.mark.parametrize("filters, names", [
    ([["place.x", ">", 1]], "b"), ([["colour", "in", ["BLUE"]]], "b"),
    ([["words", "rin", "x"]], "b"), ([["labels.of", "=", "old"]], "b"),
    ([["source.type", "=", "NET"]], "b"), ([["number", "=", 5]], "a"),
    ([["OR", [["name", "=", "a"], ["owner", "=", "me"]]]], "ab"),
    ([["parts", "=", []]], "ac"), ([["name", "~", "[bc]"]], "bc"),
    ([["made", "=", DATE]], "abc"), ([["number", "=", None]], "bc"),
])
def test_filters(root, filters, names):
    make(root, number=5)
    make(root, "b", **{n: FULL[n] for n in FULL if n not in ("name", "number")}
         | {"words": ["x"]})
    make(root, "c")
    found = root.call("made_up.thing.query", filters,
                      {"select": ["name"], "order_by": ["name"]})
    assert "".join(entry["name"] for entry in found) == names


def test_it_is_rolled_back_like_any(root):
    entry = make(root, **FULL)
    root.call("made_up.thing.update", entry["id"], {"flag": False})
    root.call("config.rollback", revision(root, entry))
    assert root.call("made_up.thing.get_instance", entry["id"]) == entry


def test_it_is_described(server, tmp_path):
    """core.get_methods, the OpenRPC document, completion."""
    with server.root() as client:
        methods = client.call("core.get_methods", "made_up.thing")
        assert set(methods) == {
            f"made_up.thing.{verb}" for verb in
            ("create", "delete", "get_instance", "query", "update")}
        text = json.dumps(methods["made_up.thing.create"]["accepts"])
    for name in FULL:
        assert f'"{name}"' in text
    program = BUILDS["asan"] / PROGRAM
    document = subprocess.run([program, "--print-openrpc"], check=True,
                              capture_output=True, timeout=60).stdout
    models = json.loads(document)["components"]["schemas"]
    properties = models["MadeUpThingCreate"]["properties"]
    assert set(properties) >= set(FULL)
    assert models["MadeUpThingCreate"]["required"] == ["name"]
    done = server.cli("describe", "made_up.thing.create")
    assert "colour" in done.stdout and "BLUE" in done.stdout


def along(what, other=0, name="new"):
    return {"name": name, "along": what, "other": other}


def names(root):
    return {entry["id"]: entry["name"]
            for entry in root.call("made_up.shelf.query")}


def changes(root):
    """The last change's revisions: (entry, was there, is there)."""
    last = root.call("config.history", [["resource", "=", "made_up.shelf"]],
                     {"order_by": ["-number"], "limit": 9})
    return sorted((r["entry"], r["before"] is not None, r["after"] is not None)
                  for r in last if r["change"] == last[0]["change"])


@pytest.mark.parametrize("what, left", [
    ("TWICE", "twice"), ("REMAKE", "remade"), ("TAKE", "bereft")])
def test_edits_of_one_change(root, what, left):
    other = shelf(root, "old")
    # The name of the other is free when it is given up in the same change.
    name = "old" if what == "TAKE" else "new"
    new = root.call("made_up.shelf.create",
                    along(what, other, name))["id"]
    assert names(root) == {other: left, new: name}
    assert changes(root) == [(other, True, True), (new, False, True)]


def test_made_and_removed_in_one_change(root):
    new = root.call("made_up.shelf.create", along("PASSING"))["id"]
    assert names(root) == {new: "new"}
    assert changes(root) == [(new, False, True)]
    assert shelf(root, "next") > new


def test_two_of_one_name_in_one_change(root):
    error = root.error("made_up.shelf.create", along("SAME"))
    assert error.paths[0] == "made_up_shelf_create.name"
    assert names(root) == {}


def test_what_a_change_removes_along_is_looked_for(root):
    other = shelf(root, "old")
    entry = make(root, shelf=other)
    error = root.error("made_up.shelf.create", along("REMOVE", other))
    assert f"Shelf {other} is in use by Thing {entry['id']}" in error.texts
    assert names(root) == {other: "old"}
    root.call("made_up.thing.update", entry["id"],
              {"shelf": None, "spare": other})
    new = root.call("made_up.shelf.create", along("REMOVE", other))["id"]
    assert names(root) == {new: "new"}
    assert root.call("made_up.thing.get_instance",
                     entry["id"])["spare"] is None


def test_a_record_that_a_retry_overtakes_is_written_once(server, root):
    """A second after the audit role came, the outbox is sent again."""
    number = root.start("made_up.shelf.create",
                        {"name": "s", "keeping": 4000})
    with server.root() as other:
        wait_until(lambda: other.call("made_up.shelf.query"), 30,
                   "it is stored")
    os.kill(server.roles()["audit"], signal.SIGKILL)
    root.finish(number)
    ids = [record["audit_id"] for record in root.call("audit.query", {
        "query-filters": [["event_data.method", "=", "made_up.shelf.create"]],
        "query-options": {"limit": 1000}})]
    assert ids and len(ids) == len(set(ids))
