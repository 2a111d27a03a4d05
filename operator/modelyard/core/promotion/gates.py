"""Whether a version passes a gate: exact decimals, and nothing that is not a number passes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from modelyard.api.gates import Gate
from modelyard.core.conditions import shorten
from modelyard.core.tracking import Measurement

_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?", re.ASCII)
_VALUE_LENGTH = 64
_MESSAGE_LENGTH = 512

Result = dict[str, Any]
"""An item of status.gates."""


@dataclass(frozen=True)
class Measured:
    """A version and what was measured of it."""

    version: str
    measurements: Sequence[Measurement]


class Unusable(Exception):
    """There is no number to judge by."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def judge(gate: Gate, candidate: Measured, champion: Measured | None) -> Result:
    """What the gate shows; `champion` is the version that the alias points at, if any."""
    result: Result = {"name": gate.name, "metric": gate.metric, "threshold": _asked(gate)}
    if gate.dataset:
        result["dataset"] = gate.dataset
    try:
        value = _number(gate, candidate, result, "value")
    except Unusable as unusable:
        return result | _verdict("Failed", unusable.message)
    if gate.min is not None or gate.max is not None:
        return result | _compared(value, gate.min or gate.max or "", is_least=gate.min is not None)
    if champion is None:
        return result | _verdict("Skipped", "the alias points at no version yet: there is nothing to compare with")
    if champion.version == candidate.version:
        return result | _verdict("Skipped", "the alias points at this very version: there is nothing to compare with")
    return result | _against(gate, value, champion, result)


def has_failed(result: Result) -> bool:
    """Whether the gate keeps the version back."""
    return result["result"] in {"Failed", "Error"}


def told(result: Result) -> str:
    """The result on one line, without the gate's name."""
    where = f" on {result['dataset']}" if result.get("dataset") else ""
    said = f"{result['metric']}{where} is {result.get('value', 'missing')}"
    detail = f" ({result['message']})" if result.get("message") else ""
    return f"{said}, asked for {result['threshold']}{detail}"


def _against(gate: Gate, value: Decimal, champion: Measured, result: Result) -> Result:
    """The verdict of a comparison. Measured values are the exact decimals that MLflow shows."""
    try:
        baseline = _number(gate, champion, result, "baseline")
    except Unusable as unusable:
        cure = "log it there, or promote by a Promotion without this gate"
        return _verdict("Error", f"nothing to compare with: {unusable.message}: {cure}")
    distance = (
        -Decimal(gate.max_regression) if gate.max_regression is not None else Decimal(gate.min_improvement or "0")
    )
    is_more_better = gate.goal == "Maximize"
    limit = baseline + distance if is_more_better else baseline - distance
    compared = _compared(value, str(limit), is_least=is_more_better)
    return compared | {"message": f"version {champion.version} has {result['baseline']}; {_asked(gate)}"}


def _compared(value: Decimal, limit: str, *, is_least: bool) -> Result:
    """The verdict of one number against another."""
    is_passed = value >= Decimal(limit) if is_least else value <= Decimal(limit)
    sign = ">=" if is_least else "<="
    return {"threshold": f"{sign} {limit}"[:_VALUE_LENGTH], "result": "Passed" if is_passed else "Failed"}


def _number(gate: Gate, measured: Measured, result: Result, field: str) -> Decimal:
    """The number to judge by; notes in the result what MLflow says, whatever that is.

    Raises:
        Unusable: there is none.
    """
    found = _chosen(gate, measured)
    result[field] = shorten(found.value, _VALUE_LENGTH)
    if found.dataset:
        result["dataset"] = found.dataset
    if not _NUMBER.fullmatch(found.value):
        raise Unusable(f"version {measured.version} has {result[field]}, which is no finite number")
    return Decimal(found.value)


def _chosen(gate: Gate, measured: Measured) -> Measurement:
    """What was measured of the logged model, else of its run; without a dataset if there is such, else the only one.

    Raises:
        Unusable: there is none, or several and the gate does not say which.
    """
    for is_of_run in (False, True):
        of_metric = [m for m in measured.measurements if m.metric == gate.metric and m.is_of_run == is_of_run]
        fitting = [m for m in of_metric if gate.dataset in (None, m.dataset)]
        plain = [m for m in fitting if m.dataset == gate.dataset]
        if plain or len(fitting) == 1:
            return (plain or fitting)[0]
        if fitting:
            listed = ", ".join(sorted(str(m.dataset) for m in fitting))
            message = f"it was measured on several datasets ({listed}): name one of them in spec.gates[].dataset"
            raise Unusable(message)
    where = f" on dataset {gate.dataset}" if gate.dataset else ""
    raise Unusable(f"version {measured.version} has no metric {gate.metric}{where}, of its model or of its run")


def _asked(gate: Gate) -> str:
    """What the gate asks for, in words."""
    if gate.min is not None:
        return f">= {gate.min}"
    if gate.max is not None:
        return f"<= {gate.max}"
    if gate.max_regression is not None:
        return f"at most {gate.max_regression} worse"
    return f"at least {gate.min_improvement} better"


def _verdict(result: str, message: str) -> Result:
    return {"result": result, "message": shorten(message, _MESSAGE_LENGTH)}
