"""Second factors in SSH logins: real ssh, at a terminal, against real sshd."""

import pytest

from authenticator import Authenticator, person_at
from harness import ADMIN, PASSWORD, wait_until

pytestmark = pytest.mark.release
GROUP = ["builtin_administrators"]
ON = {"enabled": True, "services": {"ssh": True}, "window": 1}
CODE = r"code:$"
PASSWORD_PROMPT = r"assword:$"


@pytest.fixture
def root(fresh):
    with fresh.root() as client:
        yield client


@pytest.fixture
def app(ssh, root):
    """The administrator's authenticator; SSH asks for its codes."""
    answer = root.call("user.renew_2fa_secret", ADMIN, {})
    root.call("auth.twofactor.update", ON)
    return Authenticator(answer["twofactor_config"]["provisioning_uri"])


def login(ssh, answers, key=True, methods=None):
    """(is he in, the prompts that came)"""
    arguments, environment = ssh.command("id", "-un")
    skip = arguments.index("BatchMode=yes")
    del arguments[skip - 1:skip + 1]
    wanted = methods or ("publickey,keyboard-interactive,password" if key
                         else "keyboard-interactive,password")
    arguments[1:1] = ["-o", f"PreferredAuthentications={wanted}",
                      "-o", "NumberOfPasswordPrompts=1", "-o",
                      f"PubkeyAuthentication={'yes' if key else 'no'}"]
    status, text, prompts = person_at(arguments, environment, answers)
    return status == 0 and ssh.user in text.split(), prompts


def test_key_and_code(ssh, app, root):
    assert not ssh.works()                      # the key alone
    code = app.fresh()
    came_in, prompts = login(ssh, [(CODE, code)])
    assert came_in and len(prompts) == 1 and "assword" not in prompts[0]
    # The same code is none any more, and a wrong one never was.
    assert not login(ssh, [(CODE, code)])[0]
    assert not login(ssh, [(CODE, app.wrong())])[0]
    root.call("auth.twofactor.update", {"services": {"ssh": False}})
    assert ssh.works()
