"""Kill the collector, the edge box and the centre's door at any moment: nothing that was acknowledged is missing or twice.

`make soak` kills a hundred times; `python -m benchmarks.metering.kills` two hundred times.
"""

import os

import pytest

from benchmarks.metering.kills import run

KILLS = int(os.environ.get("LOADSTONE_KILLS", "5"))


@pytest.mark.slow
@pytest.mark.timeout(200 + 15 * KILLS)
def test_killed_at_any_moment() -> None:
    result = run(KILLS, seed=3)
    print(result.row())
    assert result.kills == KILLS
    assert result.collector > 0
    assert result.box > 0
    assert (result.lost, result.doubled, result.wrong) == (0, 0, 0)
