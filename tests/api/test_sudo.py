"""Commands of sudo: what is refused, what the real sudo makes of the rest,
and what is said of it."""

import subprocess

import pytest

from harness import wait_until

RULES = "/etc/sudoers.d/holdfast"


@pytest.fixture(scope="module")
def account():
    """A user of the instance, as useradd makes it, with a password."""
    return {"name": "sudoer", "password": "Kite-string-41"}


def rules(instance):
    return instance.enter("cat", RULES).stdout


def sudo(instance, name, *command, stdin="", user="nobody"):
    """What sudo does for somebody inside, asked without a terminal."""
    del user
    return instance.enter("setpriv", "--reuid", name, "--regid", name,
                          "--init-groups", "sudo", "-k", *command,
                          stdin=stdin)


BAD = [
    (["id"], ".0"), (["/usr/bin/id", "x"], ".1"), ([" /usr/bin/id"], ".0"),
    (["/usr/bin/id\nroot ALL=(ALL) ALL"], ".0"), (["/usr/bin/id\t-u"], ".0"),
    (["/usr/bin/id \\"], ".0"), (["/nosuch/x"], ".0"),
    (["/usr/bin/nosuch*"], ".0"), ([""], ".0"), (["all"], ".0"),
    (["sudoedit /etc/motd"], ".0"), ("/usr/bin/id", "")]


@pytest.mark.parametrize("member", ["sudo_commands",
                                    "sudo_commands_nopasswd"])
@pytest.mark.parametrize("commands, place", BAD)
def test_command_that_is_none_is_refused(root, instance, member, commands,
                                         place):
    before = rules(instance)
    error = root.error("group.create", {"name": "sudobad", member: commands})
    assert error.code == -32602
    assert error.paths == [f"group_create.{member}{place}"]
    assert root.call("group.query", [["name", "=", "sudobad"]]) == []
    assert rules(instance) == before


def test_rules_of_a_group_are_a_file_that_only_root_reads(root, instance):
    number = root.call("group.create", {
        "name": "sudofile", "sudo_commands": ["/usr/bin/id -u"],
        "sudo_commands_nopasswd": ["ALL"]})
    try:
        gid = root.call("group.get_instance", number)["gid"]
        assert rules(instance).splitlines()[-3:] == [
            "# sudofile", f"%#{gid} ALL=(ALL) PASSWD: /usr/bin/id -u",
            f"%#{gid} ALL=(ALL) NOPASSWD: ALL"]
        assert instance.enter("stat", "-c", "%a %U:%G",
                              RULES).stdout == "440 root:root\n"
        done = instance.enter("visudo", "-c")
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        root.call("group.delete", number)
    assert "sudofile" not in rules(instance)
