"""service.*: the SSH service as the API shows and controls it."""

import os
import signal
import socket

import pytest

from harness import banner, wait_until


@pytest.fixture(autouse=True)
def stopped_afterwards(request):
    # Asked for before the test, so that it is torn down after this.
    root = (request.getfixturevalue("root")
            if "root" in request.fixturenames else None)
    yield
    if root is not None:
        root.control("STOP")
        root.call("service.update", "ssh", {"enable": False})


def state(client):
    return client.call("service.get_instance", 11)


def status(client):
    """What `holdfast status` shows of it."""
    entry, = client.call("holdfast.status")["services"]
    return entry


def test_query_lists_what_is_built(root):
    root.control("STOP")
    assert root.call("service.query") == [
        {"id": 11, "service": "ssh", "enable": False, "state": "STOPPED",
         "pids": []}]


@pytest.mark.parametrize("filters, options, result", [
    ([["service", "=", "nosuch"]], {}, []),
    ([["service", "=", "ssh"]], {"count": True}, 1),
    ([["id", "=", 11]], {"get": True, "select": ["service"]},
     {"service": "ssh"}),
    ([["OR", [["id", "=", 1], ["service", "^", "ss"]]]],
     {"select": ["id"]}, [{"id": 11}])])
def test_query_with_filters(root, filters, options, result):
    assert root.call("service.query", filters, options) == result


@pytest.mark.parametrize("filters", [
    [["service", "??", 1]], [["service"]], ["service"], [[]],
    [["OR", []]], [["~"]]])
def test_query_with_wrong_filters(root, filters):
    assert root.error("service.query", filters).code == -32602


def test_get_instance_unknown(root):
    error = root.error("service.get_instance", 999)
    assert error.code == -32602 and error.data["extra"][0][0] is None
    assert error.data["extra"][0][2] == 2


def test_start_and_stop(instance, root):
    assert root.control("START") is True
    entry = state(root)
    assert entry["state"] == "RUNNING" and len(entry["pids"]) >= 1
    assert root.call("service.started", "ssh") is True
    assert banner(instance.address, instance.ssh_port).startswith(b"SSH-2.0-")
    assert root.control("STOP") is True
    assert state(root)["state"] == "STOPPED" and state(root)["pids"] == []
    assert root.call("service.started", "ssh") is False
    assert banner(instance.address, instance.ssh_port) is None


def test_start_of_what_runs_keeps_it(instance, root):
    root.control("START")
    before = instance.sshd_pid()
    assert root.control("START") is True
    assert instance.sshd_pid() == before


def test_stop_of_what_is_stopped(root):
    assert root.control("STOP") is True


def test_restart_makes_a_new_process(instance, root):
    root.control("START")
    before = instance.sshd_pid()
    assert root.control("RESTART") is True
    assert instance.sshd_pid() not in (None, before)


def test_restart_starts_what_is_stopped(root):
    assert root.control("RESTART") is True
    assert root.call("service.started", "ssh") is True


def test_reload_keeps_the_process(instance, root):
    root.control("START")
    before = instance.sshd_pid()
    assert root.control("RELOAD") is True
    # sshd closes its sockets and executes itself anew: for a moment, none.
    text = wait_until(lambda: banner(instance.address, instance.ssh_port), 10,
                      "its port")
    assert text.startswith(b"SSH-2.0-")
    assert instance.sshd_pid() == before


def test_control_is_a_job_with_its_whole_life(root):
    entry = root.job("service.control", "START", "ssh")
    assert entry["method"] == "service.control"
    assert entry["state"] == "SUCCESS" and entry["result"] is True
    assert entry["arguments"][:2] == ["START", "ssh"]
    assert set(entry) == {
        "id", "message_ids", "method", "arguments", "transient",
        "description", "abortable", "logs_path", "logs_excerpt", "progress",
        "result", "result_encoding_error", "error", "exception", "exc_info",
        "state", "time_started", "time_finished", "credentials"}
    assert entry["credentials"]["type"] == "UNIX_SOCKET"
    assert entry["error"] is None and entry["progress"]["percent"] == 100
    assert set(entry["time_started"]) == set(entry["time_finished"]) == \
        {"$date"}


def test_job_wait_gives_the_jobs_result(root):
    number = root.call("service.control", "START", "ssh")
    assert isinstance(number, int)
    waiting = root.call("core.job_wait", number)
    # A job itself, so its id comes back.
    def ended():
        entry, = root.call("core.get_jobs", [["id", "=", waiting]])
        return entry if entry["state"] == "SUCCESS" else None
    assert wait_until(ended, 30, "end of job_wait")["result"] is True


def test_job_wait_fails_as_the_job_did(instance, root):
    with socket.create_server((instance.address, instance.ssh_port)):
        failed = root.job("service.control", "START", "ssh",
                          {"silent": False})
    assert failed["state"] == "FAILED"
    entry = root.job("core.job_wait", failed["id"])
    assert (entry["state"], entry["error"]) == ("FAILED", failed["error"])
    assert entry["exc_info"]["errno"] == failed["exc_info"]["errno"]


@pytest.mark.parametrize("ahead", [1, 1000000])
def test_wait_for_a_job_that_does_not_exist(root, ahead):
    """Refused at once; nor can a job wait for itself."""
    last = root.job("service.control", "STOP", "ssh")["id"]
    error = root.error("core.job_wait", last + ahead)
    assert error.code == -32602
    assert error.data["extra"] == [
        [None, f"Job with id {last + ahead} does not exist", 2]]
    assert root.call("core.get_jobs", [["id", ">", last]]) == []


@pytest.mark.parametrize("params, path", [
    (["JUMP", "ssh"], "verb"), (["start", "ssh"], "verb"),
    ([5, "ssh"], "verb"), (["START", "nosuch"], "service"),
    (["START", "cifs"], "service"), (["START", ""], "service"),
    (["START", "ssh\n"], "service"), (["START", 5], "service"),
    (["START", "ssh", {"nosuch": 1}], "options.nosuch"),
    (["START", "ssh", {"timeout": "x"}], "options.timeout")])
def test_control_is_refused_at_once(root, params, path):
    before = root.call("core.get_jobs", [], {"count": True})
    error = root.error("service.control", *params)
    assert error.code == -32602 and error.paths == [path]
    assert root.call("core.get_jobs", [], {"count": True}) == before


@pytest.mark.parametrize("params, paths", [
    (["START"], ["service"]), ([], ["verb", "service"]),
    (["START", "ssh", {}, 5], [""]), (["START", "ssh", None], ["options"])])
def test_control_with_the_wrong_number_of_arguments(root, params, paths):
    error = root.error("service.control", *params)
    assert error.code == -32602 and error.paths == paths


def test_update_by_id_and_by_name(root):
    assert root.call("service.update", 11, {"enable": True}) == 11
    assert state(root)["enable"] is True
    assert root.call("service.started_or_enabled", "ssh") is True
    assert root.call("service.update", "ssh", {"enable": False}) == 11
    assert state(root)["enable"] is False
    assert root.call("service.started_or_enabled", "ssh") is False


def test_update_of_an_unknown_service(root):
    error = root.error("service.update", "nosuch", {"enable": True})
    assert (error.code, error.errname) == (-32001, "ENOENT")


def test_update_of_an_unknown_field(root):
    error = root.error("service.update", "ssh", {"state": "RUNNING"})
    assert error.data["extra"] == [
        ["service_update.enable", "Field required", 22],
        ["service_update.state", "Extra inputs are not permitted", 22]]


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_update_with_a_wrong_type(root, value):
    error = root.error("service.update", "ssh", {"enable": value})
    assert error.paths == ["service_update.enable"]


def test_only_an_enabled_service_starts_with_the_instance(fresh):
    with fresh.root() as client:
        client.control("START")
    fresh.stop()
    fresh.start()
    with fresh.root() as client:
        assert state(client)["state"] == "STOPPED"
        client.call("service.update", "ssh", {"enable": True})
        assert state(client)["state"] == "STOPPED"
    fresh.stop()
    fresh.start()
    with fresh.root() as client:
        assert state(client)["state"] == "RUNNING"
    assert banner(fresh.address, fresh.ssh_port).startswith(b"SSH-2.0-")


def test_sshd_that_dies_is_started_again(instance, root):
    root.control("START")
    before = instance.sshd_pid()
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: instance.sshd_pid() not in (None, before), 30,
               "a new sshd")
    wait_until(lambda: banner(instance.address, instance.ssh_port), 10,
               "its port")


def test_start_on_a_port_that_is_taken_fails_and_says_so(instance, root):
    with socket.create_server((instance.address, instance.ssh_port)):
        entry = root.job("service.control", "START", "ssh",
                         {"silent": False})
        assert entry["state"] == "FAILED"
        assert entry["error"].startswith("[ESERVICESTARTFAILURE] ssh exited")
        assert "Address already in use" in entry["error"]
        assert "Address already in use" in status(root)["last_exit"]
        assert any("service.start" in line and "Address already in" in line
                   for line in instance.log().splitlines())
        entry = root.job("service.control", "START", "ssh")
        assert entry["state"] == "SUCCESS" and entry["result"] is False
        root.control("STOP")
        assert state(root)["state"] == "STOPPED"
    assert root.control("START") is True


def test_start_without_a_usable_host_key_says_why(instance, root):
    """sshd's own words, whether on standard error or in the system log."""
    keys = list(instance.inside("/etc/ssh").glob("ssh_host_*_key"))
    assert keys
    try:
        for key in keys:
            key.chmod(0o644)
        entry = root.job("service.control", "START", "ssh",
                         {"silent": False})
    finally:
        for key in keys:
            key.chmod(0o600)
    assert entry["state"] == "FAILED"
    assert "no hostkeys available" in entry["error"]
    assert "bad permissions" in entry["error"]
    assert len(entry["error"]) < 1000 and entry["error"].isprintable()
    assert root.control("START") is True


def test_an_end_that_was_not_told_why_says_how(instance, root):
    root.control("START")
    os.kill(instance.sshd_pid(), signal.SIGKILL)
    wait_until(lambda: status(root)["last_exit"] ==
               "was killed by signal 9 (Killed)", 30, "its end")
