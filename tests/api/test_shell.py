"""The web shell: a real terminal of a real account, and who gets none."""

import json
import os
import re
import signal

import pytest
import websocket

from harness import PASSWORD, Client, Closed, processes, namespace_of, \
    wait_until

PATH = "/websocket/shell"


class Shell(Client):
    """A connection to the shell's path."""

    def __init__(self, instance, token, path=PATH, **options):
        super().__init__(instance.tls(),
                         f"{instance.address}:{instance.port}", path=path)
        self.shown = ""
        self.send_text(json.dumps({"token": token, **options}))
        self.answer = self.receive()

    @property
    def id(self):
        return self.answer["id"]

    def read(self):
        """What came, and whether more may."""
        self.sock.settimeout(60)
        try:
            opcode, data = self.ws.recv_data(control_frame=True)
        except (websocket.WebSocketException, OSError):
            raise Closed(None) from None
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise Closed(int.from_bytes(data[:2], "big"), data[2:].decode())
        if opcode == websocket.ABNF.OPCODE_BINARY:
            self.shown += data.decode("utf-8", "replace")

    def type(self, text):
        self.ws.send_binary(text.encode())

    def run(self, command):
        """What a command shows; its echo has the mark in two parts."""
        self.type(f"{command}; echo d''one\r")
        start = 0
        while (end := self.shown.find("done\r\n", start)) == -1:
            start = max(0, len(self.shown) - 6)
            self.read()
        shown, self.shown = self.shown[:end], self.shown[end + 6:]
        return shown

    def wait_closed(self):
        while True:
            try:
                self.read()
            except Closed as closed:
                return closed


def token_of(client):
    return client.call("auth.generate_token", 600, {}, False, False)


def refusal(instance, token, **options):
    with Shell(instance, token, **options) as shell:
        assert shell.answer["msg"] == "failed", shell.answer
        assert shell.wait_closed().code == 1000
    return shell.answer["error"]


def records(client, event="SHELL"):
    return client.call("audit.query", {
        "services": ["MIDDLEWARE"], "query-filters": [["event", "=", event]],
        "query-options": {"order_by": ["-time_us"], "limit": 20}})


@pytest.fixture
def operator(accounts, make_user):
    """Somebody with a shell and a role, by a privilege of his group."""
    user = make_user("shelly", home="/home", home_create=True,
                     shell="/bin/bash")
    with accounts.root() as root:
        privilege = root.call("privilege.create", {
            "name": "Operators", "local_groups": [user["group"]["bsdgrp_gid"]],
            "roles": ["READONLY_ADMIN"], "web_shell": False})
        # Who may only read has no shell: some other role.
        root.call("privilege.update", privilege["id"], {
            "roles": ["SSH_READ"], "web_shell": True})
    with accounts.connect() as client:
        client.login("shelly")
        yield user, privilege, client
    with accounts.root() as root:
        root.call("privilege.delete", privilege["id"])


def test_terminal_of_the_account(accounts, operator):
    user, _, client = operator
    with accounts.root() as root, \
            Shell(accounts, token := token_of(client)) as shell:
        assert shell.answer["msg"] == "connected"
        # As that user, by PAM, on a terminal of its own, in its home.
        shown = shell.run("id -un; pwd; tty; cat /proc/self/loginuid")
        assert re.search(rf"shelly\r\n{user['home']}\r\n/dev/pts/\d+\r\n"
                         rf"{user['uid']}$", shown), shown
        client.call("core.resize_shell", shell.id, 132, 50)
        assert "50 132" in shell.run("stty size")
        assert root.error("core.resize_shell", shell.id, 80, 24).errname == \
            "ENOENT"
        assert "\u00e4\u20ac" in shell.run("printf '\\303\\244\\342\\202\\254'")
        # Neither side's flood is kept: all of it comes, and what is typed is
        # taken meanwhile.
        assert len(shell.run("head -c 3000000 /dev/zero | tr '\\0' x")) > 3e6
        shell.type("cat >/dev/null\r" + ("y" * 1000 + "\r") * 300 + "\x04")
        assert "12" in shell.run("echo $((6 * 2))")
        # The token is used up, and it is a session like any.
        assert refusal(accounts, token)["error"] == 207
        mine = [s for s in root.call("auth.sessions")
                if s["credentials_data"].get("username") == "shelly"]
        assert sorted(s["credentials"] for s in mine) == [
            "LOGIN_PASSWORD", "TOKEN"]
        shell.type("exit\r")
        assert (shell.wait_closed().code, "logout" in shell.shown) == (
            1000, True)
        end, begin = wait_until(
            lambda: (found := records(root)[:2])[0]["event_data"]["action"] ==
            "END" and found, 30, "the end is recorded")
        for record in (begin, end):
            assert record["username"] == "shelly"
            assert record["address"].startswith("127.")
            assert record["event_data"]["id"] == shell.id
        assert begin["event_data"]["action"] == "BEGIN" and begin["success"]
        # Never what was typed.
        assert "printf" not in json.dumps(records(root))


def test_ends_with_what_it_rests_on(accounts, operator):
    user, privilege, client = operator

    def runs():
        return any(words == ["sleep", "98765"] and
                   namespace_of(pid) == accounts.namespace
                   for pid, _, words in processes())

    def gone(shell):
        """Closed, and nothing of it goes on, whatever it ignores."""
        closed = shell.wait_closed()
        wait_until(lambda: not runs(), 60, "it ended")
        return closed

    def stubborn():
        shell = Shell(accounts, token_of(client))
        shell.run("trap '' HUP TERM")
        shell.type("nohup sleep 98765\r")
        wait_until(runs, 30, "it runs")
        return shell

    with accounts.root() as root:
        # Somebody ends its session.
        with stubborn() as shell:
            session, = [s for s in root.call("auth.sessions")
                        if s["credentials"] == "TOKEN"]
            root.call("auth.terminate_session", session["id"])
            assert gone(shell).code == 1000
        # The client goes away without a word.
        shell = stubborn()
        shell.sock.close()
        wait_until(lambda: not runs(), 60, "gone")
        # Its privilege loses the shell.
        with Shell(accounts, token_of(client)) as shell:
            root.call("privilege.update", privilege["id"],
                      {"web_shell": False})
            assert gone(shell).code == 1000
        assert refusal(accounts, token_of(client))["error"] == 13
        root.call("privilege.update", privilege["id"], {"web_shell": True})
        # Who made the token logs out.
        with accounts.connect() as other:
            other.login("shelly")
            with Shell(accounts, token_of(other)) as shell:
                other.call("auth.logout")
                assert gone(shell).reason == "Logged out"
        # The account is locked.
        with Shell(accounts, token_of(client)) as shell:
            root.call("user.update", user["id"], {"locked": True})
            assert gone(shell).code == 1000


def test_who_gets_none(accounts):
    with accounts.admin() as admin:
        assert refusal(accounts, "no such token")["error"] == 207
        assert refusal(accounts, token_of(admin),
                       options={"vm_id": 1})["error"] == 95
        # Not by a token for something else.
        other = admin.call("auth.generate_token", 600, {"job": 1}, False)
        assert refusal(accounts, other)["error"] == 207
        # Nothing of the API is said on its path, and nothing before a token.
        for text in ("", "[]", "{}", '{"token": 1}',
                     '{"jsonrpc": "2.0", "id": 1, "method": "core.ping"}'):
            with Client(accounts.tls(), "localhost", path="/_shell") as raw:
                raw.send_text(text)
                with pytest.raises(Closed) as closed:
                    raw.receive()
                assert closed.value.code == 1007
        # Pages of others are refused.
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            Client(accounts.tls(), f"{accounts.address}:{accounts.port}",
                   path=PATH, origin="https://evil.example")
        assert refused.value.status_code == 403


def test_gone_with_core(accounts):
    """Nobody is left in a terminal of which nobody knows whose it is."""
    with accounts.admin() as admin, \
            Shell(accounts, token_of(admin)) as shell:
        shell.run("true")
        os.kill(accounts.roles()["core"], signal.SIGKILL)
        assert shell.wait_closed().code in (1001, None)
    wait_until(lambda: not [words for pid, _, words in processes()
                            if words[:1] == ["login"] and
                            namespace_of(pid) == accounts.namespace],
               60, "login ended")
    wait_until(lambda: "core" in accounts.roles(), 60, "core is back")
    with accounts.root() as root:
        assert root.call("core.ping") == "pong"
