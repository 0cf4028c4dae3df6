"""One client's flood is its own trouble, not the others'."""

import threading
import time

import websocket

CALLS = 3000


def flood(client):
    """Calls without waiting and without reading, until the server ends it."""
    try:
        for _ in range(CALLS):
            client.start("core.get_methods")
    except (OSError, websocket.WebSocketException):
        pass


def test_a_flood_of_expensive_calls_delays_nobody_else(instance):
    with instance.admin() as flooder, instance.admin() as other:
        sender = threading.Thread(target=flood, args=(flooder,))
        sender.start()
        waits = []
        for _ in range(100):
            start = time.monotonic()
            assert other.call("core.ping") == "pong"
            waits.append(time.monotonic() - start)
        flooder.sock.close()
        sender.join(30)
        assert not sender.is_alive()
    # Behind all of them it would be minutes with sanitizers.
    assert max(waits) < 10


def test_a_client_that_keeps_fifty_in_flight_gets_every_answer(admin):
    sent = [admin.start("system.version") for _ in range(50)]
    for number in sent:
        assert admin.finish(number).startswith("TrueNAS-26.0.0")
        if len(sent) < 500:
            sent.append(admin.start("system.version"))
