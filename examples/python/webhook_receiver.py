"""A receiver of webhooks, which believes only what the service signed (https://www.standardwebhooks.com).

    export WEBHOOK_SECRET=whsec_…
    python3 webhook_receiver.py [PORT]

Put it behind TLS. A message may come more than once: `webhook-id` tells, and each is handled once.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

TOLERANCE_SECONDS = 5 * 60
BODY_BYTES_MAX = 1024 * 1024
SECRET_PREFIX = "whsec_"


class NotBelieved(Exception):
    """The message is not from whom it says, or not of now."""


def verify(secret, headers, body, now=None):
    """Gives back the message, once it is sure who sent it.

    `headers` is looked up by lower-case names, `body` is the bytes as they came: a body that was parsed and written
    again has another signature.
    """
    message_id = headers.get("webhook-id")
    timestamp = headers.get("webhook-timestamp")
    signatures = headers.get("webhook-signature")
    if not message_id or not timestamp or not signatures:
        raise NotBelieved("A header is missing")
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise NotBelieved("The timestamp is no number")
    # An old message that somebody kept must not work for ever.
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE_SECONDS:
        raise NotBelieved("The timestamp is not of now")

    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = hmac.new(key, signed, hashlib.sha256).digest()
    # While a secret is rotated there is a signature of each.
    for signature in signatures.split(" "):
        version, _, encoded = signature.partition(",")
        if version == "v1" and hmac.compare_digest(decoded(encoded), expected):
            return json.loads(body)
    raise NotBelieved("No signature is right")


def decoded(text):
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def handle(message):
    """What is done with a message; put your own work here."""
    print(json.dumps(message), flush=True)


class Receiver(BaseHTTPRequestHandler):
    """Answers soon: whoever takes long is sent the message again."""

    timeout = 10
    secret = ""
    handled = set()

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()):
            return self.answer(411)
        if int(length) > BODY_BYTES_MAX:
            return self.answer(413)
        try:
            message = verify(self.secret, self.headers, self.rfile.read(int(length)))
        except NotBelieved as doubt:
            print(doubt, file=sys.stderr, flush=True)
            return self.answer(401)
        message_id = self.headers["webhook-id"]
        if message_id not in self.handled:
            handle(message)
            # Only now: what failed half-way may come again. Keep these where a restart does not lose them.
            self.handled.add(message_id)
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        """The messages themselves are what is written."""


def main():
    Receiver.secret = os.environ["WEBHOOK_SECRET"]
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8099
    server = HTTPServer(("127.0.0.1", port), Receiver)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
