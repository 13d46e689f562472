"""A small Stepledger client that needs only the standard library.

Copy it next to your own code, or use it as a pattern for the HTTP library that you already use.
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
    """An error response from the service. Branch on `error`, whose codes never change."""

    def __init__(self, body):
        super().__init__(f"{body['error']}: {body['detail']}")
        self.body = body
        self.error = body["error"]
        self.retry = body["retry"]
        self.allowed = body.get("allowed", [])
        self.next = body.get("next", [])


class Unreachable(Exception):
    """No response, or one that is not the service's."""


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Rejects redirects: the service never redirects, and another server must not get the key."""

    def redirect_request(self, *_):
        return None


class Stepledger:
    """A client of the service at a URL, authenticated by a key."""

    def __init__(self, url, key, wait=time.sleep):
        # http.client would reject the header too, but its error message would contain the key.
        if not re.fullmatch(r"[!-~]+", key):
            raise ValueError("The key must be one word of printable ASCII characters")
        self.url = url.rstrip("/")
        self.key = key
        self.wait = wait
        self.opener = urllib.request.build_opener(NoRedirects)

    @classmethod
    def from_environment(cls):
        """Returns a client for STEPLEDGER_URL with the key in STEPLEDGER_KEY."""
        return cls(os.environ["STEPLEDGER_URL"], os.environ["STEPLEDGER_KEY"])

    def get(self, path, **query):
        return self.call("GET", path, query=query)

    def post(self, path, body, idempotency_key=None):
        return self.call("POST", path, body=body, idempotency_key=idempotency_key)

    def patch(self, path, body, idempotency_key=None):
        return self.call("PATCH", path, body=body, idempotency_key=idempotency_key)

    def each(self, path, **query):
        """Yields every item of a list, page by page."""
        while True:
            page = self.get(path, **query)
            yield from page["data"]
            if page["nextCursor"] is None:
                return
            query["cursor"] = page["nextCursor"]

    def call(self, method, path, query=None, body=None, idempotency_key=None):
        """Calls a path under /v1 and returns the parsed response.

        Retries a call that may succeed later. All attempts of a write carry the same Idempotency-Key, so it takes
        effect once even if a response is lost.
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

        for attempts in range(1, ATTEMPTS_MAX + 1):
            failure, after_seconds = None, None
            try:
                with self.opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                failure, is_retryable = failure_of(error)
                after_seconds = retry_after(error.headers)
                if not is_retryable:
                    raise failure from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                # Refused, reset, timed out, or cut off in the middle of the response.
                failure = Unreachable(f"Cannot reach {self.url}: {error}")
            if attempts == ATTEMPTS_MAX or (after_seconds or 0) > RETRY_AFTER_SECONDS_MAX:
                raise failure
            # Jitter keeps many clients from retrying in step.
            self.wait(after_seconds or min(0.25 * 2**attempts, 5) * random.uniform(0.5, 1))


def failure_of(error):
    """Returns the exception for an error response, and whether the same request may succeed later."""
    try:
        body = json.load(error)
        return Problem(body), body["retry"] == "same"
    except (ValueError, KeyError, TypeError):
        is_transient = error.code >= 500 or error.code == 429
        return Unreachable(f"Answered {error.code}, but not in the service's format"), is_transient


def retry_after(headers):
    """Returns Retry-After in seconds. An HTTP date, which the service never sends, is ignored."""
    text = headers.get("Retry-After", "")
    return int(text) if text.isascii() and text.isdigit() else None
