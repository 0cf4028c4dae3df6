"""ssh.config and ssh.update: validation, partial update, the stored form."""

import json
import subprocess

import pytest

from harness import Instance

DEFAULTS = {
    "bindiface": [], "tcpport": 2222, "password_login_groups": [],
    "passwordauth": False, "kerberosauth": False, "tcpfwd": False,
    "compression": False, "sftp_log_level": "", "sftp_log_facility": "",
    "weak_ciphers": [], "options": "",
    "hardening": "MODERN", "kept_host_keys": [], "stop_when_idle": None,
    "session_limit": None}
PRIVATE = {
    "privatekey", "host_dsa_key", "host_dsa_key_pub",
    "host_dsa_key_cert_pub", "host_ecdsa_key", "host_ecdsa_key_pub",
    "host_ecdsa_key_cert_pub", "host_ed25519_key", "host_ed25519_key_pub",
    "host_ed25519_key_cert_pub", "host_key", "host_key_pub", "host_rsa_key",
    "host_rsa_key_pub", "host_rsa_key_cert_pub"}
LEVELS = ["", "QUIET", "FATAL", "ERROR", "INFO", "VERBOSE", "DEBUG",
          "DEBUG2", "DEBUG3"]
FACILITIES = ["", "DAEMON", "USER", "AUTH", *(f"LOCAL{n}" for n in range(8))]


@pytest.fixture(autouse=True)
def defaults_afterwards(request):
    # Asked for before the test, so that it is torn down after this.
    root = (request.getfixturevalue("root")
            if "root" in request.fixturenames else None)
    yield
    if root is not None:
        root.call("ssh.update", DEFAULTS)


@pytest.fixture
def exposed(shared):
    """A shared one that may listen on all addresses; its sshd stays off."""
    return shared("exposed", lambda build: Instance(
        build, arguments=["--expose"]).start())


def test_config_of_a_new_instance(untouched):
    with untouched.root() as client:
        config = client.call("ssh.config")
    assert set(config) == {"id"} | set(DEFAULTS) | PRIVATE
    assert config["id"] == 1
    assert {key: config[key] for key in DEFAULTS} == DEFAULTS


def test_config_never_shows_a_host_key(root):
    root.control("START")
    config = root.call("ssh.config")
    root.control("STOP")
    assert config["privatekey"] == ""
    for name in PRIVATE - {"privatekey"}:
        if not name.endswith("_pub"):
            assert config[name] is None, name
    assert "PRIVATE KEY" not in json.dumps(config)


def test_update_of_nothing_changes_nothing(root):
    before = root.call("ssh.config")
    assert root.call("ssh.update", {}) == before


GOOD = [
    ("tcpport", 1), ("tcpport", 22), ("tcpport", 65535),
    ("passwordauth", True), ("passwordauth", False),
    ("kerberosauth", True), ("tcpfwd", True), ("compression", True),
    ("weak_ciphers", ["AES128-CBC"]), ("weak_ciphers", ["NONE"]),
    ("weak_ciphers", ["AES128-CBC", "NONE"]), ("weak_ciphers", []),
    ("password_login_groups", ["builtin_administrators"]),
    ("options", "ClientAliveInterval 30"), ("options", "# only a comment"),
    ("options", "MaxStartups 20\nClientAliveInterval 30\n"),
    ("options", "Match User nobody\n  X11Forwarding no"),
    ("options", "#" + "x" * 5000),
    *(("sftp_log_level", value) for value in LEVELS),
    *(("sftp_log_facility", value) for value in FACILITIES),
]


@pytest.mark.parametrize("name, value", GOOD)
def test_value_is_taken_and_alone_changes(root, name, value):
    before = root.call("ssh.config")
    after = root.call("ssh.update", {name: value})
    assert after == before | {name: value}
    assert root.call("ssh.config") == after


INTEGER = "Input should be a valid integer"
BOOLEAN = "Input should be a valid boolean"
STRING = "Input should be a valid string"
LIST = "Input should be a valid list"
BAD = [
    ("tcpport", 0, "", "Input should be greater than or equal to 1"),
    ("tcpport", -1, "", "Input should be greater than or equal to 1"),
    ("tcpport", 65536, "", "Input should be less than or equal to 65535"),
    ("tcpport", 2**62, "", "Input should be less than or equal to 65535"),
    ("tcpport", "22", "", INTEGER), ("tcpport", None, "", INTEGER),
    ("tcpport", True, "", INTEGER), ("tcpport", 22.0, "", INTEGER),
    ("tcpport", 22.5, "", INTEGER), ("tcpport", [22], "", INTEGER),
    *((name, value, "", BOOLEAN)
      for name in ("passwordauth", "kerberosauth", "tcpfwd", "compression")
      for value in ("yes", 1, None, [])),
    ("sftp_log_level", "LOUD", "", "Input should be '', 'QUIET', 'FATAL', "
     "'ERROR', 'INFO', 'VERBOSE', 'DEBUG', 'DEBUG2' or 'DEBUG3'"),
    ("sftp_log_facility", "KERN", "", None),
    ("sftp_log_level", "quiet", "", None), ("sftp_log_level", 5, "", None),
    ("sftp_log_level", None, "", None),
    ("weak_ciphers", ["3DES"], ".0",
     "Input should be 'AES128-CBC' or 'NONE'"),
    ("weak_ciphers", ["NONE", "x"], ".1", None),
    ("weak_ciphers", "NONE", "", LIST), ("weak_ciphers", None, "", LIST),
    ("weak_ciphers", [None], ".0", None),
    ("bindiface", "eth0", "", LIST), ("bindiface", [5], ".0", STRING),
    ("bindiface", ["x" * 1025], ".0",
     "String should have at most 1024 characters"),
    ("password_login_groups", [5], ".0", STRING),
    ("password_login_groups", {}, "", LIST),
    ("password_login_groups", ["x" * 1025], ".0",
     "String should have at most 1024 characters"),
    ("options", None, "", STRING), ("options", 5, "", STRING),
    ("options", ["x"], "", STRING),
]


@pytest.mark.parametrize("name, value, item, text", BAD)
def test_wrong_value_names_its_attribute(root, name, value, item, text):
    before = root.call("ssh.config")
    error = root.error("ssh.update", {name: value})
    assert error.code == -32602 and error.errname == "EINVAL"
    assert error.paths == [f"data.{name}{item}"]
    assert text is None or error.texts == [text]
    assert root.call("ssh.config") == before


@pytest.mark.parametrize("name", ["nosuch", "", "id2", "Tcpport",
                                  "host_rsa_key", "privatekey"])
def test_unknown_field_is_not_permitted(root, name):
    error = root.error("ssh.update", {name: "x"})
    assert error.data["extra"] == [
        [f"data.{name}", "Extra inputs are not permitted", 22]]


def test_private_field_is_no_input_not_even_as_it_is(root):
    error = root.error("ssh.update", {"privatekey": "",
                                      "host_rsa_key": None})
    assert error.data["extra"] == [
        ["data.privatekey", "Extra inputs are not permitted", 22],
        ["data.host_rsa_key", "Extra inputs are not permitted", 22]]


@pytest.mark.parametrize("change", [
    {}, {"tcpport": 2345, "compression": True, "sftp_log_level": "INFO",
         "weak_ciphers": ["AES128-CBC", "NONE"], "options": "MaxStartups 9"}])
def test_whole_object_may_be_sent_back(root, change):
    """As clients do; what cannot be set, they leave out."""
    config = root.call("ssh.update", change)
    settings = {key: config[key] for key in DEFAULTS}
    assert settings == DEFAULTS | change
    assert root.call("ssh.update", settings) == config


def test_one_wrong_value_keeps_the_right_ones_out(root):
    before = root.call("ssh.config")
    error = root.error("ssh.update", {
        "compression": True, "tcpport": 0, "sftp_log_level": "x",
        "nosuch": 1})
    assert error.paths == ["data.tcpport", "data.sftp_log_level",
                           "data.nosuch"]
    assert root.call("ssh.config") == before


def test_update_without_arguments(root):
    assert root.error("ssh.update").data["extra"] == [
        ["data", "Field required", 22]]


@pytest.mark.parametrize("name", ["nosuch0", "lo", "eth0\nPort 99", "",
                                  "x" * 1024, "../lo"])
def test_interface_that_does_not_exist(exposed, name):
    with exposed.root() as client:
        error = client.error("ssh.update", {"bindiface": [name]})
        assert error.data["extra"] == [
            ["ssh_update.bindiface",
             f"The following interfaces are not valid: {name}", 22]]
        assert client.call("ssh.config")["bindiface"] == []


def addresses_of(name):
    done = subprocess.run(["ip", "-json", "address", "show", "dev", name],
                          capture_output=True, timeout=20, check=True)
    return {address["local"] for address in json.loads(done.stdout)[0][
        "addr_info"] if address["scope"] == "global"}


def test_interface_is_where_sshd_listens(exposed):
    with exposed.root() as client:
        choices = client.call("ssh.bindiface_choices")
        assert "lo" not in choices
        for name in choices:
            client.call("ssh.update", {"bindiface": [name]})
            listening = {text.rpartition(":")[0].strip("[]")
                         for text in exposed.effective()["listenaddress"]}
            assert addresses_of(name) <= listening
            assert not listening & {"0.0.0.0", "::"}
        client.call("ssh.update", {"bindiface": []})
        assert "0.0.0.0:2222" in exposed.effective()["listenaddress"]


def test_interface_needs_an_instance_that_is_exposed(instance, root):
    error = root.error("ssh.update", {"bindiface": ["eth0"]})
    assert error.paths == ["ssh_update.bindiface"]
    assert "--expose" in error.texts[0]
    assert instance.effective()["listenaddress"] == [
        f"{instance.address}:2222"]


@pytest.mark.parametrize("name", [
    "nosuch", "", "x\nPermitRootLogin yes", 'x" y', "x" * 1024, "*", "!root",
    "root,daemon"])
def test_group_that_does_not_exist(root, name):
    error = root.error("ssh.update", {"password_login_groups": [name]})
    assert error.code == -32602
    assert error.paths[0].startswith("ssh_update.password_login_groups")


@pytest.mark.parametrize("text", [
    "PermitRotLogin no", "Banner", "Port x", "LoginGraceTime eternal",
    "MaxStartups 0:0:0", "Match Nosuch x", "Ciphers +nosuch",
    "Subsystem", 'AllowUsers "unbalanced', "ClientAliveInterval 30 40",
    "X" * 3000, "Match User bea\n  Port 99"])
def test_options_that_sshd_refuses(root, text):
    before = root.call("ssh.config")
    error = root.error("ssh.update", {"options": text})
    assert error.code == -32602
    assert set(error.paths) == {"ssh_update.options"}
    assert root.call("ssh.config") == before


def test_options_with_a_typo_quote_the_complaint(root):
    error = root.error("ssh.update", {"options": "PermitRotLogin no"})
    assert error.paths == ["ssh_update.options"]
    assert "bad configuration option: permitrotlogin" in \
        error.texts[0].lower()


def test_options_with_a_typo_leave_the_running_sshd_alone(fresh):
    with fresh.root() as client:
        client.control("START")
        before, text = fresh.sshd_pid(), fresh.sshd_config()
        error = client.error("ssh.update", {"options": "PermitRotLogin no"})
        assert error.paths == ["ssh_update.options"]
        assert client.call("service.started", "ssh") is True
    assert fresh.sshd_pid() == before and fresh.sshd_config() == text


@pytest.mark.parametrize("text", [
    "Include /etc/shadow", "include /etc/ssh/*.conf", "Include=/etc/shadow",
    '"Include" /etc/shadow', "\tInclude /etc/shadow",
    "Match all\n  Include /etc/shadow", "# x\nInclude /etc/shadow"])
def test_include_is_refused(root, text):
    error = root.error("ssh.update", {"options": text})
    assert error.code == -32602
    assert set(error.paths) == {"ssh_update.options"}
    assert "root:" not in str(error)


@pytest.mark.parametrize("text", [
    "MaxStartups 20\x0bPermitRootLogin yes", "MaxStartups 20\x00x",
    "MaxStartups 20\x0cPermitRootLogin yes", "X11Forwarding no\x1b[2J",
    "MaxStartups 20\rPermitRootLogin yes",
    "MaxStartups 20\u2028PermitRootLogin yes",
    "MaxStartups 20\u0085PermitRootLogin yes",
    "MaxStartups 20 \\\nPermitRootLogin yes\\",
])
def test_newline_tricks_do_not_smuggle_a_directive(instance, root, text):
    """Refused, or taken for exactly what a person reads."""
    before = root.call("ssh.config")
    reply = root.raw(json.dumps({"jsonrpc": "2.0", "id": 1, "method":
                                 "ssh.update", "params": [
                                     {"options": text}]}))
    assert "error" in reply
    assert root.call("ssh.config") == before
    assert instance.effective()["permitrootlogin"] != ["yes"]


def test_a_match_in_the_options_does_not_catch_our_own_lines(instance, root):
    root.call("ssh.update", {
        "options": "Match User nobody\n  X11Forwarding no",
        "compression": True, "tcpfwd": True})
    effective = instance.effective()
    assert effective["compression"] in (["yes"], ["delayed"])
    assert effective["allowtcpforwarding"] == ["yes"]


EFFECTIVE = [
    ({"tcpport": 2345}, "port", ["2345"]),
    ({"tcpfwd": False}, "allowtcpforwarding", ["no"]),
    ({"tcpfwd": True}, "allowtcpforwarding", ["yes"]),
    ({"compression": False}, "compression", ["no"]),
    ({"kerberosauth": True}, "gssapiauthentication", ["yes"]),
    ({"kerberosauth": False}, "gssapiauthentication", ["no"]),
    ({"options": "MaxStartups 7:50:9"}, "maxstartups", ["7:50:9"]),
    ({"options": "ClientAliveInterval 31"}, "clientaliveinterval", ["31"]),
    ({}, "passwordauthentication", ["no"]),
    ({}, "pubkeyauthentication", ["yes"]),
    ({}, "usepam", ["yes"]),
    ({}, "usedns", ["no"]),
]


@pytest.mark.parametrize("change, directive, values", EFFECTIVE)
def test_setting_is_what_sshd_reads(instance, root, change, directive,
                                    values):
    root.call("ssh.update", change)
    assert instance.effective()[directive] == values


def test_weak_cipher_is_offered_only_when_chosen(instance, root):
    assert "aes128-cbc" not in instance.effective()["ciphers"][0]
    root.call("ssh.update", {"weak_ciphers": ["AES128-CBC"]})
    assert "aes128-cbc" in instance.effective()["ciphers"][0].split(",")
    root.call("ssh.update", {"weak_ciphers": []})
    assert "aes128-cbc" not in instance.effective()["ciphers"][0]


def test_weak_cipher_none_is_stored_without_effect(instance, root):
    before = instance.effective()["ciphers"]
    assert root.call("ssh.update", {"weak_ciphers": ["NONE"]})[
        "weak_ciphers"] == ["NONE"]
    assert instance.effective()["ciphers"] == before


def test_sftp_logging_reaches_the_subsystem(instance, root):
    root.call("ssh.update", {"sftp_log_level": "DEBUG2",
                             "sftp_log_facility": "LOCAL3"})
    subsystem, = instance.effective()["subsystem"]
    assert "internal-sftp" in subsystem
    assert "-l DEBUG2" in subsystem and "-f LOCAL3" in subsystem


def test_settings_survive_a_restart(fresh):
    change = {"tcpport": 2345, "compression": True,
              "options": "MaxStartups 20\n"}
    with fresh.root() as client:
        before = client.call("ssh.update", change)
    fresh.stop()
    fresh.start()
    with fresh.root() as client:
        assert client.call("ssh.config") == before


def test_settings_are_the_instances_own(root, untouched):
    root.call("ssh.update", {"tcpport": 2345})
    with untouched.root() as other:
        assert other.call("ssh.config")["tcpport"] == 2222
