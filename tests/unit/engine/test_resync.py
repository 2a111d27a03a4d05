from collections.abc import AsyncIterator

import pytest

from modelyard.core.plan import Manifest
from modelyard.engine.cache import Cache
from modelyard.engine.metrics import Metrics
from modelyard.engine.resync import Resync
from modelyard.engine.source import Source
from modelyard.kube.errors import ApiError, Forbidden, NotFound, Unreachable
from modelyard.kube.resources import JOBS, SELDON_DEPLOYMENTS, Resource
from unit.engine.fakes import make_object


class FakeLists:
    def __init__(self) -> None:
        self.objects: list[Manifest] = []
        self.version = 1
        self.error: ApiError | None = None
        self.asked: list[tuple[str | None, str | None]] = []

    async def list_pages(
        self,
        resource: Resource,
        namespace: str | None = None,
        label_selector: str | None = None,
        limit: int = 500,
    ) -> AsyncIterator[tuple[list[Manifest], str]]:
        assert resource in (JOBS, SELDON_DEPLOYMENTS)
        assert limit > 0
        self.asked.append((namespace, label_selector))
        found = [item for item in self.objects if namespace in (None, item["metadata"]["namespace"])]
        for item in found[:1]:
            yield [item], str(self.version)
        if self.error:
            raise self.error
        yield found[1:], str(self.version)


class Bench:
    def __init__(self, *namespaces: str) -> None:
        self.lists = FakeLists()
        self.woken: list[str] = []
        self.metrics = Metrics()
        self.cache = Cache()
        caches = {JOBS: self.cache, SELDON_DEPLOYMENTS: Cache()}
        self.resync = Resync(self.lists, caches, namespaces, self.metrics, self._wake)
        self.jobs = Source(JOBS, "owner", lambda _: [])
        self.seldon = Source(SELDON_DEPLOYMENTS, None, lambda _: [], is_optional=True)

    def _wake(self, _: Source, manifest: Manifest) -> None:
        self.woken.append(manifest["metadata"]["name"])

    def count(self, name: str) -> float:
        return self.metrics.registry.get_sample_value(f"modelyard_cache_{name}_total", {"resource": "jobs.batch"}) or 0


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_the_first_list_fills_the_cache_and_wakes_everything_but_heals_nothing(bench: Bench) -> None:
    bench.lists.objects = [make_object("a", uid="a"), make_object("b", uid="b")]
    await bench.resync.list_source(bench.jobs)
    assert bench.woken == ["a", "b"]
    assert len(bench.cache) == 2
    assert bench.count("missed") == 0
    assert bench.lists.asked == [(None, "owner")]


async def test_a_later_list_wakes_only_what_changed_or_is_gone_and_counts_it(bench: Bench) -> None:
    bench.lists.objects = [make_object(name, uid=name) for name in "abc"]
    await bench.resync.list_source(bench.jobs)
    bench.woken.clear()
    bench.lists.objects = [make_object("a", uid="a"), make_object("b", uid="b", version=5)]
    bench.lists.version = 6
    await bench.resync.list_source(bench.jobs)
    assert bench.woken == ["b", "c"]
    assert (bench.count("missed"), bench.count("swept")) == (1, 1)


async def test_a_list_that_breaks_off_sweeps_nothing(bench: Bench) -> None:
    bench.lists.objects = [make_object(name, uid=name) for name in "ab"]
    await bench.resync.list_source(bench.jobs)
    bench.lists.error = Unreachable("cut")
    with pytest.raises(Unreachable):
        await bench.resync.list_source(bench.jobs)
    assert len(bench.cache) == 2


async def test_only_the_namespaces_that_are_watched_are_listed() -> None:
    bench = Bench("a", "b")
    bench.lists.objects = [make_object(namespace=name, uid=name) for name in "abc"]
    await bench.resync.list_source(bench.jobs)
    assert [item["metadata"]["namespace"] for item in bench.cache.values()] == ["a", "b"]


@pytest.mark.parametrize("kind", [NotFound, Forbidden])
async def test_an_optional_kind_that_is_not_there_is_absent_and_no_error(bench: Bench, kind: type[ApiError]) -> None:
    bench.lists.error = kind(0, "", "no such kind")
    await bench.resync.list_source(bench.seldon)
    assert not bench.resync.is_served(SELDON_DEPLOYMENTS)


async def test_a_kind_that_is_needed_and_not_there_is_an_error(bench: Bench) -> None:
    bench.lists.error = NotFound(404, "NotFound", "no such kind")
    with pytest.raises(NotFound):
        await bench.resync.list_source(bench.jobs)


async def test_an_optional_kind_may_come_and_go(bench: Bench) -> None:
    bench.lists.objects = [make_object("a")]
    await bench.resync.list_source(bench.seldon)
    assert bench.resync.is_served(SELDON_DEPLOYMENTS)
    bench.woken.clear()
    bench.lists.error = NotFound(404, "NotFound", "no such kind")
    await bench.resync.list_source(bench.seldon)
    assert not bench.resync.is_served(SELDON_DEPLOYMENTS)
    assert bench.woken == ["a"]


async def test_a_kind_that_was_never_listed_is_not_served(bench: Bench) -> None:
    assert not bench.resync.is_served(JOBS)
