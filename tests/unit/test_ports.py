import socket

from tests.ports import free_port


def test_no_port_is_given_twice() -> None:
    ports = [free_port() for _ in range(1000)]

    assert len(set(ports)) == len(ports)


def test_a_port_that_somebody_listens_on_is_not_given() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
        listener.listen()

        assert listener.getsockname()[1] not in {free_port() for _ in range(100)}
