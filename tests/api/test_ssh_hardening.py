"""The choice of algorithms: ssh.update's hardening, on the wire."""

import json
import pathlib
import subprocess

import pytest

from harness import ApiError, KeySsh, public, ssh_as_new

HERE = pathlib.Path(__file__).parent
POLICIES = json.loads((HERE / "ssh_policies.json").read_text())
KINDS = ("kex", "host_keys", "ciphers", "macs")
FIPS = {
    "kex": {"ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521",
            "diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512",
            "diffie-hellman-group-exchange-sha256"},
    "host_keys": {"ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"},
    "ciphers": {"aes256-gcm@openssh.com", "aes128-gcm@openssh.com",
                "aes256-ctr", "aes192-ctr", "aes128-ctr"},
    "macs": {"hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com",
             "hmac-sha2-512", "hmac-sha2-256"}}


def policy():
    """That of the OpenSSH which is installed."""
    kex = subprocess.run(["ssh", "-Q", "kex"], capture_output=True, text=True,
                         check=True, timeout=30).stdout.split()
    name = ("Hardened Debian 13 (version 1)"
            if "mlkem768x25519-sha256" in kex
            else "Hardened Debian 12 (version 3)")
    return POLICIES[name]


def offered(instance):
    """What a client is told, by ssh's own reading of it."""
    done = subprocess.run(
        ["ssh", "-F", "/dev/null", "-vv", "-p", str(instance.ssh_port),
         "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
         "-o", "KexAlgorithms=+diffie-hellman-group16-sha512",
         "-o", "UserKnownHostsFile=/dev/null", f"nobody@{instance.address}", "true"],
        capture_output=True, text=True, timeout=60, check=False)
    text = done.stderr.split("peer server KEXINIT proposal")[1]
    lists = {}
    for line in text.splitlines():
        name, _, value = line.removeprefix("debug2: ").partition(": ")
        lists.setdefault(name, value.split(","))
    return {"kex": [name for name in lists["KEX algorithms"]
                    if not name.startswith(("kex-strict", "ext-info"))],
            "host_keys": lists["host key algorithms"],
            "ciphers": lists["ciphers ctos"], "macs": lists["MACs ctos"]}


@pytest.fixture
def served(accounts):
    with accounts.root() as client:
        ssh_as_new(client)
        yield client
        ssh_as_new(client)


def test_a_new_machine_equals_the_published_policy(accounts, served):
    config = served.call("ssh.config")
    assert (config["hardening"], config["kept_host_keys"]) == ("MODERN", [])
    seen, wanted = offered(accounts), policy()
    for kind in KINDS:
        assert seen[kind] == wanted[kind], kind


def test_fips_offers_nothing_else(accounts, served):
    changed = served.call("ssh.update", {"hardening": "FIPS"})
    assert changed["kept_host_keys"] == ["ed25519"]
    seen = offered(accounts)
    # Clients know it; it is offered until it is removed by name.
    assert "ssh-ed25519" in seen["host_keys"]
    served.call("ssh.update", {"kept_host_keys": []})
    seen = offered(accounts)
    for kind in KINDS:
        assert set(seen[kind]) <= FIPS[kind], kind
    assert accounts.effective()["requiredrsasize"] == ["3072"]


def test_compatible_is_what_openssh_has(accounts, served):
    served.call("ssh.update", {"hardening": "COMPATIBLE"})
    seen, wanted = offered(accounts), policy()
    assert seen["kex"][0] == wanted["kex"][0]
    assert "ecdh-sha2-nistp256" in seen["kex"]
    assert "ecdsa-sha2-nistp256" in seen["host_keys"]
    changed = served.call("ssh.update", {"hardening": "MODERN"})
    assert changed["kept_host_keys"] == ["ecdsa"]
    assert set(offered(accounts)["host_keys"]) == {
        *wanted["host_keys"], "ecdsa-sha2-nistp256"}


def test_a_kept_type_is_not_withdrawn_by_the_change_that_keeps_it(
        accounts, served):
    changed = served.call("ssh.update", {
        "hardening": "FIPS", "kept_host_keys": []})
    assert changed["kept_host_keys"] == ["ed25519"]
    assert "ssh-ed25519" in offered(accounts)["host_keys"]


def test_types_are_not_added(served):
    with pytest.raises(ApiError) as refused:
        served.call("ssh.update", {"kept_host_keys": ["ecdsa"]})
    assert refused.value.paths == ["ssh_update.kept_host_keys"]
    assert served.call("ssh.config")["kept_host_keys"] == []


@pytest.mark.parametrize("hardening", ["MODERN", "FIPS", "COMPATIBLE"])
def test_the_weak_cipher_is_added_to_each(accounts, served, hardening):
    served.call("ssh.update", {"hardening": hardening,
                               "weak_ciphers": ["AES128-CBC"]})
    assert offered(accounts)["ciphers"][-1] == "aes128-cbc"


@pytest.mark.parametrize("value", ["modern", "", None, 1, "STRONG"])
def test_a_choice_that_is_none(served, value):
    with pytest.raises(ApiError) as refused:
        served.call("ssh.update", {"hardening": value})
    assert refused.value.paths == ["data.hardening"]


def test_short_rsa_keys_log_in_unless_fips(accounts, served, tmp_path):
    key = tmp_path / "rsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "",
                    "-f", key], check=True, timeout=60)
    name = "short-rsa"
    user = served.call("user.create", {
        "username": name, "full_name": "Short", "group_create": True,
        "home": "/home", "home_create": True, "smb": False,
        "password_disabled": True,
        "shell": "/bin/bash", "sshpubkey": public(key)})
    try:
        ssh = KeySsh(accounts, name, key)
        assert ssh.works()
        served.call("ssh.update", {"hardening": "FIPS"})
        assert not ssh.works()
    finally:
        served.call("user.delete", user["id"])


def test_places_and_penalties(accounts):
    effective = accounts.effective()
    assert effective["maxstartups"] == ["40:30:120"]
    assert effective["persourcemaxstartups"] == ["20"]
    assert effective["persourcenetblocksize"] == ["32:64"]
    if "persourcepenalties" in effective:
        assert effective["persourcepenaltyexemptlist"] == [
            "127.0.0.0/8,::1/128"]
