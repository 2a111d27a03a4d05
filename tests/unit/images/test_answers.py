"""What the model server tells of its answers: whether they are those of another one, and nothing that can be read."""

import json
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelyard_answers.fingerprint import grid_of, take
from modelyard_answers.hook import Listener, Teller
from modelyard_answers.recorder import Ask, Recorder

from modelyard.adapters.traffic.joining import Answer, Joiner

KEY = "0123456789abcdef"


def v2(*data: Any, shape: list[int] | None = None, **fields: Any) -> bytes:
    output = {"name": "output-1", "shape": shape or [len(data), 1], "datatype": "FP64", "data": list(data)}
    answer = {"model_name": "model", "model_version": "1", "id": "a", "outputs": [output]}
    return json.dumps(answer | fields).encode()


def mlflow(*predictions: Any) -> bytes:
    return json.dumps({"predictions": list(predictions)}).encode()


def taken(body: bytes, tolerance: float | None = None, request: bytes = b"r" * 12) -> Answer:
    it = take(KEY.encode(), request, body, grid_of(tolerance))
    return Answer.of(["r", it.form, it.rows, it.cells])


def differing(one: bytes, other: bytes, tolerance: float | None = None) -> tuple[int, int]:
    found = Joiner().join([taken(one, tolerance)], [taken(other, tolerance)])
    return found.differing, found.pairs


@pytest.mark.parametrize(
    ("one", "other", "tolerance", "found"),
    [
        (v2(3), v2(3), None, (0, 1)),
        (v2(3), v2(4), None, (1, 1)),
        (v2(1234567), v2(1234568), None, (1, 1)),
        (v2(3), v2(3, id="b", model_version="2", parameters={"x": 1}), None, (0, 1)),
        (v2(1, 2, 3, 4), v2(1, 2, 5, 4), None, (1, 4)),
        (v2(0.1, 0.9, 0.4, 0.6, shape=[2, 2]), v2(0.1, 0.9, 0.5, 0.5, shape=[2, 2]), None, (1, 2)),
        (v2(1, 2), v2(1, 2, shape=[2]), None, (2, 2)),
        (v2(1, 2), v2(1), None, (2, 2)),
        (v2(0.1 + 0.2), v2(0.3), None, (0, 1)),
        (v2(1e-17), v2(-1e-17), None, (0, 1)),
        (v2(1e290), v2(1e290 * (1 + 1e-7)), None, (0, 1)),
        (v2(1.0), v2(1.001), None, (1, 1)),
        (v2(1e-4), v2(2e-4), None, (1, 1)),
        (v2(20.4), v2(20.9), 0.5, (0, 1)),
        (v2(20.4), v2(21.5), 0.5, (1, 1)),
        (v2(3), v2(3.0), 0.5, (0, 1)),
        (v2(3), v2(4), 0.5, (1, 1)),
        (v2(10**400), v2(10**400), 0.5, (0, 1)),
        (v2(10**400), v2(10**400 + 1), 0.5, (1, 1)),
        (v2("cat", "dog"), v2("cat", "cow"), 0.5, (1, 2)),
        (v2(True), v2(1), None, (1, 1)),
        (v2(math.nan), v2(math.nan), None, (0, 1)),
        (v2(math.nan), v2(math.inf), None, (1, 1)),
        (v2(None), v2("None"), None, (1, 1)),
        (mlflow(1, 2), mlflow(1, 3), None, (1, 2)),
        (mlflow({"a": 1, "b": 2}), mlflow({"b": 2, "a": 1}), None, (0, 1)),
        (mlflow({"a": 1}), mlflow({"b": 1}), None, (1, 1)),
        (mlflow([0.5, 0.5], [1.0]), mlflow([0.5, 0.5], [1.0]), None, (0, 1)),
        (mlflow(), mlflow(), None, (0, 1)),
        (mlflow(), mlflow(1), None, (1, 1)),
        (b'{"predictions": {"a": [1, 2]}}', b'{"predictions": {"a": [1, 3]}}', None, (1, 1)),
        (b"[1, 2]", b"[1, 2]", None, (0, 1)),
        (b"no JSON", b"no JSON", None, (0, 1)),
        (b"no JSON", b"neither", None, (1, 1)),
        (b"[" * 100000, b"[" * 100000, None, (0, 1)),
        (v2(*range(300)), v2(*range(299), 7), None, (0, 256)),
        (v2(*range(5000), shape=[1, 5000]), v2(*range(5000), shape=[1, 5000]), None, (0, 1)),
        (b'{"outputs": [1, {"shape": "x"}]}', b'{"outputs": [1, {"shape": "x"}]}', None, (0, 1)),
        (b'{"outputs": []}', b'{"outputs": []}', None, (0, 1)),
        (
            b'{"outputs": [{"shape": [true], "data": [1]}]}',
            b'{"outputs": [{"shape": [true], "data": [2]}]}',
            None,
            (1, 1),
        ),
    ],
)
def test_predictions_are_compared_one_by_one(
    one: bytes, other: bytes, tolerance: float | None, found: tuple[int, int]
) -> None:
    assert differing(one, other, tolerance) == found
    assert (differing(other, one, tolerance)[0] > 0) == (found[0] > 0)


@given(
    number=st.floats(-1e9, 1e9), share=st.floats(-1, 1), tolerance=st.sampled_from([1e-3, 0.5, 20.0]), far=st.booleans()
)
def test_numbers_within_the_tolerance_are_the_same_and_twice_as_far_ones_never(
    number: float, share: float, tolerance: float, far: bool
) -> None:
    other = number + (math.copysign(2.01 + abs(share), share) if far else 0.99 * share) * tolerance
    assert differing(v2(number), v2(other), tolerance)[0] == far


@given(number=st.floats(-1e290, 1e290), noise=st.floats(-0.9e-5, 0.9e-5))
def test_noise_of_floating_point_numbers_is_no_difference(number: float, noise: float) -> None:
    assert differing(v2(number), v2(number * (1 + noise))) == (0, 1)


def test_nothing_of_an_answer_can_be_read_and_the_same_looks_different_for_every_request() -> None:
    body = v2("cat", "cat", "cat")
    one, other = taken(body), taken(body, request=b"s" * 12)
    assert len({one.cells, other.cells}) == 2
    assert len({one.cells[start : start + 4] for start in range(0, 12, 4)}) == 3


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def recorder(now: list[float]) -> Any:
    return Recorder(KEY.encode(), clock=lambda: now[0])


def ask(recorder: Any, **told: Any) -> dict[str, Any]:
    found: dict[str, Any] = recorder.tell(Ask.of({"seconds": 60} | told))
    return found


def answered(recorder: Any, number: int, body: bytes | None = v2(1)) -> None:
    for _ in range(number):
        recorder.keep(b"r" * 12, body)


def test_nothing_is_kept_before_somebody_asks_and_after_nobody_does(recorder: Any, now: list[float]) -> None:
    answered(recorder, 3)
    first = ask(recorder)
    assert (first["next"], first["answers"]) == (0, [])
    answered(recorder, 3)
    told = ask(recorder, epoch=first["epoch"], since=0)
    assert (told["next"], len(told["answers"]), told["lost"]) == (3, 3, 0)
    now[0] = 60.5
    assert not recorder.is_on()
    again = ask(recorder, epoch=first["epoch"], since=0)
    assert again["answers"] == []
    assert again["epoch"] != first["epoch"]


def test_only_what_came_since_is_told_and_a_reply_that_was_lost_is_told_again(recorder: Any) -> None:
    epoch = ask(recorder)["epoch"]
    answered(recorder, 3)
    assert len(ask(recorder, epoch=epoch, since=0)["answers"]) == 3
    answered(recorder, 2)
    assert [len(ask(recorder, epoch=epoch, since=since)["answers"]) for since in (3, 3, 0, 5, 99)] == [2, 2, 5, 0, 0]
    assert ask(recorder, epoch="another", since=0)["answers"] == []
    assert ask(recorder)["answers"] == []


def test_the_oldest_go_when_there_are_too_many_and_it_is_told(recorder: Any) -> None:
    epoch = ask(recorder)["epoch"]
    answered(recorder, 5000)
    told = ask(recorder, epoch=epoch, since=0)
    assert (len(told["answers"]), told["lost"], told["next"]) == (4096, 904, 5000)
    answered(recorder, 250, v2(*([1.5] * 2048), shape=[1, 2048]))
    told = ask(recorder, epoch=epoch, since=0)
    assert len(told["answers"]) < 250
    assert len(json.dumps(told)) < 1 << 20


def test_the_largest_that_can_be_told_is_small_enough_for_the_operator(recorder: Any) -> None:
    epoch = ask(recorder)["epoch"]
    answered(recorder, 5000, v2(*([1.5] * 23), shape=[23]))
    assert 500_000 < len(json.dumps(ask(recorder, epoch=epoch, since=0))) < 1 << 20


def test_another_tolerance_begins_anew(recorder: Any) -> None:
    epoch = ask(recorder)["epoch"]
    answered(recorder, 1)
    told = ask(recorder, epoch=epoch, since=0, tolerance=0.5)
    assert told["answers"] == []
    assert told["epoch"] != epoch


def test_what_failed_is_told_and_what_is_too_large_is_left_out(recorder: Any) -> None:
    epoch = ask(recorder)["epoch"]
    answered(recorder, 1, None)
    answered(recorder, 1, b"x" * (2 << 20))
    ((_, form, rows, cells),) = ask(recorder, epoch=epoch, since=0)["answers"]
    assert (form, rows, cells) == ("", 0, "")


@pytest.mark.parametrize(
    "told",
    [
        [],
        {},
        {"seconds": "60"},
        {"seconds": 0},
        {"seconds": True},
        {"seconds": math.inf},
        {"seconds": 1, "since": "1"},
        {"seconds": 1, "since": 1.5},
        {"seconds": 1, "tolerance": 0},
        {"seconds": 1, "tolerance": -1},
        {"seconds": 1, "tolerance": math.nan},
    ],
)
def test_what_is_asked_wrongly_is_refused(told: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|number"):
        Ask.of(told)


class Server:
    """An ASGI application and who calls it."""

    def __init__(self, recorder: Any) -> None:
        self.recorder = recorder
        self.reply: Any = (200, [v2(1)])
        self.listener, self.teller = Listener(self._app, recorder), Teller(recorder)

    async def _app(self, _: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        if isinstance(self.reply, Exception):
            raise self.reply
        status, parts = self.reply
        await send({"type": "http.response.start", "status": status, "headers": []})
        for number, part in enumerate(parts, 1):
            more = number < len(parts)
            await send({"type": "http.response.body", "body": part, "more_body": more})

    async def call(self, app: Any, path: str, *body: bytes, method: str = "POST", key: str | None = KEY) -> list[Any]:
        parts = [{"type": "http.request", "body": part, "more_body": True} for part in body[:-1]]
        parts.append({"type": "http.request", "body": body[-1], "more_body": False})
        sent: list[Any] = []
        headers = [(b"authorization", f"Bearer {key}".encode())] if key else []
        scope = {"type": "http", "method": method, "path": path, "headers": headers}

        async def receive() -> Any:
            return parts.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        await app(scope, receive, send)
        return sent

    async def tell(self, body: Any, **how: Any) -> tuple[int, Any]:
        sent = await self.call(self.teller, "/", body if isinstance(body, bytes) else json.dumps(body).encode(), **how)
        return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.fixture
def server(recorder: Any) -> Server:
    return Server(recorder)


@pytest.mark.parametrize(
    ("told", "how", "status"),
    [
        ({"seconds": 1}, {}, 200),
        ({"seconds": 1}, {"key": None}, 401),
        ({"seconds": 1}, {"key": "guessed"}, 401),
        ({"seconds": 1}, {"key": ""}, 401),
        ({"seconds": 1}, {"method": "GET"}, 405),
        ({"seconds": -1}, {}, 400),
        (b"{", {}, 400),
        (b"[" * 4000, {}, 400),
        (b"x" * 5000, {}, 400),
    ],
)
async def test_only_who_holds_the_key_is_told(server: Server, told: Any, how: Any, status: int) -> None:
    assert (await server.tell(told, **how))[0] == status


async def test_predictions_are_heard_as_they_come_and_go(server: Server) -> None:
    epoch = ask(server.recorder)["epoch"]
    infer = "/v2/models/model/infer"
    await server.call(server.listener, infer, b"a", b"b")
    await server.call(server.listener, "/v2/models/model/versions/2/infer", b"ab")
    server.reply = (200, [v2(1)[:9], v2(1)[9:]])
    await server.call(server.listener, infer, b"ab")
    await server.call(server.listener, "/invocations", b"ab")
    await server.call(server.listener, "/v2/models/model/ready", b"")
    server.reply = (500, [b"no"])
    await server.call(server.listener, infer, b"ab")
    told = (await server.tell({"seconds": 60, "epoch": epoch, "since": 0}))[1]["answers"]
    requests, forms, rows, cells = (list(column) for column in zip(*told, strict=True))
    assert rows == [1, 1, 1, 1, 0]
    assert len({*requests[:3], requests[4]}) == 1
    assert requests[3] != requests[0]
    assert len(set(forms[:3])) == len(set(cells[:3])) == 1


async def test_what_raises_is_a_failure_and_what_was_never_answered_is_nothing(server: Server) -> None:
    epoch = ask(server.recorder)["epoch"]
    server.reply = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await server.call(server.listener, "/invocations", b"a")
    server.reply = (200, [])
    await server.call(server.listener, "/invocations", b"a")
    assert [row[2] for row in ask(server.recorder, epoch=epoch, since=0)["answers"]] == [0]


async def test_a_server_that_nobody_asks_passes_everything_on_untouched(server: Server) -> None:
    sent = await server.call(server.listener, "/invocations", b"a")
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert ask(server.recorder)["next"] == 0


@pytest.mark.parametrize(("rows", "most"), [(1, 200e-6), (100, 3e-3)])
def test_a_fingerprint_takes_no_time_that_a_prediction_would_notice(rows: int, most: float) -> None:
    body, best = v2(*[7] * rows), math.inf
    for _ in range(20):
        began = time.thread_time()
        for _ in range(20):
            taken(body)
        best = min(best, (time.thread_time() - began) / 20)
    print(f"\nthe fingerprint of an answer with {rows} predictions takes {best * 1e6:.0f} µs")
    assert best < most
