"""What an authenticator app does, and a person at ssh's prompts."""

import base64
import hmac
import os
import pty
import re
import select
import signal
import struct
import time
import urllib.parse


class Authenticator:
    """Codes of the secret that a provisioning URI holds (RFC 6238)."""

    def __init__(self, uri, window=0):
        parts = urllib.parse.urlsplit(uri)
        assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
        query = dict(urllib.parse.parse_qsl(parts.query, strict_parsing=True))
        self.label = urllib.parse.unquote(parts.path[1:])
        self.issuer = query["issuer"]
        self.secret = query["secret"]
        self.digits = int(query["digits"])
        self.period = int(query["period"])
        self.window = window    # so many steps before and after are taken
        self.used = 0

    def step(self):
        return int(time.time()) // self.period

    def code(self, offset=0, step=None):
        step = self.step() + offset if step is None else step
        digest = hmac.new(base64.b32decode(self.secret),
                          struct.pack(">Q", step), "sha1").digest()
        at = digest[-1] & 15
        number, = struct.unpack(">I", digest[at:at + 4])
        return str(number & 0x7fffffff)[-self.digits:].zfill(self.digits)

    def settle(self, seconds=12):
        """Waits until no step ends in that time, so that the code that is
        made now is still the present one when it is looked at."""
        while self.period - time.time() % self.period < seconds:
            time.sleep(0.2)

    def fresh(self):
        """A code of a step that this has given none of, good for a while."""
        if self.window >= 10:   # nobody has to wait for the next step
            self.used = max(self.used + 1, self.step() - self.window // 2)
            return self.code(step=self.used)
        self.settle()
        while self.step() == self.used:
            time.sleep(0.2)
        self.used = self.step()
        return self.code()

    def wrong(self):
        """One that is none now, nor soon."""
        near = {self.code(offset) for offset in range(-25, 26)}
        return next(code for code in (str(n) * self.digits for n in range(10))
                    if code not in near)


def person_at(arguments, environment, answers, seconds=60):
    """Runs ssh on a terminal, answering the prompts that match, each once.

    Returns the exit status, what it printed, and the prompts that came.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(arguments[0], arguments, environment)
    text, prompts, at = "", [], 0
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            readable, _, _ = select.select([terminal], [], [], 0.5)
            if not readable:
                continue
            try:
                data = os.read(terminal, 4096)
            except OSError:
                break
            if not data:
                break
            text += data.decode("utf-8", "replace")
            prompt = re.search(r"[^\r\n]*(?:[Pp]assword|code): *$", text[at:])
            if not prompt:
                continue
            prompts.append(prompt.group().strip())
            at = len(text)
            answer = next((answer for pattern, answer in answers
                           if re.search(pattern, prompts[-1])), "\x03")
            os.write(terminal, (answer + "\n").encode())
        else:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    return os.waitstatus_to_exitcode(status), text, prompts
