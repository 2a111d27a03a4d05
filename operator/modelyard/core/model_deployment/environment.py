"""Whether a server image can run a model version: flavour, Python, MLflow and libraries of both sides."""

from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from modelyard.core.model_card import ModelCard
from modelyard.core.server_image import PYTHON_FUNCTION, ServerImage

_MLFLOW = "mlflow."
_OWN_CODE = "mlflow.pyfunc"
_NOTED = 6
"""How many differences that may do no harm are told."""


def problems_of(card: ModelCard, image: ServerImage | None) -> Iterator[str]:
    """What keeps the image from running the model, naming both sides. Of an image that nobody described: little."""
    if card.loader is None:
        told = ", ".join(card.flavours) or "no flavour"
        yield f"the model has no python_function flavour, only {told}: log it with a flavour of MLflow that has one"
        return
    if image is not None:
        yield from _flavour_problem(card, image)
        yield from _python_problem(card, image)
        yield from _mlflow_problem(card, image)
        yield from _library_problems(card, image)


def notes_of(card: ModelCard, image: ServerImage) -> list[str]:
    """Differences that a model may well do with, and that explain it where it does not."""
    found = [*_python_notes(card, image), *_library_notes(card, image)]
    more = [f"and {len(found) - _NOTED} more"] if len(found) > _NOTED else []
    return found[:_NOTED] + more


def flavour_of(card: ModelCard) -> str | None:
    """The flavour whose library loads the model; None for a loader that is not MLflow's."""
    loader = card.loader or ""
    if loader == _OWN_CODE or loader.startswith(f"{_OWN_CODE}."):
        return PYTHON_FUNCTION
    return loader.removeprefix(_MLFLOW).partition(".")[0] if loader.startswith(_MLFLOW) else None


def _flavour_problem(card: ModelCard, image: ServerImage) -> Iterator[str]:
    """The library of the model's flavour is not in the image."""
    flavour = flavour_of(card)
    if flavour and image.flavours is not None and flavour not in image.flavours:
        has = ", ".join(sorted(image.flavours)) or "none"
        yield f"the model needs the flavour {flavour}, the server image has {has}"


def _python_problem(card: ModelCard, image: ServerImage) -> Iterator[str]:
    """Pickles hold byte code and names of one Python."""
    needs, has = _release(card.python, 2), _release(image.python, 2)
    if card.is_pickled and needs and has and needs != has:
        yield f"the model is pickled with Python {_dotted(needs)}, the server image has {_dotted(has)}"


def _mlflow_problem(card: ModelCard, image: ServerImage) -> Iterator[str]:
    """MLflow reads what earlier ones wrote, not what later ones will."""
    needs, has = _release(card.mlflow, 1), _release(image.mlflow, 1)
    if needs and has and needs > has:
        yield f"the model was logged with MLflow {card.mlflow}, the server image has {image.mlflow}"


def _library_problems(card: ModelCard, image: ServerImage) -> Iterator[str]:
    """A pickle names what lies inside its libraries, which a new major version moves."""
    for name, wanted in card.requirements:
        needs, has = _release(wanted, 1), _release(image.libraries.get(name), 1)
        if card.is_pickled and needs and has and needs != has:
            yield f"the model is pickled with {name} {wanted}, the server image has {image.libraries[name]}"


def _python_notes(card: ModelCard, image: ServerImage) -> Iterator[str]:
    """Another Python that only pickles would mind."""
    needs, has = _release(card.python, 2), _release(image.python, 2)
    if not card.is_pickled and needs and has and needs != has:
        yield f"Python is {_dotted(has)} instead of {_dotted(needs)}"


def _library_notes(card: ModelCard, image: ServerImage) -> Iterator[str]:
    """Libraries of other minor versions. Requirements that the image does not list may be there, or be for training."""
    for name, wanted in card.requirements:
        needs, has = _release(wanted, 2), _release(image.libraries.get(name), 2)
        if needs and has and needs != has:
            yield f"{name} is {image.libraries[name]} instead of {wanted}"


def _release(version: str | None, parts: int) -> tuple[int, ...] | None:
    """The first numbers of a version; None of what is none."""
    try:
        return (*Version(version).release, 0, 0)[:parts] if version else None
    except InvalidVersion:
        return None


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in numbers)
