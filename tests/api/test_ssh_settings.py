"""ssh.config and ssh.update: validation, partial update, the stored form."""

import json
import subprocess

import pytest

from harness import Instance
from test_transfers import form, outcome, upload

DEFAULTS = {
    "bindiface": [], "tcpport": 2222, "password_login_groups": [],
    "passwordauth": False, "kerberosauth": False, "tcpfwd": False,
    "compression": False, "sftp_log_level": "", "sftp_log_facility": "",
    "weak_ciphers": [], "options": "",
    "hardening": "MODERN", "kept_host_keys": [], "host_key_days": 30, "user_ca_keys": [],
    "revoked_keys": [], "host_ed25519_certificate": None,
    "host_ecdsa_certificate": None, "host_rsa_certificate": None,
    "stop_when_idle": None,
    "session_limit": None}
PRIVATE = {
    "privatekey", "host_dsa_key", "host_dsa_key_pub",
    "host_dsa_key_cert_pub", "host_ecdsa_key", "host_ecdsa_key_pub",
    "host_ecdsa_key_cert_pub", "host_ed25519_key", "host_ed25519_key_pub",
    "host_ed25519_key_cert_pub", "host_key", "host_key_pub", "host_rsa_key",
    "host_rsa_key_pub", "host_rsa_key_cert_pub"}
REPLACED = {"new_host_keys", "second_host_keys"}
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
    assert set(config) == ({"id", "overridden"} | set(DEFAULTS) | PRIVATE |
                           REPLACED)
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


MONTH = 30 * 86400
GOOD = {
    "tcpport": [1, 22, 65535],
    "passwordauth": [True, False], "kerberosauth": [True, False],
    "tcpfwd": [True, False], "compression": [True, False],
    "weak_ciphers": [["AES128-CBC"], ["NONE"], ["AES128-CBC", "NONE"], []],
    "password_login_groups": [["builtin_administrators"], []],
    "session_limit": [10, MONTH, None], "stop_when_idle": [1, MONTH, None],
    "options": [
        "ClientAliveInterval 30", "# only a comment", "\n\n",
        "MaxStartups 20\nClientAliveInterval 30\n",
        "\tMaxStartups\t20\t\nClientAliveInterval=\t30 \t",
        "Match User nobody\n  X11Forwarding no",
        "Match LocalPort 22\n  X11Forwarding no", "#" + "x" * 16383],
    "sftp_log_level": LEVELS, "sftp_log_facility": FACILITIES,
}


@pytest.mark.parametrize("name", GOOD)
def test_values_are_taken_and_nothing_else_changes(root, name):
    before = root.call("ssh.config")
    for value in GOOD[name]:
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
    ("overridden", [], "", "Extra inputs are not permitted"),
]


def test_wrong_value_names_its_attribute(root):
    before = root.call("ssh.config")
    for name, value, item, text in BAD:
        error = root.error("ssh.update", {name: value})
        assert error.code == -32602 and error.errname == "EINVAL"
        assert error.paths == [f"data.{name}{item}"], (name, value)
        assert text is None or error.texts == [text], (name, value)
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


REFUSED = (
    "PermitRotLogin no", "Banner", "Port x", "LoginGraceTime eternal",
    "MaxStartups 0:0:0", "Match Nosuch x", "Ciphers +nosuch",
    "Subsystem", 'AllowUsers "unbalanced', "ClientAliveInterval 30 40",
    "X" * 3000, "Match User bea\n  Port 99", "NoneEnabled yes",
    "#" + "x" * 16384, "\ufeffMaxStartups 20")


def test_options_that_are_refused(root):
    before = root.call("ssh.config")
    for text in REFUSED:
        error = root.error("ssh.update", {"options": text})
        assert error.code == -32602
        assert set(error.paths) == {"ssh_update.options"}, text
        assert len(error.texts) == 1 and "line " in error.texts[0], text
    assert root.call("ssh.config") == before


def test_options_with_a_typo_quote_the_complaint(root):
    error = root.error("ssh.update", {"options": "PermitRotLogin no"})
    assert error.paths == ["ssh_update.options"]
    assert "bad configuration option: permitrotlogin" in \
        error.texts[0].lower()


def test_options_with_a_typo_leave_the_running_sshd_alone(instance, root):
    root.control("START")
    try:
        before, text = instance.sshd_pid(), instance.sshd_config()
        error = root.error("ssh.update", {"options": "PermitRotLogin no"})
        assert error.paths == ["ssh_update.options"]
        assert root.call("service.started", "ssh") is True
        assert instance.sshd_pid() == before
        assert instance.sshd_config() == text
    finally:
        root.control("STOP")


INCLUDES = (
    "Include /etc/shadow", "include /etc/ssh/*.conf", "Include=/etc/shadow",
    '"Include" /etc/shadow', "\tInclude /etc/shadow",
    "Match all\n  Include /etc/shadow", "# x\nInclude /etc/shadow")


def test_include_is_refused(root):
    for text in INCLUDES:
        error = root.error("ssh.update", {"options": text})
        assert error.code == -32602
        assert set(error.paths) == {"ssh_update.options"}, text
        assert "root:" not in str(error)


TRICKS = (
    "MaxStartups 20\x0bPermitRootLogin yes", "MaxStartups 20\x00x",
    "MaxStartups 20\x0cPermitRootLogin yes", "X11Forwarding no\x1b[2J",
    "MaxStartups 20\rPermitRootLogin yes",
    "MaxStartups 20\u2028PermitRootLogin yes",
    "MaxStartups 20\u0085PermitRootLogin yes",
    "MaxStartups 20 \\\nPermitRootLogin yes\\",
)


def test_newline_tricks_do_not_smuggle_a_directive(instance, root):
    """Refused: nothing is taken for more than what a person reads."""
    before = root.call("ssh.config")
    for text in TRICKS:
        reply = root.raw(json.dumps({
            "jsonrpc": "2.0", "id": 1, "method": "ssh.update",
            "params": [{"options": text}]}))
        assert "error" in reply, text
    assert root.call("ssh.config") == before
    assert instance.effective()["permitrootlogin"] != ["yes"]


def test_what_old_instructions_ask_for_is_met(instance, root):
    root.call("ssh.update", {"options": "NoneEnabled no\nMaxAuthTries 3"})
    assert ("\n# NoneEnabled no: OpenSSH has no none cipher\n"
            in instance.sshd_config())
    assert instance.effective()["maxauthtries"] == ["3"]
    error = root.error("ssh.update", {"options": "NoneEnabled yes"})
    assert "no none cipher" in error.texts[0]


def test_what_contradicts_a_setting_is_shown(root):
    options = ("Port 2345\nCompression no\nMatch User nobody\n"
               "\tAllowTcpForwarding yes")
    shown = root.call("ssh.update", {"options": options, "dry_run": True})
    assert shown["overridden"] == [
        {"field": "tcpport", "line": 1, "directive": "Port",
         "everybody": True},
        {"field": "tcpfwd", "line": 4, "directive": "AllowTcpForwarding",
         "everybody": False}]
    assert root.call("ssh.config")["overridden"] == []
    config = root.call("ssh.update", {"options": options})
    assert config["overridden"] == ["tcpport"]
    config = root.call("ssh.update", {"tcpport": 2345})
    assert config["overridden"] == []


def uploaded(instance, root, text, *data):
    return outcome(root, upload(
        instance, form("ssh.upload_options", list(data) or [{}], text)))


def test_a_text_too_large_for_a_frame(instance, root):
    text = "\n".join(f"Match User user{n}\n\tX11Forwarding no"
                     for n in range(3000)) + "\n"
    assert len(text) > 100_000
    job = uploaded(instance, root, "MaxAuthTries 3\n" + text,
                   {"compression": True})
    assert job["state"] == "SUCCESS", job
    config = root.call("ssh.config")
    assert config["options"] == "MaxAuthTries 3\n" + text
    assert config["compression"] is True
    assert job["result"] == config | {"privatekey": "********"}
    assert instance.effective()["maxauthtries"] == ["3"]


def test_uploads_that_are_refused(instance, root):
    before = root.call("ssh.config")
    large = "#" * 9999 + "\n"
    for text, said in (
            (large * 7 + "PermitRotLogin no", "line 8: "),
            (large * 7 + "Include /etc/shadow", "line 8: "),
            (b"MaxAuthTries 3\0", "no text"), (b"#\xff", "no text"),
            (b"#\n" * 1_024_001, "bytes")):
        job = uploaded(instance, root, text)
        assert job["state"] == "FAILED"
        assert said in job["error"] and "options" in job["error"], job
    job = uploaded(instance, root, "#", {"options": "#"})
    assert "data.options: They are in the file" in job["error"]
    answer = upload(instance, form("ssh.upload_options", [{"tcpport": 0}],
                                   "#"))
    assert answer.status == 412 and b"data.tcpport" in answer.body
    assert root.call("ssh.config") == before


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


def test_settings_are_the_instances_own(root, untouched):
    root.call("ssh.update", {"tcpport": 2345})
    with untouched.root() as other:
        assert other.call("ssh.config")["tcpport"] == 2222
