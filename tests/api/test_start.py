"""Starting: where an instance may be, what it leaves, what it refuses."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from harness import BUILDS, Instance, next_address

RELEASE = BUILDS["release"]


def try_start(directory, *arguments, listen=None, prefix=(), seconds=30):
    return subprocess.run(
        [*prefix, RELEASE / "holdfastd", "--instance", directory, "--listen",
         listen or f"{next_address(201)}:8443", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=seconds, check=False)


def one_line(done):
    """Refused as it should be: exit 1, one line that says something."""
    assert done.returncode == 1, done
    lines = (done.stdout + done.stderr).strip().splitlines()
    assert len(lines) == 1 and len(lines[0]) > 20, done
    return lines[0]


@pytest.fixture
def folder():
    path = pathlib.Path(Instance.new_directory())
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_not_root_is_told_so(folder):
    folder.chmod(0o755)
    text = one_line(try_start("/nonexistent/x", prefix=[
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]))
    assert "root" in text


def test_folder_in_use_is_refused(instance):
    text = one_line(try_start(instance.directory))
    assert "use" in text or "runs" in text
    with instance.root() as client:
        assert client.call("core.ping") == "pong"


def test_new_folder_is_made_for_root_alone(folder):
    instance = Instance("release", folder / "new")
    try:
        instance.start()
        assert instance.directory.stat().st_mode & 0o7777 == 0o700
        assert (instance.directory / "middlewared.sock").exists()
        for name in ("state", "audit", "log"):
            mode = (instance.directory / name).stat().st_mode
            assert mode & 0o007 == 0, name
        instance.stop()
    finally:
        instance.remove()


def test_folder_of_somebody_else_is_refused(folder):
    os.chown(folder, 65534, 65534)
    one_line(try_start(folder))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777, 0o720])
def test_folder_that_others_may_write_is_refused(folder, mode):
    folder.chmod(mode)
    one_line(try_start(folder))
    assert list(folder.iterdir()) == []


def test_parent_that_others_may_write_is_refused(folder):
    folder.chmod(0o777)
    (folder / "inner").mkdir(mode=0o700)
    one_line(try_start(folder / "inner"))
    assert list((folder / "inner").iterdir()) == []


def test_link_is_not_followed(folder):
    (folder / "real").mkdir(mode=0o700)
    (folder / "link").symlink_to(folder / "real")
    one_line(try_start(folder / "link"))
    one_line(try_start(folder / "link" / "inner"))
    assert list((folder / "real").iterdir()) == []


def test_file_in_place_of_the_folder_is_refused(folder):
    (folder / "file").write_text("x")
    one_line(try_start(folder / "file"))
    assert (folder / "file").read_text() == "x"


def test_missing_parent_is_refused(folder):
    one_line(try_start(folder / "no" / "such"))
    assert list(folder.iterdir()) == []


def test_address_in_use_is_refused_and_leaves_nothing(folder, instance):
    text = one_line(try_start(
        folder / "new", listen=f"{instance.address}:{instance.port}"))
    assert "in use" in text
    assert list(folder.iterdir()) == []


def test_address_of_another_machine_is_refused(folder):
    one_line(try_start(folder / "new", listen="192.0.2.1:8443"))
    assert list(folder.iterdir()) == []


def test_another_distribution_is_refused(folder):
    release = folder / "os-release"
    release.write_text('ID=fedora\nVERSION_ID=43\nNAME="Fedora Linux"\n')
    text = one_line(try_start(folder / "new", prefix=[
        "unshare", "-m", "sh", "-c",
        'mount --bind "$0" /etc/os-release && exec "$@"', release]))
    assert "Debian" in text
    assert list(folder.iterdir()) == [release]


@pytest.mark.parametrize("missing", [
    "landlock_create_ruleset", "seccomp", "unshare", "mount"])
def test_kernel_that_lacks_something_is_refused(folder, compiled, missing):
    number = subprocess.run(
        ["gcc", "-E", "-P", "-x", "c", "-"], capture_output=True, text=True,
        input=f"#include <sys/syscall.h>\nSYS_{missing}", timeout=20,
        check=True).stdout.split()[-1]
    one_line(try_start(folder / "new",
                       prefix=[compiled("without"), number]))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("free", [0, 32768, 90112])
def test_full_disk_is_refused_with_one_line(folder, free):
    # In a mount namespace of its own, so that nothing is left mounted.
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c",
         'mount -t tmpfs -o size="$4",mode=700 tmpfs "$1" && '
         '{ cat /dev/zero >"$1/filler" 2>/dev/null; '
         'truncate -s -"$5" "$1/filler"; '
         '"$2" --instance "$1/x" --listen "$3"; status=$?; '
         'ls "$1"; exit $status; }',
         "sh", folder, RELEASE / "holdfastd", f"{next_address(201)}:8443",
         "1m", str(free)],
        capture_output=True, text=True, timeout=60, check=False)
    left, done.stdout = done.stdout, ""
    one_line(done)
    assert left == "filler\n"


@pytest.mark.parametrize("name", [
    "a b", "quote'\"", "comma,colon:equals=", "back\\slash", "-dash",
    "\u00fcml\u00e4ut \u20ac", "new\nline", "tab\t", "$(reboot)", "%n%s",
    "x" * 255, "*?[a]", "\udcff\udcfe"])
def test_odd_name_of_the_folder_works(folder, name):
    instance = Instance("release", folder / name)
    try:
        instance.start()
        with instance.root() as client:
            assert client.call("core.ping") == "pong"
        assert instance.cli("status").returncode in (0, 1)
        assert instance.enter("cat", "/etc/debian_version").stdout
        instance.stop()
    finally:
        instance.remove()


@pytest.mark.release
def test_very_long_name_of_the_folder_works(folder):
    path = folder
    while len(str(path)) < 2500:
        path /= "long-" * 30
    path.parent.mkdir(parents=True)
    instance = Instance("release", path)
    try:
        instance.start().setup_admin()
        with instance.root() as client:
            client.call("ssh.update", {"compression": True})
            client.control("START")
        done = instance.cli("call", "core.ping")
        assert done.stdout.strip() == '"pong"', done
        instance.stop()
    finally:
        instance.remove()


def test_relative_name_of_the_folder_works(folder):
    instance = Instance("release", folder / "here")
    before = os.getcwd()
    os.chdir(folder)
    try:
        instance.command, full = (
            lambda ready: [word if word != instance.directory else "here"
                           for word in full(ready)]), instance.command
        instance.start()
        with instance.root() as client:
            assert client.call("core.ping") == "pong"
        instance.stop()
    finally:
        os.chdir(before)
        instance.remove()


@pytest.mark.parametrize("arguments", [
    ["--listen", ""], ["--listen", "nonsense"], ["--listen", "127.0.0.1"],
    ["--listen", "127.0.0.1:0x10"], ["--listen", "127.0.0.1:65536"],
    ["--listen", "127.0.0.1:-1"], ["--listen", ":8443"],
    ["--listen", "999.0.0.1:8443"], ["--listen", "127.0.0.1:8443 "],
    ["--ready-fd", "x"], ["--ready-fd", "-5"], ["--ready-fd", "777"],
    ["--ready-fd", "99999999999999999999"], ["--ssh-port", "0x"],
    ["--ssh-port", "65536"], ["--ssh-port", "-1"], ["--nosuch"],
    ["surplus"], ["--instance", ""], ["--instance"]])
def test_malformed_arguments_are_refused(folder, arguments):
    done = try_start(folder / "new", *arguments)
    assert done.returncode in (1, 2), done
    assert done.stderr.strip()
    assert list(folder.iterdir()) == []


def test_role_cannot_be_started_by_hand(folder):
    for role in ("web", "core", "local", "audit", "worker"):
        done = subprocess.run(
            [RELEASE / "holdfastd", "--role", role], timeout=20, check=False,
            capture_output=True, stdin=subprocess.DEVNULL, cwd=folder)
        assert done.returncode not in (0, -11, -6)


def test_two_instances_side_by_side(make_instance):
    one, other = make_instance().start(), make_instance().start()
    one.setup_admin(password="first-password-1")
    with other.connect() as client:
        assert client.call("user.has_local_administrator_set_up") is False
    other.setup_admin(password="second-password-2")
    for instance, password in ((one, "first-password-1"),
                               (other, "second-password-2")):
        with instance.connect() as client:
            answer = client.login(password=password)
            assert answer["response_type"] == "SUCCESS"
    with one.root() as client, other.root() as second:
        client.control("START")
        second.control("START")
        assert one.sshd_pid() != other.sshd_pid()
        client.control("STOP")
        assert second.call("service.started", "ssh") is True
    one.stop()
    with other.root() as client:
        assert client.call("core.ping") == "pong"


def host_files():
    names = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/ssh",
             "/etc/hostname", "/home", "/root")
    found = {}
    for name in names:
        for path in [pathlib.Path(name), *pathlib.Path(name).glob("*")]:
            if path.exists():
                stat = path.stat()
                found[str(path)] = (stat.st_mtime_ns, stat.st_size,
                                    stat.st_mode, stat.st_ino)
    return found


def test_host_is_untouched(make_instance):
    files = host_files()
    mounts = pathlib.Path("/proc/self/mountinfo").read_text()
    instance = make_instance().start().setup_admin()
    with instance.root() as client:
        client.call("ssh.update", {"passwordauth": True})
        client.control("START")
        instance.enter("sh", "-c", "echo x >/etc/inside; echo x >/root/in")
        assert host_files() == files
        assert pathlib.Path("/proc/self/mountinfo").read_text() == mounts
    instance.stop()
    assert host_files() == files
    assert not os.path.exists("/etc/inside")


def test_deleting_the_folder_removes_every_trace(folder):
    before = set(os.listdir("/run")) | set(os.listdir("/tmp"))
    instance = Instance("release", folder / "gone")
    instance.start().setup_admin().stop()
    shutil.rmtree(folder / "gone")
    after = set(os.listdir("/run")) | set(os.listdir("/tmp"))
    assert [name for name in after - before if "holdfast" in name] == []


def test_writes_inside_are_kept_over_a_restart(fresh):
    fresh.enter("sh", "-c", "echo kept >/home/kept")
    fresh.stop()
    fresh.start()
    assert fresh.enter("cat", "/home/kept").stdout == "kept\n"


def test_stop_on_sigint_as_well(empty):
    empty.process.send_signal(2)
    assert empty.process.wait(30) == 0
    assert empty.members() == []
    empty.process = None


def test_log_lines_have_one_form(instance):

    with instance.root() as client:
        client.call("core.ping")
    files = [file for file in (instance.directory / "log").glob("*")
             if file.stat().st_size]
    assert files
    form = re.compile(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [a-z]+\[\d+\] "
        r"(error|warn|info) [a-z0-9_.-]+( .*)?")
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            assert form.fullmatch(line), line


@pytest.mark.parametrize("arguments", [
    [], ["--instance", ""], ["--instance", "x", "--machine"],
    ["--machine", "--expose"], ["--machine", "--ssh-port", "22"],
    ["--machine", "--listen", "nowhere"], ["--machine", "surplus"]])
def test_a_machine_is_not_taken_over_by_mistake(tmp_path, arguments):
    """Only --machine alone means the machine itself."""
    done = subprocess.run([RELEASE / "holdfastd", *arguments], cwd=tmp_path,
                          capture_output=True, text=True, timeout=20,
                          check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("holdfastd: ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
