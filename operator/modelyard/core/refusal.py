"""Who refused a Job or its pods, read from what the API server said: it says so in words only."""

_WORDS = (
    ("exceeded quota", "QuotaExceeded"),
    ("failed quota", "QuotaExceeded"),
    ("violates PodSecurity", "PodSecurityViolated"),
    ("ValidatingAdmissionPolicy", "PolicyDenied"),
    ("admission webhook", "PolicyDenied"),
)
OF_THE_SPEC = frozenset({"BadRequest", "Invalid"})
"""Reasons that are none of these, and mean that no cluster would take the object."""


def reason_of(message: str, otherwise: str) -> str:
    """The reason for a condition."""
    return next((reason for words, reason in _WORDS if words in message), otherwise)
