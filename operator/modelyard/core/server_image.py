"""What model server images can run, as the administrator and the release describe them: no registry is asked."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from packaging.utils import canonicalize_name
from pydantic import ConfigDict, Field, RootModel, field_validator

from modelyard.api.base import KubeModel

_NUMBER = r"^\d{1,5}(\.\d{1,5}){0,3}([a-z0-9.+-]{0,40})$"
PYTHON_FUNCTION = "python_function"
"""The flavour of models that are their own Python code."""


class ServerImage(KubeModel):
    """One image, or several whose names fit the pattern."""

    image: str = Field(min_length=1, max_length=1024)
    """The image's whole name; `*` stands for any characters."""
    python: str | None = Field(default=None, pattern=_NUMBER)
    """Its Python; unknown when left out."""
    mlflow: str | None = Field(default=None, pattern=_NUMBER)
    """Its MLflow."""
    flavours: frozenset[str] | None = None
    """MLflow flavours whose libraries it has, `python_function` for models of their own code."""
    libraries: dict[str, str] = Field(default_factory=dict)
    """Versions of libraries that a model's files depend on, as scikit-learn and numpy."""

    @field_validator("libraries")
    @classmethod
    def _as_indexes_write_them(cls, given: dict[str, str]) -> dict[str, str]:
        return {canonicalize_name(name): version for name, version in given.items()}

    def fits(self, image: str) -> bool:
        """Whether this describes the image."""
        return fnmatchcase(image, self.image.replace("[", "[[]"))


class ServerImages(RootModel[tuple[ServerImage, ...]]):
    """Descriptions in order."""

    model_config = ConfigDict(frozen=True)


NO_IMAGES = ServerImages(())
"""Nobody described anything."""


def described(images: Iterable[ServerImage], image: str) -> ServerImage | None:
    """The first description that fits, so that an administrator's come before the release's."""
    return next((item for item in images if item.fits(image)), None)
