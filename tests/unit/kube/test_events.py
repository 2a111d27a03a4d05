from datetime import UTC, datetime

import pytest

from modelyard.core.plan import Event, Manifest
from modelyard.kube.errors import Conflict, Forbidden
from modelyard.kube.events import NOTE_BYTES, Reporter, build_event, post_events

REPORTER = Reporter("modelyard", "pod-1")
NOW = datetime(2026, 1, 2, 3, 4, 5, 678, UTC)


def make_about(uid: str = "uid-1", name: str = "digits") -> Manifest:
    metadata = {"name": name, "namespace": "team", "uid": uid}
    return {"apiVersion": "modelyard.io/v1alpha1", "kind": "TrainingJob", "metadata": metadata}


def build(event: Event, about: Manifest | None = None) -> Manifest:
    return build_event(REPORTER, about or make_about(), event, NOW)


def test_an_event_says_about_whom_what_and_who_says_so() -> None:
    found = build(Event("Succeeded", "run 7 finished"))
    assert found["regarding"]["name"] == "digits"
    assert (found["reason"], found["note"], found["type"]) == ("Succeeded", "run 7 finished", "Normal")
    assert (found["reportingController"], found["reportingInstance"]) == ("modelyard", "pod-1")
    assert found["eventTime"] == "2026-01-02T03:04:05.000678Z"


def test_the_same_told_again_has_the_same_name_and_anything_else_another() -> None:
    told = build(Event("A", "x"))["metadata"]["name"]
    assert build(Event("A", "x"))["metadata"]["name"] == told
    others = [build(Event("A", "y")), build(Event("B", "x")), build(Event("A", "x"), make_about("uid-2"))]
    assert told not in [other["metadata"]["name"] for other in others]


def test_names_stay_within_what_kubernetes_takes() -> None:
    assert len(build(Event("A", "x"), make_about(name="n" * 253))["metadata"]["name"]) <= 253


@pytest.mark.parametrize("note", ["x" * 2000, "ü" * 1000, "☂" * 1000])
def test_a_long_note_is_cut_between_letters(note: str) -> None:
    cut = build(Event("A", note))["note"]
    assert NOTE_BYTES - 4 <= len(cut.encode()) <= NOTE_BYTES
    assert cut.endswith("…")
    assert note.startswith(cut[:-1])


async def test_each_event_is_posted_even_if_another_was_told_or_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    posted = []

    async def create(manifest: Manifest) -> Manifest:
        posted.append(manifest["reason"])
        if manifest["reason"] == "Told":
            raise Conflict(409, "AlreadyExists", "exists")
        if manifest["reason"] == "Refused":
            raise Forbidden(403, "Forbidden", "quota")
        return manifest

    await post_events(create, REPORTER, make_about(), [Event(reason, "") for reason in ("Told", "Refused", "New")])
    assert posted == ["Told", "Refused", "New"]
    assert "Refused" in caplog.text
    assert "Told" not in caplog.text
