"""The login banner and the message of the day, as those who log in see them."""

import subprocess

import pytest

from harness import ADMIN, Ssh

pytestmark = pytest.mark.release

MOTD = "Welcome to Holdfast"
BANNER = "Property of nobody: \u00e4\u4e2d\u2028\n\tgo away"


@pytest.fixture
def ssh(instance, root, tmp_path):
    root.control("START")
    yield Ssh(instance, tmp_path)
    root.call("system.advanced.update", {"motd": MOTD, "login_banner": ""})
    root.control("STOP")


def seen(ssh):
    """What ssh shows before a login, and a terminal behind it."""
    done = ssh.run("true", options=["-o", "LogLevel=INFO"])
    assert done.returncode == 0, done.stderr
    arguments, environment = ssh.command(options=["-tt"])
    shell = subprocess.run(
        arguments, env=environment, input="exit\n", capture_output=True,
        text=True, timeout=60, start_new_session=True, check=False)
    return done.stderr, shell.stdout


def update(client, **members):
    return client.call("system.advanced.update", members)


def test_a_new_instance(untouched):
    with untouched.root() as client:
        config = client.call("system.advanced.config")
    assert config["motd"] == MOTD and config["login_banner"] == ""
    with untouched.connect() as stranger:
        assert stranger.call("system.advanced.login_banner") == ""
    assert untouched.enter("cat", "/etc/motd").stdout == f"{MOTD}\n"
    assert "Banner" not in untouched.sshd_config()


def test_ssh_shows_both_once(ssh, root, instance):
    before, after = seen(ssh)
    assert BANNER[:20] not in before and after.count(MOTD) == 1
    entry = update(root, login_banner=BANNER, motd="Mind\n\nthe gap\n")
    assert entry["login_banner"] == BANNER
    before, after = seen(ssh)
    assert before.count("Property of nobody: ") == 1
    assert "\tgo away" in before
    assert MOTD not in after and "Property" not in after
    assert after.replace("\r", "").count("Mind\n\nthe gap\n") == 1
    for file in ("/etc/login_banner", "/etc/motd"):
        assert instance.enter("stat", "-c", "%U:%G %a", file).stdout == (
            "root:root 644\n")
    update(root, login_banner="", motd="")
    before, after = seen(ssh)
    assert "Property" not in before and "gap" not in after
    assert instance.enter("cat", "/etc/motd").stdout == ""


def test_the_page_shows_it_without_a_session(ssh, root, instance):
    update(root, login_banner=BANNER)
    with instance.connect() as stranger:
        assert stranger.call("system.advanced.login_banner") == BANNER
        assert stranger.error("system.advanced.config").errname == (
            "ENOTAUTHENTICATED")


def test_auxiliary_parameters_have_the_last_word(ssh, root):
    update(root, login_banner=BANNER)
    root.call("ssh.update", {"options": "Banner none"})
    try:
        assert "Property" not in seen(ssh)[0]
    finally:
        root.call("ssh.update", {"options": ""})


@pytest.mark.parametrize("member", ["motd", "login_banner"])
@pytest.mark.parametrize("text", [
    "a\rb", "\x1b[2J", "bell\x07", "\x7f", "\u009b2J", "\u0085", "\x01"])
def test_nothing_that_a_terminal_obeys(root, member, text):
    error = root.error("system.advanced.update", {member: text})
    assert [path.endswith(member) for path in error.paths] == [True]


@pytest.mark.parametrize("members, path", [
    ({"login_banner": "x" * 4097}, "data.login_banner"),
    ({"motd": "x" * 16385}, "data.motd"),
    ({"motd": 5}, "data.motd"), ({"login_banner": None}, "data.login_banner"),
    ({"anonstats_token": ""}, "data.anonstats_token")])
def test_what_is_no_text(root, members, path):
    error = root.error("system.advanced.update", members)
    assert error.code == -32602 and error.paths == [path]


@pytest.mark.parametrize("member, value", [
    ("serialconsole", True), ("syslogservers", [{"host": "logs"}]),
    ("sysloglevel", "F_DEBUG"), ("kernel_extra_options", "quiet"),
    ("boot_scrub", 8)])
def test_what_has_no_effect_is_refused(root, member, value):
    before = root.call("system.advanced.config")
    error = root.error("system.advanced.update", {member: value})
    assert error.paths == [f"system_advanced_update.{member}"]
    assert root.call("system.advanced.config") == before
    # As it is, it may be sent along.
    assert update(root, **{member: before[member]}) == before


def test_the_longest(ssh, root):
    update(root, login_banner="x" * 4096, motd="y" * 16384)
    before, _ = seen(ssh)
    assert "x" * 4096 in before
    assert ssh.works()
    assert ADMIN == ssh.user
