"""The script that runs in the pod, against small servers on loopback."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tools.bench.load import Target, compare


@contextmanager
def server(versions: list[str | int]) -> Iterator[str]:
    """A model server: each answer takes the next of these, a version or an HTTP status; the last one stays."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            said = versions.pop(0) if len(versions) > 1 else versions[0]
            body = json.dumps({"model_version": said, "outputs": [{"data": [5]}]}).encode()
            self.send_response(said if isinstance(said, int) else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/v2/models/model/infer"
    running.shutdown()
    running.server_close()


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_change_of_the_answering_version_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with server(["1", "1", "2", "2"]) as url:
        target = Target("served", url, b"{}")
        for turn in range(5):
            target.step(turn)

    assert [line["version"] for line in told(capsys)] == ["1", "2"]
    assert target.answers == {"1": 2, "2": 3}


def test_a_version_is_alone_since_it_answered_after_another() -> None:
    with server(["1", "2", "2"]) as url:
        target = Target("served", url, b"{}")
        target.step(0)
        time.sleep(0.3)
        target.step(1)
        counts = target.counts()

    assert counts["newest"] == "2"
    assert counts["alone_seconds"] in (0.0, 0.1, 0.2)


def test_a_failed_request_is_counted_and_told_in_words() -> None:
    with server(["1", 503, "1"]) as url:
        target = Target("served", url, b"{}")
        for turn in range(3):
            target.step(turn)

    assert target.failures == 1
    assert "HTTP 503" in target.errors[0]
    assert target.answers == {"1": 2}


def test_a_server_that_is_not_there_is_a_failure() -> None:
    target = Target("served", "http://127.0.0.1:1/v2/models/model/infer", b"{}")

    target.step(0)

    assert target.failures == 1


def test_a_comparison_asks_all_equally_often(capsys: pytest.CaptureFixture[str]) -> None:
    with server(["1"]) as one, server(["1"]) as other:
        compare({"served": one, "alone": other}, b"{}", rounds=3)

    (line,) = told(capsys)
    times = line["times"]
    assert isinstance(times, dict)
    assert {name: len(values) for name, values in times.items()} == {"served": 3, "alone": 3}
