"""An object is as wanted when what was asked for is there, however the API server writes it."""

import pytest

from modelyard.core.matching import digest, is_as_wanted

SAME = [
    ({"a": 1}, {"a": 1, "b": 2}),
    ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}),
    ({"a": [{"b": 1}]}, {"a": [{"b": 1, "default": True}]}),
    ({"a": None}, {}),
    ({"a": []}, {}),
    ({"a": {}}, {}),
    ({"a": ""}, {}),
    ({"a": False}, {}),
    ({"requests": {"cpu": "1000m"}}, {"requests": {"cpu": "1"}}),
    ({"requests": {"cpu": 2}}, {"requests": {"cpu": "2"}}),
    ({"requests": {"cpu": "0.7"}}, {"requests": {"cpu": "700m"}}),
    ({"limits": {"memory": "1.5Gi"}}, {"limits": {"memory": "1536Mi"}}),
    ({"limits": {"memory": "1e9"}}, {"limits": {"memory": "1G"}}),
    ({"limits": {"memory": 1073741824}}, {"limits": {"memory": "1Gi"}}),
    ({"emptyDir": {"sizeLimit": "1024Mi"}}, {"emptyDir": {"sizeLimit": "1Gi"}}),
]
OTHER = [
    ({"a": 1}, {"a": 2}),
    ({"a": 1}, {}),
    ({"a": {"b": 1}}, {"a": 1}),
    ({"a": [1, 2]}, {"a": [1]}),
    ({"a": [1, 2]}, {"a": [2, 1]}),
    ({"a": [1]}, {"a": "1"}),
    ({"requests": {"cpu": "1"}}, {"requests": {}}),
    ({"requests": {"cpu": "1"}}, {"requests": {"cpu": "1100m"}}),
    ({"limits": {"memory": "1Gi"}}, {"limits": {"memory": "1G"}}),
    ({"limits": {"memory": "lots"}}, {"limits": {"memory": "1G"}}),
    ({"name": "1000m"}, {"name": "1"}),
]


@pytest.mark.parametrize(("wanted", "live"), SAME)
def test_it_is_as_wanted(wanted: object, live: object) -> None:
    assert is_as_wanted(wanted, live)


@pytest.mark.parametrize(("wanted", "live"), OTHER)
def test_it_is_not_as_wanted(wanted: object, live: object) -> None:
    assert not is_as_wanted(wanted, live)


def test_an_absurd_quantity_is_compared_as_it_stands() -> None:
    absurd = {"limits": {"memory": "1e999999999"}}
    assert is_as_wanted(absurd, absurd)
    assert not is_as_wanted(absurd, {"limits": {"memory": "1"}})


def test_a_digest_tells_content_and_not_order() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert len(digest({})) == 16
