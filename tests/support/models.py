"""Model versions with the files that MLflow would have written, without the seconds that it takes."""

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import yaml

from support.tracking import Tracking

SERVER_IMAGE = "modelyard/model-server:tried"
SERVER_IMAGES = json.dumps(
    [{"image": SERVER_IMAGE, "python": "3.11", "mlflow": "3.17.2", "flavours": ["python_function", "sklearn"]}]
)
"""For MODELYARD_SERVER_IMAGES."""


@dataclass(frozen=True)
class Model:
    """A scikit-learn model as it would be logged."""

    python: str = "3.11.7"
    loader: str = "mlflow.sklearn"
    inputs: tuple[tuple[str, str], ...] = (("age", "double"),)
    files: tuple[tuple[str, str], ...] = ()

    def changed(self, **fields: Any) -> Self:
        """With other fields."""
        return replace(self, **fields)

    def register(self, tracking: Tracking, name: str) -> str:
        """A new version of a registered model; its number."""
        with tempfile.TemporaryDirectory() as folder:
            for path, text in {"MLmodel": self._mlmodel(), **dict(self.files)}.items():
                Path(folder, path).write_text(text)
            return tracking.make_version(name, folder)

    def _mlmodel(self) -> str:
        pyfunc = {"loader_module": self.loader, "model_path": "model.pkl", "python_version": self.python}
        columns = [{"name": column, "type": kind, "required": True} for column, kind in self.inputs]
        fields: dict[str, Any] = {
            "flavors": {"python_function": pyfunc, "sklearn": {"pickled_model": "model.pkl"}},
            "mlflow_version": "3.17.2",
            "signature": {"inputs": json.dumps(columns), "outputs": json.dumps([{"type": "long"}])},
        }
        if "serving_input_example.json" in dict(self.files):
            fields["saved_input_example_info"] = {"serving_input_path": "serving_input_example.json"}
        return yaml.safe_dump(fields)
