"""An HTTP server of a test: it answers each request by a function, or not at all."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

END_SECONDS = 10.0

Handler = BaseHTTPRequestHandler
Reply = Callable[[Handler], None]


def replying(status: int, body: bytes, *, content_type: str = "application/json") -> Reply:
    """Return a reply with a whole body."""

    def reply(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


@contextmanager
def serving(reply: Reply) -> Iterator[str]:
    """Yield the address of a server that replies so to every request, until the block ends."""

    class OneReply(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with suppress(OSError):  # who asked doesn't wait any longer
                reply(self)

        do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815  # the library's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), OneReply) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(END_SECONDS)
