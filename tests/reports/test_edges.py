"""Edge boxes among what needs a hand: which trouble is said, and in which words."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from energy.model.edge import Backlog, Edge
from energy.reports.attention import edges
from energy.reports.edges import edge_states
from energy.reports.situation import Rules
from energy.store import Store
from tests.loop.plant import SmallPlant

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)  # two o'clock in the plant
MINUTE = timedelta(minutes=1)
WELL = Edge(name="hall-3", buffer="b" * 32, last=500, seen_at=NOW - MINUTE, backlog=Backlog(), ahead_seconds=-0.2)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open("sqlite://", "p") as made:
        yield made


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Rules:
    return replace(SmallPlant(Path(tmp_path_factory.mktemp("plant"))).service.house.rules, boxes=("hall-3",))


@pytest.mark.parametrize(
    ("edge", "said"),
    [
        (WELL, ()),
        (replace(WELL, backlog=Backlog(waiting=50, oldest_at=NOW - 2 * MINUTE)), ()),
        (None, ("has not spoken yet",)),
        (replace(WELL, seen_at=NOW - 60 * MINUTE), ("silent since 13:00",)),
        (
            replace(WELL, seen_at=NOW - 60 * MINUTE, backlog=Backlog(waiting=1, oldest_at=NOW - 70 * MINUTE)),
            ("silent since 13:00; 1 reading waits there",),
        ),
        (
            replace(WELL, backlog=Backlog(waiting=1200, oldest_at=NOW - 60 * MINUTE)),
            ("is behind: 1200 readings wait, the oldest of 13:00",),
        ),
        (replace(WELL, trouble="'m-9' is no meter of it"), ("sends what cannot be taken: 'm-9' is no meter of it",)),
        (replace(WELL, backlog=Backlog(held=12)), ("holds 12 readings that were refused here",)),
        (replace(WELL, ahead_seconds=3600.0), ("has a wrong clock: 1 h ahead; its readings are doubted",)),
        (replace(WELL, ahead_seconds=-45.0), ("has a wrong clock: 45 s behind; its readings are doubted",)),
        (
            replace(WELL, backlog=Backlog(thinned=40, dropped=2, broken=1), missing=9, worse_at=NOW - 60 * MINUTE),
            (
                "had losses, last told 13:00: 42 readings let go for want of room, 9 readings acknowledged once and not here "
                "any more (was the store restored?), 1 buffer file broken and moved aside",
            ),
        ),
        (replace(WELL, backlog=Backlog(thinned=40), worse_at=NOW - timedelta(days=2)), ()),
    ],
)
def test_what_is_wrong_with_a_box(store: Store, rules: Rules, edge: Edge | None, said: tuple[str, ...]) -> None:
    if edge is not None:
        store.edges.put(edge)
    (state,) = edge_states(store, rules, NOW)
    assert state.troubles == said
    assert state.well == (not said)
    assert len(list(edges(store, rules, NOW))) == bool(said)


def test_worst_comes_first_and_the_rest_is_the_detail(store: Store, rules: Rules) -> None:
    store.edges.put(replace(WELL, seen_at=NOW - 60 * MINUTE, backlog=Backlog(held=3)))
    (entry,) = edges(store, rules, NOW)
    assert (entry.title, entry.detail) == (
        "Edge box hall-3 silent since 13:00",
        "holds 3 readings that were refused here",
    )
    assert entry.view == "meters"


def test_a_box_that_the_config_no_longer_names_is_still_shown(store: Store, rules: Rules) -> None:
    store.edges.put(replace(WELL, name="old-box"))
    assert [state.name for state in edge_states(store, rules, NOW)] == ["hall-3", "old-box"]


def test_the_service_tells_of_the_boxes(tmp_path: Path) -> None:
    plant = SmallPlant(tmp_path)
    plant.service.house.boxes = ("hall-3",)
    plant.service.house.store.edges.put(replace(WELL, seen_at=plant.clock.now()))
    (state,) = plant.service.edges()
    assert state.well
    assert plant.service.meters_page().edges == (state,)
