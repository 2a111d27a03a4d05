"""Whether an object is already as it is wanted: what was asked for is there, whatever else the API server added."""

import hashlib
import json
import re
from typing import Any

_QUANTITY = re.compile(r"^(\d+(?:\.\d+)?)(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$")
_FACTORS = {
    None: 1.0,
    "m": 1e-3,
    "k": 1e3,
    "Ki": 2**10,
    "M": 1e6,
    "Mi": 2**20,
    "G": 1e9,
    "Gi": 2**30,
    "T": 1e12,
    "Ti": 2**40,
    "P": 1e15,
    "Pi": 2**50,
}


def is_as_wanted(wanted: Any, live: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether every field of `wanted` is in `live`; lists have to agree item by item, quantities in meaning."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(_field_is(name, value, live) for name, value in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(wanted) == len(live)
            and all(is_as_wanted(one, other) for one, other in zip(wanted, live, strict=True))
        )
    return bool(wanted == live)


def digest(manifest: Any) -> str:  # noqa: ANN401 - any JSON
    """A short name of a manifest's content: tells a field that is no longer wanted, which comparing cannot."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:16]


def _field_is(name: str, value: Any, live: dict[str, Any]) -> bool:  # noqa: ANN401 - any JSON
    """Whether one field is as wanted; the API server leaves out what is empty."""
    if name not in live:
        return value in (None, False, "", [], {})
    if name in {"requests", "limits"} and isinstance(value, dict):
        other = live[name] or {}
        return all(_amount(amount) == _amount(other.get(kind)) for kind, amount in value.items())
    return is_as_wanted(value, live[name])


def _amount(value: Any) -> float | str | None:  # noqa: ANN401 - any JSON
    """A quantity as a number, so that 1000m and 1 are the same; one that does not parse as it stands."""
    match = _QUANTITY.match(str(value))
    return float(match[1]) * _FACTORS[match[2]] if match else value
