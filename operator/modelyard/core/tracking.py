"""What core asks of MLflow, and what comes back. Times are milliseconds since the epoch, as MLflow keeps them.

Every question may be asked any number of times: those that make something look for it first.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from modelyard.core.model_card import ReadExample, ReadModelCard
from modelyard.core.plan import Failure

Pairs = tuple[tuple[str, str], ...]
"""Names and values in order: tags, parameters."""


class RunStatus(StrEnum):
    """How a run ended."""

    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


@dataclass(frozen=True)
class AttemptIdentity:
    """Names one attempt across all clusters that share an MLflow; kept as tags on its run."""

    cluster: str
    """UID of the cluster's kube-system namespace."""
    owner_uid: str
    attempt: int


@dataclass(frozen=True)
class Dataset:
    """Data that a run is told of: where it lies and, where the user says so, the digest of its content."""

    name: str
    uri: str
    digest: str | None = None


@dataclass(frozen=True)
class EnsureRun:
    """Find the attempt's run by its identity tags, else create it (and its experiment). Answer: `Run`.

    A shared run is that of an earlier attempt of the same owner, if there is one: it goes on, as this attempt's.
    """

    identity: AttemptIdentity
    experiment: str
    run_name: str
    tags: Pairs = ()
    parameters: Pairs = ()
    is_shared: bool = False
    datasets: tuple[Dataset, ...] = ()


@dataclass(frozen=True)
class EnsureExperiment:
    """Find the experiment of this name, else create it. Answer: its id."""

    name: str


@dataclass(frozen=True)
class FindRuns:
    """The runs that an attempt's code started by itself, without nested ones. Answer: tuple of `Run`, oldest first."""

    identity: AttemptIdentity


@dataclass(frozen=True)
class Run:
    """A run that exists."""

    run_id: str
    experiment_id: str


@dataclass(frozen=True)
class TagRun:
    """Set tags of a run that goes on. Answer: None."""

    run_id: str
    tags: Pairs


@dataclass(frozen=True)
class EndRun:
    """Set the run's final status, end time and tags, whatever it says now. Answer: `Ended`."""

    run_id: str
    status: RunStatus
    end_time_ms: int
    tags: Pairs = ()
    strays_of: AttemptIdentity | None = None
    """The attempt whose further runs end with it: those that its code started by itself and left open."""
    parameters: Pairs = ()
    """Kept beside those that the run has."""
    datasets: tuple[Dataset, ...] = ()


@dataclass(frozen=True)
class Ended:
    """What the run said before it was ended: RUNNING where the code never ended it."""

    previous_status: str
    has_system_metrics: bool = False
    """Whether MLflow's client measured the machine during the run."""


@dataclass(frozen=True)
class FindModels:
    """The logged models whose source is this run. Answer: tuple of `LoggedModel`, oldest first."""

    run_id: str
    experiment_id: str


@dataclass(frozen=True)
class LoggedModel:
    """A model that a run logged."""

    model_id: str
    name: str
    status: str
    """READY, PENDING or UPLOAD_FAILED."""
    versions: Pairs = ()
    """Registered by the code itself: (registered model, version)."""


@dataclass(frozen=True)
class RegisterVersion:
    """Register a logged model once: the version with this identity, else one of the same logged model, else a new one.

    Sets the tags and the aliases either way. Answer: `RegisteredVersion`.
    """

    identity: AttemptIdentity
    name: str
    model_id: str
    run_id: str
    tags: Pairs = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class RegisteredVersion:
    """A version in the registry."""

    name: str
    version: str
    model_id: str | None
    run_id: str | None
    tags: Pairs = ()


@dataclass(frozen=True)
class ReadMetrics:
    """The latest values of these metrics. Answer: tuple of `Metric`, in the order asked, missing ones left out."""

    run_id: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Metric:
    """The latest value of one metric; may be NaN or infinite."""

    name: str
    value: float
    step: int


@dataclass(frozen=True)
class ResolveAlias:
    """The version an alias points at. Answer: `RegisteredVersion`, or None when model or alias does not exist.

    The answer is shared by all who ask, and as old as the poll interval at most.
    """

    name: str
    alias: str


@dataclass(frozen=True)
class ReadAlias:
    """The same as `ResolveAlias`, read from MLflow for this question alone.

    For the rare decisions that an answer as old as the poll interval would get wrong.
    """

    name: str
    alias: str


@dataclass(frozen=True)
class Moved:
    """An alias that was set or deleted; where it points now is for MLflow itself to say."""

    model: str
    alias: str
    workspace: str = ""
    """Empty where none is named."""


@dataclass(frozen=True)
class GetVersion:
    """One version by its number. Answer: `RegisteredVersion`, or None when it does not exist."""

    name: str
    version: str


@dataclass(frozen=True)
class ReadMeasurements:
    """What was measured of a version, on whichever datasets. Answer: tuple of `Measurement`.

    Those of the logged model come first, then those of its run.
    """

    model_id: str | None
    run_id: str | None
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Measurement:
    """The latest value of one metric on one dataset."""

    metric: str
    dataset: str | None
    value: str
    """As text, because not all of them are numbers: 0.93, NaN, Infinity."""
    is_of_run: bool = False
    """Whether it is the run's own, and not the logged model's."""


@dataclass(frozen=True)
class MoveAlias:
    """Point an alias at a version if it still points at the expected one. Answer: `AliasHolder`.

    Nobody else's move of the same alias is under way at the same time, as far as this operator is concerned: MLflow
    itself compares nothing, so the alias is read before and after.
    """

    name: str
    alias: str
    version: str
    expected: str | None
    """The version that it points at; None: it is not set."""


@dataclass(frozen=True)
class AliasHolder:
    """What an alias points at once all is done; the wanted version where it moved, or was moved before."""

    version: str | None


@dataclass(frozen=True)
class TagVersion:
    """Set tags on a version. Answer: `RegisteredVersion`, or None when it does not exist."""

    name: str
    version: str
    tags: Pairs


@dataclass(frozen=True)
class FindOpenRuns:
    """Runs of this cluster that are not ended. Answer: tuple of `OpenRun`."""

    cluster: str
    owner_uid: str | None = None
    """Of this TrainingJob only, and then with runs of attempts that the code alone ended as failed."""


@dataclass(frozen=True)
class OpenRun:
    """A run that is not ended, with the identity its tags give."""

    run_id: str
    identity: AttemptIdentity


@dataclass(frozen=True)
class CheckWorkspaces:
    """Whether the server has workspaces at all. Answer: None."""


@dataclass(frozen=True)
class FindWorkspaces:
    """The workspaces that the operator may look into. Answer: tuple of their names."""


TrackingQuestion = (
    EnsureExperiment
    | EnsureRun
    | FindRuns
    | TagRun
    | EndRun
    | FindModels
    | RegisterVersion
    | ReadMetrics
    | ResolveAlias
    | ReadAlias
    | GetVersion
    | ReadMeasurements
    | MoveAlias
    | TagVersion
    | FindOpenRuns
    | CheckWorkspaces
    | FindWorkspaces
    | ReadModelCard
    | ReadExample
)


class Tracking(Protocol):
    """An experiment tracker and model registry."""

    async def ask(self, question: TrackingQuestion, workspace: str) -> Any | Failure:  # noqa: ANN401 - the question's docstring says
        """Answer within a bounded time; never raises for what the other system does wrong.

        It is asked in that workspace; empty: in none, and with that in the one that the server takes then.
        """
        ...
