"""The one option of these tests, and their order."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the plans that are made now as those that are expected"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that break what others share come last; what they leave behind is looked at before them."""
    items.sort(key=lambda item: (item.get_closest_marker("disruptive") is not None, "left_open" in item.name))
