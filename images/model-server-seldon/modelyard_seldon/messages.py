"""Seldon's messages on one side, what MLflow's models take and give on the other."""

from typing import Any

import numpy as np
import pandas as pd
from mlflow.pyfunc.scoring_server import infer_and_parse_data
from mlflow.types import Schema

Message = dict[str, Any]


class BadMessage(ValueError):
    """A message that says nothing to the model; says what to send."""


def read(message: object, schema: Schema | None) -> tuple[Any, dict[str, Any] | None]:
    """What the model is asked, of the types that its signature names, and the parameters for it.

    `data` is Seldon's form, with rows of values; `jsonData` holds a request in one of MLflow's forms.

    Raises:
        BadMessage: the message holds neither, or not in the form it should have.
        mlflow.exceptions.MlflowException: its values do not become what the signature wants.
    """
    if not isinstance(message, dict):
        raise BadMessage(
            f'the request is JSON, but no object: send {{"data": {{"ndarray": […]}}}}, not {message!r:.80}'
        )
    if isinstance(message.get("jsonData"), dict):
        request = dict(message["jsonData"])
        params = request.pop("params", None)
        return infer_and_parse_data(request, schema), params
    if isinstance(message.get("data"), dict):
        return infer_and_parse_data(_request(message["data"], schema), schema), None
    given = ", ".join(sorted(set(message) - {"meta"})) or "nothing"
    raise BadMessage(f"the request has to hold the object data or jsonData; it holds {given}")


def _request(data: Message, schema: Schema | None) -> Message:
    """The rows of `data` as MLflow takes them: with names a data frame, and an array without."""
    rows, names = _rows(data), data.get("names") or []
    if schema is not None and schema.is_tensor_spec():
        return {"inputs": rows}
    if schema is not None and not names and schema.has_input_names():
        # Seldon's clients may leave names out: the order of columns is then the signature's.
        names = schema.input_names()[: _width(rows)]
    if names:
        return {"dataframe_split": {"columns": names, "data": rows}}
    return {"inputs": rows}


def _rows(data: Message) -> list[Any]:
    """The values of either form; TensorFlow's is not among them."""
    if isinstance(data.get("ndarray"), list):
        return list(data["ndarray"])
    tensor = data.get("tensor")
    if isinstance(tensor, dict):
        try:
            rows: list[Any] = np.array(tensor["values"]).reshape([int(n) for n in tensor["shape"]]).tolist()
        except (KeyError, TypeError, ValueError) as error:
            raise BadMessage(f"data.tensor needs values, and a shape that fits them: {error}") from error
        return rows
    raise BadMessage("data has to hold ndarray, a list of rows, or tensor, an object with shape and values")


def _width(rows: list[Any]) -> int:
    """How many values the first row has."""
    return len(rows[0]) if rows and isinstance(rows[0], list) else 0


def describe(schema: Schema | None) -> list[Message]:
    """What /metadata tells of one side of a signature, in the form that Seldon's package takes."""
    if schema is None:
        return []
    if schema.is_tensor_spec():
        shapes = [{"shape": list(spec.shape)} | ({"names": [spec.name]} if spec.name else {}) for spec in schema.inputs]
        return [{"messagetype": "ndarray", "schema": shape} for shape in shapes]
    names = [str(name) for name in schema.input_names()]
    return [{"messagetype": "ndarray", "schema": {"shape": [-1, len(names)]} | ({"names": names} if names else {})}]


def write(answer: object, request: Message) -> Message:
    """The predictions in the form that the request has: as MLflow's, or as Seldon's rows or tensor."""
    if "jsonData" in request:
        return {"jsonData": {"predictions": _of_mlflow(answer)}}
    if isinstance(answer, dict):
        return {"jsonData": {name: _plain(value) for name, value in answer.items()}}
    if isinstance(answer, str):
        return {"strData": answer}
    if isinstance(answer, pd.DataFrame):
        return {"data": {"names": [str(name) for name in answer.columns], "ndarray": _rows_of(answer)}}
    array = answer if isinstance(answer, np.ndarray) else np.asarray(answer) if isinstance(answer, pd.Series) else None
    values = _plain(answer if array is None else array)
    names = [f"t:{number}" for number in range(array.shape[1])] if array is not None and array.ndim == 2 else []
    if array is not None and "tensor" in request["data"] and np.issubdtype(array.dtype, np.number):
        return {"data": {"names": names, "tensor": {"shape": list(array.shape), "values": _plain(array.ravel())}}}
    return {"data": {"names": names, "ndarray": values}}


def _of_mlflow(answer: object) -> Any:  # noqa: ANN401 - any JSON
    """Predictions as MLflow's own server answers them."""
    if isinstance(answer, pd.DataFrame):
        return [dict(zip(map(str, answer.columns), row, strict=True)) for row in _rows_of(answer)]
    if isinstance(answer, dict):
        return {name: _plain(value) for name, value in answer.items()}
    return _plain(answer)


def _rows_of(frame: pd.DataFrame) -> list[list[Any]]:
    """Rows that keep each column's type."""
    columns = [_plain(frame.iloc[:, number]) for number in range(frame.shape[1])]
    return [list(row) for row in zip(*columns, strict=True)]


def _plain(value: object) -> Any:  # noqa: ANN401 - any JSON
    """What JSON knows: no arrays, and null for what is no number or no finite one."""
    if isinstance(value, pd.Series):
        value = value.to_numpy()
    if hasattr(value, "toarray"):
        value = value.toarray()
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if not isinstance(value, np.ndarray):
        return value
    if np.issubdtype(value.dtype, np.floating) and not np.isfinite(value).all():
        value = np.where(np.isfinite(value), value.astype(object), None)
    return value.tolist()
