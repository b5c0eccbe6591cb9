"""`loadstone optimize` as a planner sees it: sums, days, how many moves are told, and what Ctrl-C leaves."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from energy.commands.check import bill_table, plain
from energy.errors import LoadstoneError
from energy.exchange.problems import write_problem
from energy.model.plan import Bill, BillLine, How, HowFound, LineKind
from energy.planning.price import price_plan
from optimizer.commands import MOST_TOLD, _proven, optimize
from optimizer.milp import Milp
from tests.exchange.rich import rich
from tests.optimizer.plants import job, plant


def run(file: Path, *more: str) -> str:
    done = CliRunner().invoke(optimize, [str(file), "--kind", "greedy", "--work", "50", *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_money_has_its_own_sum_and_what_is_only_weighed_a_star(tmp_path: Path) -> None:
    file = tmp_path / "rich.json"
    file.write_text(json.dumps(rich()))
    told = run(file)
    rows = [line.split(", EUR")[0] for line in told.splitlines() if ", EUR" in line]
    assert rows.index("paid for energy") < rows.index("carbon *") < rows.index("move *") < rows.index("all lines")
    assert "* only weighed in the plan, on no bill" in told
    assert " -0.00" not in told


def test_a_week_tells_the_day_of_a_move_and_only_the_moves_that_gain_most(tmp_path: Path) -> None:
    """Thirty jobs in the dear hours of the first day, and cheap hours two days later."""
    price = [0.30] * 30 + [0.05] * 42
    jobs = [job(f"j{n}", 100.0 + n, start=n % 24, machine="furnace", move_price=0.0) for n in range(30)]
    jobs = [one for one in jobs if one.in_force.start == int(one.id[1:])]
    posed = plant(price, *jobs)
    write_problem(posed, tmp_path / "week.json")
    told = run(tmp_path / "week.json")
    moves = [line for line in told.splitlines() if line.startswith("  j")]
    assert len(moves) == MOST_TOLD
    assert all(" instead of " in line and line.split("(")[1][:3] in {"Thu", "Fri", "Sat"} for line in moves)
    assert "… and 4 more that gain less" in told


def test_ctrl_c_says_that_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Milp, "solve", stopped)
    write_problem(plant([0.1] * 4, job("a", 10.0, start=0)), tmp_path / "p.json")
    out = tmp_path / "plan.json"
    done = CliRunner().invoke(optimize, [str(tmp_path / "p.json"), "--out", str(out)])
    assert isinstance(done.exception, LoadstoneError)
    assert "nothing is written" in str(done.exception)
    assert not out.exists()


def test_the_bill_is_aligned_whatever_its_kinds_are_called() -> None:
    lines = (
        BillLine(kind=LineKind.WEAR, name="battery wear", quantity=1.0, unit="kWh", amount=0.02),
        BillLine(kind=LineKind.REDUCTION, name="call 17", quantity=300.0, unit="kWh", amount=-60.0),
        BillLine(kind=LineKind.STORED, name="less stored at the end", quantity=-1e-9, unit="kWh", amount=-1e-12),
    )
    table = bill_table(Bill(lines=lines, carbon_kg=1.0, peak_kw=2.0), "EUR")
    assert len({len(line) for line in table[:3]}) == 1
    assert len({line.rindex(".") for line in table[:5]}) == 1
    assert plain(-1e-9, 2) == "0.00"


def test_the_same_work_writes_the_same_file(tmp_path: Path) -> None:
    file = tmp_path / "rich.json"
    file.write_text(json.dumps(rich()))
    for name in ("one", "two"):
        run(file, "--out", str(tmp_path / name))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize(
    ("total", "loud", "gap", "words"),
    [
        (1000.0, 0.0, 0.02, "proven within 2.00 %"),
        (1000.0, 1e6, 0.001, "proven within 1,001.00 EUR, the prices of what gave way in it"),
        (-50.0, 0.0, 0.1, "proven within 10.00 %"),
    ],
)
def test_a_share_of_loud_prices_is_told_as_an_amount(total: float, loud: float, gap: float, words: str) -> None:
    posed = plant([0.1] * 4, job("a", 10.0, start=0))
    given = price_plan(posed, [j.in_force for j in posed.jobs], how=How(found=HowFound.AS_GIVEN))
    line = BillLine(kind=LineKind.ENERGY, name="energy", quantity=0.0, unit="kWh", amount=total)
    cost = total + loud
    how = How(found=HowFound.GAP, gap=gap, bound=cost - gap * abs(cost))
    told = _proven(posed, replace(given, how=how, bill=Bill(lines=(line,), carbon_kg=0.0, peak_kw=0.0)))
    assert told.endswith(words)


def test_a_folder_that_is_not_there_is_told_before_anything_is_planned(tmp_path: Path) -> None:
    write_problem(plant([0.1] * 4, job("a", 10.0, start=0)), tmp_path / "p.json")
    done = CliRunner().invoke(optimize, [str(tmp_path / "p.json"), "--out", str(tmp_path / "none" / "plan.json")])
    assert isinstance(done.exception, LoadstoneError)
    assert "there is no folder" in str(done.exception)
