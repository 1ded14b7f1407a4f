"""What `helm test` asks: is the relay ready, and does it turn away who shows no key?

ready.py OPERATOR PUBLIC        two addresses, http://HOST:PORT
"""

import sys
import time
import urllib.error
import urllib.request

PATIENCE_S = 120


def status(url, body=None):
    """The answer's status; 0 where nobody answers."""
    headers = {"Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, body, headers), timeout=5
        ) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        return answer.code
    except OSError:
        return 0


def wait_for(wanted, what, url, body=None):
    deadline = time.monotonic() + PATIENCE_S
    while (found := status(url, body)) != wanted:
        if time.monotonic() > deadline:
            sys.exit(f"{what}: {url} answers {found or 'nothing'}, not {wanted}")
        time.sleep(1)
    print(f"{what}: yes")


if __name__ == "__main__":
    operator, public = sys.argv[1:]
    wait_for(200, "ready", f"{operator}/readyz")
    wait_for(401, "turns strangers away", f"{public}/v1/events", b"[]")
