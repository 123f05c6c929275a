"""What `helm test` of the chart `apps` runs, against an API that answers what a test wants."""

import http.server
import importlib.util
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.charts.rendering import APPS

SCRIPT = APPS / "files" / "checks" / "purchase.py"
HEALTHY = {"status": "ok"}
CATALOGUE = {"products": [{"id": 1, "name": "doorbuster-test"}], "next_cursor": None}
Answers = dict[str, list[tuple[int, object]]]


@pytest.fixture
def purchase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, with a token and without patience."""
    spec = importlib.util.spec_from_file_location("purchase", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "token").write_text("abc\n")
    monkeypatch.setattr(module, "TOKEN_FILE", tmp_path / "token")
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.01)
    return module


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Answers], list[str]]]:
    """Return a function that starts an API with answers by path, the last one again and again; it lists requests."""
    servers: list[tuple[http.server.HTTPServer, threading.Thread]] = []

    def start(answers: Answers) -> list[str]:
        asked: list[str] = []

        class Api(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                asked.append(f"{self.command} {path} {self.headers.get('Authorization', '-')}")
                left = answers[path]
                status, body = left.pop(0) if len(left) > 1 else left[0]
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Idempotency-Key"]
                self.do_GET()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = http.server.HTTPServer(("127.0.0.1", 0), Api)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        monkeypatch.setenv("API", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        return asked

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def shop(*statuses: str) -> Answers:
    """A healthy shop with one product, whose order has these statuses one after the other."""
    orders: list[tuple[int, object]] = [(200, {"id": "x", "status": status}) for status in statuses]
    return {
        "/api/v1/health": [(200, HEALTHY)],
        "/api/v1/products": [(200, CATALOGUE)],
        "/api/v1/orders": [(202, {"id": "x", "status": "PENDING"})],
        "/api/v1/orders/x": orders,
    }


def test_an_order_that_is_paid_passes(
    purchase: ModuleType, api: Callable[[Answers], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = api(shop("PENDING", "PAID"))

    assert purchase.main() == 0
    assert asked[-1] == "GET /api/v1/orders/x Bearer abc"
    assert "an order of doorbuster-test is PAID" in capsys.readouterr().out


@pytest.mark.parametrize("status", ["FAILED", "PENDING"])
def test_an_order_that_is_not_paid_fails(
    purchase: ModuleType, api: Callable[[Answers], list[str]], capsys: pytest.CaptureFixture[str], status: str
) -> None:
    api(shop(status))

    assert purchase.main() == 1
    assert f"is {status}" in capsys.readouterr().out


def test_without_a_token_only_health_is_checked_and_that_is_said(
    purchase: ModuleType, api: Callable[[Answers], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = api(shop("PAID"))
    purchase.TOKEN_FILE.unlink()

    assert purchase.main() == 0
    assert asked == ["GET /api/v1/health -"]
    assert "only health was checked" in capsys.readouterr().out


def test_an_api_that_is_not_well_yet_is_waited_for(purchase: ModuleType, api: Callable[[Answers], list[str]]) -> None:
    api({**shop("PAID"), "/api/v1/health": [(503, {}), (503, {}), (200, HEALTHY)]})

    assert purchase.main() == 0


def test_an_api_that_stays_ill_fails_with_what_it_says(
    purchase: ModuleType, api: Callable[[Answers], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    api({"/api/v1/health": [(503, {"catalogue": {"products": 0}})]})

    assert purchase.main() == 1
    assert 'answers 503: {"catalogue": {"products": 0}}' in capsys.readouterr().out


def test_a_catalogue_without_the_product_fails(
    purchase: ModuleType, api: Callable[[Answers], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    api({**shop("PAID"), "/api/v1/products": [(200, {"products": [], "next_cursor": None})]})

    assert purchase.main() == 1
    assert "there is no product named doorbuster-test" in capsys.readouterr().out
