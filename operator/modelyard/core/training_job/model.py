"""Which of a run's logged models becomes a version."""

from datetime import datetime, timedelta

from modelyard.api.training_job import ModelSpec
from modelyard.core import clock
from modelyard.core.errors import Stalled, Waiting
from modelyard.core.plan import Failure
from modelyard.core.tracking import FindModels, LoggedModel, Pairs, RegisteredVersion, RegisterVersion
from modelyard.core.training_job import governed, lineage
from modelyard.core.training_job.draft import Draft, Record

_UPLOAD_PATIENCE = timedelta(minutes=2)
"""How long after the end a model may still be PENDING: one whose code was killed stays so for ever."""


class NoModel(Exception):
    """The training did not leave the model that was asked for."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def chosen(models: tuple[LoggedModel, ...], spec: ModelSpec, ended_at: datetime, now: datetime) -> LoggedModel:
    """The model to register.

    Raises:
        NoModel: none fits, several do, or its upload failed.
        Waiting: its upload may still end.
    """
    fitting = [model for model in models if spec.artifact in (None, model.name)]
    if not fitting:
        raise NoModel("ModelMissing", _missing(models, spec))
    if spec.artifact is None and len(fitting) > 1:
        listed = ", ".join(sorted({model.name for model in fitting}))
        raise NoModel(
            "ModelAmbiguous",
            f"the run logged {len(fitting)} models ({listed}): say which one in spec.model.artifact",
        )
    model = fitting[-1]
    if model.status == "READY":
        return model
    if model.status == "PENDING" and now - ended_at < _UPLOAD_PATIENCE:
        raise Waiting("ModelPending", f"the upload of model {model.name} has not ended", 5)
    raise NoModel(
        "ModelUploadFailed", f"model {model.name} ({model.model_id}) is {model.status}: its upload did not end well"
    )


def newest_of_each_name(models: tuple[LoggedModel, ...]) -> tuple[LoggedModel, ...]:
    """The models without those that a later attempt of the same run logged anew."""
    return tuple({model.name: model for model in models}.values())


def registered(draft: Draft, record: Record, spec: ModelSpec) -> RegisteredVersion | None:
    """The version made from the attempt's model, once; None when spec.model.register is Never.

    Raises:
        NoModel: see `chosen`.
        Waiting: MLflow must answer first.
        Stalled: MLflow refuses, and will until a person changes something.
    """
    if not record.get("runID"):
        raise NoModel("ModelMissing", "the attempt has no run, so no model was logged: see the condition Tracked")
    run_id, experiment_id = record["runID"], draft.status["tracking"]["experimentID"]
    models = draft.ask_or_wait(FindModels(run_id, experiment_id))
    if isinstance(models, Failure):
        raise Stalled(models.reason, models.message)
    if draft.spec.tracking.is_shared:
        models = newest_of_each_name(models)
    model = chosen(models, spec, clock.from_text(record["completionTime"]), draft.now)
    if spec.register_when == "Never":
        return None
    question = RegisterVersion(
        identity=draft.identity(record["number"]),
        name=spec.name,
        model_id=model.model_id,
        run_id=run_id,
        tags=_tags(draft, record, spec),
        aliases=governed.free_aliases(draft, spec),
    )
    version = draft.ask_or_wait(question)
    if isinstance(version, Failure):
        raise Stalled(version.reason, version.message)
    assert isinstance(version, RegisteredVersion)  # noqa: S101 - narrows the answer's type
    return version


def _tags(draft: Draft, record: Record, spec: ModelSpec) -> Pairs:
    """What a version tells of where it came from, and what the user wants it to tell."""
    given = tuple((tag.name, tag.value) for tag in spec.tags or [])
    return (*lineage.origin(draft, record["number"]), *lineage.image(record), *lineage.data(draft.spec), *given)


def _missing(models: tuple[LoggedModel, ...], spec: ModelSpec) -> str:
    """What to say when no model fits."""
    if not models:
        return "the run logged no model: call log_model in the training code, or remove spec.model"
    listed = ", ".join(sorted({model.name for model in models}))
    return f"the run logged no model named {spec.artifact}, only {listed}: correct spec.model.artifact"
