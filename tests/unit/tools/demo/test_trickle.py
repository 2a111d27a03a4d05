"""The client that runs in the pod, against a small server on loopback."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from tools.demo.trickle import Client, Tally


class Server(http.server.ThreadingHTTPServer):
    """Answers as a model server would, or as the test says."""

    daemon_threads = True
    version = "1"
    status = 200
    closes = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v2/models/model/infer"

    def process_request(self, request: object, client_address: object) -> None:
        self.connections += 1
        super().process_request(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection, kept until the server is told to close."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"model_version": self.server.version, "outputs": [{"data": [5]}]}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        # Without announcing it, as a server does whose idle connections are closed.
        self.close_connection = self.server.closes

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_answer_is_known_by_the_version_that_gave_it(server: Server) -> None:
    server.version = "42"

    assert Client(server.url, b"{}").ask() == "42"


def test_a_kept_connection_serves_several_requests(server: Server) -> None:
    client = Client(server.url, b"{}")

    client.ask()
    client.ask()

    assert server.connections == 1


def test_a_client_that_hangs_up_comes_again_over_a_new_connection(server: Server) -> None:
    client = Client(server.url, b"{}")

    client.ask()
    client.hang_up()
    client.ask()

    assert server.connections == 2


def test_a_kept_connection_that_the_server_closed_while_idle_is_no_failure(server: Server) -> None:
    client = Client(server.url, b"{}")
    server.closes = True
    client.ask()
    until_closed(client)

    assert client.ask() == "1"


def test_an_error_of_the_server_is_a_failure(server: Server) -> None:
    server.status = 503

    with pytest.raises(ValueError, match="HTTP 503"):
        Client(server.url, b"{}").ask()


def test_answers_are_counted_by_version() -> None:
    tally = Tally(0.0)
    for version in ("1", "1", "2"):
        tally.answered(version, 1.0)

    assert json.loads(tally.report(2.0))["answers"] == {"1": 2, "2": 1}


def test_a_version_is_alone_since_the_last_answer_of_another() -> None:
    tally = Tally(0.0)
    for version, time in (("1", 1.0), ("2", 2.0), ("1", 3.0), ("2", 4.0), ("2", 6.0)):
        tally.answered(version, time)

    report = json.loads(tally.report(9.0))

    assert (report["newest"], report["alone_seconds"]) == ("2", 5.0)


def test_all_failures_are_counted_and_the_first_three_are_told() -> None:
    tally = Tally(0.0)
    for time in range(5):
        tally.failed(ConnectionResetError("gone"), float(time))

    report = json.loads(tally.report(9.0))

    assert report["failures"] == 5
    assert report["errors"][0] == "after 0.0 s: ConnectionResetError: gone"
    assert len(report["errors"]) == 3


def until_closed(client: Client) -> None:
    """Waits until the peer's end of the connection has arrived."""
    sock = client._connection.sock
    assert sock is not None
    sock.settimeout(5)
    assert sock.recv(1) == b""
