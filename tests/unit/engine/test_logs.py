import asyncio
import json
import logging

import pytest

from modelyard.core.plan import Key
from modelyard.engine.logs import JsonFormatter, in_reconcile, without_secrets


def line(message: str = "done", **fields: object) -> dict[str, object]:
    record = logging.LogRecord("modelyard.test", logging.INFO, __file__, 1, message, None, None)
    record.__dict__.update(fields)
    return json.loads(JsonFormatter().format(record))  # type: ignore[no-any-return]


def test_a_line_is_json_with_time_level_logger_and_message() -> None:
    found = line("ein\nZweizeiler: ☂")
    assert (found["level"], found["logger"], found["message"]) == ("info", "modelyard.test", "ein\nZweizeiler: ☂")
    assert str(found["time"]).endswith("+00:00")


async def test_a_line_inside_a_reconcile_names_the_object_also_in_tasks_of_it_and_not_afterwards() -> None:
    async def task() -> dict[str, object]:
        return line()

    with in_reconcile(Key("TrainingJob", "team", "digits"), 3):
        found = await asyncio.create_task(task())
    assert (found["kind"], found["namespace"], found["name"], found["generation"]) == (
        "TrainingJob",
        "team",
        "digits",
        3,
    )
    assert "kind" not in line()


def test_a_traceback_is_part_of_the_line() -> None:
    try:
        int("why")
    except ValueError as error:
        found = line(exc_info=(type(error), error, error.__traceback__))
    assert "ValueError: invalid literal" in str(found["error"])


@pytest.mark.parametrize(
    ("text", "logged"),
    [
        ("GET http://ada:s3cret@mlflow:5000/ failed", "GET http://ada:***@mlflow:5000/ failed"),
        ("Authorization: Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6Ik", "Authorization: Bearer ***"),
        ("basic authentication is off", "basic authentication is off"),
        ("http://mlflow:5000/a@b", "http://mlflow:5000/a@b"),
    ],
)
def test_credentials_are_not_logged(text: str, logged: str) -> None:
    assert without_secrets(text) == logged
