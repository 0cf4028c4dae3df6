"""The recorded HTTP requests, and the WebSocket handshakes beside them."""

import ast
import base64
import http.client
import json
import re

import websocket

from harness import ADMIN, PASSWORD, next_address

HTTP = "HTTP client, TCP"
# The recorded administrator's; ours in its place.
RECORDED = "Basic cm9vdDphbmNob3I="
OURS = "Basic " + base64.b64encode(f"{ADMIN}:{PASSWORD}".encode()).decode()
# What was not recorded of a handshake, by the name of its case.
HANDSHAKES = {
    "WebSocket: a foreign Origin": {"origin": "https://evil.example"},
    "WebSocket: path of the version": {"path": "/api/v26.0.0"},
    "WebSocket: an older version": {"path": "/api/v25.04.0"},
    "WebSocket: an unknown version": {"path": "/api/v99.0"},
}


def body_of(send):
    if "body" not in send:
        return None
    body = ast.literal_eval(send["body"])
    # The record was cut after so many characters.
    return body if body.endswith(b"--\r\n") else body + b"\r\n--XX--\r\n"


def request(instance, send, learnt):
    """The answer in the form that was recorded."""
    method, _, path = send["http"].partition(" ")
    for recorded, now in learnt.items():
        path = path.replace(recorded, str(now))
    headers = {key: value.replace(RECORDED, OURS)
               for key, value in send.get("headers", {}).items()}
    connection = http.client.HTTPConnection(instance.address, instance.port,
                                            timeout=30)
    connection.sock = instance.tls()
    try:
        connection.request(method, path, body_of(send), headers)
        answer = connection.getresponse()
        body = answer.read().decode("utf-8", "replace")
    finally:
        connection.close()
    if answer.headers["Content-Type"] == "application/json":
        body = json.loads(body)
    return [{"status": answer.status, "headers": dict(answer.headers),
             "body": body}]


def handshake(instance, case):
    options = HANDSHAKES[case["case"]]
    try:
        client = instance.connect(next_address(103), **options)
    except websocket.WebSocketBadStatusException as error:
        return [{"refused": re.sub(r" -\+-\+-.*| *$", "", str(error))}]
    with client:
        client.send_text(json.dumps(case["send"]))
        return [client.receive()]


def essence(message):
    """What must agree of an answer over HTTP."""
    if "refused" in message:
        return {"refused": message["refused"][:20]}
    found = {"status": message["status"]}
    if message["status"] == 200:
        found["type"] = message["headers"].get("Content-Type")
        if isinstance(message["body"], list):
            found["body"] = message["body"]
        elif isinstance(message["body"], dict):
            found["members"] = sorted(message["body"])
    return found
