"""How requests reach the servers from outside: a Gateway of the Gateway API, and what it is to take for them."""

from typing import Annotated

from pydantic import Field

from modelyard.api.base import KubeModel, form, rule, rules

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SEGMENT = "[A-Za-z0-9_~-][A-Za-z0-9_.~-]*"

Hostname = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        json_schema_extra=rules(
            rule(
                f"self.matches('^([*][.])?{_LABEL}([.]{_LABEL})*$') && !self.matches('^[0-9.]+$')",
                "spec.route.hostnames: a host is a lower-case DNS name, with at most a leading '*.'; no address, "
                "no port, no scheme",
            )
        ),
    ),
]
"""A host as Gateway API takes it."""

PathPrefix = Annotated[
    str,
    Field(
        min_length=1,
        max_length=512,
        json_schema_extra=rules(
            rule(
                f"self == '/' || self.matches('^(/{_SEGMENT})+$')",
                "spec.route.pathPrefix is '/', or '/' and words of letters, digits, '-', '_', '~' and '.' between "
                "slashes, with no slash at the end",
            )
        ),
    ),
]
"""The beginning of a URL's path, in whole words."""


class GatewayRef(KubeModel):
    """A Gateway of gateway.networking.k8s.io/v1."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=253,
            pattern=f"^{_LABEL}([.]{_LABEL})*$",
            json_schema_extra=form("is no name that a Gateway can have: lower-case letters, digits, '-' and '.'"),
        ),
    ]
    """Its name."""
    namespace: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=63,
            pattern=f"^{_LABEL}$",
            json_schema_extra=form("is no name that a namespace can have: lower-case letters, digits and '-'"),
        ),
    ] = None
    """Its namespace, this one when left out; the Gateway's listeners have to admit routes of this namespace."""


class Route(KubeModel):
    """The way in through a Gateway."""

    model_config = KubeModel.model_config | {
        "json_schema_extra": rules(
            rule(
                "has(self.hostnames) || (has(self.pathPrefix) && self.pathPrefix != '/')",
                "spec.route needs hostnames, or a pathPrefix other than '/': without either it would take every "
                "request of the Gateway",
            )
        )
    }

    gateway: GatewayRef
    """The Gateway that takes the requests."""
    hostnames: Annotated[list[Hostname] | None, Field(min_length=1, max_length=16)] = None
    """Requests for these hosts; of any host when left out."""
    path_prefix: PathPrefix | None = None
    """Requests whose path begins with this; it is cut off before they reach the server."""
