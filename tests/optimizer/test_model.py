"""The modelling layer: both ways of speaking make the same program, and nothing of it is lost on the way to a solver."""

from pathlib import Path

import highspy
import numpy as np
import pytest

from benchmarks.plants import Size
from benchmarks.plants import plant as made
from energy.model.calendar import Attended
from energy.model.problem import Option
from optimizer.handover import arrays, loaded
from optimizer.model import Model
from optimizer.plant import Plant
from optimizer.solve import build
from optimizer.starts import LEFT_OUT, Starts, Way
from tests.optimizer.plants import at, job, plant


def empty() -> Model:
    return Model(Plant(plant([1.0])))


def solved(model: Model) -> float:
    highs = loaded(arrays(model), {})
    highs.run()
    return float(highs.getInfo().objective_function_value)


def by_words() -> Model:
    """Buy 3 whole units or more at the least cost: at most 2 at 5 each, the others at 7; 10 to pay in any case."""
    model = empty()
    a, b = model.variable(0.0, 2.0, whole=True), model.variable(0.0, whole=True)
    model.require(a + b >= 2.5, "enough")
    model.cost("units", 5 * a + 7 * b)
    model.cost("always", 10.0)
    return model


def by_arrays() -> Model:
    model = empty()
    units = model.columns(2, 0.0, [2.0, np.inf], whole=True)
    model.rows([0, 0], units, 1.0, lower=2.5, name="enough")
    model.price("units", units, [5.0, 7.0])
    model.cost("always", 10.0)
    return model


@pytest.mark.parametrize("model", [by_words(), by_arrays()])
def test_both_ways_of_speaking_say_the_same(model: Model) -> None:
    assert solved(model) == pytest.approx(2 * 5 + 7 + 10)
    assert model.requirement(0) == "enough"


def test_the_two_ways_lead_into_each_other() -> None:
    model = empty()
    units = model.columns(3, 1.0, 4.0)
    model.require(model.expression(int(units[1])) >= 2, "the second")
    more = model.variable(3.0)
    model.rows([0, 0], [model.column(more), units[2]], [-1.0, 1.0], lower=0.0, name="the third with the fourth")
    model.price("all", [*units, model.column(more)], 1.0)
    assert solved(model) == pytest.approx(1 + 2 + 3 + 3)
    assert [model.requirement(row) for row in range(2)] == ["the second", "the third with the fourth"]


def test_what_stands_twice_in_a_row_is_added_up() -> None:
    model = empty()
    unit = model.columns(1)
    model.rows([1, 0, 1], [unit[0]] * 3, [1.0, 1.0, 2.0], lower=[1.0, 6.0], name=lambda row: f"row {row}")
    model.price("units", unit, 1.0)
    model.price("units", unit, 1.0)
    assert solved(model) == pytest.approx(4.0)  # 3 units of it make 6
    assert model.requirement(1) == "row 1"


def test_loads_are_kept_by_machine_and_bounded() -> None:
    problem = plant([1.0, 1.0, 1.0], job("a", 5.0, 2.0), job("b", 4.0, machine="press"))
    model = build(Plant(problem))
    machine, slot, column, factor = model.loads()
    assert {(int(m), int(k), float(kw)) for m, k, kw in zip(machine, slot, factor, strict=True) if m == 0} == {
        (0, 0, 5.0), (0, 1, 2.0), (0, 1, 5.0), (0, 2, 2.0),
    }  # fmt: skip
    assert set(column[machine == 1]) == set(model.start[1])
    assert model.most_load_kw.tolist() == [5 + 4, 5 + 4, 2 + 4]
    more = model.columns(1, 0.0, 3.0)
    model.load(-1, [2], more, 2.0)
    assert model.most_load_kw.tolist() == [9, 9, 12]


@pytest.mark.parametrize("suffix", [".lp", ".mps"])
def test_the_exported_program_costs_the_same(suffix: str, tmp_path: Path) -> None:
    problem = made(Size(jobs=4, slots=24), 2)
    model = build(Plant(problem))
    file = tmp_path / f"plan{suffix}"
    program = model.program()
    program.writeLP(str(file)) if suffix == ".lp" else program.writeMPS(str(file))
    theirs = highspy.Highs()
    theirs.setOptionValue("output_flag", False)
    theirs.readModel(str(file))
    theirs.run()
    assert theirs.getInfo().objective_function_value == pytest.approx(solved(model), rel=1e-4)


def test_a_run_with_a_pause_holds_its_machine_only_while_it_runs() -> None:
    option = Option(machine="furnace", power_kw=(3.0, 0.0, 4.0))
    way = Way(option, 0, "furnace", np.array([3.0, 0.0, 4.0]), np.array([True, False, True]))
    nothing = np.zeros(2)
    starts = Starts(
        [way], np.array([0, 0]), np.array([-1, 2]), given=nothing > 0, late=nothing, moving=nothing, broken=nothing
    )
    assert [part.tolist() for part in starts.busy_slots(4)] == [[0, 1], [1, 2]]
    assert [part.tolist() for part in starts.load_slots(4)] == [[0, 1], [1, 2], [4.0, 3.0]]
    assert [part.tolist() for part in starts.attended_slots(Attended.ENDS, 6)] == [[1, 0, 1], [2, 1, 4]]


def test_a_job_that_no_placement_names_is_left_out() -> None:
    laid_out = Plant(plant([1.0, 2.0], job("a", 5.0), job("b", 4.0, machine="press")))
    chosen = laid_out.chosen_of([at("b", 1, "press")])
    assert chosen.tolist() == [LEFT_OUT, 1]
    assert laid_out.load_kw(chosen).tolist() == [0.0, 4.0]
    assert laid_out.placements(chosen) == (at("b", 1, "press"),)
    assert laid_out.machine_use(chosen).sum() == 1


def test_a_place_that_a_job_does_not_have_is_named() -> None:
    laid_out = Plant(plant([1.0, 2.0], job("a", 5.0)))
    with pytest.raises(KeyError, match="job a cannot start in slot 7 on furnace"):
        laid_out.chosen_of([at("a", 7)])
