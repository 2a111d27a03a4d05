"""What the stand-in refuses: Seldon's own admission rules, and the parts of Seldon that it does not stand in for."""

from collections.abc import Callable, Iterator

from tools.seldon_standin.render import NO_ENGINE, PREDICTION_PATHS, SVC_NAME, Manifest

_UNSUPPORTED_IN_PREDICTOR = ("explainer", "svcOrchSpec", "ssl")
_UNSUPPORTED_IN_COMPONENT = ("hpaSpec", "kedaSpec", "pdbSpec")


def problems(sdep: Manifest) -> list[str]:
    """Sentences that name the field and the cure; empty when the object can be rendered."""
    predictors = sdep.get("spec", {}).get("predictors") or []
    if not predictors:
        return ["spec.predictors is empty: give at least one predictor"]
    # Later checks may rely on what earlier ones found in order.
    for check in _CHECKS:
        found = list(check(sdep, predictors))
        if found:
            return found
    return []


def _shape(_sdep: Manifest, predictors: list[Manifest]) -> Iterator[str]:
    for index, predictor in enumerate(predictors):
        field = f"spec.predictors[{index}]"
        if not predictor.get("name"):
            yield f"{field}.name is missing"
        if not predictor.get("graph", {}).get("name"):
            yield f"{field}.graph.name is missing"
        if len(predictor.get("componentSpecs") or []) != 1:
            yield f"{field}.componentSpecs must have one entry for the stand-in"
        elif not predictor["componentSpecs"][0].get("spec", {}).get("containers"):
            yield f"{field}.componentSpecs[0].spec.containers is empty"


def _names(_sdep: Manifest, predictors: list[Manifest]) -> Iterator[str]:
    names = [predictor["name"] for predictor in predictors]
    if len(set(names)) < len(names):
        yield f"predictor names must be unique, found {', '.join(names)}"
    services = [p["annotations"][SVC_NAME] for p in predictors if p.get("annotations", {}).get(SVC_NAME)]
    if len(set(services)) < len(services):
        yield f"the annotation {SVC_NAME} must be unique, found {', '.join(services)}"
    for index, predictor in enumerate(predictors):
        wanted = predictor["graph"]["name"]
        if all(c.get("name") != wanted for c in predictor["componentSpecs"][0]["spec"]["containers"]):
            yield f"spec.predictors[{index}]: graph {wanted!r} needs a container of the same name"


def _traffic(_sdep: Manifest, predictors: list[Manifest]) -> Iterator[str]:
    shadows = [p for p in predictors if p.get("shadow")]
    weights = [int(p.get("traffic") or 0) for p in predictors if not p.get("shadow")]
    if not weights:
        yield "a shadow predictor cannot stand alone: add one that answers"
    if len(shadows) > 1:
        yield f"at most one predictor may be a shadow, found {len(shadows)}"
    if any(not 0 <= int(p.get("traffic") or 0) <= 100 for p in shadows):
        yield "the traffic of a shadow predictor is the percentage to mirror: give 0 to 100"
    if len(weights) > 1 and sum(weights) != 100:
        yield f"the traffic of the predictors must sum to 100, found {sum(weights)}"
    if len(weights) == 1 and weights[0] not in (0, 100):
        yield f"the traffic of the only predictor must be 0 or 100, found {weights[0]}"


def _stood_in_for(sdep: Manifest, predictors: list[Manifest]) -> Iterator[str]:
    if sdep["spec"].get("protocol", "seldon") not in PREDICTION_PATHS:
        yield f"spec.protocol {sdep['spec']['protocol']!r}: the stand-in only does {', '.join(PREDICTION_PATHS)}"
    if sdep["spec"].get("transport", "rest") != "rest":
        yield f"spec.transport {sdep['spec']['transport']!r}: the stand-in only does rest"
    for index, predictor in enumerate(predictors):
        field = f"spec.predictors[{index}]"
        graph = predictor["graph"]
        if str(predictor.get("annotations", {}).get(NO_ENGINE)).lower() != "true":
            yield f'{field}: the stand-in has no executor: set the annotation {NO_ENGINE}: "true"'
        if graph.get("children"):
            yield f"{field}.graph.children: without an executor a graph has one node"
        if graph.get("modelUri") or str(graph.get("implementation", "")).endswith("_SERVER"):
            yield f"{field}.graph: the stand-in has no prepackaged servers: give a container and let it load the model"
        for name in (n for n in _UNSUPPORTED_IN_PREDICTOR if predictor.get(n)):
            yield f"{field}.{name}: not done by the stand-in"
        for name in (n for n in _UNSUPPORTED_IN_COMPONENT if predictor["componentSpecs"][0].get(n)):
            yield f"{field}.componentSpecs[0].{name}: not done by the stand-in"


_CHECKS: tuple[Callable[[Manifest, list[Manifest]], Iterator[str]], ...] = (_shape, _names, _traffic, _stood_in_for)
