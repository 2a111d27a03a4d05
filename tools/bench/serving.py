"""The measurement of serving, in order."""

import argparse

from tools.bench.bare import BareDeployment, template_of
from tools.bench.bench import DEPLOYMENT, SWITCH_LIMIT_SECONDS, Bench
from tools.bench.canary import WEIGHTS, measure_canary
from tools.bench.figures import Figure, figures_of, percentile
from tools.bench.switching import Switching
from tools.demo import install, story, webhooks
from tools.demo.install import NAMESPACE
from tools.demo.objects import Watch, is_true, refuse_failure, ticks
from tools.demo.place import Place, Site
from tools.demo.screen import Screen

LATENCY_ROUNDS = 1000
HINTED_SWITCHES = 10


def run(place: Place, screen: Screen, options: argparse.Namespace) -> list[Figure]:
    """Everything; raises StepFailed."""
    site = place.prepare(screen)
    story.set_up(site, screen)
    bench = Bench(site, Watch(site.kubectl, NAMESPACE, screen), screen)
    with screen.step("Train two versions and serve them"):
        webhooks.let_deliver(site.kubectl)
        bare = two_versions(bench)
    figures = measure_switches(bench, bare, options.switches, options.rate)
    with screen.step("Compare answers through the ModelDeployment with those of a server alone"):
        figures += measure_latency(bench, bare)
    with screen.step(f"A canary of {len(WEIGHTS)} steps through the gateway"):
        figures += measure_canary(bench, list(bare.templates), options.rate)
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
    """Moves the alias back and forth while requests keep coming, at last with MLflow's webhooks; raises StepFailed."""
    with bench.screen.step(f"Switch {count} times under steady requests"):
        switching = Switching.begin(bench, bare, rate)
        switching.run(count)
    hinted = min(HINTED_SWITCHES, count)
    with bench.screen.step(f"Switch {hinted} times more, told by MLflow's webhook"):
        webhooks.listen(bench.site, bench.screen)
        webhooks.subscribe(bench.site.kubectl)
        switching.run_hinted(hinted)
        counts = switching.end()
        bench.screen.say(*switching.switches.as_measured())
    failures = {name: counted.failures for name, counted in counts.items()}
    return figures_of(switching.switches, failures, poll_seconds(bench.site))


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
