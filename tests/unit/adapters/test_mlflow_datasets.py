"""A dataset in the form in which MLflow keeps an input of a run."""

import json

import pytest

from modelyard.adapters.mlflow.datasets import as_input
from modelyard.core.tracking import Dataset

SHA256 = "ab" * 32


@pytest.mark.parametrize(
    ("uri", "kind", "source"),
    [
        ("s3://bucket/train", "s3", {"uri": "s3://bucket/train"}),
        ("gs://bucket/train", "gs", {"uri": "gs://bucket/train"}),
        ("https://example.com/a.csv", "http", {"url": "https://example.com/a.csv"}),
        ("/data/train.csv", "local", {"uri": "/data/train.csv"}),
        ("file:///data/train.csv", "local", {"uri": "file:///data/train.csv"}),
    ],
)
def test_the_kind_of_source_follows_the_uri(uri: str, kind: str, source: dict[str, str]) -> None:
    made = as_input(Dataset("train", uri, "d1")).dataset
    assert (made.source_type, json.loads(made.source)) == (kind, source)


@pytest.mark.parametrize(
    ("digest", "kept"), [("d1", "d1"), (f"sha256:{SHA256}", SHA256[:36]), ("md5:" + "0" * 32, "0" * 32)]
)
def test_the_digest_fits_and_is_whole_in_a_tag(digest: str, kept: str) -> None:
    made = as_input(Dataset("train", "s3://b/train", digest))
    assert made.dataset.digest == kept
    assert {tag.key: tag.value for tag in made.tags} == {"modelyard.io/digest": digest}


def test_without_a_digest_the_reference_is_told_apart_as_mlflow_does() -> None:
    one, same, other = (as_input(Dataset("train", uri)) for uri in ("/a", "/a", "/b"))
    assert one.dataset.digest == same.dataset.digest != other.dataset.digest
    assert len(one.dataset.digest) == 8
    assert one.tags == []
