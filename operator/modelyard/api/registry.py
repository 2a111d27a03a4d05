"""Names in MLflow's registry, as MLflow itself allows them."""

from typing import Annotated

from pydantic import Field

from modelyard.api.base import form, rule, rules

ModelName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=255,
        pattern=r"^[^/:\"'`%\\\x00-\x1f]+$",
        json_schema_extra=form("may not hold / : % \\ quotes or control characters: rename the model"),
    ),
]
"""A registered model's name: no slash or colon (MLflow's rule), no quotes, percent signs or control characters."""

Alias = Annotated[
    str,
    Field(
        min_length=1,
        max_length=255,
        pattern=r"^[A-Za-z0-9_-]+$",
        json_schema_extra=rules(
            rule(
                "self != 'latest' && !self.matches('^[vV][0-9]+$')",
                "an alias may not be 'latest' or look like a version (v1): MLflow reserves these",
            )
        )
        | form("may hold letters, digits, '-' and '_' only: rename the alias"),
    ),
]
"""A registered model's alias."""

VersionNumber = Annotated[
    str,
    Field(
        max_length=18,
        pattern=r"^[1-9][0-9]*$",
        json_schema_extra=form('is no version: write its number in quotes, such as "7"; a name is an alias'),
    ),
]
"""A registered model's version, a number in quotes."""
