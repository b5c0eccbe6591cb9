"""What takes long begins first: else, at the end, one worker is left alone with it and the other one waits."""

import pytest

LONG = (
    "tests/service/",
    "tests/examples/",
    "tests/dashboard/",
    "tests/meters/mqtt/",
    "tests/meters/edge/",
    "tests/loop/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {folder: position for position, folder in enumerate(LONG)}

    def place(item: pytest.Item) -> int:
        return next((at for folder, at in order.items() if item.nodeid.startswith(folder)), len(LONG))

    items.sort(key=place)  # stable: within a module tests stay in their order
