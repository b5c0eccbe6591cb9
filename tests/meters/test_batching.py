import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.batching import Batch, batches


@pytest.mark.parametrize(
    ("wanted", "longest", "hole", "reads"),
    [
        ([(0, 2), (2, 2), (4, 2)], 125, 0, [(0, 6)]),  # side by side
        ([(4, 2), (0, 2)], 125, 2, [(0, 6)]),  # a hole of two, allowed; any order
        ([(4, 2), (0, 2)], 125, 1, [(0, 2), (4, 2)]),  # a hole too wide
        ([(0, 2), (2, 2), (4, 2)], 4, 0, [(0, 4), (4, 2)]),  # the limit of the device
        ([(0, 2), (2, 4)], 5, 0, [(0, 2), (2, 4)]),  # a number is never cut
        ([(0, 4), (2, 2), (0, 4)], 125, 0, [(0, 4)]),  # overlapping and twice
        ([], 125, 16, []),
    ],
)
def test_reads(wanted, longest, hole, reads):
    made = batches([Batch(*one) for one in wanted], longest=longest, widest_hole=hole)
    assert [(batch.start, batch.count) for batch in made] == reads


def test_a_number_longer_than_a_read_is_an_error():
    with pytest.raises(ValueError, match="does not fit"):
        batches([Batch(0, 4)], longest=2, widest_hole=0)


numbers = st.lists(st.builds(Batch, st.integers(0, 60), st.sampled_from([1, 2, 4])), max_size=7)


def fewest(wanted: list[Batch], longest: int, hole: int) -> int:
    """The fewest reads, by trying all ways to cut the sorted numbers into runs."""
    if not wanted:
        return 0
    best = len(wanted)
    for cut in range(1, len(wanted) + 1):
        run = wanted[:cut]
        end, fits = run[0].end, True
        for number in run[1:]:
            fits &= number.start - end <= hole
            end = max(end, number.end)
        if fits and end - run[0].start <= longest:
            best = min(best, 1 + fewest(wanted[cut:], longest, hole))
    return best


@settings(deadline=None)
@given(numbers, st.integers(4, 20), st.integers(0, 12))
def test_no_fewer_reads_would_do_and_each_number_is_whole_in_one(wanted, longest, hole):
    made = batches(wanted, longest=longest, widest_hole=hole)
    assert all(any(read.holds(number) for read in made) for number in wanted)
    assert all(read.count <= longest for read in made)
    assert len(made) <= fewest(sorted(set(wanted)), longest, hole)
