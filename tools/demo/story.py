"""What the demo shows, in order."""

from urllib.parse import urlsplit

from tools.demo import digits, install
from tools.demo.digits import Answer, BadAnswerError, Digit
from tools.demo.install import NAMESPACE
from tools.demo.objects import KINDS, Manifest, Watch, is_true, refuse_failure, ticks
from tools.demo.place import Place, Site
from tools.demo.screen import DemoError, Screen
from tools.demo.traffic import Counts, Trickle
from tools.gateway import install as gateway
from tools.gateway.manifests import NAMESPACE as GATEWAY_NAMESPACE
from tools.localcluster.paths import CHECKOUT
from tools.seldon_standin import install as standin

EXAMPLE = CHECKOUT / "examples" / "02-digits-seldon"
DEPLOYMENT = "digits"
FIRST_JOB, SECOND_JOB = "digits-logistic", "digits-svm"
TRAINING_LIMIT_SECONDS = 600
SWITCH_LIMIT_SECONDS = 600
BASELINE_ANSWERS = 20
ALONE_SECONDS = 5.0
COUNTS_EVERY_SECONDS = 3.0


def up(place: Place, screen: Screen) -> None:
    """The whole demo; raises StepFailed."""
    site = place.prepare(screen)
    set_up(site, screen)
    watch = Watch(site.kubectl, NAMESPACE, screen)
    look_at = [
        f"kubectl describe -n {NAMESPACE} {KINDS}",
        f"kubectl get -n {NAMESPACE} events,pods",
        f"kubectl logs -n {install.SYSTEM_NAMESPACE} deploy/modelyard",
        site.setup_hint,
    ]
    with screen.step("Train a model on scanned digits, register it, serve it", *look_at):
        train_and_serve(site, watch)
    with screen.step("Ask the model about digits that it has never seen", *look_at):
        first = predict(site, watch)
        watch.screen.say("", *digits.gallery(digits.load(), first), summary(first))
    with screen.step("Put a gate before the champion, and a Gateway before the servers", *look_at):
        guard(site, watch)
    with screen.step("Train the next version; it passes the gate and gets a growing share of the requests", *look_at):
        switch(site, watch)
    with screen.step("Ask about the same digits again", *look_at):
        second = predict(site, watch)
        watch.screen.say("", *digits.gallery(*changed(first, second)), summary(second))
    with screen.step("The chain, read from one object", *look_at):
        tell_chain(watch)
    tell_what_next(site, screen)


def down(place: Place, screen: Screen) -> None:
    """Undoes the demo; raises StepFailed."""
    with screen.step("Undo the demo"):
        site = place.site()
        if site is not None:
            install.uninstall(site, screen)
        place.leave()


def set_up(site: Site, screen: Screen) -> None:
    """What the demo needs on the cluster; raises StepFailed."""
    with screen.step("Make room for the demo's objects", f"kubectl get all -n {NAMESPACE}"):
        install.remove_namespace(site.kubectl, NAMESPACE)
        install.claim(site.kubectl, NAMESPACE)
        screen.say(f"namespace {NAMESPACE}, which enforces Pod Security `restricted`")
    with screen.step("Start an MLflow server for trying out", "kubectl describe -n mlflow pods"):
        install.start_mlflow(site)
        screen.say(f"$ kubectl apply -f {shown(install.MLFLOW_FILE)}")
    with screen.step("See to Seldon", "kubectl describe -n seldon-system pods"):
        standin.install(site.kubectl, site.images["operator"], screen.say)
    look_at = [f"kubectl {verb} -n {install.SYSTEM_NAMESPACE}" for verb in ("describe pods", "logs deploy/modelyard")]
    with screen.step("Start a gateway for trying out", f"kubectl describe -n {GATEWAY_NAMESPACE} pods"):
        gateway.install(site.kubectl, site.images["traefik"], screen.say)
    with screen.step("Install the operator with its Helm chart", *look_at, site.setup_hint):
        install.install_operator(site, screen)
        screen.say(*site.kubectl.run("get", "pods", "--namespace", install.SYSTEM_NAMESPACE).rstrip().splitlines())
        install.await_mlflow(site.kubectl)


def train_and_serve(site: Site, watch: Watch) -> None:
    """The first version, from script to server; raises DemoError, KubectlError."""
    apply(site, watch, "1-train-and-serve.yaml")

    def serves() -> bool:
        refuse_failure(watch.read("trainingjob", FIRST_JOB))
        return is_true(watch.read("modeldeployment", DEPLOYMENT), "Ready")

    watch.until("an answering model server", serves, TRAINING_LIMIT_SECONDS)


def guard(site: Site, watch: Watch) -> None:
    """The policy, the route and the steps of a canary; raises DemoError, KubectlError."""
    apply(site, watch, "3-gate-and-canary.yaml")

    def is_routed() -> bool:
        return is_true(watch.read("modeldeployment", DEPLOYMENT), "TrafficSplit")

    watch.until("the Gateway's word that it took the route", is_routed, SWITCH_LIMIT_SECONDS)
    watch.screen.say(f"Requests come in at {watch.read('modeldeployment', DEPLOYMENT)['status']['url']}")


def predict(site: Site, watch: Watch) -> Answer:
    """Sends the scanned digits through the API server's proxy; raises DemoError, KubectlError."""
    scans = digits.load()
    status = watch.read("modeldeployment", DEPLOYMENT)["status"]
    # The API server's proxy leads to Services: the way in through a Gateway is another one.
    url = status.get("clusterURL") or status["url"]
    watch.screen.say(f"POST {url}")
    request = digits.as_json(digits.request_for(scans))
    text = site.kubectl.run("create", "--raw", proxy_path(url), "--filename", "-", stdin=request)
    answer = parsed(text)
    if len(answer.predictions) != len(scans):
        raise DemoError(f"{len(answer.predictions)} predictions for {len(scans)} digits: {text[:300]}")
    return answer


def changed(before: Answer, now: Answer) -> tuple[list[Digit], Answer]:
    """The digits that are read differently now, with how."""
    said = zip(digits.load(), before.predictions, now.predictions, strict=True)
    found = [(digit, new) for digit, old, new in said if old != new]
    return [digit for digit, _ in found], Answer(now.version, tuple(new for _, new in found))


def summary(answer: Answer) -> str:
    """Who answered, and how well."""
    scans = digits.load()
    right = sum(scan.label == said for scan, said in zip(scans, answer.predictions, strict=True))
    return f"Version {answer.version} of model digits answered: {right} of {len(scans)} read rightly."


def switch(site: Site, watch: Watch) -> None:
    """The second version takes over step by step without one failed request; raises DemoError, KubectlError."""
    deployment = watch.read("modeldeployment", DEPLOYMENT)
    before = str(deployment["status"]["stable"]["version"])
    request = digits.request_for(digits.load()[:1])
    trickle = Trickle(site.kubectl, NAMESPACE, site.images["model-fetcher"], request)
    trickle.start(deployment["status"]["url"])
    watch.screen.say("A pod sends ten requests a second, half of them over new connections, half over a kept one.")
    for _ in ticks(f"{BASELINE_ANSWERS} answers of version {before}", limit_seconds=60):
        counts = trickle.counts()
        if counts and sum(counts.answers.values()) >= BASELINE_ANSWERS:
            break
    apply(site, watch, "4-candidate.yaml")
    counts = follow_switch(watch, trickle, before)
    trickle.stop()
    judge(counts, watch.screen)


def follow_switch(watch: Watch, trickle: Trickle, before: str) -> Counts:
    """The last counts, once the new version has answered alone for a while; raises DemoError, KubectlError."""
    told_at = -COUNTS_EVERY_SECONDS
    for elapsed in ticks("the switch to the new version", SWITCH_LIMIT_SECONDS):
        job = watch.read("trainingjob", SECOND_JOB)
        deployment = watch.read("modeldeployment", DEPLOYMENT)
        refuse_failure(job)
        refuse_failure(deployment)
        watch.show_changes()
        counts = trickle.counts()
        if counts is None:
            continue
        if elapsed - told_at >= COUNTS_EVERY_SECONDS:
            told_at = elapsed
            watch.screen.say(str(counts))
        wanted = new_version(job)
        if wanted and wanted != before and serves_alone(deployment, wanted, counts):
            return counts
    raise AssertionError("ticks ends by raising")


def new_version(job: Manifest) -> str | None:
    """The version that a TrainingJob registered."""
    found = (job.get("status") or {}).get("modelVersion") or {}
    return str(found["version"]) if "version" in found else None


def serves_alone(deployment: Manifest, version: str, counts: Counts) -> bool:
    """Whether the object and the answers agree that only this version serves."""
    stable = (deployment["status"].get("stable") or {}).get("version")
    return stable == version and counts.has_settled_on(version, ALONE_SECONDS)


def judge(counts: Counts, screen: Screen) -> None:
    """Tells the sum; raises DemoError where a request failed."""
    screen.say(f"In all: {counts}.")
    if counts.failures:
        raise DemoError(f"{counts.failures} requests failed during the switch: {'; '.join(counts.errors)}")


def tell_chain(watch: Watch) -> None:
    """What leads from a prediction back to its training; raises KubectlError."""
    status = watch.read("modeldeployment", DEPLOYMENT)["status"]
    stable = status["stable"]
    run = watch.read("trainingjob", str(stable["trainingJob"]).rpartition("/")[2])["status"]["tracking"]
    watch.screen.say(
        f"$ kubectl get modeldeployment {DEPLOYMENT} -n {NAMESPACE} -o jsonpath='{{.status}}'",
        f"  .url                  {status['url']}",
        f"  .stable.version       {stable['version']}",
        f"  .stable.trainingJob   {stable['trainingJob']}",
        f"  .stable.runID         {stable['runID']}",
        f"  the run's page        {run.get('url', 'not known')}",
    )


def tell_what_next(site: Site, screen: Screen) -> None:
    """The end of the demo: how long it took, and what one can do now."""
    screen.say("", f"Done in {screen.elapsed_seconds():.0f} s. What to try next:", "")
    screen.say(
        *([site.setup_hint] if site.setup_hint else []),
        f"kubectl config set-context --current --namespace {NAMESPACE}",
        f"kubectl port-forward -n {install.MLFLOW_NAMESPACE} service/mlflow 5000     # MLflow: {install.MLFLOW_UI}",
        f"kubectl get {KINDS} -o wide",
        "kubectl apply -f examples/04-retry.yaml                # a training that fails and is retried",
        "kubectl apply -f examples/03-digits-plain-backend.yaml # the same model without Seldon",
        "kubectl scale modeldeployment digits --replicas 2",
        "make demo-down                                         # undo all of this",
    )


def apply(site: Site, watch: Watch, name: str) -> None:
    """Applies a file of the example as a person would; raises KubectlError."""
    file = EXAMPLE / name
    watch.screen.say(f"$ kubectl apply -n {NAMESPACE} -f {shown(file)}")
    watch.screen.say(*site.kubectl.run("apply", "--namespace", NAMESPACE, "--filename", str(file)).splitlines(), "")


def parsed(text: str) -> Answer:
    """The answer in a body; raises DemoError."""
    try:
        return digits.parse_answer(text)
    except BadAnswerError as error:
        raise DemoError(str(error)) from error


def proxy_path(url: str) -> str:
    """The API server's path to a URL of a Service, which answers outside the cluster too."""
    parts = urlsplit(url)
    service, namespace = (parts.hostname or "").split(".")[:2]
    return f"/api/v1/namespaces/{namespace}/services/{service}:{parts.port or 80}/proxy{parts.path}"


def shown(file: object) -> str:
    """A file as one names it from the top of the checkout."""
    return str(file).removeprefix(f"{CHECKOUT}/")
