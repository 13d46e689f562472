"""A webhook receiver that accepts only messages signed by the service (https://www.standardwebhooks.com).

    export WEBHOOK_SECRET=whsec_…
    python3 webhook_receiver.py [PORT]

Run it behind TLS. The service may deliver a message more than once; the receiver uses `webhook-id` to handle it once.
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


class InvalidMessage(Exception):
    """The signature is wrong or missing, or the timestamp is too old or too new."""


def verify(secret, headers, body, now=None):
    """Returns the parsed message. Raises InvalidMessage unless the service signed it recently.

    The names in `headers` are lower case. `body` must be the raw bytes: a body that was parsed and serialized again
    may have another signature.
    """
    message_id = headers.get("webhook-id")
    timestamp = headers.get("webhook-timestamp")
    signatures = headers.get("webhook-signature")
    if not message_id or not timestamp or not signatures:
        raise InvalidMessage("A header is missing")
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise InvalidMessage("The timestamp is not a number")
    # Limits how long a captured message can be replayed.
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE_SECONDS:
        raise InvalidMessage("The timestamp is too old or too new")

    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = hmac.new(key, signed, hashlib.sha256).digest()
    # During a secret rotation, the message has one signature for each secret.
    for signature in signatures.split(" "):
        version, _, encoded = signature.partition(",")
        if version == "v1" and hmac.compare_digest(decode(encoded), expected):
            return json.loads(body)
    raise InvalidMessage("No signature matches")


def decode(text):
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def handle(message):
    """Processes a message. Replace this with your own code."""
    print(json.dumps(message), flush=True)


class Receiver(BaseHTTPRequestHandler):
    """Handles requests. Answer quickly: the service retries a delivery that times out."""

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
        except InvalidMessage as error:
            print(error, file=sys.stderr, flush=True)
            return self.answer(401)
        message_id = self.headers["webhook-id"]
        if message_id not in self.handled:
            handle(message)
            # Record the id only after the work, so that a failed message can be retried. In production, store the
            # ids where they survive a restart.
            self.handled.add(message_id)
        return self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        """Disables the request log, so that standard output has only messages."""


def main():
    Receiver.secret = os.environ["WEBHOOK_SECRET"]
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8099
    server = HTTPServer(("127.0.0.1", port), Receiver)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
