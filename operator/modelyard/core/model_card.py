"""What a model version says of itself in its files: flavours, versions, signature."""

from dataclasses import dataclass

Pins = tuple[tuple[str, str], ...]
"""Libraries, named as package indexes do, with the version asked for; empty where it is no single one."""


@dataclass(frozen=True)
class Column:
    """One input or output."""

    name: str
    """Empty for a tensor that has none."""
    type: str
    """MLflow's own word (`double`), or its description of a tensor, array or object as JSON."""
    is_required: bool = True


@dataclass(frozen=True)
class Signature:
    """What goes into a model and what comes out of it."""

    inputs: tuple[Column, ...] = ()
    outputs: tuple[Column, ...] = ()


@dataclass(frozen=True)
class ModelCard:
    """Text of other people, on one line each and cut."""

    flavours: tuple[str, ...] = ()
    """Without python_function."""
    loader: str | None = None
    """The module that loads it as a Python function; None: it has no such flavour and no model server can."""
    python: str | None = None
    """The Python that it was logged with: 3.11.7."""
    mlflow: str | None = None
    """The MLflow that it was logged with."""
    is_pickled: bool = False
    """Whether it holds Python's own pickles, which another Python may not read."""
    requirements: Pins = ()
    signature: Signature | None = None
    example: str | None = None
    """The path of its example request in the version's files."""


@dataclass(frozen=True)
class ReadModelCard:
    """What a version's MLmodel and requirements say. Answer: `ModelCard`, or None when it has no MLmodel.

    An MLmodel that cannot be read is a `Failure` that is not transient.
    """

    name: str
    version: str


@dataclass(frozen=True)
class ReadExample:
    """The request that MLflow made of the input example, as its text. Answer: text, or None when it is not there."""

    name: str
    version: str
    path: str
    """As the version's card says."""
