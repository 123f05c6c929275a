import socket
import subprocess
import sys

from doorbuster_cluster.settings import REPOSITORY
from tests.ports import free_port

ANOTHER_PROCESS = """
import random
from tests.ports import free_port
random.seed(1)
print(free_port(), flush=True)
input()
"""


def another_process() -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", ANOTHER_PROCESS]
    return subprocess.Popen(words, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_no_port_is_given_twice() -> None:
    ports = [free_port() for _ in range(200)]

    assert len(set(ports)) == len(ports)


def test_two_processes_that_choose_alike_are_given_different_ports() -> None:
    with another_process() as first, another_process() as second:
        ports = [process.stdout.readline() if process.stdout else "" for process in (first, second)]
        for process in (first, second):
            process.communicate("\n")

    assert int(ports[0]) != int(ports[1])


def test_a_port_that_somebody_listens_on_is_not_given() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
        listener.listen()

        assert listener.getsockname()[1] not in {free_port() for _ in range(100)}
