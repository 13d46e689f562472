"""A small client of Stepledger: the standard library and nothing else.

Copy it beside your own code, or take it as a pattern for the HTTP library that you use already.
"""

import http.client
import json
import os
import random
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

ATTEMPTS_MAX = 5
TIMEOUT_SECONDS = 60
RETRY_AFTER_SECONDS_MAX = 60


class Problem(Exception):
    """The service understood, and said no. Branch on `error`, which never changes."""

    def __init__(self, body):
        super().__init__(f"{body['error']}: {body['detail']}")
        self.body = body
        self.error = body["error"]
        self.retry = body["retry"]
        self.allowed = body.get("allowed", [])
        self.next = body.get("next", [])


class Unreachable(Exception):
    """Nobody answered, or not as the service would."""


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """The service sends nobody elsewhere, and whoever does shall not get the key."""

    def redirect_request(self, *_):
        return None


class Stepledger:
    """The service at an address, as whoever the key is of."""

    def __init__(self, url, key, wait=time.sleep):
        # Whatever sends it would refuse it too, and say it aloud.
        if not re.fullmatch(r"[!-~]+", key):
            raise ValueError("The key is not one word of visible characters")
        self.url = url.rstrip("/")
        self.key = key
        self.wait = wait
        self.opener = urllib.request.build_opener(NoRedirects)

    @classmethod
    def from_environment(cls):
        """The service that STEPLEDGER_URL and STEPLEDGER_KEY name."""
        return cls(os.environ["STEPLEDGER_URL"], os.environ["STEPLEDGER_KEY"])

    def get(self, path, **query):
        return self.call("GET", path, query=query)

    def post(self, path, body, idempotency_key=None):
        return self.call("POST", path, body=body, idempotency_key=idempotency_key)

    def patch(self, path, body, idempotency_key=None):
        return self.call("PATCH", path, body=body, idempotency_key=idempotency_key)

    def each(self, path, **query):
        """Every item of a list, page after page."""
        while True:
            page = self.get(path, **query)
            yield from page["data"]
            if page["nextCursor"] is None:
                return
            query["cursor"] = page["nextCursor"]

    def call(self, method, path, query=None, body=None, idempotency_key=None):
        """Makes a call below /v1 and gives back its answer.

        What may succeed later is tried again. A write bears its Idempotency-Key through all attempts, so that it
        takes effect once, whatever is lost on the way.
        """
        address = f"{self.url}/v1{path}"
        if query:
            address += "?" + urllib.parse.urlencode(query, doseq=True)
        headers = {"Authorization": f"Bearer {self.key}"}
        content = None
        if method in ("POST", "PATCH"):
            headers["Idempotency-Key"] = idempotency_key or str(uuid.uuid4())
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        request = urllib.request.Request(address, content, headers, method=method)

        for made in range(1, ATTEMPTS_MAX + 1):
            fault, after_seconds = None, None
            try:
                with self.opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                fault, may_repeat = fault_of(error)
                after_seconds = retry_after(error.headers)
                if not may_repeat:
                    raise fault from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                # Refused, reset, timed out, or broken off in the middle of the answer.
                fault = Unreachable(f"{self.url} cannot be reached: {error}")
            if made == ATTEMPTS_MAX or (after_seconds or 0) > RETRY_AFTER_SECONDS_MAX:
                raise fault
            # Never the same for all who wait.
            self.wait(after_seconds or min(0.25 * 2**made, 5) * random.uniform(0.5, 1))


def fault_of(error):
    """What an error answer tells, and whether the same request may succeed later."""
    try:
        body = json.load(error)
        return Problem(body), body["retry"] == "same"
    except (ValueError, KeyError, TypeError):
        is_passing = error.code >= 500 or error.code == 429
        return Unreachable(f"Answered {error.code}, and not as the service would"), is_passing


def retry_after(headers):
    """In seconds; a date, which the service never sends, counts as no word."""
    text = headers.get("Retry-After", "")
    return int(text) if text.isascii() and text.isdigit() else None
