"""What somebody else wrote into sshd_config is found and never lost."""

import contextlib
import fcntl
import os
import signal

import pytest

from harness import ApiError, ssh_as_new, wait_until

MAIN = "/etc/ssh/sshd_config"
DROP_IN = "/etc/ssh/sshd_config.d/50-cloud.conf"


def edit(instance, text, file=MAIN):
    instance.enter("tee", "-a", file, stdin=text)


def edited_alerts(client):
    return sorted(alert["args"]["file"] for alert in client.call("alert.list")
                  if alert["klass"] == "ConfigurationFileEdited")


def refused(client, method, *params):
    with pytest.raises(ApiError) as error:
        client.call(method, *params)
    return error.value


@pytest.fixture
def served(instance):
    """Nothing of it stays."""
    with instance.root() as client:
        client.call("ssh.update", {"options": ""})
        assert client.call("ssh.edited_files") == []
        yield client
        instance.enter("rm", "-f", DROP_IN)
        if client.call("ssh.edited_files"):
            client.call("ssh.foreign_edits", {"action": "DISCARD"})
        client.call("ssh.update", {"options": ""})


def test_nothing_is_replaced_until_somebody_says_so(instance, served):
    edit(instance, "MaxAuthTries 3\n")
    ours = instance.sshd_config()
    error = refused(served, "ssh.update", {"options": "MaxSessions 7"})
    assert error.errname == "ESTALE"
    diff = [{"file": MAIN, "diff": "+MaxAuthTries 3\n"}]
    assert error.data["extra"]["files"] == diff
    assert edited_alerts(served) == [MAIN]
    # Whatever else the file is made from: the banner, accounts.
    assert refused(served, "system.advanced.update",
                   {"login_banner": "hello"}).errname == "ESTALE"
    assert served.call("system.advanced.config")["login_banner"] == ""
    # What it is not made from goes on.
    served.call("ssh.update", {"session_limit": 3600})
    served.call("ssh.update", {"session_limit": None})
    assert instance.sshd_config() == ours
    assert served.call("ssh.edited_files") == diff
    result = served.call("ssh.foreign_edits", {"action": "DISCARD"})
    assert result["files"] == diff
    assert "MaxAuthTries" not in instance.sshd_config()
    assert edited_alerts(served) == []
    assert served.call("ssh.edited_files") == []
    served.call("ssh.update", {"options": "MaxSessions 7"})
    assert refused(served, "ssh.foreign_edits",
                   {"action": "DISCARD"}).errname == "ENOENT"


def test_a_file_beside_it_counts(instance, served):
    edit(instance, "PasswordAuthentication yes\n", DROP_IN)
    error = refused(served, "ssh.update", {"options": "MaxSessions 7"})
    assert error.data["extra"]["files"] == [
        {"file": DROP_IN, "diff": "+PasswordAuthentication yes\n"}]
    assert edited_alerts(served) == [DROP_IN]
    served.call("ssh.foreign_edits", {"action": "DISCARD"})
    # It stays, sshd does not read it; another edit of it counts again.
    assert instance.inside(DROP_IN).exists()
    assert instance.effective()["passwordauthentication"] == ["no"]
    served.call("ssh.update", {"options": "MaxSessions 7"})
    edit(instance, "# again\n", DROP_IN)
    assert [entry["file"] for entry in served.call("ssh.edited_files")] == [
        DROP_IN]


def test_the_same_from_the_command_line(instance, served):
    done = instance.cli("ssh", "options", "--no-confirm", "-", "tcpfwd=yes",
                        stdin="MaxSessions 8\nMaxAuthTries 4\n")
    assert done.returncode == 0, done.stderr
    config = served.call("ssh.config")
    assert config["options"] == "MaxSessions 8\nMaxAuthTries 4\n"
    assert config["tcpfwd"]
    served.call("ssh.update", {"tcpfwd": False})
    done = instance.cli("ssh", "options", "--no-confirm", "-",
                        stdin="NoSuchThing 8\n")
    assert done.returncode == 1 and "NoSuchThing" in done.stderr
    assert served.call("ssh.config")["options"] == config["options"]
    edit(instance, "LoginGraceTime 77\n")
    done = instance.cli("ssh", "edits")
    assert done.stdout == f"{MAIN}:\n+LoginGraceTime 77\n"
    assert instance.cli("ssh", "edits", "discard").returncode == 0
    assert instance.cli("ssh", "edits").stdout == ""


def test_a_link_in_its_place_is_an_edit(instance, served):
    instance.enter("sh", "-c", f"cp {MAIN} /root/mine && rm {MAIN} && "
                   f"ln -s /root/mine {MAIN}")
    try:
        error = refused(served, "ssh.update", {"options": "MaxSessions 7"})
        assert error.data["extra"]["files"] == [
            {"file": MAIN, "diff": "it is a symbolic link"}]
        served.call("ssh.foreign_edits", {"action": "DISCARD"})
        assert not instance.inside(MAIN).is_symlink()
    finally:
        instance.enter("rm", "-f", "/root/mine")


def test_bytes_that_are_no_text(instance, served):
    instance.enter("sh", "-c", f"printf '# \\377\\000\\n' >>{MAIN}")
    entry, = served.call("ssh.edited_files")
    assert entry["diff"] == "+# ??\n"


def test_lines_are_for_full_administrators(instance, served):
    edit(instance, "# secret\n")
    served.call("user.create", {
        "username": "sshwriter", "full_name": "x", "group_create": True,
        "password": "Writes-Ssh-1", "smb": False})
    user = served.call("user.query", [["username", "=", "sshwriter"]],
                       {"get": True})
    group = served.call("group.query", [["id", "=", user["group"]["id"]]],
                        {"get": True})
    privilege = served.call("privilege.create", {
        "name": "ssh only", "local_groups": [group["gid"]],
        "ds_groups": [], "roles": ["SSH_WRITE"], "web_shell": False})
    try:
        with instance.connect() as client:
            client.login("sshwriter", "Writes-Ssh-1")
            error = refused(client, "ssh.update", {"tcpfwd": True})
            assert error.errname == "ESTALE"
            assert "secret" not in str(error)
            for method in ("ssh.edited_files", "ssh.foreign_edits"):
                params = [] if method == "ssh.edited_files" else [
                    {"action": "DISCARD"}]
                assert refused(client, method, *params).errname == "EACCES"
    finally:
        served.call("privilege.delete", privilege["id"])
        served.call("user.delete", user["id"])


@contextlib.contextmanager
def installing(instance):
    """What is about to be installed waits; yields a wait for that."""
    held = instance.directory / "held"
    inode = f":{held.stat().st_ino} "

    def waits():
        with open("/proc/locks", encoding="ascii") as locks:
            return any("->" in line and inode in line for line in locks)

    folder = os.open(held, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield lambda: wait_until(waits, 60, "the installation")
    finally:
        os.close(folder)


def mine(client):
    """The line that somebody else wrote, and nothing but it, is found."""
    entry, = client.call("ssh.edited_files")
    lines = entry["diff"].splitlines()
    return entry["file"] == MAIN and "+LoginGraceTime 77" in lines


@pytest.fixture
def running(served):
    ssh_as_new(served)
    served.control("START")
    yield served
    served.control("STOP")


def test_an_edit_while_a_change_is_made(instance, running):
    served = running
    before = instance.sshd_config()
    with instance.root() as other:
        # Seen as unedited, and not yet replaced.
        with installing(instance) as wait:
            number = other.start("ssh.update", {"options": "MaxSessions 7"})
            wait()
            with open(instance.inside(MAIN), "a", encoding="ascii") as file:
                file.write("LoginGraceTime 77\n")
        with pytest.raises(ApiError) as error:
            other.finish(number)
        assert MAIN in str(error.value) and "somebody else" in str(error.value)
        assert instance.sshd_config() == before + "LoginGraceTime 77\n"
        assert mine(served) and edited_alerts(served) == [MAIN]
        served.call("ssh.foreign_edits", {"action": "DISCARD"})
        assert instance.sshd_config() == before

        # Replaced, and not yet obeyed: going back keeps the way in.
        sshd = instance.sshd_pid()
        os.kill(sshd, signal.SIGSTOP)
        try:
            number = other.start("ssh.update", {"options": "MaxSessions 7"})
            wait_until(lambda: "MaxSessions 7" in instance.sshd_config(), 60,
                       "the new file")
            # Which counts, as it comes first.
            file = instance.inside(MAIN)
            file.write_text("MaxSessions 3\nLoginGraceTime 77\n"
                            + file.read_text())
        finally:
            os.kill(sshd, signal.SIGCONT)
        with pytest.raises(ApiError) as error:
            other.finish(number)
        assert f"wrote into {MAIN}" in str(error.value)
    assert instance.sshd_config() == before
    assert mine(served) and edited_alerts(served) == [MAIN]
    assert refused(served, "ssh.update",
                   {"options": "MaxSessions 7"}).errname == "ESTALE"
    served.call("ssh.foreign_edits", {"action": "DISCARD"})
    assert served.call("ssh.edited_files") == []


def test_an_edit_before_a_change_is_taken_back(instance, served):
    ssh_as_new(served)
    before = instance.sshd_config()
    served.call("ssh.update", {"options": "MaxSessions 7",
                               "rollback_timeout": 600})
    edit(instance, "LoginGraceTime 77\n")
    served.call("config.take_back")
    assert instance.sshd_config() == before
    assert served.call("ssh.config")["options"] == ""
    assert mine(served) and edited_alerts(served) == [MAIN]
    assert refused(served, "ssh.update",
                   {"options": "MaxSessions 7"}).errname == "ESTALE"
    served.call("ssh.foreign_edits", {"action": "DISCARD"})
    assert instance.sshd_config() == before
    assert served.call("ssh.edited_files") == []
    assert not instance.inside(f"{MAIN}.holdfast-edited").exists()
