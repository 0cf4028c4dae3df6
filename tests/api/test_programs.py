"""holdfast, the command line: arguments, output, exit codes."""

import json
import os
import subprocess

import pytest

from harness import ADMIN, BUILDS, PASSWORD

HOLDFAST = BUILDS["release"] / "holdfast"


def test_call_prints_json(instance):
    done = instance.cli("call", "core.ping")
    assert (done.returncode, done.stdout, done.stderr) == (
        0, '"pong"\n', "")


def test_call_takes_json_arguments(instance):
    done = instance.cli("call", "service.query", '[["id","=",11]]',
                        '{"get": true}')
    assert done.returncode == 0, done
    assert json.loads(done.stdout)["service"] == "ssh"


def test_plain_words_need_no_quotes(instance):
    done = instance.cli("call", "service.started", "ssh")
    assert (done.returncode, done.stdout) == (0, "false\n"), done
    for argument in ("two words", "{a", "", "1x", "it's"):
        done = instance.cli("call", "service.started", argument)
        assert done.returncode == 2 and done.stderr, argument


def test_argument_from_stdin(instance):
    done = instance.cli("call", "service.started", "-", stdin='"ssh"\n')
    assert (done.returncode, done.stdout) == (0, "false\n"), done
    done = instance.cli("call", "service.started", "-", stdin="ss\0h")
    assert done.returncode == 2 and done.stderr


def test_call_waits_for_a_job(instance):
    for verb in ("START", "STOP"):
        done = instance.cli("call", "service.control", f'"{verb}"', '"ssh"')
        assert (done.returncode, done.stdout) == (0, "true\n"), done


def test_call_without_waiting_prints_the_jobs_id(instance):
    done = instance.cli("call", "--no-wait", "service.control", '"STOP"',
                        '"ssh"')
    assert done.returncode == 0 and int(done.stdout) > 0, done


def test_call_that_fails_exits_1_with_the_error_on_stderr(instance):
    done = instance.cli("call", "ssh.update", '{"tcpport": 0}')
    assert done.returncode == 1 and done.stdout == ""
    assert "data.tcpport" in done.stderr
    assert "Input should be greater than or equal to 1" in done.stderr


def test_call_that_fails_prints_the_error_object_when_asked(instance):
    for arguments in (["--json", "call", "no.such"],
                      ["call", "--json", "no.such"]):
        done = instance.cli(*arguments)
        if done.returncode == 1:
            assert json.loads(done.stderr)["code"] == -32601
            return
    raise AssertionError(done)


@pytest.mark.parametrize("arguments", [
    [], ["nosuch"], ["call"], ["call", "core.ping", "{not json"],
    ["call", "core.ping", "1", "2", ""], ["setup-admin"],
    ["describe", "one", "two"], ["describe", "--no-wait", "ssh"],
    ["setup-admin", ADMIN, "surplus"], ["status", "surplus"],
    ["--nosuch", "status"]])
def test_wrong_usage_exits_2(instance, arguments):
    done = instance.cli(*arguments)
    assert done.returncode == 2, done
    assert done.stderr and done.stdout == ""


def test_without_a_folder(tmp_path):
    done = subprocess.run([HOLDFAST, "-i"], capture_output=True, timeout=20,
                          check=False)
    assert done.returncode == 2


@pytest.mark.parametrize("command", [["status"], ["call", "core.ping"],
                                     ["setup-admin", ADMIN]])
def test_what_does_not_run_is_not_reachable(tmp_path, command):
    for folder in (tmp_path, tmp_path / "nosuch"):
        done = subprocess.run(
            [HOLDFAST, "-i", folder, *command], input="x\n", text=True,
            capture_output=True, timeout=20, check=False)
        assert done.returncode == 3, done
        assert len(done.stderr.strip().splitlines()) == 1


def test_enter_of_what_does_not_run(tmp_path):
    done = subprocess.run([HOLDFAST, "-i", tmp_path, "enter", "true"],
                          capture_output=True, timeout=20, check=False)
    assert done.returncode == 3 and done.stderr


def test_status_of_a_sound_instance_exits_0(fresh):
    done = fresh.cli("status")
    assert done.returncode == 0, done
    for word in ("web", "local", "core", "audit", "ssh", "8443"):
        assert word in done.stdout, word


def test_status_exits_1_while_there_is_no_administrator(empty):
    done = empty.cli("status")
    assert done.returncode == 1
    assert "setup-admin" in done.stdout or "administrator" in done.stdout


def test_status_shows_the_port_of_sshd(fresh):
    with fresh.root() as client:
        client.control("START")
    assert "2222" in fresh.cli("status").stdout


def test_setup_admin_reads_the_password_from_stdin(empty):
    done = empty.cli("setup-admin", ADMIN, stdin=PASSWORD + "\n")
    assert done.returncode == 0, done
    assert PASSWORD not in done.stdout + done.stderr
    with empty.connect() as client:
        assert client.login()["response_type"] == "SUCCESS"


@pytest.mark.parametrize("stdin", ["", "\n", "x" * 100000 + "\n"])
def test_setup_admin_without_a_usable_password(empty, stdin):
    done = empty.cli("setup-admin", ADMIN, stdin=stdin)
    assert done.returncode in (1, 2), done
    with empty.connect() as client:
        assert client.call("user.has_local_administrator_set_up") is False


def test_setup_admin_with_an_unknown_name(empty):
    done = empty.cli("setup-admin", "daemon", stdin=PASSWORD + "\n")
    assert done.returncode in (1, 2) and done.stderr


@pytest.mark.parametrize("command, status", [
    (["true"], 0), (["false"], 1), (["sh", "-c", "exit 7"], 7),
    (["nosuch-program"], 127), (["id", "-u"], 0)])
def test_enter_exits_as_its_command_does(instance, command, status):
    assert instance.enter(*command, check=False).returncode == status


def test_enter_runs_as_root_inside(instance):
    assert instance.enter("id", "-u").stdout == "0\n"
    assert "_hfcore" in instance.enter("cat", "/etc/passwd").stdout
    inside = os.readlink(f"/proc/{instance.pid}/ns/mnt")
    assert instance.enter(
        "readlink", "/proc/self/ns/mnt").stdout.strip() == inside


def test_enter_passes_input_and_output(instance):
    assert instance.enter("cat", stdin="through\n").stdout == "through\n"


def test_calls_at_once_from_many_programs(instance):
    running = [subprocess.Popen(
        [instance.build / "holdfast", "-i", instance.directory, "call",
         "core.ping"], stdout=subprocess.PIPE, text=True)
        for _ in range(20)]
    assert [process.communicate(timeout=60)[0] for process in running] == \
        ['"pong"\n'] * 20


def test_large_argument_is_refused_by_the_server(instance):
    done = instance.cli("call", "ssh.update",
                        json.dumps({"options": "#" + "x" * 70000}))
    assert done.returncode in (1, 3) and done.stderr
