"""midclt: what Ansible and people run on the host, with its words."""

import json
import os
import subprocess

import pytest

from harness import BUILDS


def midclt(instance, *arguments, stdin="", **environment):
    folder = instance.directory if instance else "/nonexistent"
    return subprocess.run(
        [BUILDS["asan"] / "midclt", *arguments], input=stdin, text=True,
        capture_output=True, timeout=60, check=False,
        env={"PATH": os.environ["PATH"], "HOLDFAST_INSTANCE": str(folder),
             **environment})


@pytest.mark.parametrize("arguments, printed", [
    (["core.ping"], "pong\n"),
    (["system.ready"], "True\n"),
    (["core.get_jobs", '[["id", "<", 0]]'], "[]\n"),
    (["core.get_jobs", '[["id", "<", 0]]', '{"count": true}'], "0\n"),
    (["core.get_jobs", "--", "[]", '{"limit": -1, "count": true}'], None),
    (["service.query", "[]", '{"select": ["id", "service"]}'],
     '[{"id": 11, "service": "ssh"}]\n')])
def test_call_prints_as_python_does(instance, arguments, printed):
    done = midclt(instance, "call", *arguments)
    if printed is None:
        assert done.returncode in (0, 1) and "option" not in done.stderr
    else:
        assert (done.returncode, done.stdout, done.stderr) == (
            0, printed, "")


@pytest.mark.parametrize("name", ["ssh", '"ssh"'])
def test_texts_need_no_quotes(instance, name):
    with instance.root() as root:
        started = root.call("service.started", "ssh")
    done = midclt(instance, "call", "service.started", name)
    assert (done.returncode, done.stdout) == (0, f"{started}\n")


def test_output_is_ascii_json(instance):
    with instance.root() as root:
        before = root.call("ssh.config")["options"]
        try:
            root.call("ssh.update", {"options": "# \u00e4\u20ac"})
            done = midclt(instance, "call", "ssh.config")
        finally:
            root.call("ssh.update", {"options": before})
    assert done.stdout.isascii() and "\\u20AC" in done.stdout
    assert json.loads(done.stdout)["options"] == "# \u00e4\u20ac"


@pytest.mark.parametrize("options", [
    ["-j"], ["--job"], ["-job"], ["-j", "-jp", "description"],
    ["-job", "-jp", "description"], ["--job-print=progressbar", "-j"],
    ["-q", "-j"]])
def test_job_is_awaited(instance, options):
    done = midclt(instance, "call", *options, "service.control", "STOP",
                  "ssh")
    assert (done.returncode, done.stdout) == (0, "True\n"), done


def test_without_waiting_a_job_is_its_id(instance):
    done = midclt(instance, "call", "service.control", "STOP", "ssh")
    assert done.returncode == 0 and int(done.stdout) > 0


def test_options_stand_anywhere(instance):
    done = midclt(instance, "-t", "60", "call", "service.control", "STOP",
                  "-j", "ssh", "-q")
    assert (done.returncode, done.stdout) == (0, "True\n"), done


def test_argument_from_stdin(instance):
    done = midclt(instance, "call", "service.query", "-",
                  stdin='[["service", "=", "nosuch"]]\n')
    assert (done.returncode, done.stdout) == (0, "[]\n")


@pytest.mark.parametrize("arguments, said", [
    (["ssh.update", '{"tcpport": 0}'],
     "[EINVAL] data.tcpport: Input should be greater than or equal to 1\n"),
    (["ssh.update", "{tcpport: 0}"],
     "[EINVAL] data: "),
    (["no.such"], "Method does not exist\n"),
    (["service.query", '[["id", "=", 0]]', '{"get": true}'], "")])
def test_error_is_on_stderr(instance, arguments, said):
    done = midclt(instance, "call", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(said) and done.stderr
    done = midclt(instance, "call", "-q", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_failed_job_is_an_error(instance):
    done = midclt(instance, "call", "-j", "core.job_wait", "999999")
    assert done.returncode == 1 and done.stdout == "" and done.stderr


def test_ping(instance):
    done = midclt(instance, "ping")
    assert (done.returncode, done.stdout) == (0, "pong\n")


@pytest.mark.parametrize("arguments", [["ping"], ["call", "core.ping"],
                                       ["subscribe", "core.get_jobs"]])
def test_nobody_there(arguments):
    done = midclt(None, *arguments)
    assert done.returncode == 1 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [
    ["call"], ["frob"], ["ping", "surplus"], ["subscribe"],
    ["call", "--nosuch", "core.ping"], ["-t"], ["-t", "x", "ping"],
    ["-t", "0", "ping"], ["call", "-jp", "loud", "core.ping"],
    ["-u", "wss://host/api/current", "ping"], ["call", "core.ping", "\udcff"]])
def test_wrong_usage(instance, arguments):
    done = midclt(instance, *arguments)
    assert done.returncode == 2, done
    assert done.stderr and done.stdout == ""


@pytest.mark.parametrize("arguments", [[], ["-h"], ["call", "--help"]])
def test_help(arguments):
    done = midclt(None, *arguments)
    assert done.returncode == 0 and "subscribe" in done.stdout


def test_subscribe(instance):
    process = subprocess.Popen(
        [BUILDS["asan"] / "midclt", "subscribe", "-n", "2", "core.get_jobs"],
        stdout=subprocess.PIPE, text=True,
        env={"HOLDFAST_INSTANCE": str(instance.directory)})
    try:
        with instance.root() as root:
            # The subscription begins at some time of its own.
            while process.poll() is None:
                root.call("service.control", "STOP", "ssh")
        lines = process.stdout.read().splitlines()
    finally:
        process.kill()
        process.communicate(timeout=30)
    assert process.returncode == 0 and len(lines) == 2
    for line in lines:
        event = json.loads(line)
        assert event["collection"] == "core.get_jobs"
        assert event["fields"]["method"] == "service.control"


def test_subscribe_to_nothing_in_time(instance):
    done = midclt(instance, "subscribe", "-t", "1", "-n", "1", "ssh.config")
    assert done.returncode == 1 and done.stdout == "" and done.stderr


def test_inside_the_instance_no_name_is_needed(instance):
    """Where Ansible runs it: on the server, by its usual socket."""
    done = instance.enter(BUILDS["asan"] / "midclt", "call", "core.ping")
    assert done.stdout == "pong\n"
