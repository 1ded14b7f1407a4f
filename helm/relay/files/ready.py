"""What `helm test` asks: is the relay ready, and does it turn away who shows no key?

ready.py OPERATOR PUBLIC        two of HOST:PORT
"""

import sys
import time
from http.client import HTTPConnection, HTTPException

PATIENCE_S = 120


def status(method, host, path):
    """The answer's status; 0 where nobody answers."""
    connection = HTTPConnection(host, timeout=5)
    try:
        connection.request(method, path, b"[]", {"Content-Type": "application/json"})
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def wait_for(wanted, what, method, host, path):
    deadline = time.monotonic() + PATIENCE_S
    while (found := status(method, host, path)) != wanted:
        if time.monotonic() > deadline:
            sys.exit(f"{what}: {host}{path} answers {found or 'nothing'}, not {wanted}")
        time.sleep(1)
    sys.stdout.write(f"{what}: yes\n")


if __name__ == "__main__":
    operator, public = sys.argv[1:]
    wait_for(200, "ready", "GET", operator, "/readyz")
    wait_for(401, "turns strangers away", "POST", public, "/v1/events")
