"""certificate.*, and the page's certificate, seen by real TLS clients."""

import json
import os
import signal
import ssl
import subprocess

import pytest

from harness import tls_context, wait_until

HIDDEN = "********"
OWN = "truenas_default"

# Of 2020.
OVER = """-----BEGIN CERTIFICATE-----
MIIBGjCBwaADAgECAgFNMAoGCCqGSM49BAMCMBcxFTATBgNVBAMMDG92ZXIuZXhh
bXBsZTAeFw0yMDAxMDEwMDAwMDBaFw0yMTAxMDEwMDAwMDBaMBcxFTATBgNVBAMM
DG92ZXIuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBCKdXLvcOML
AivbKLRxR0swEWOI0ykrVo6aimhVkxrwOBvzrGh0dbILPALuiWx9D4oQX9UIkFsK
cMo/64TWLrowCgYIKoZIzj0EAwIDSAAwRQIhAJiejCuJ1qb3hgOVdlawKoYbKMjA
V41Fk2FWoobogSWnAiB+mOuVWSbkj3v00MMH4MYMY2VJQRNpTfqgzD2CMxAU6w==
-----END CERTIFICATE-----
"""
OVER_KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQW0TcKCdSkUbJU73
Toyy9lIorrEHoGcHTOpJ+DnFY9GhRANCAAQQinVy73DjCwIr2yi0cUdLMBFjiNMp
K1aOmopoVZMa8Dgb86xodHWyCzwC7olsfQ+KEF/VCJBbCnDKP+uE1i66
-----END PRIVATE KEY-----
"""


class Authority:
    """Makes certificates by openssl."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "req.cnf").write_text(
            "[req]\ndistinguished_name = dn\n[dn]\n")

    def make(self, name, *more, key="ec:P-256", signer=None, days=60,
             digest="-sha256"):
        kind, _, curve = key.partition(":")
        options = ["-pkeyopt", f"ec_paramgen_curve:{curve}"] \
            if kind == "ec" else []
        if signer is not None:
            options += ["-CA", self.folder / f"{signer}.pem",
                        "-CAkey", self.folder / f"{signer}.key"]
        subprocess.run(
            ["openssl", "req", "-x509", "-config", self.folder / "req.cnf",
             "-newkey", kind if options else key, *options, "-nodes", "-days", str(days), digest,
             "-keyout", self.folder / f"{name}.key",
             "-out", self.folder / f"{name}.pem", "-subj", f"/CN={name}",
             *(word for text in more for word in ("-addext", text))],
            check=True, capture_output=True, timeout=120)
        return self

    def pem(self, *names):
        return "".join((self.folder / f"{name}.pem").read_text()
                       for name in names)

    def key(self, name):
        return (self.folder / f"{name}.key").read_text()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """root signed middle, which signed nas; others are their own."""
    made = Authority(tmp_path_factory.mktemp("authority"))
    of_ca = "basicConstraints=critical,CA:TRUE"
    made.make("root", of_ca).make("middle", of_ca, signer="root")
    made.make("nas", "subjectAltName=DNS:nas.example,IP:192.0.2.7",
              "extendedKeyUsage=serverAuth", key="rsa:2048",
              signer="middle")
    return made


@pytest.fixture
def admin(instance):
    """Whose jobs answer at their end; no certificate of these tests stays."""
    with instance.admin() as client:
        client.call("core.set_options", {"legacy_jobs": False})
        yield client
        client.call("system.general.update", {"ui_certificate": None})
        for entry in client.call("certificate.query", [["name", "!=", OWN]]):
            client.call("certificate.delete", entry["id"])


def imported(client, name, certificate, key, **more):
    return client.call("certificate.create", {
        "name": name, "create_type": "CERTIFICATE_CREATE_IMPORTED",
        "certificate": certificate, "privatekey": key, **more})


def own(client):
    return client.call("certificate.query", [["name", "=", OWN]],
                       {"get": True})


def shown(instance):
    """What a TLS client is sent, each certificate as PEM."""
    done = subprocess.run(
        ["openssl", "s_client", "-showcerts", "-connect",
         f"{instance.address}:{instance.port}"], input="",
        capture_output=True, text=True, timeout=60, check=False).stdout
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return [begin + part.partition(end)[0] + end + "\n"
            for part in done.split(begin)[1:]]


def test_own_one(instance, admin):
    entry = own(admin)
    assert (entry["builtin"], entry["privatekey"], entry["expired"]) == (
        True, None, False)
    assert entry["used_by"] == ["system.general"]
    assert entry["chain_list"] == [entry["certificate"]] == shown(instance)
    with instance.tls() as sock:
        assert ssl.DER_cert_to_PEM_cert(
            sock.getpeercert(True)) == entry["certificate"]
    config = admin.call("system.general.config")
    assert (config["ui_certificate"], config["ui_certificate_name"]) == (
        entry["id"], OWN)
    assert admin.call("system.general.ui_certificate_choices") == {
        str(entry["id"]): OWN}
    assert admin.error("certificate.delete", entry["id"]).errname in (
        "EPERM", "EINVAL")
    assert admin.error("certificate.update", entry["id"],
                       {"name": "mine"}).paths == ["certificate_update.name"]
    assert own(admin) == entry


def test_import(instance, admin, authority):
    chain = authority.pem("nas", "middle", "root")
    encrypted = subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-passout", "pass:so secret"],
        input=authority.key("nas"), capture_output=True, text=True,
        check=True, timeout=60).stdout
    entry = imported(admin, "nas", "of the authority:\n" + chain, encrypted,
                     passphrase="so secret")
    assert entry["certificate"] == chain and len(entry["chain_list"]) == 3
    assert (entry["common"], entry["san"], entry["key_type"],
            entry["key_length"], entry["digest_algorithm"]) == (
        "nas", ["DNS:nas.example", "IP Address:192.0.2.7"], "RSA", 2048,
        "SHA256")
    assert (entry["type"], entry["cert_type_existing"], entry["chain"],
            entry["expired"], entry["lifetime"], entry["used_by"]) == (
        8, True, True, False, 60, [])
    told = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
        input=chain, capture_output=True, text=True, check=True,
        timeout=60).stdout
    assert told.strip().endswith(entry["fingerprint_sha256"])
    # The key is the same, no longer encrypted, and shown to who may write.
    assert "BEGIN PRIVATE KEY" in entry["privatekey"]
    assert admin.call("certificate.update", entry["id"],
                      {"name": "nas2"})["privatekey"] == entry["privatekey"]
    assert admin.error("certificate.create", {
        "name": "nas2", "create_type": "CERTIFICATE_CREATE_IMPORTED",
        "certificate": chain, "privatekey": authority.key("nas"),
    }).paths == ["certificate_create.name"]

    def texts():
        """Where a secret could be read by who may not."""
        yield json.dumps(admin.call(
            "core.get_jobs", [["method", "=", "certificate.create"]]))
        yield json.dumps(admin.call("config.history", [
            ["resource", "=", "certificate"]]))
        yield json.dumps(admin.call("audit.query", {
            "services": ["MIDDLEWARE"], "query-filters": [
                ["event_data.method", "=", "certificate.create"]],
            "query-options": {"limit": 9}}))
        for file in instance.inside("/var/lib/holdfast").rglob("*"):
            if file.is_file():
                yield file.read_bytes().decode("latin-1")

    for text in texts():
        assert "so secret" not in text
        for key in (encrypted, entry["privatekey"], authority.key("nas")):
            assert key.split("\n")[5] not in text
    with instance.root() as root:
        root.call("privilege.become_readonly")
        seen = root.call("certificate.get_instance", entry["id"])
        assert seen["privatekey"] == HIDDEN
        assert "Not authorized" in str(
            root.error("certificate.delete", entry["id"]))


def test_refused(admin, authority):
    pem, key = authority.pem, authority.key("nas")
    encrypted = subprocess.run(
        ["openssl", "pkcs8", "-topk8", "-passout", "pass:x"], input=key,
        capture_output=True, text=True, check=True, timeout=60).stdout
    # An authority of the same name.
    folder = authority.folder / "other"
    folder.mkdir()
    other = Authority(folder).make("middle", "basicConstraints=CA:TRUE")
    authority.make("weak", key="rsa:1024").make(
        "sha1", signer="root", digest="-sha1")
    whole = pem("nas", "middle", "root")
    rubbish = "-----BEGIN CERTIFICATE-----\n" + 800 * ("A" * 64 + "\n") + \
        "-----END CERTIFICATE-----\n"
    unsigned = "Certificate 2 did not sign certificate 1"
    before = admin.call("certificate.query")
    for at, text, certificate, private, more in (
            ("privatekey", "another one's", whole, authority.key("root"), {}),
            ("privatekey", "required", whole, None, {}),
            ("privatekey", "not a private key", whole, whole, {}),
            ("passphrase", "is needed", whole, encrypted, {}),
            ("passphrase", "not encrypted", whole, key, {"passphrase": "x"}),
            ("passphrase", "not the passphrase", whole, encrypted,
             {"passphrase": "y"}),
            ("certificate", "not a certificate", "certificate", key, {}),
            ("certificate", "not a certificate", pem("nas")[:-40], key, {}),
            ("certificate", "not a certificate", rubbish, key, {}),
            ("certificate", unsigned, pem("nas", "root", "middle"), key, {}),
            ("certificate", unsigned, pem("nas", "root"), key, {}),
            ("certificate", unsigned, pem("nas") + other.pem("middle"), key,
             {}),
            ("certificate", "has expired", OVER, OVER_KEY, {}),
            ("certificate", "2048", pem("weak"), authority.key("weak"), {}),
            ("certificate", "no longer safe", pem("sha1"),
             authority.key("sha1"), {}),
            ("certificate", "more than ten", pem(*["nas"] * 11), key, {}),
            ("create_type", "ACME", whole, key,
             {"create_type": "CERTIFICATE_CREATE_ACME"}),
            ("csr_id", "no request", whole, None, {"csr_id": 1})):
        error = admin.error("certificate.create", {
            "name": "refused", "certificate": certificate,
            "privatekey": private,
            "create_type": "CERTIFICATE_CREATE_IMPORTED", **more})
        assert error.paths == [f"certificate_create.{at}"], (text, error)
        assert text in error.texts[0]
    assert admin.call("certificate.query") == before


def test_request(admin, authority):
    """Made here, signed elsewhere, and imported with the key that is here."""
    data = {"name": "asked", "create_type": "CERTIFICATE_CREATE_CSR",
            "key_type": "EC", "ec_curve": "SECP256R1", "common": "nas",
            "country": "DE", "organization": "Größe, & Co",
            "san": ["nas.example", "192.0.2.7", "2001:db8::7"],
            "cert_extensions": {
                "KeyUsage": {"enabled": True, "digital_signature": True,
                             "extension_critical": True},
                "ExtendedKeyUsage": {"enabled": True,
                                     "usages": ["SERVER_AUTH"]}}}
    for wrong, at in (({"country": "Germany"}, "country"),
                      ({"san": []}, "san"), ({"common": None}, "common"),
                      ({"san": ["a b"]}, "san.0"),
                      ({"key_length": 2049}, "key_length")):
        assert admin.error("certificate.create", {**data, **wrong}).paths == [
            f"certificate_create.{at}"], wrong
    entry = admin.call("certificate.create", data)
    assert (entry["type"], entry["cert_type_CSR"], entry["certificate"],
            entry["expired"]) == (32, True, None, None)
    assert entry["organization"] == "Größe, & Co"
    told = subprocess.run(
        ["openssl", "req", "-verify", "-noout", "-text"], input=entry["CSR"],
        capture_output=True, text=True, check=True, timeout=60).stdout
    for part in ("DNS:nas.example, IP Address:192.0.2.7", "2001:DB8",
                 "X509v3 Key Usage: critical", "Digital Signature",
                 "TLS Web Server Authentication", "ASN1 OID: prime256v1"):
        assert part in told
    assert str(entry["id"]) not in admin.call(
        "system.general.ui_certificate_choices")
    assert "not yet a certificate" in str(admin.error(
        "system.general.update", {"ui_certificate": entry["id"]}))
    signed = subprocess.run(
        ["openssl", "x509", "-req", "-days", "9", "-CA",
         authority.folder / "root.pem", "-CAkey",
         authority.folder / "root.key"], input=entry["CSR"],
        capture_output=True, text=True, check=True, timeout=60).stdout
    answer = admin.call("certificate.create", {
        "name": "answered", "create_type": "CERTIFICATE_CREATE_IMPORTED",
        "certificate": signed, "csr_id": entry["id"]})
    assert answer["privatekey"] == entry["privatekey"]
    copied = admin.call("certificate.create", {
        "name": "copied", "create_type": "CERTIFICATE_CREATE_IMPORTED_CSR",
        "CSR": entry["CSR"], "privatekey": entry["privatekey"]})
    assert copied["CSR"] == entry["CSR"]
    # It ends within 30 days, and its removal ends the alert.
    def ending():
        return [alert["args"] for alert in admin.call("alert.list")
                if alert["klass"] == "CertificateIsExpiring"]

    assert ending() == [{"name": "answered", "days": 9}]
    admin.call("certificate.delete", answer["id"])
    assert ending() == []


def test_page_has_it(make_instance, authority):
    instance = make_instance().start().setup_admin()
    chain = authority.pem("nas", "middle")
    authority.make("ec", key="ec:P-384").make(
        "client", "extendedKeyUsage=clientAuth").make(
        "edwards", key="ed25519")

    with instance.admin() as admin, instance.root() as root:
        def update(certificate, **more):
            return admin.call("system.general.update", {
                "ui_certificate": certificate, **more})

        admin.call("core.set_options", {"legacy_jobs": False})
        mine = own(admin)["certificate"]
        nas, ec, client, edwards = (
            imported(admin, name, pem, authority.key(name))["id"]
            for name, pem in (("nas", chain), ("ec", authority.pem("ec")),
                              ("client", authority.pem("client")),
                              ("edwards", authority.pem("edwards"))))
        # Refused: by us, and by the role that would have to show it.
        for wrong, text in ((edwards, "Browsers take"), (99, "none such"),
                            (client, "not one of a server")):
            error = admin.error("system.general.update",
                                {"ui_certificate": wrong})
            assert text in str(error), error
        assert shown(instance) == [mine]
        # Who is in stays; the chain comes whole, whatever was there before.
        assert update(nas)["ui_certificate_name"] == "nas"
        for _ in range(2):
            assert "".join(shown(instance)) == chain
            trusted = tls_context()
            trusted.load_verify_locations(authority.folder / "root.pem")
            trusted.verify_mode = ssl.CERT_REQUIRED
            trusted.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384")
            with instance.tls(context=trusted) as sock:
                assert sock.version()
            with pytest.raises(ssl.SSLError):   # no kind of key from before
                only = tls_context()
                only.maximum_version = ssl.TLSVersion.TLSv1_2
                only.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
                instance.tls(context=only)
            # The same of a web role that is new, and then a core.
            web = instance.roles()["web"]
            os.kill(web, signal.SIGKILL)
            wait_until(lambda: shown(instance), 60, "web is back")
        admin.close()
        assert "in use by System General" in root.job(
            "certificate.delete", nas)["error"]
    # A change that nobody confirms; core dies in between.
    with instance.admin() as admin:
        admin.call("system.general.update", {
            "ui_certificate": ec, "rollback_timeout": 600})
        assert "".join(shown(instance)) == authority.pem("ec")
    core = instance.roles()["core"]
    os.kill(core, signal.SIGKILL)
    wait_until(lambda: instance.roles().get("core", core) != core, 60,
               "core is back")

    def root_calls(*call):
        with instance.root() as root:
            return root.call(*call)

    def settled():
        try:
            return root_calls("config.pending")
        except Exception:  # pylint: disable=broad-except
            return None     # it is not yet there

    wait_until(settled, 60, "core serves")
    assert "".join(shown(instance)) == authority.pem("ec")
    root_calls("config.take_back")
    wait_until(lambda: "".join(shown(instance)) == chain, 60, "it came back")
    assert root_calls("system.general.config")["ui_certificate"] == nas
    # SCRAM is bound to what is shown now.
    with instance.admin() as admin:
        assert admin.call("system.general.update", {
            "ui_certificate": ec, "rollback_timeout": 600})
        with instance.admin() as other:
            other.call("system.general.checkin")
        admin.call("system.general.update", {"ui_certificate": None})
    assert shown(instance) == [mine]
