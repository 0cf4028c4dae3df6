"""config.save, config.upload, config.reset: the configuration as a file."""

import json

import pytest

from test_transfers import ask, ended, form, outcome, upload


def save(instance, root, **options):
    _, url = root.call("core.download", "config.save", [options], "config")
    answer = ask(instance, "GET", url)
    assert answer.status == 200
    return answer.body


def put(instance, root, content, **options):
    """The job that an upload of this ends as."""
    return outcome(root, upload(
        instance, form("config.upload", [options] if options else [],
                       content)))


def job(root, method, *params):
    return ended(root, root.call(method, *params))


@pytest.fixture
def settled(instance, root):
    """The settings are put back after the test."""
    root.call("ssh.update", {"compression": False, "tcpfwd": False})
    yield
    root.call("ssh.update", {"compression": False, "tcpfwd": False,
                             "tcpport": 2222})


def test_saved_and_put_back(instance, root, settled):
    saved = save(instance, root)
    assert b"$y$" not in saved and json.loads(saved)["key"] is None
    before = root.call("ssh.config")
    root.call("ssh.update", {"compression": True})
    preview = put(instance, root, saved, dry_run=True)
    assert preview["state"] == "SUCCESS", preview
    difference, = preview["result"]
    assert difference["resource"] == "ssh"
    assert difference["changed"] == ["compression"]
    assert root.call("ssh.config")["compression"]
    done = put(instance, root, saved)
    assert (done["state"], done["result"]) == ("SUCCESS", None), done
    assert root.call("ssh.config") == before
    assert "Compression no" in instance.sshd_config()
    assert root.call("config.copies")[0]["usable"]
    # With nothing to change as well.
    assert put(instance, root, saved)["state"] == "SUCCESS"


def test_passphrase(instance, root, settled):
    saved = save(instance, root, passphrase="correct horse")
    assert b"truenas_admin" not in saved
    assert put(instance, root, saved, passphrase="correct horse",
               dry_run=True)["state"] == "SUCCESS"
    wrong = put(instance, root, saved, passphrase="battery staple")
    assert "options.passphrase" in wrong["error"]
    none = put(instance, root, saved)
    assert "was saved with a passphrase" in none["error"]
    audit = str(root.call("audit.query", {"query-options": {
        "limit": 20, "order_by": ["-timestamp"]}}))
    assert "correct horse" not in audit and "battery" not in audit
    assert "correct horse" not in str(root.call("core.get_jobs"))


@pytest.mark.parametrize("content,said", [
    (b"", "not a configuration"),
    (b"\x00" * 5000, "not a configuration"),
    (b"SQLite format 3\x00", "not a configuration"),
    (b'{"holdfast_configuration": 1, "schema": 99}', "schema 99), this one"),
    (b'{"holdfast_configuration": 1, "schema": 1, "entries": [{"resource":'
     b'"ssh", "entry": 1, "document": {"tcpport": 70000}}]}',
     "file.ssh.1.tcpport"),
    (b'{"holdfast_configuration": 1, "schema": 1, "entries": [{"resource":'
     b'"nonsense", "entry": 1, "document": {}}]}', "file.entries.0"),
    # What only the daemon itself knows to be wrong.
    (b'{"holdfast_configuration": 1, "schema": 1, "entries": [{"resource":'
     b'"ssh", "entry": 1, "document": {"options": "PermitRotLogin no"}}]}',
     "PermitRotLogin"),
])
def test_what_does_not_fit_changes_nothing(instance, root, content, said):
    before = root.call("ssh.config")
    ended_as = put(instance, root, content)
    assert ended_as["state"] == "FAILED" and said in ended_as["error"], ended_as
    assert root.call("ssh.config") == before


def test_whoever_uploads_stays(instance, root, settled):
    saved = json.loads(save(instance, root))
    for entry in saved["entries"]:
        if entry["document"].get("username") == "truenas_admin":
            entry["entry"] += 1000
            entry["document"] |= {"username": "other", "uid": 4711,
                                  "unixhash": None}
    ended_as = put(instance, root, json.dumps(saved))
    assert "The account that uploads this" in ended_as["error"], ended_as


def test_reset(instance, root, settled):
    root.call("ssh.update", {"compression": True, "tcpfwd": True})
    done = job(root, "config.reset", {"reboot": False})
    assert done["state"] == "SUCCESS", done
    config = root.call("ssh.config")
    assert not config["compression"] and not config["tcpfwd"]
    with instance.admin() as admin:     # the way in stays
        assert admin.call("auth.me")["pw_name"] == "truenas_admin"
    assert root.call("audit.query", {
        "query-filters": [["event_data.method", "=", "config.reset"]],
        "query-options": {"limit": 1}})


def test_only_full_administrators(instance):
    with instance.connect() as stranger:
        for method in "save", "upload", "reset":
            error = stranger.error(f"config.{method}")
            assert error.errname == "ENOTAUTHENTICATED"
