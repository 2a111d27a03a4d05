"""Which deliveries are believed."""

import json
from pathlib import Path

import pytest

from modelyard.adapters.mlflow.deliveries import Delivery, Judge, Verdict, secrets_in
from modelyard.core.tracking import Moved
from support.webhooks import SECRET, alias_event, signed

NOW = 1_800_000_000


def judge(*secrets: str) -> Judge:
    return Judge(lambda: tuple(secret.encode() for secret in secrets or (SECRET,)), lambda: NOW)


def delivery(body: object = None, **given: object) -> Delivery:
    headers, raw = signed(alias_event() if body is None else body, **({"timestamp": NOW} | given))  # type: ignore[arg-type]
    return Delivery.of(headers, raw)


def test_a_signed_and_recent_delivery_about_an_alias_is_believed() -> None:
    assert judge().judge(delivery()) == Moved("digits", "champion")


def test_the_signature_is_the_one_that_mlflow_makes() -> None:
    from mlflow.webhooks.delivery import _generate_hmac_signature  # noqa: PLC0415 - takes seconds

    body = json.dumps(alias_event())
    signature = _generate_hmac_signature(SECRET, "a-delivery", str(NOW), body)
    assert judge().judge(Delivery("a-delivery", str(NOW), signature, body.encode())) == Moved("digits", "champion")


def test_a_deleted_alias_and_a_workspace_are_told() -> None:
    body = alias_event(action="deleted", workspace="team-a")
    assert judge().judge(delivery(body)) == Moved("digits", "champion", "team-a")


@pytest.mark.parametrize("field", ["X-MLflow-Delivery-Id", "X-MLflow-Timestamp", "X-MLflow-Signature"])
@pytest.mark.parametrize("value", ["", "x", "v1,", "v1,AAAA", "v2,AAAA", "é", "\udcff", "9" * 5000])
def test_a_header_that_was_changed_is_a_strangers(field: str, value: str) -> None:
    headers, raw = signed(alias_event(), timestamp=NOW)
    assert judge().judge(Delivery.of(headers | {field: value}, raw)) is Verdict.UNSIGNED


@pytest.mark.parametrize("field", ["X-MLflow-Delivery-Id", "X-MLflow-Timestamp", "X-MLflow-Signature"])
def test_a_header_that_is_missing_is_a_strangers(field: str) -> None:
    headers, raw = signed(alias_event(), timestamp=NOW)
    del headers[field]
    assert judge().judge(Delivery.of(headers, raw)) is Verdict.UNSIGNED


def test_a_body_that_was_changed_is_a_strangers() -> None:
    headers, raw = signed(alias_event(), timestamp=NOW)
    assert judge().judge(Delivery.of(headers, raw.replace(b"digits", b"letters"))) is Verdict.UNSIGNED


def test_another_secret_is_a_strangers_and_so_is_everything_without_a_secret() -> None:
    assert judge().judge(delivery(secret="another")) is Verdict.UNSIGNED
    nothing = Judge(tuple, lambda: NOW)
    assert nothing.judge(delivery(secret="")) is Verdict.UNSIGNED


def test_while_secrets_change_both_hold() -> None:
    assert judge("new", SECRET).judge(delivery()) == Moved("digits", "champion")


@pytest.mark.parametrize(
    ("timestamp", "is_believed"),
    [
        (NOW - 299, True),
        (NOW + 299, True),
        (NOW - 301, False),
        (NOW + 301, False),
        (f"-{NOW}", False),
        (f"{NOW}.0", False),
        ("٣" * 10, False),
        ("9" * 40, False),
    ],
)
def test_only_what_was_sent_at_about_this_time_is_believed(timestamp: object, is_believed: bool) -> None:
    verdict = judge().judge(delivery(timestamp=timestamp))
    assert verdict == (Moved("digits", "champion") if is_believed else Verdict.STALE)


def test_what_was_dealt_with_is_not_dealt_with_again() -> None:
    one = judge()
    one.remember(delivery())
    assert one.judge(delivery()) is Verdict.DUPLICATE
    assert one.judge(delivery(identity="delivery-2")) == Moved("digits", "champion")


def test_memory_is_bounded() -> None:
    one = judge()
    for number in range(10_000):
        one.remember(delivery(identity=str(number)))
    assert one.judge(delivery(identity="0")) == Moved("digits", "champion")
    assert one.judge(delivery(identity="9999")) is Verdict.DUPLICATE


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"", Verdict.MALFORMED),
        (b"{", Verdict.MALFORMED),
        (b"\xff\xfe", Verdict.MALFORMED),
        (b"[" * 60_000, Verdict.MALFORMED),
        ([], Verdict.MALFORMED),
        ("text", Verdict.MALFORMED),
        (None, Verdict.MALFORMED),
        ({}, Verdict.IGNORED),
        ({"entity": "model_version", "action": "created"}, Verdict.IGNORED),
        ({"entity": ["model_version_alias"]}, Verdict.IGNORED),
        ({"entity": "model_version_alias"}, Verdict.MALFORMED),
        ({"entity": "model_version_alias", "data": []}, Verdict.MALFORMED),
        ({"entity": "model_version_alias", "data": {"name": 1, "alias": "champion"}}, Verdict.MALFORMED),
        ({"entity": "model_version_alias", "data": {"name": "digits", "alias": ""}}, Verdict.MALFORMED),
    ],
)
def test_odd_bodies(body: object, verdict: Verdict) -> None:
    headers, raw = signed(b"null" if body is None else body, timestamp=NOW)
    assert judge().judge(Delivery.of(headers, raw)) is verdict


def test_secrets_are_the_lines_of_a_file_that_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    assert secrets_in(file) == ()
    file.write_text("one\n\n two \n")
    assert secrets_in(file) == (b"one", b"two")
