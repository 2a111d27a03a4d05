"""The demo's story on the real node: from a script to predictions, through a gate and a canary, no request failing."""

import re
from collections.abc import Iterator

import pytest

from support.yard import Yard, forget_models
from tools.demo import install, story
from tools.demo.objects import KINDS, Watch
from tools.demo.place import Site
from tools.demo.screen import Screen

pytestmark = pytest.mark.e2e

README = story.CHECKOUT / "README.md"


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def watch(site: Site, lines: list[str]) -> Iterator[Watch]:
    def write(line: str) -> None:
        lines.append(line)
        print(line)

    forget_models(site.kubectl)
    yield Watch(site.kubectl, install.NAMESPACE, Screen(write=write))
    install.remove_namespace(site.kubectl, install.NAMESPACE)


@pytest.mark.timeout(1200)
def test_the_demo_trains_serves_and_switches_without_a_failed_request(
    site: Site, watch: Watch, lines: list[str]
) -> None:
    story.train_and_serve(site, watch)
    story.predict(site, watch)
    story.guard(site, watch)
    story.switch(site, watch)  # raises where a request failed
    story.predict(site, watch)
    story.tell_chain(watch)
    shown = "\n".join(lines)
    total = re.search(r"In all: version 1: (\d+) answers, version 2: (\d+) answers, 0 failed", shown)
    assert total, shown
    assert min(int(count) for count in total.groups()) >= 20
    yard = Yard(site, install.NAMESPACE)
    _the_readme_shows_these_columns(yard)
    _the_chain_is_readable_from_one_object(yard)


def _the_readme_shows_these_columns(yard: Yard) -> None:
    printed = yard.kubectl("get", KINDS).splitlines()
    headers = [" ".join(line.split()) for line in printed if line.startswith("NAME")]
    readme = [" ".join(line.split()) for line in README.read_text().splitlines()]
    for header in headers:
        assert header in readme, f"README.md does not show the columns that kubectl prints: {header}"


def _the_chain_is_readable_from_one_object(yard: Yard) -> None:
    deployment = yard.get("modeldeployment", "digits")
    stable, job = deployment["status"]["stable"], yard.get("trainingjob", "digits-svm")
    assert stable["version"] == job["status"]["modelVersion"]["version"] == "2"
    assert stable["trainingJob"] == f"{yard.namespace}/digits-svm"
    assert stable["runID"] == job["status"]["tracking"]["runID"]
    assert yard.run_of(stable["runID"])["status"] == "FINISHED"
    assert deployment["status"]["url"].endswith("/ml/digits/v2/models/model/infer")
    assert deployment["status"]["clusterURL"] == f"http://digits.{yard.namespace}.svc:9000/v2/models/model/infer"
    (promotion,) = yard.items("promotions")
    assert (promotion["spec"]["model"]["version"], promotion["status"]["previousVersion"]) == ("2", "1")
    assert {gate["name"]: gate["result"] for gate in promotion["status"]["gates"]} == {
        "accurate": "Passed",
        "no-worse": "Passed",
    }
    assert deployment["status"]["history"][-1]["outcome"] == "Promoted"
