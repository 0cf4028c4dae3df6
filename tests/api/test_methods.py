"""The surface: exactly what is built, each method as the API describes it."""

import json
import re
import subprocess

import pytest

from harness import BUILDS, REPOSITORY

METHODS = {
    "api_key.convert_raw_key", "api_key.create", "api_key.delete",
    "api_key.get_instance", "api_key.my_keys", "api_key.query",
    "api_key.revoke_made_in", "api_key.update",
    "core.ping", "core.get_methods", "core.get_services", "core.get_jobs",
    "core.job_wait", "core.job_abort", "core.bulk", "core.set_options",
    "core.subscribe", "core.unsubscribe", "core.download",
    "core.job_download_logs", "core.resize_shell",
    "auth.login", "auth.login_ex", "auth.login_ex_continue",
    "auth.generate_onetime_password",
    "auth.login_with_api_key", "auth.login_with_token", "auth.generate_token", "auth.sessions",
    "auth.terminate_session", "auth.terminate_other_sessions",
    "auth.mechanism_choices", "auth.me", "auth.logout", "auth.set_attribute",
    "auth.twofactor.config", "auth.twofactor.confirm", "auth.twofactor.update",
    "user.access", "user.adopt",
    "user.create", "user.delete", "user.get_instance", "user.get_next_uid",
    "auth.twofactor.ssh_logins",
    "user.adopt", "user.create", "user.delete", "user.get_instance", "user.get_next_uid",
    "user.get_user_obj", "user.has_local_administrator_set_up", "user.query",
    "user.set_password", "user.setup_local_administrator",
    "user.shell_choices", "user.update",
    "user.renew_2fa_secret", "user.unset_2fa_secret",
    "user.has_local_administrator_set_up", "user.setup_local_administrator",
    "system.ready", "system.state", "system.version", "system.version_short",
    "system.info", "system.boot_id", "system.host_id", "system.product_type",
    "service.query", "service.get_instance", "service.update",
    "service.control", "service.started", "service.started_or_enabled",
    "ssh.checkin", "ssh.checkin_waiting",
    "ssh.config", "ssh.update", "ssh.upload_options", "ssh.bindiface_choices",
    "ssh.edited_files", "ssh.foreign_edits", "ssh.import_report",
    "ssh.host_keys", "ssh.last_probe", "ssh.probe",
    "ssh.rotate_host_keys", "ssh.sessions", "ssh.terminate_session",
    "alert.list", "audit.query", "audit.config", "audit.update",
    "audit.confirm_clock", "audit.head", "audit.head_kept",
    "audit.download_head", "audit.reidentify", "audit.verify", "audit.export", "audit.download_report",
    "system.reboot.info",
    *(f"certificate.{name}" for name in (
        "create", "delete", "ec_curve_choices", "extended_key_usage_choices",
        "get_instance", "query", "update")),
    *(f"system.general.{name}" for name in (
        "checkin", "checkin_waiting", "config", "local_url",
        "ui_address_choices", "ui_certificate_choices",
        "ui_httpsprotocols_choices", "ui_restart",
        "ui_v6address_choices", "update")),
    "system.advanced.config", "system.advanced.login_banner",
    "system.advanced.update",
    "system.security.config", "system.security.update",
    "system.security.info.fips_available",
    "system.security.info.fips_enabled",
    "holdfast.status", "holdfast.recover", "holdfast.recovered",
    "config.history", "config.diff", "config.copies", "config.checkin",
    "config.checkin_waiting", "config.pending", "config.take_back",
    "sudo.findings", "user.import", "user.leftovers", "user.update_many",
    "config.rollback", "config.save", "config.upload", "config.reset",
    "config.restore_copy", "config.forget_secrets",
    *(f"kerberos.{kind}.{name}" for kind in ("keytab", "realm")
      for name in ("create", "delete", "get_instance", "query", "update")),
    *(f"keychaincredential.{name}" for name in (
        "create", "delete", "generate_ssh_key_pair", "get_instance", "query",
        "remote_ssh_host_key_scan", "remote_ssh_semiautomatic_setup",
        "setup_ssh_connection", "stale", "test",
        "update", "used_by")),
    "group.create", "group.delete", "group.get_group_obj",
    "group.get_instance", "group.get_next_gid",
    "group.has_password_enabled_user", "group.query", "group.update",
    "privilege.become_readonly", "privilege.create", "privilege.delete",
    "privilege.get_instance", "privilege.query", "privilege.roles",
    "privilege.update",
}


def test_get_methods_lists_exactly_what_is_built(root):
    assert set(root.call("core.get_methods")) == METHODS


def test_own_file_is_up_to_date():
    """When this fails: build/holdfastd --print-own >api/holdfast.json"""
    done = subprocess.run([BUILDS["asan"] / "holdfastd", "--print-own"],
                          capture_output=True, timeout=60, check=True)
    committed = (REPOSITORY / "api" / "holdfast.json").read_text()
    assert json.loads(done.stdout) == json.loads(committed)


def namespace_of(method):
    return method.rpartition(".")[0]


@pytest.mark.parametrize("namespace", sorted(
    {namespace_of(name) for name in METHODS}))
def test_get_methods_of_one_service(root, namespace):
    assert set(root.call("core.get_methods", namespace)) == {
        name for name in METHODS if namespace_of(name) == namespace}


def test_get_services_names_every_namespace(root):
    services = root.call("core.get_services")
    assert set(services) == {namespace_of(name) for name in METHODS}
    for name, entry in services.items():
        assert set(entry) == {"type", "config"}
        assert entry["config"]["namespace"] == name
    assert {name: services[name]["type"] for name in ("ssh", "service")} == {
        "ssh": "config", "service": "crud"}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_listed_method_exists(stranger, method):
    """Whatever else it answers, it is not unknown."""
    reply = stranger.raw('{"jsonrpc":"2.0","id":1,"method":"%s",'
                         '"params":["too","many",1,2,3,4]}' % method)
    assert reply.get("error", {}).get("code") != -32601


@pytest.mark.parametrize("method", [
    "core.arp",
    "system.reboot", "ssh.generate_keys",
    "datastore.query"])
def test_what_is_not_built_does_not_exist(root, method):
    error = root.error(method)
    assert (error.code, error.message) == (
        -32601, "Method does not exist")
    assert not error.data


def test_every_method_tells_its_roles_and_schema(root):
    for name, entry in root.call("core.get_methods").items():
        assert {"roles", "job", "description"} <= set(entry), name


def test_ready_and_state(root):
    assert root.call("system.ready") is True
    assert root.call("system.state") == "READY"


def test_versions(root):
    version = root.call("system.version")
    assert re.fullmatch(r"TrueNAS-26\.0\.0-Holdfast\.\d+\.\d+\.\d+", version)
    assert version.endswith(root.call("system.version_short"))
    assert root.call("system.product_type") == "COMMUNITY_EDITION"


def test_boot_id_is_new_with_each_start_and_host_id_is_not(fresh):
    with fresh.root() as client:
        before = client.call("system.boot_id"), client.call("system.host_id")
    fresh.stop()
    fresh.start()
    with fresh.root() as client:
        after = client.call("system.boot_id"), client.call("system.host_id")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
                        after[0])
    assert re.fullmatch(r"[0-9a-f]{64}", after[1])
    assert before[0] != after[0] and before[1] == after[1]


def test_system_info_has_every_member(root):
    info = root.call("system.info")
    assert {
        "version", "buildtime", "hostname", "physmem", "model", "cores",
        "physical_cores", "loadavg", "uptime", "uptime_seconds",
        "system_serial", "system_product", "system_product_version",
        "license", "boottime", "datetime", "timezone",
        "system_manufacturer", "ecc_memory", "holdfast_version"} <= set(info)
    assert info["cores"] >= 1 and info["physmem"] > 0
    assert len(info["loadavg"]) == 3
    assert set(info["boottime"]) == {"$date"}
    # Starting an instance is its boot, and both clocks say so.
    since = (info["datetime"]["$date"] - info["boottime"]["$date"]) / 1000
    assert 0 <= info["uptime_seconds"] and \
        abs(info["uptime_seconds"] - since) <= 2
    assert re.fullmatch(r"(\d+ days?, )?\d+:\d\d:\d\d\.\d{6}",
                        info["uptime"])


def test_status_names_every_role(root):
    text = str(root.call("holdfast.status"))
    for role in ("web", "local", "core", "audit"):
        assert role in text


@pytest.mark.parametrize("params, path", [
    ([5], "service"), (["core", "NOSUCH"], "target"),
    (["core", None], "target")])
def test_get_methods_with_wrong_arguments(root, params, path):
    error = root.error("core.get_methods", *params)
    assert error.code == -32602 and error.paths == [path]
