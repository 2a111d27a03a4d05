"""Whether an object is already as it is wanted: what was asked for is there, whatever else the API server added."""

import hashlib
import json
import re
from fractions import Fraction
from typing import Any

_QUANTITY = re.compile(r"([+-]?\d{0,30}\.?\d{1,30})(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_QUANTITIES_BY_NAME = frozenset({"requests", "limits"})
_QUANTITIES = frozenset({"sizeLimit", "divisor"})


def is_as_wanted(wanted: Any, live: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether every field of `wanted` is in `live`; lists have to agree item by item, quantities in meaning."""
    if wanted == live:
        return True
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(_field_is(name, value, live) for name, value in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(wanted) == len(live)
            and all(is_as_wanted(one, other) for one, other in zip(wanted, live, strict=True))
        )
    return False


def digest(manifest: Any) -> str:  # noqa: ANN401 - any JSON
    """A short name of a manifest's content: tells a field that is no longer wanted, which comparing cannot."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:16]


def _field_is(name: str, value: Any, live: dict[str, Any]) -> bool:  # noqa: ANN401 - any JSON
    """Whether one field is as wanted; the API server leaves out what is empty."""
    if name not in live:
        return value in (None, False, "", [], {})
    if name in _QUANTITIES_BY_NAME and isinstance(value, dict) and isinstance(live[name], dict):
        return all(amount(wanted) == amount(live[name].get(kind)) for kind, wanted in value.items())
    if name in _QUANTITIES:
        return bool(amount(value) == amount(live[name]))
    return is_as_wanted(value, live[name])


def amount(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A quantity as a number, so that 1000m and 1 are the same; what is no quantity as it stands."""
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        return value
    number, suffix, exponent = match.groups()
    if suffix in _BINARY:
        return Fraction(number) * 2 ** _BINARY[suffix]
    return Fraction(number) * Fraction(10) ** int(exponent or _DECIMAL.get(suffix, 0))
