"""Homes of accounts and the SSH keys in them, with the real sshd."""

import os
import time

import pytest

from harness import PASSWORD, KeySsh, public, wait_until

pytestmark = pytest.mark.release


@pytest.fixture
def root(accounts):
    with accounts.root() as client:
        yield client


def state_of(instance, path):
    """mode, user and group of a file inside, or None."""
    done = instance.enter("stat", "-c", "%a %u %g", path, check=False)
    return done.stdout.split() if done.returncode == 0 else None


def refused(root, name, **data):
    """The error of a user that is not made; nothing of it is left."""
    error = root.error("user.create", {
        "username": name, "full_name": name, "group_create": True,
        "password": PASSWORD, "smb": False, **data})
    assert root.call("user.query", [["username", "=", name]]) == []
    return error


# Making one.

def test_home_is_made_with_the_skeleton(accounts, root, make_user):
    accounts.enter("sh", "-c", "ls -A /etc/skel | grep -q .profile")
    user = make_user("homea", home="/home", home_create=True)
    assert user["home"] == "/home/homea"
    ids = [str(user["uid"]), str(user["group"]["bsdgrp_gid"])]
    assert state_of(accounts, "/home/homea") == ["700", *ids]
    assert state_of(accounts, "/home/homea/.profile") == ["644", *ids]
    assert accounts.enter("ls", "-A", "/home").stdout.split().count(
        "homea") == 1
    assert ".holdfast" not in accounts.enter("ls", "-A", "/home").stdout
    done = accounts.enter("getent", "passwd", "homea").stdout
    assert done.split(":")[5] == "/home/homea"


def test_home_has_the_mode_that_was_asked_for(accounts, make_user):
    make_user("homeb", home="/mnt", home_create=True, home_mode="750")
    assert state_of(accounts, "/mnt/homeb")[0] == "750"


def test_path_that_ends_with_the_name_is_the_home_itself(accounts,
                                                         make_user):
    user = make_user("homec", home="/home/homec", home_create=True)
    assert user["home"] == "/home/homec"
    assert state_of(accounts, "/home/homec")


def test_without_a_home_none_is_made(accounts, make_user):
    user = make_user("homed", home_create=True)
    assert user["home"] == "/var/empty"
    assert state_of(accounts, "/home/homed") is None


def test_home_that_is_there_is_taken_when_it_is_empty(accounts, root,
                                                      make_user):
    accounts.enter("mkdir", "-m", "755", "/mnt/homee")
    user = make_user("homee", home="/mnt/homee")
    assert state_of(accounts, "/mnt/homee")[1] == str(user["uid"])
    root.call("user.update", user["id"], {"home_mode": "710"})
    assert state_of(accounts, "/mnt/homee")[0] == "710"


@pytest.mark.parametrize("home, create", [
    ("/etc", False), ("/etc", True), ("x", False), ("/home/a:b", False),
    ("/home", False), ("/mnt", False), ("/home/", False),
    ("/home/../etc/x", False), ("/home/x/..", True), ("/homes/x", False),
    ("/root/x", True), ("/home/a\nb", True), ("/home/nosuch", True),
    ("/home/nosuch", False), ("/mnt/" + "x" * 300, True)])
def test_home_elsewhere_is_refused(accounts, root, home, create):
    before = accounts.enter("cat", "/etc/passwd").stdout
    error = refused(root, "homef", home=home, home_create=create)
    assert error.code == -32602
    assert set(error.paths) == {"user_create.home"}
    assert accounts.enter("cat", "/etc/passwd").stdout == before


@pytest.mark.parametrize("mode", ["999", "7", "7777", "x", "777", "720",
                                  "400"])
def test_mode_that_is_none_is_refused(root, mode):
    error = refused(root, "homeg", home="/home", home_create=True,
                    home_mode=mode)
    assert error.paths == ["user_create.home_mode"]


@pytest.mark.parametrize("prepare", [
    ["ln", "-s", "/etc", "/mnt/odd"],
    ["install", "-d", "-o", "1234", "/mnt/odd"],
    ["install", "-d", "-m", "1777", "/mnt/odd"],
    ["install", "-d", "-m", "775", "/mnt/odd"],
    ["touch", "/mnt/odd"]])
def test_folder_that_others_own_is_refused(accounts, root, prepare):
    accounts.enter(*prepare)
    try:
        error = refused(root, "homeh", home="/mnt/odd", home_create=True)
        assert error.paths == ["user_create.home"]
        assert "/mnt/odd" in error.texts[0]
        assert state_of(accounts, "/etc/homeh") is None
    finally:
        accounts.enter("rm", "-rf", "/mnt/odd")


def test_home_of_another_is_refused(accounts, root, make_user):
    make_user("homei", home="/home", home_create=True)
    for create in (True, False):
        error = refused(root, "homej", home="/home/homei" if not create
                        else "/home/homei/homej", home_create=create)
        assert error.paths == ["user_create.home"]


def test_what_fails_leaves_neither_account_nor_home(accounts, root):
    """The skeleton holds what only root can read, so it fails late."""
    accounts.enter("install", "-m", "600", "/dev/null", "/etc/skel/roots")
    before = accounts.enter("cat", "/etc/passwd", "/etc/shadow",
                            "/etc/group").stdout
    try:
        error = refused(root, "homek", home="/home", home_create=True)
        assert "roots" in error.data["reason"]
    finally:
        accounts.enter("rm", "/etc/skel/roots")
    assert "homek" not in accounts.enter("ls", "-A", "/home").stdout
    assert accounts.enter("cat", "/etc/passwd", "/etc/shadow",
                          "/etc/group").stdout == before


# Changing it.

def test_new_home_is_a_copy_of_the_old_one(accounts, root, make_user):
    user = make_user("homel", home="/home", home_create=True)
    accounts.enter("sh", "-c", "echo mine >/home/homel/notes && "
                   "chown homel /home/homel/notes")
    changed = root.call("user.update", user["id"], {
        "home": "/mnt", "home_create": True})
    assert changed["home"] == "/mnt/homel"
    assert accounts.enter("cat", "/mnt/homel/notes").stdout == "mine\n"
    assert state_of(accounts, "/mnt/homel")[1] == str(user["uid"])
    assert accounts.enter("cat", "/home/homel/notes").stdout == "mine\n"
    accounts.enter("rm", "-rf", "/mnt/homel")


def test_home_that_was_given_up_stays(accounts, root, make_user):
    user = make_user("homem", home="/home", home_create=True)
    root.call("user.update", user["id"], {"home": "/var/empty"})
    assert state_of(accounts, "/home/homem")


def test_home_of_a_removed_account_stays_and_is_listed(accounts, root,
                                                       make_user):
    user = make_user("homen", home="/home", home_create=True)
    uid = str(user["uid"])
    accounts.enter("install", "-D", "-o", uid, "/dev/null",
                   "/var/spool/cron/crontabs/homen")
    accounts.enter("install", "-D", "-o", uid, "/dev/null", "/var/mail/homen")
    root.call("user.delete", user["id"])
    assert state_of(accounts, "/home/homen")
    job = root.job("user.leftovers", user["uid"])
    assert job["state"] == "SUCCESS", job
    result = job["result"]
    found = {file["path"]: file["kind"] for file in result["files"]}
    assert found["/home/homen"] == "FILE"
    assert found["/var/spool/cron/crontabs/homen"] == "CRONTAB"
    assert found["/var/mail/homen"] == "MAIL"
    assert result["complete"] and result["count"] == len(found)
    accounts.enter("rm", "/var/spool/cron/crontabs/homen", "/var/mail/homen")


def test_nothing_is_left_of_a_number_that_nobody_had(root):
    job = root.job("user.leftovers", 89999999)
    assert job["result"] == {"files": [], "count": 0, "complete": True}


# Keys.

def test_key_opens_the_account_until_it_is_taken_away(
        accounts, root, make_user, keys):
    user = make_user("keya", home="/home", home_create=True,
                     sshpubkey=public(keys[0]))
    assert user["sshpubkey"] == public(keys[0])
    one, two = (KeySsh(accounts, "keya", key) for key in keys)
    assert one.works() and not two.works()
    ids = [str(user["uid"]), str(user["group"]["bsdgrp_gid"])]
    assert state_of(accounts, "/home/keya/.ssh") == ["700", *ids]
    assert state_of(accounts, "/home/keya/.ssh/authorized_keys") == [
        "600", *ids]
    root.call("user.update", user["id"], {"sshpubkey": public(keys[1])})
    assert two.works() and not one.works()
    root.call("user.update", user["id"], {
        "sshpubkey": public(keys[0]) + "# and\n" + public(keys[1])})
    assert one.works() and two.works()
    root.call("user.update", user["id"], {"sshpubkey": None})
    assert not one.works() and not two.works()


def test_keys_of_the_home_stay(accounts, root, make_user, keys):
    user = make_user("keyb", home="/home", home_create=True)
    accounts.enter("sh", "-c", "install -d -m 700 -o keyb /home/keyb/.ssh && "
                   "cat >/home/keyb/.ssh/authorized_keys && "
                   "chown keyb /home/keyb/.ssh/authorized_keys",
                   stdin=public(keys[0]))
    one, two = (KeySsh(accounts, "keyb", key) for key in keys)
    assert one.works()
    root.call("user.update", user["id"], {"sshpubkey": public(keys[1])})
    assert one.works() and two.works()
    root.call("user.update", user["id"], {"sshpubkey": None})
    assert one.works() and not two.works()


def test_keys_go_along_to_a_new_home(accounts, root, make_user, keys):
    user = make_user("keyc", home="/home", home_create=True,
                     sshpubkey=public(keys[0]))
    root.call("user.update", user["id"], {"home": "/mnt",
                                          "home_create": True})
    accounts.enter("rm", "-rf", "/home/keyc")
    assert KeySsh(accounts, "keyc", keys[0]).works()
    accounts.enter("rm", "-rf", "/mnt/keyc")


def test_key_with_options_obeys_them(accounts, make_user, keys):
    make_user("keyd", home="/home", home_create=True, sshpubkey='restrict,'
              'command="/usr/bin/printf %s forced" ' + public(keys[0]))
    done = KeySsh(accounts, "keyd", keys[0]).run("id")
    assert (done.returncode, done.stdout) == (0, "forced"), done


@pytest.mark.parametrize("text", [
    "hello", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-dss AAAAB3NzaC1kc3M=",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nx", "nosuch {key}", "{key}\nx",
    "{key} \x1b[2J", "command=x {key}", "{key}\r\n{key}"])
def test_text_that_is_no_key_is_refused(root, keys, text):
    key = public(keys[0]).strip()
    error = refused(root, "keye", home="/home", home_create=True,
                    sshpubkey=text.replace("{key}", key))
    assert error.paths == ["user_create.sshpubkey"]
    assert key not in error.texts[0]


def test_key_without_a_home_is_refused(root, keys, make_user):
    error = refused(root, "keyf", sshpubkey=public(keys[0]))
    assert error.paths == ["user_create.sshpubkey"]
    user = make_user("keyg")
    error = root.error("user.update", user["id"],
                       {"sshpubkey": public(keys[0])})
    assert error.paths == ["user_update.sshpubkey"]


@pytest.mark.parametrize("trap", [
    "ln -s /etc /home/keyh/.ssh",
    "install -d -o keyh /home/keyh/.ssh && "
    "ln -s /etc/motd /home/keyh/.ssh/authorized_keys",
    "install -d -o keyh /home/keyh/.ssh && "
    "mkfifo /home/keyh/.ssh/authorized_keys",
    "install -d -o root /home/keyh/.ssh"])
def test_key_is_written_nowhere_else(accounts, root, make_user, keys, trap):
    """What the user put there leads to an error, and to nothing of root's."""
    user = make_user("keyh", home="/home", home_create=True)
    accounts.enter("sh", "-c", trap)
    before = accounts.enter("ls", "-l", "/etc", "/etc/motd").stdout
    error = root.error("user.update", user["id"],
                       {"sshpubkey": public(keys[0])})
    assert ".ssh" in error.data["reason"]
    assert accounts.enter("ls", "-l", "/etc", "/etc/motd").stdout == before
    stored = root.call("user.get_instance", user["id"])
    assert stored["sshpubkey"] is None


# A crash.

def test_crash_leaves_an_account_with_its_home_or_neither(fresh):
    """Killed while a large skeleton is copied, and again at other times."""
    fresh.enter("sh", "-c", "for i in $(seq 1500); do "
                "echo $i >/etc/skel/file$i; done")
    for attempt in range(3):
        name = f"crash{attempt}"
        with fresh.root() as client:
            client.start("user.create", {
                "username": name, "full_name": name, "group_create": True,
                "password": PASSWORD, "smb": False, "home": "/home",
                "home_create": True})
            staged = fresh.directory / f"fs/home/upper/.{name}.holdfast-new"
            home = fresh.directory / f"fs/home/upper/{name}"
            wait_until(lambda: staged.exists() or home.exists(), 30,
                       "the home is begun")
            time.sleep(0.02 * attempt)
            fresh.kill()
        fresh.start()
        with fresh.root() as client:
            found = client.call("user.query", [["username", "=", name]])
        assert not staged.exists()
        assert home.exists() == bool(found)
        if found:
            assert len(os.listdir(home)) >= 1500
            assert home.stat().st_uid == found[0]["uid"]
