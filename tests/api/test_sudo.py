"""Commands of sudo: what is refused, what the real sudo makes of the rest,
and what is said of it."""

import pytest

from harness import PASSWORD, KeySsh, public, wait_until

RULES = "/etc/sudoers.d/holdfast"


def rules(instance):
    return instance.enter("cat", RULES).stdout


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


# The real sudo.

@pytest.fixture
def sudoer(accounts, make_user, keys):
    """Makes a user; what runs a command as it with sudo, by SSH."""
    def make(name, **data):
        user = make_user(name, home="/home", home_create=True,
                         sshpubkey=public(keys[0]), **data)
        ssh = KeySsh(accounts, name, keys[0])
        return user, lambda *words, stdin="": ssh.run("sudo", *words,
                                                      stdin=stdin)

    return make


def allowed(done):
    """Did sudo run it?  Else it says that it did not."""
    if done.returncode == 0:
        return True
    assert "sudo" in done.stderr or "not allowed" in done.stderr, done
    return False


@pytest.mark.release
def test_sudo_runs_what_is_allowed_and_nothing_else(accounts, sudoer):
    user, sudo = sudoer("sudoa", sudo_commands_nopasswd=["/usr/bin/id -u"])
    assert sudo("-n", "id", "-u").stdout == "0\n"
    assert not allowed(sudo("-n", "id"))
    assert not allowed(sudo("-n", "id", "-u", "root"))
    assert not allowed(sudo("-n", "cat", "/etc/shadow"))
    with accounts.root() as client:
        client.call("user.update", user["id"],
                    {"sudo_commands_nopasswd": []})
    assert not allowed(sudo("-n", "id", "-u"))


@pytest.mark.release
def test_sudo_asks_for_the_password(sudoer):
    _, sudo = sudoer("sudob", sudo_commands=["/usr/bin/id"])
    assert not allowed(sudo("-n", "id", "-u"))
    assert not allowed(sudo("-S", "id", "-u", stdin="wrong\n"))
    assert sudo("-S", "id", "-u", stdin=PASSWORD + "\n").stdout == "0\n"


@pytest.mark.release
def test_what_is_special_in_sudoers_stands_for_itself(accounts, sudoer):
    _, sudo = sudoer("sudoc", sudo_commands_nopasswd=[
        "/usr/bin/echo a,b x:y=z u#1 \\*"])
    done = sudo("-n", "echo", "a,b", "x:y=z", "u#1", "'*'")
    assert done.stdout == "a,b x:y=z u#1 *\n", done
    for other in (["a"], ["a,b"], ["a,b", "x:y=z", "u#1", "q"],
                  ["a,b", "x:y=z", "u"]):
        assert not allowed(sudo("-n", "echo", *other)), other
    assert not allowed(sudo("-n", "x:y"))
    assert accounts.enter("visudo", "-c").returncode == 0


@pytest.mark.release
def test_members_of_a_group_have_its_rules(accounts, sudoer):
    user, sudo = sudoer("sudod")
    assert not allowed(sudo("-n", "id", "-u"))
    with accounts.root() as client:
        number = client.call("group.create", {
            "name": "sudocrew", "smb": False, "users": [user["id"]],
            "sudo_commands_nopasswd": ["/usr/bin/id"]})
        assert sudo("-n", "id", "-u").stdout == "0\n"
        client.call("group.update", number, {"users": []})
        assert not allowed(sudo("-n", "id", "-u"))
        client.call("group.delete", number)


# What is said of it.

def findings_of(client, name):
    return {(one["command"], one["finding"])
            for one in client.call("sudo.findings")
            if one["account"] == name}


@pytest.mark.release
def test_findings_and_their_alert(accounts, make_user):
    with accounts.root() as client:
        accounts.enter("install", "-d", "-m", "777", "/mnt/open")
        accounts.enter("install", "-m", "755", "/usr/bin/id", "/mnt/open/id")
        user = make_user("sudoe", sudo_commands=[
            "/usr/bin/id", "/mnt/open/id", "/usr/bin/find /var",
            "/usr/bin/cat /var/log/*", "ALL"])
        assert findings_of(client, "sudoe") == {
            ("/mnt/open/id", "WRITABLE"), ("/usr/bin/find /var", "SHELL"),
            ("/usr/bin/cat /var/log/*", "WILDCARD"), ("ALL", "ALL")}

        def alerts():
            return [alert for alert in client.call("alert.list")
                    if alert["klass"] == "SudoCommandUnsafe"]

        alert, = wait_until(alerts, 20, "the alert")
        assert alert["key"] == "user sudoe"
        client.call("user.update", user["id"], {"sudo_commands": ["ALL"]})
        wait_until(lambda: not alerts(), 20, "the alert's end")
        accounts.enter("rm", "-r", "/mnt/open")
