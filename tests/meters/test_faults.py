"""Every fault of a wire, played against the readers: what they say is right or absent, never wrong; the meters beside the
victim keep their reads; and when the fault is over, the victim is read again without anybody's help."""

from collections.abc import Mapping

import pytest

from tests.meters.faults.judge import KEPT_SHARE, FaultResult, run_table
from tests.meters.faults.table import SCENARIOS
from tests.meters.faults.values import ODDITIES

NAMES = [f"{scenario.name} ({framing})" for scenario in SCENARIOS for framing in scenario.framings]
NAMES += [f"{odd.name} (tcp)" for odd in ODDITIES]


@pytest.fixture(scope="module")
def results() -> Mapping[str, FaultResult]:
    """All at once, in time that jumps."""
    return run_table()


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_survived(results, name):
    result = results[name]
    assert result.survived, "; ".join(result.complaints)
    assert result.wrong_values == 0
    assert result.kept_share >= KEPT_SHARE
    assert result.recovered is not None
