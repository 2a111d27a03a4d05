"""The measurement of serving, in order."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass

from tools.bench.bare import BareDeployment, template_of
from tools.bench.figures import Figure, Switches, figures_of, percentile
from tools.bench.pods import LoadPod
from tools.demo import digits, install, story
from tools.demo.install import NAMESPACE
from tools.demo.objects import Watch, is_true, refuse_failure, ticks
from tools.demo.place import Place, Site
from tools.demo.screen import DemoError, Screen

DEPLOYMENT = story.DEPLOYMENT
SWITCH_LIMIT_SECONDS = 180
LATENCY_ROUNDS = 1000
BARE_EVERY = 5
"""One switch of the bare Deployment comes after so many of the ModelDeployment, so that both meet the same machine."""
ALIAS, MODEL = "champion", "digits"
_MOVE_ALIAS = """
import sys, time, mlflow
name, alias, version = sys.argv[1:]
mlflow.MlflowClient("http://localhost:5000").set_registered_model_alias(name, alias, version)
print(time.time())
"""


@dataclass(frozen=True)
class Bench:
    """What all parts of the measurement share."""

    site: Site
    watch: Watch
    screen: Screen

    def load(self, name: str) -> LoadPod:
        """A pod that asks about one digit."""
        request = digits.request_for(digits.load()[:1])
        return LoadPod(self.site.kubectl, NAMESPACE, self.site.images["model-fetcher"], name, request)

    def url(self) -> str:
        """Where the ModelDeployment answers; raises KubectlError."""
        return str(self.watch.read("modeldeployment", DEPLOYMENT)["status"]["url"])

    def move_alias(self, version: str) -> float:
        """Points the alias at this version; the Unix time of MLflow's reply. Raises KubectlError."""
        command = ["exec", "--namespace", install.MLFLOW_NAMESPACE, "deploy/mlflow", "--", "python3", "-c", _MOVE_ALIAS]
        return float(self.site.kubectl.run(*command, MODEL, ALIAS, version))

    def await_served(self, version: str) -> None:
        """Waits until the ModelDeployment says that it serves this version alone; raises DemoError, KubectlError."""
        for _ in ticks(f"version {version} serving", SWITCH_LIMIT_SECONDS):
            manifest = self.watch.read("modeldeployment", DEPLOYMENT)
            refuse_failure(manifest)
            if manifest["status"]["stable"]["version"] == version and is_true(manifest, "Ready"):
                return


def run(place: Place, screen: Screen, options: argparse.Namespace) -> list[Figure]:
    """Everything; raises StepFailed."""
    site = place.prepare(screen)
    story.set_up(site, screen)
    bench = Bench(site, Watch(site.kubectl, NAMESPACE, screen), screen)
    with screen.step("Train two versions and serve them"):
        bare = two_versions(bench)
    with screen.step(f"Switch {options.switches} times under steady requests"):
        figures = measure_switches(bench, bare, options.switches, options.rate)
    with screen.step("Compare answers through the ModelDeployment with those of a server alone"):
        figures += measure_latency(bench, bare)
    screen.say("", *(str(figure) for figure in figures))
    return figures


def two_versions(bench: Bench) -> BareDeployment:
    """A ModelDeployment that has served both, and a bare Deployment that can; raises DemoError, KubectlError."""
    templates = {}
    for number, file in enumerate(("1-train-and-serve.yaml", "2-next-version.yaml"), 1):
        story.apply(bench.site, bench.watch, file)
        job = (story.FIRST_JOB, story.SECOND_JOB)[number - 1]
        version = _registered(bench, job)
        _await_deployment(bench)
        bench.await_served(version)
        templates[version] = template_of(bench.site.kubectl, NAMESPACE, DEPLOYMENT)
    bare = BareDeployment(bench.site.kubectl, NAMESPACE, templates)
    bare.create(version)
    return bare


def measure_switches(bench: Bench, bare: BareDeployment, count: int, rate: float) -> list[Figure]:
    """Moves the alias back and forth while requests keep coming; raises DemoError, KubectlError."""
    versions = list(bare.templates)
    load = bench.load("load-steady")
    load.start("steady", [str(1 / rate), "10000"], {"served": bench.url(), "bare": bare.url})
    now_served, now_bare = versions[-1], versions[-1]
    load.settle("served", now_served, SWITCH_LIMIT_SECONDS)
    followed, alone = [], []
    for number in range(1, count + 1):
        now_served = _other(versions, now_served)
        at = bench.move_alias(now_served)
        followed.append(load.first_answer("served", now_served, at, SWITCH_LIMIT_SECONDS) - at)
        bench.await_served(now_served)
        load.settle("served", now_served, SWITCH_LIMIT_SECONDS)
        if number % BARE_EVERY == 0 or number == count:
            now_bare = _other(versions, now_bare)
            at = bare.switch(now_bare)
            alone.append(load.first_answer("bare", now_bare, at, SWITCH_LIMIT_SECONDS) - at)
            bare.await_rollout()
            load.settle("bare", now_bare, SWITCH_LIMIT_SECONDS)
        if number % 10 == 0:
            bench.screen.say(f"{number} switches, {_told(load)}")
    bench.screen.say(f"In all {_told(load)}")
    failures = {name: counted.failures for name, counted in load.counts().items()}
    load.stop()
    return figures_of(Switches(followed, alone), failures, poll_seconds(bench.site))


def measure_latency(bench: Bench, bare: BareDeployment) -> list[Figure]:
    """The same request in turns through the ModelDeployment's Service and straight to a pod of the same kind."""
    load = bench.load("load-compare")
    load.start("compare", [str(LATENCY_ROUNDS)], {"served": bench.url(), "alone": bare.pod_url()})
    for _ in ticks("the comparison", SWITCH_LIMIT_SECONDS):
        told = [line["times"] for line in load.lines() if line.get("event") == "times"]
        if told:
            break
    load.stop()
    served, alone = (percentile(told[0][name], 50) * 1000 for name in ("served", "alone"))
    bench.screen.say(f"median of {LATENCY_ROUNDS} answers: {served:.2f} ms, the server alone {alone:.2f} ms")
    return [Figure("added to the median answer by a ModelDeployment", served - alone, 1.0, "ms")]


def poll_seconds(site: Site) -> float:
    """How often the installed operator reads aliases."""
    return float(install.values(site.images)["aliasPollSeconds"])


def _registered(bench: Bench, job: str) -> str:
    """The version that a TrainingJob registers; raises DemoError, KubectlError."""
    for _ in ticks(f"the version of {job}", story.TRAINING_LIMIT_SECONDS):
        manifest = bench.watch.read("trainingjob", job)
        refuse_failure(manifest)
        if is_true(manifest, "Complete") and (version := story.new_version(manifest)):
            return version
    raise AssertionError("ticks ends by raising")


def _await_deployment(bench: Bench) -> None:
    """Waits for the first version; raises DemoError, KubectlError."""
    bench.watch.until(
        "an answering model server",
        lambda: is_true(bench.watch.read("modeldeployment", DEPLOYMENT), "Ready"),
        story.SWITCH_LIMIT_SECONDS,
    )


def _other(versions: list[str], version: str) -> str:
    return versions[1 - versions.index(version)]


def _told(load: LoadPod) -> str:
    """The counts in words; raises DemoError where the load pod has told none."""
    counts = load.counts()
    if not counts:
        raise DemoError("the load pod has not told what it counted")
    return "; ".join(_one(name, counted.answers, counted.failures, counted.errors) for name, counted in counts.items())


def _one(name: str, answers: Mapping[str, int], failures: int, errors: object) -> str:
    said = f"{name}: {sum(answers.values())} answers, {failures} failed"
    return f"{said} ({json.dumps(errors)})" if failures else said
