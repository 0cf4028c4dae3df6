"""The API described: the OpenRPC document and what is Holdfast's own.

The document is held against the rules of the specification, against what the
running server lists, and against what it really answers and refuses.
"""

import functools
import json
import os
import re
import shutil
import subprocess
import tempfile

import jsonschema
import pytest

from harness import BUILDS

TEXT = {"type": "string", "minLength": 1}
EXTENSIONS = {"^x-": {}}
NAMES = {"propertyNames": {"pattern": "^[a-zA-Z0-9._-]+$"}}
SCHEMA = {"$ref": "http://json-schema.org/draft-07/schema#"}
REFERENCE = {"type": "object", "required": ["$ref"], "properties": {
    "$ref": {"type": "string", "pattern": "^#/components/"}},
    "additionalProperties": False}


def closed(required, properties, **more):
    return {"type": "object", "required": required,
            "properties": properties, "additionalProperties": False,
            "patternProperties": EXTENSIONS, **more}


ERROR = {"type": "object", "required": ["code", "message"], "properties": {
    "code": {"type": "integer"}, "message": TEXT, "data": {}},
    "additionalProperties": False}
TAG = closed(["name"], {"name": TEXT, "description": TEXT})
DESCRIPTOR = closed(["name", "schema"], {
    "name": TEXT, "summary": TEXT, "description": TEXT,
    "required": {"type": "boolean"}, "deprecated": {"type": "boolean"},
    "schema": SCHEMA})
METHOD = closed(["name", "params", "result"], {
    "name": TEXT, "summary": TEXT, "description": TEXT,
    "tags": {"type": "array", "items": {"oneOf": [TAG, REFERENCE]}},
    "paramStructure": {"enum": ["by-name", "by-position", "either"]},
    "params": {"type": "array",
               "items": {"oneOf": [DESCRIPTOR, REFERENCE]}},
    "result": {"oneOf": [DESCRIPTOR, REFERENCE]},
    "errors": {"type": "array", "items": {"oneOf": [ERROR, REFERENCE]}},
    "deprecated": {"type": "boolean"}})
# What the specification, 1.3, says of a document, as far as ours uses it.
META = closed(["openrpc", "info", "methods"], {
    "openrpc": {"type": "string", "pattern": r"^1\.3\.\d+$"},
    "info": closed(["title", "version"], {
        "title": TEXT, "version": TEXT, "description": TEXT}),
    "methods": {"type": "array", "minItems": 1, "items": METHOD},
    "components": {"type": "object", "additionalProperties": False,
                   "properties": {
                       "schemas": {"additionalProperties": SCHEMA, **NAMES},
                       "errors": {"additionalProperties": ERROR, **NAMES}}},
})


def printed(option):
    done = subprocess.run([BUILDS["asan"] / "holdfastd", option], text=True,
                          capture_output=True, timeout=60, check=True)
    assert not done.stderr
    return json.loads(done.stdout)


@functools.cache
def document():
    return printed("--print-openrpc")


@functools.cache
def methods():
    return {method["name"]: method for method in document()["methods"]}


def validator(schema):
    """Of a schema of the document, whose references point into it."""
    return jsonschema.Draft7Validator(
        schema, resolver=jsonschema.RefResolver("", document()))


def takes(method, position, value):
    schema = methods()[method]["params"][position]["schema"]
    return validator(schema).is_valid(value)


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        value = value.values()
    if not isinstance(value, str) and hasattr(value, "__iter__"):
        for one in value:
            yield from references(one)


def test_document_follows_the_specification():
    jsonschema.Draft7Validator(META).validate(document())
    names = [method["name"] for method in document()["methods"]]
    assert len(names) == len(set(names))
    for method in document()["methods"]:
        required = [param["required"] for param in method["params"]]
        assert required == sorted(required, reverse=True), method["name"]
        params = [param["name"] for param in method["params"]]
        assert len(params) == len(set(params)), method["name"]


def test_the_rules_are_not_empty():
    for damage in ({"methods": [{"name": "x"}]}, {"openrpc": "2"},
                   {"info": {}}, {"surplus": 1}):
        assert not jsonschema.Draft7Validator(META).is_valid(
            document() | damage), damage


def test_every_reference_leads_somewhere():
    found = set(references(document()))
    assert any("/schemas/" in path for path in found)
    for path in found:
        value = document()
        for key in path.removeprefix("#/").split("/"):
            value = value[key]


def test_document_has_the_methods_of_the_server(root):
    listed = root.call("core.get_methods")
    assert set(methods()) == set(listed)
    for name, method in methods().items():
        entry = listed[name]
        assert method["x-roles"] == entry["roles"], name
        assert method["x-job"] == entry["job"], name
        assert [param["name"] for param in method["params"]] == [
            param["_name_"] for param in entry["accepts"]], name
        assert [param["required"] for param in method["params"]] == [
            param["_required_"] for param in entry["accepts"]], name


def test_no_member_of_core_get_methods_own_form():
    assert not re.search(r'"_[a-z_]+_":', json.dumps(document()))


# Methods that only tell something, by the last part of their name.
TELLING = re.compile(
    r"config|query|list|status|info|me|ready|state|version\w*|\w+_id|\w+_type"
    r"|\w+_choices|has_\w+")
ARGUMENTS = {"audit.query": [{"query-options": {"limit": 3}}]}


@pytest.mark.parametrize("name", [
    name for name, method in sorted(methods().items())
    if TELLING.fullmatch(name.rpartition(".")[2]) and not method["x-job"] and
    (name in ARGUMENTS or
     not any(param["required"] for param in method["params"]))])
def test_what_the_server_answers_fits(root, name):
    result = root.call(name, *ARGUMENTS.get(name, []))
    validator(methods()[name]["result"]["schema"]).validate(result)


@pytest.mark.parametrize("data, good", [
    ({}, True), ({"tcpport": 22}, True), ({"tcpport": 0}, False),
    ({"tcpport": 65536}, False), ({"tcpport": "22"}, False),
    ({"tcpport": None}, False), ({"nosuch": 1}, False),
    ({"id": 1}, False), ({"sftp_log_level": "DEBUG3"}, True),
    ({"sftp_log_level": "LOUD"}, False), ({"bindiface": "eth0"}, False),
    ({"bindiface": ["x" * 1025]}, False), ({"weak_ciphers": ["NONE"]}, True),
    ({"weak_ciphers": ["NONE", "ROT13"]}, False)])
def test_schema_and_server_agree_on_arguments(root, data, good):
    assert takes("ssh.update", 0, data) is good
    if not good:
        assert root.error("ssh.update", data).code == -32602


def test_errors_are_those_that_the_server_sends(root, stranger):
    errors = document()["components"]["errors"]
    for name, error in (
            ("InvalidParams", root.error("ssh.update", 5)),
            ("MethodCallError", stranger.error("ssh.config"))):
        assert errors[name] == {
            "code": error.code, "message": error.message}


def test_secrets_and_own_members_are_marked():
    text = json.dumps(methods()["user.setup_local_administrator"])
    assert '"writeOnly": true' in text
    assert methods()["holdfast.status"]["x-own"] is True
    assert methods()["ssh.update"]["x-own"] is False
    assert methods()["ssh.update"]["x-audit"] == "Update SSH configuration"


def test_printing_needs_no_other_argument_and_no_root():
    # Where nobody may look: a checkout may lie in a closed folder.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        program = shutil.copy(BUILDS["release"] / "holdfastd", folder)
        done = subprocess.run(
            [program, "--print-openrpc"], capture_output=True, timeout=20,
            check=False, user="nobody", cwd="/", env={})
    assert done.returncode == 0 and json.loads(done.stdout) == document()
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [BUILDS["release"] / "holdfastd", "--print-openrpc"],
            stdout=full, stderr=subprocess.PIPE, timeout=20, check=False)
    assert done.returncode == 1 and done.stderr


def test_events_are_those_that_can_be_subscribed_to(root):
    names = [event["name"] for event in document()["x-events"]]
    assert "ssh.config" in names and len(names) == len(set(names))
    for name in names:
        root.call("core.unsubscribe", root.call("core.subscribe", name))
    own = [event["name"] for event in printed("--print-own")["events"]]
    assert "ssh.config" in own and set(own) <= set(names)


def test_own_names_what_the_document_marks(root):
    own = printed("--print-own")
    assert {method["name"] for method in own["methods"]} == {
        name for name, method in methods().items() if method["x-own"]}
    listed = root.call("core.get_methods")
    assert {method["name"] for method in own["methods"]} <= set(listed)
    assert {"method": "system.info", "path": "result.holdfast_version"} in [
        {key: field[key] for key in ("method", "path")}
        for field in own["fields"] if "method" in field]
    assert json.dumps(document()).count('"x-own": true') >= len(
        own["fields"]) + len(own["methods"])
    for path in references(own):
        assert path.removeprefix("#/$defs/") in own["$defs"]
