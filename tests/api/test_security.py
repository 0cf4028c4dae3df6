"""system.security.*: the settings, what they refuse, and who may change them."""

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess

import pytest

DEFAULTS = {
    "enable_fips": False, "enable_gpos_stig": False, "min_password_age": None,
    "max_password_age": None, "password_complexity_ruleset": {"$set": []},
    "min_password_length": None, "password_history_length": None,
    "session_max_age": 2592000, "session_idle_timeout": None,
    "max_sessions_per_user": None, "lockout_failures": None}
FIPS_MODULE = subprocess.run(
    ["find", "/usr/lib", "-name", "fips.so"], capture_output=True, text=True,
    check=True, timeout=60).stdout != ""


@pytest.fixture
def settings(root):
    """Changes them, and has those of a new machine back in the end."""
    def update(**members):
        job = root.job("system.security.update", members)
        if job["state"] == "SUCCESS":
            return job["result"]
        return {path: (text, errno)
                for path, text, errno in job["exc_info"]["extra"]}

    yield update
    assert update(**DEFAULTS) == DEFAULTS | {"id": 1}


def test_a_new_machine_asks_nothing(root):
    assert root.call("system.security.config") == DEFAULTS | {"id": 1}


def test_update_is_a_job_whose_result_is_the_entry(settings, root):
    entry = settings(min_password_length=9, max_password_age=90)
    assert entry == root.call("system.security.config")
    assert entry == DEFAULTS | {"id": 1, "min_password_length": 9,
                                "max_password_age": 90}


@pytest.mark.parametrize("given, kept", [
    ({"$set": ["SPECIAL", "UPPER", "SPECIAL"]}, ["UPPER", "SPECIAL"]),
    (["LOWER"], ["LOWER"]), (None, [])])
def test_classes_are_a_set(settings, given, kept):
    entry = settings(password_complexity_ruleset=given)
    assert entry["password_complexity_ruleset"] == {"$set": kept}


@pytest.mark.parametrize("member, value", [
    ("min_password_age", 0), ("min_password_age", -1),
    ("max_password_age", 6), ("max_password_age", 366),
    ("min_password_length", 7), ("password_history_length", 0),
    ("password_history_length", 11), ("enable_fips", 1),
    ("enable_gpos_stig", None), ("session_max_age", 299),
    ("session_max_age", 2592001), ("session_max_age", None),
    ("session_idle_timeout", 59), ("max_sessions_per_user", 0),
    ("lockout_failures", 2), ("lockout_failures", 101),
    ("password_complexity_ruleset", {"$set": ["upper"]}),
    ("password_complexity_ruleset", "UPPER"), ("nosuch", 1), ("id", 2)])
def test_out_of_range_is_refused_at_once(root, member, value):
    error = root.error("system.security.update", {member: value})
    assert error.code == -32602
    assert error.paths[0].startswith(f"system_security_update.{member}")
    assert root.call("system.security.config") == DEFAULTS | {"id": 1}


def test_a_password_has_to_become_old_enough_to_be_changed(settings):
    wrong = settings(min_password_age=30, max_password_age=30)
    assert set(wrong) == {"system_security_update.min_password_age"}
    settings(max_password_age=30)
    wrong = settings(min_password_age=31)
    assert set(wrong) == {"system_security_update.min_password_age"}
    assert settings(min_password_age=29)["min_password_age"] == 29


def test_fips_is_what_openssl_says(settings, root):
    assert root.call("system.security.info.fips_available") is FIPS_MODULE
    assert root.call("system.security.info.fips_enabled") is False
    assert set(settings(enable_fips=True)) == {
        "system_security_update.enable_fips"}


def test_stig_mode_names_everything_that_it_lacks(settings, root):
    job = root.job("system.security.update", {"enable_gpos_stig": True})
    assert job["state"] == "FAILED"
    extra = job["exc_info"]["extra"]
    assert {path for path, _, _ in extra} == {
        "system_security_update.enable_gpos_stig"}
    text = "\n".join(text for _, text, _ in extra)
    for needed in ("enable_fips", "two-factor", "an account with a second",
                   "administrator who", "logged in with a second factor", "truenas_admin has a password",
                   "not built yet"):
        assert needed in text
    assert root.call("system.security.config") == DEFAULTS | {"id": 1}
    assert root.call("system.reboot.info")["reboot_required_reasons"] == []


def test_a_change_is_audited(settings, root):
    settings(session_idle_timeout=600)
    records = root.call("audit.query", {"query-filters": [
        ["event", "=", "METHOD_CALL"],
        ["event_data.method", "=", "system.security.update"]],
        "query-options": {"limit": 1000}})
    found, = [record for record in records if record["event_data"]["params"]
              == [{"session_idle_timeout": 600}]]
    assert found["event_data"]["description"] == "System security update"
    assert found["success"]


def test_subscribers_hear_of_it(settings, instance):
    with instance.root() as client:
        client.call("core.subscribe", "system.security.config")
        settings(session_max_age=3600)
        message = client.receive()
        assert message["params"]["fields"]["session_max_age"] == 3600


def test_strangers_see_nothing(stranger):
    for method in ("system.security.config",
                   "system.security.info.fips_available",
                   "system.security.info.fips_enabled"):
        assert stranger.error(method).errname == "ENOTAUTHENTICATED"


# STIG mode cannot be switched on while parts of it are missing.  What is
# there is seen on a machine whose store says that it is on.

STIG = {"enable_fips": True, "enable_gpos_stig": True, "max_password_age": 60,
        "min_password_age": 1, "min_password_length": 15,
        "password_history_length": 5, "password_complexity_ruleset": {
            "$set": ["UPPER", "LOWER", "NUMBER", "SPECIAL"]}}


@pytest.fixture
def stig(fresh):
    fresh.stop()
    folder = pathlib.Path(fresh.directory, "state")
    with contextlib.closing(
            sqlite3.connect(folder / "config.db")) as database, database:
        (text,), = database.execute(
            "SELECT document FROM entry WHERE resource = 'system.security'")
        database.execute(
            "UPDATE entry SET document = ? WHERE resource = 'system.security'",
            (json.dumps(json.loads(text) | STIG),))
    owner = folder.stat()
    for file in folder.glob("config.db*"):
        os.chown(file, owner.st_uid, owner.st_gid)
    fresh.start()
    return fresh


def test_stig_mode_holds_its_limits(stig):
    with stig.root() as client:
        def wrong(**members):
            job = client.job("system.security.update", members)
            return {path.partition(".")[2]
                    for path, _, _ in job["exc_info"]["extra"]}

        assert client.call("system.security.config")["enable_gpos_stig"]
        assert wrong(max_password_age=61) == {"max_password_age"}
        assert wrong(max_password_age=None) == {"max_password_age"}
        assert wrong(min_password_length=14, password_history_length=4) == {
            "min_password_length", "password_history_length"}
        assert wrong(password_complexity_ruleset=["UPPER"]) == {
            "password_complexity_ruleset"}
        assert wrong(enable_fips=False) == {"enable_gpos_stig"}
        job = client.job("system.security.update", {
            "enable_gpos_stig": False, "enable_fips": False})
        assert job["state"] == "SUCCESS"
        reasons = client.call("system.reboot.info")["reboot_required_reasons"]
        assert [reason["code"] for reason in reasons] == ["FIPS", "GPOSSTIG"]


def test_stig_mode_keeps_shared_accounts_without_password(stig):
    with stig.root() as client:
        admin = client.call("user.query", [["uid", "=", 950]], {"get": True})
        error = client.error("user.update", admin["id"],
                             {"password": "Gr4nite-sky-77-and-more"})
        assert "user_update.password_disabled" in error.paths


def test_stig_mode_asks_for_more_of_passwords_and_hashes_otherwise(stig):
    with stig.root() as client:
        person = {"username": "sue", "full_name": "Sue", "smb": False,
                  "group_create": True}
        error = client.error("user.create", person | {
            "password": "Gr4nite-sky-7"})
        assert error.paths == ["user_create.password"]
        client.call("user.create", person | {
            "password": "Gr4nite-sky-77-and-more"})
    # FIPS knows no yescrypt.
    line, = [line for line in stig.enter("cat", "/etc/shadow").stdout
             .splitlines() if line.startswith("sue:")]
    fields = line.split(":")
    assert fields[1].startswith("$6$rounds=656000$") and fields[4] == "60"
