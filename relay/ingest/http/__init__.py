"""The public listener: sockets, and in which order a request is asked what. See `relay.ingest`.

`connection` speaks HTTP by way of aiohttp, `watch` keeps the time for all connections, `bodies`
reads within limits, `counter` asks for the key, the body and the door, `listener` opens and closes.
"""

from relay.ingest.http.listener import Listener

__all__ = ["Listener"]
