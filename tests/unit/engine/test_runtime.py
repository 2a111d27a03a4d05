"""What wakes whom."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from modelyard.core.plan import Key, Manifest
from modelyard.engine.metrics import Metrics
from modelyard.engine.runtime import Engine
from modelyard.engine.source import Source
from modelyard.kube.resources import JOBS
from modelyard.settings import Settings
from unit.engine.fakes import make_object


def wake_by_label(manifest: Manifest) -> Iterable[Key]:
    kind = (manifest["metadata"].get("labels") or {}).get("kind", "Thing")
    return [Key(kind, manifest["metadata"]["namespace"], manifest["metadata"]["name"])]


class Bench:
    def __init__(self) -> None:
        self.source = Source(JOBS, None, wake_by_label)
        no_client: Any = None  # nothing here asks the API server
        self.engine = Engine(Settings(), no_client, [self.source], {"Thing": self._reconcile}, Metrics())
        self.engine._is_leading = True

    async def _reconcile(self, key: Key) -> float | None:
        raise AssertionError(f"nothing works here: {key}")

    def hear(self, manifest: Manifest, event_type: str = "MODIFIED") -> bool:
        """Whether the event woke its object."""
        self.engine._on_event(self.source, event_type, manifest)
        return self._take()

    def answered(self, manifest: Manifest) -> bool:
        """Whether the answer to an own write woke its object."""
        self.engine.upsert(manifest)
        return self._take()

    def _take(self) -> bool:
        queue = self.engine.queue
        woken = len(queue) == 1
        while len(queue):
            key = queue._ready.popleft()
            queue._added_at.pop(key)
        return woken


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_a_change_wakes_and_the_same_version_again_does_not(bench: Bench) -> None:
    assert bench.hear(make_object(version=5), "ADDED")
    assert not bench.hear(make_object(version=5), "LISTED")
    assert bench.hear(make_object(version=6))


async def test_the_echo_of_an_own_write_does_not_wake(bench: Bench) -> None:
    bench.hear(make_object(version=5))
    assert not bench.answered(make_object(version=6))
    assert not bench.hear(make_object(version=6))


async def test_somebody_elses_change_that_an_own_write_overtook_wakes_when_it_is_told(bench: Bench) -> None:
    bench.hear(make_object(version=5))
    bench.answered(make_object(version=7))
    assert bench.hear(make_object(version=6))
    held = bench.engine.cache(JOBS).get("team", "job")
    assert held is not None
    assert held["metadata"]["resourceVersion"] == "7"


async def test_a_new_specification_inside_the_answer_to_an_own_write_wakes_at_once(bench: Bench) -> None:
    before, after = make_object(version=5), make_object(version=6)
    before["metadata"]["generation"], after["metadata"]["generation"] = 1, 2
    bench.hear(before)
    assert bench.answered(after)


async def test_an_object_of_ours_that_another_one_had_made_is_woken(bench: Bench) -> None:
    bench.engine._reconcilers["Job"] = bench._reconcile
    assert bench.answered(make_object(version=5))
    assert not bench.hear(make_object(version=5), "ADDED")
    assert not bench.answered(make_object(version=6)), "what is written of it later is no news"


async def test_others_that_want_to_know_of_own_writes_are_told(bench: Bench) -> None:
    source = replace(bench.source, is_told_to=lambda _: [Key("Thing", "team", "the other")])
    bench.engine._sources[JOBS] = source
    bench.hear(make_object(version=5))
    bench.engine.upsert(make_object(version=6))
    assert list(bench.engine.queue._ready) == [Key("Thing", "team", "the other")]


async def test_an_end_wakes_and_empties_the_cache(bench: Bench) -> None:
    bench.hear(make_object(version=5))
    assert bench.hear(make_object(version=6), "DELETED")
    assert bench.engine.cache(JOBS).get("team", "job") is None


async def test_answers_about_kinds_that_are_not_watched_are_left_alone(bench: Bench) -> None:
    assert not bench.answered({**make_object(), "apiVersion": "v1", "kind": "Service"})


@pytest.mark.parametrize("kind", ["Nonsense", "Periodic"])
async def test_a_label_cannot_wake_what_is_not_reconciled(bench: Bench, kind: str) -> None:
    manifest = make_object()
    manifest["metadata"]["labels"] = {"kind": kind}
    assert not bench.hear(manifest)


async def test_a_replica_that_does_not_lead_fills_its_caches_and_wakes_everything_once_it_does(bench: Bench) -> None:
    bench.engine._is_leading = False
    assert not bench.hear(make_object())
    bench.engine._is_leading = True
    bench.engine._wake_all()
    assert len(bench.engine.queue) == 1
