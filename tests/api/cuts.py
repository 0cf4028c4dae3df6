"""Entries made and removed while the instance's processes are killed."""

import os
import random
import signal
import threading
import time

from harness import ApiError, Closed, wait_until


class Ledger:
    """Names by what is known of them."""

    def __init__(self):
        self.made, self.gone, self.unsure = {}, set(), set()
        self.cut = threading.Event()    # everything is being killed
        self.tried = 0

    def name(self):
        self.tried += 1
        return f"cut{self.tried}"


def reconnect(connect):
    """A client again, as soon as the instance serves again."""
    def attempt():
        try:
            return connect()
        except Exception:
            return None
    return wait_until(attempt, 30, "a new connection")


def work(instance, ledger, count, create, remove):
    """Makes entries and removes every third; goes on after a cut."""
    client = instance.root()
    for number in range(count):
        name = ledger.name()
        try:
            ledger.unsure.add(name)
            ledger.made[name] = create(client, name)
            ledger.unsure.remove(name)
            if number % 3 == 0:
                ledger.unsure.add(name)
                remove(client, ledger.made.pop(name))
                ledger.unsure.remove(name)
                ledger.gone.add(name)
        except (Closed, OSError, TimeoutError, ApiError):
            client.close()
            if ledger.cut.is_set():
                return
            client = reconnect(instance.root)
    client.close()


def cut(instance, ledger, victim):
    """Kills core, or everything, in the middle of the work."""
    time.sleep(random.uniform(0, 0.1))
    if victim == "core":
        os.kill(instance.roles()["core"], signal.SIGKILL)
    else:
        ledger.cut.set()
        instance.kill()


def work_and_cut(instance, ledger, victims, count, create, remove):
    """One round of work, cut by each of the victims; serves again then."""
    thread = threading.Thread(
        target=work, args=(instance, ledger, count, create, remove))
    thread.start()
    for victim in victims:
        seen = len(ledger.made)
        wait_until(lambda: len(ledger.made) >= seen + 3 or
                   not thread.is_alive(), 60, "some entries")
        cut(instance, ledger, victim)
    thread.join(60)
    assert not thread.is_alive()
    if instance.process is None:
        instance.start()
        ledger.cut.clear()
    reconnect(instance.root).close()
