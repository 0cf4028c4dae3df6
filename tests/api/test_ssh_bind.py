"""Bind Interfaces followed while interfaces and addresses come and go.

The instance has a network of its own, a namespace that ends with it.
"""

import re
import subprocess

import pytest

from harness import Instance, Ssh, echoes, wait_until

pytestmark = pytest.mark.release


class Apart(Instance):
    """In a network namespace of its own, whose lo is up."""

    def command(self, ready):
        return ["unshare", "--net", "--", "sh", "-c",
                'ip link set lo up && ip link add wire0 type veth peer wire1 '
                '&& ip link set wire1 up && ip link set wire0 up '
                '&& ip address add 10.9.0.1/24 dev wire0 && exec "$@"', "sh",
                *super().command(ready)]

    def there(self, *command, stdin=""):
        """A command in that network."""
        return subprocess.run(
            ["nsenter", "--net", "--target", str(self.pid), *command],
            input=stdin, capture_output=True, text=True, timeout=60,
            check=True).stdout

    def listening(self):
        """Addresses that anybody there listens on at sshd's port."""
        lines = self.there("ss", "-Hltn", f"sport = :{self.ssh_port}")
        return {re.sub(r"[][]", "", line.split()[3].rpartition(":")[0])
                for line in lines.splitlines()}

    def reloads(self):
        return self.log().count("Received SIGHUP; restarting.")

    def comes_to(self, wanted):
        wait_until(lambda: self.listening() == wanted, 60,
                   f"sshd on {wanted}")


class SshThere(Ssh):
    def command(self, *remote, **how):
        arguments, environment = super().command(*remote, **how)
        return (["nsenter", "--net", "--target", str(self.instance.pid),
                 *arguments], environment)


@pytest.fixture
def apart(instances_used):
    made = Apart("release", address="127.0.0.1", arguments=["--expose"])
    try:
        made.start()
        instances_used.append(made)
        yield made.setup_admin()
        made.stop()
    finally:
        made.kill()
        made.remove()


def alerts(client):
    return [alert["klass"] for alert in client.call("alert.list")]


def link_local(instance):
    """As the kernel says it, once no other may have it."""
    def ready():
        lines = instance.there("ip", "-6", "-oneline", "address", "show",
                               "dev", "wire0", "scope", "link")
        return "tentative" not in lines and lines.split()[3:4]

    return wait_until(ready, 60, "an address of IPv6")[0].partition("/")[0]


def gone(instance, client, session):
    """None of the chosen is there: the loopback alone, and it works on."""
    instance.there("ip", "link", "delete", "wire0")
    instance.comes_to({"127.0.0.1"})
    wait_until(lambda: "SshNoInterface" in alerts(client), 60, "the alert")
    assert "None of the interfaces" in instance.cli("status").stdout
    assert echoes(session, "without")
    # What is there no longer may stay chosen, and sshd starts with it.
    client.call("ssh.update", {"compression": True})
    client.control("RESTART")
    assert instance.listening() == {"127.0.0.1"}
    assert client.call("ssh.config")["bindiface"] == ["wire0"]
    error = client.error("ssh.update", {"bindiface": ["wire0", "wire7"]})
    assert error.paths == ["ssh_update.bindiface"]


def test_addresses_are_followed(apart, tmp_path):
    ssh = SshThere(apart, tmp_path)
    with apart.root() as client:
        client.control("START")
        local = f"{link_local(apart)}%wire0"
        client.call("ssh.update", {"bindiface": ["wire0"]})
        base = {"127.0.0.1", "10.9.0.1", local}
        apart.comes_to(base)
        session = ssh.session()
        assert echoes(session, "first")

        apart.there("ip", "address", "add", "10.9.0.2/24", "dev", "wire0")
        apart.there("ip", "address", "add", "fd09::2/64", "dev", "wire0")
        apart.comes_to(base | {"10.9.0.2", "fd09::2"})
        apart.there("ip", "address", "delete", "10.9.0.1/24", "dev", "wire0")
        apart.there("ip", "address", "add", "10.9.1.1/24", "dev", "wire0")
        apart.there("ip", "address", "delete", "fd09::2/64", "dev", "wire0")
        wait_until(lambda: "10.9.1.1" in apart.listening(), 60, "the new one")
        assert echoes(session, "second")

        before = apart.reloads()
        batch = ("address add 10.9.2.2/24 dev wire0\n"
                 "address delete 10.9.2.2/24 dev wire0\n") * 50
        apart.there("ip", "-batch", "-",
                    stdin=batch + "address add 10.9.3.3/24 dev wire0\n")
        wait_until(lambda: "10.9.3.3" in apart.listening(), 60, "the last one")
        assert apart.reloads() - before < 10
        assert "10.9.2.2" not in apart.sshd_config()

        gone(apart, client, session)
        apart.there("ip", "link", "add", "wire0", "type", "veth", "peer",
                    "wire1")
        apart.there("ip", "link", "set", "wire1", "up")
        apart.there("ip", "link", "set", "wire0", "up")
        apart.there("ip", "address", "add", "10.9.0.1/24", "dev", "wire0")
        apart.comes_to({"127.0.0.1", "10.9.0.1",
                        f"{link_local(apart)}%wire0"})
        wait_until(lambda: "SshNoInterface" not in alerts(client), 60,
                   "no alert")
        assert echoes(session, "third")
        session.kill()
        session.wait(30)
        client.call("ssh.update", {"bindiface": []})
        apart.comes_to({"0.0.0.0", "::"})
