import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from doorbuster_cluster.commands.token import PATH, token_of
from doorbuster_cluster.errors import ClusterError
from doorbuster_cluster.settings import Settings
from tests.ports import free_port


@contextmanager
def an_issuer(status: int, answer: bytes) -> Iterator[tuple[int, list[tuple[str, object]]]]:
    """Yield the port of an issuer that always answers the same, and what it was asked."""
    asked: list[tuple[str, object]] = []

    class Issuer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Issuer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


def test_a_token_comes_from_the_issuer_behind_the_ingress(shop: Settings) -> None:
    with an_issuer(201, b'{"token": "abc.def.ghi"}') as (port, asked):
        token = token_of(replace(shop, port=port), 7)

    assert token == "abc.def.ghi"
    assert asked == [(PATH, {"user_id": 7})]


def test_a_proxy_is_not_asked(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with an_issuer(201, b'{"token": "abc"}') as (port, _):
        assert token_of(replace(shop, port=port), 1) == "abc"


def test_a_refusal_is_told(shop: Settings) -> None:
    with an_issuer(404, b"") as (port, _), pytest.raises(ClusterError, match=r"answers 404$"):
        token_of(replace(shop, port=port), 1)


@pytest.mark.parametrize("answer", [b"<html>", b'{"jwt": "abc"}', b"[]"])
def test_somebody_elses_answer_is_no_token(shop: Settings, answer: bytes) -> None:
    with an_issuer(201, answer) as (port, _), pytest.raises(ClusterError, match="nobody hands out tokens"):
        token_of(replace(shop, port=port), 1)


def test_without_a_platform_the_way_to_one_is_shown(shop: Settings) -> None:
    with pytest.raises(ClusterError, match="nobody hands out tokens") as refusal:
        token_of(replace(shop, port=free_port()), 1)

    assert "make up" in refusal.value.hint
