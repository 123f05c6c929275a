import asyncio
import signal

import httpx
import pytest
from click.testing import CliRunner

from doorbuster.bootstrap.consumers import CONSUMERS, ConsumerName
from doorbuster.consumers import __main__ as command
from doorbuster.settings import KafkaSettings, Settings
from tests.ports import free_port
from tests.unit.doorbuster.consumers.running import until


def test_help_lists_every_group_with_its_topics_and_its_work() -> None:
    shown = CliRunner().invoke(command.main, ["--help"]).output

    for name, consumer in CONSUMERS.items():
        assert f"{name}: {consumer.about}" in shown
        assert consumer.group in shown
        assert all(topic in shown for topic in consumer.topics)


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    result = CliRunner().invoke(command.main, ["stocks"])

    assert result.exit_code == 2
    assert "'order-flow'" in result.output


def test_what_only_a_new_process_can_mend_ends_this_one_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(name: ConsumerName, settings: Settings) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(command, "serve", broken)
    monkeypatch.setattr(command, "configure", lambda level: None)

    assert CliRunner().invoke(command.main, ["stock"]).exit_code == 1


async def test_without_any_server_it_is_alive_and_ready_and_ends_on_sigterm() -> None:
    settings = Settings(kafka=KafkaSettings(servers="127.0.0.1:1"), admin_port=free_port())
    serving = asyncio.create_task(command.serve(ConsumerName.STOCK, settings))

    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(10):
        address = f"http://127.0.0.1:{settings.admin_port}"
        while not await answers(client, f"{address}/readyz"):
            assert not serving.done()
        assert await answers(client, f"{address}/livez")
        assert (
            'consumer_batch_limit{group="stock-service-group"} 500.0' in (await client.get(f"{address}/metrics")).text
        )
        signal.raise_signal(signal.SIGTERM)
        await until(serving.done, "the end")
        await serving


async def answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.TransportError:
        await asyncio.sleep(0.01)
        return False
