"""A plant that says everything a problem file can say, small enough to read: what the fuzz breaks field by field."""

import json
from typing import Any

SLOTS = 8


def _place(job: str, machine: str, start: int, **more: Any) -> dict[str, Any]:
    return {"job": job, "machine": machine, "start": start, **more}


def _job(id: str, machine: str, start: int, *powers: float, mode: str = "", **more: Any) -> dict[str, Any]:
    option = {"machine": machine, "power_kw": list(powers), "mode": mode, **more.pop("option", {})}
    place = _place(id, machine, start, mode=mode)
    return {"id": id, "name": id.title(), "options": [option], "as_is": place, "in_force": place, **more}


def rich() -> dict[str, Any]:
    """The problem as plain data; it has no mistake."""
    row = [200.0] * SLOTS
    return {
        "format": "loadstone-problem/1",
        "site": "rich plant",
        "currency": "EUR",
        "zone": "Europe/Berlin",
        "start": "2026-05-20T04:00:00Z",
        "step_minutes": 60,
        "slots": SLOTS,
        "machines": [
            {
                "id": "furnace",
                "name": "Furnace 1",
                "group": "furnaces",
                "closed": [{"start": 6, "end": 7, "why": "relining"}],
                "resources": [{"name": "moulds", "amount": [4]}],
                "states": {
                    "states": [
                        {"name": "off"},
                        {"name": "warm", "power_kw": 20},
                        {"name": "on", "power_kw": 40, "runs_jobs": True},
                    ],
                    "transitions": [
                        {"from_state": "off", "to_state": "on", "slots": 1, "power_kw": 80, "cost": 5},
                        {"from_state": "on", "to_state": "warm"},
                        {"from_state": "warm", "to_state": "on"},
                        {"from_state": "on", "to_state": "off"},
                    ],
                    "at_start": "off",
                    "at_end": "off",
                },
            },
            {
                "id": "press",
                "name": "Press",
                "setups": [{"from_family": "", "to_family": "steel", "slots": 1, "power_kw": 8, "cost": 3}],
                "family_at_start": "steel",
            },
            {"id": "line", "name": "Line", "capacity": 2},
            {
                "id": "oven",
                "name": "Oven",
                "batch": {
                    "recipes": [{"name": "anneal", "power_kw": [90, 60]}],
                    "capacity": 4.0,
                    "least_fill": 1.0,
                },
            },
        ],
        "jobs": [
            _job(
                "melt",
                "furnace",
                1,
                300,
                300,
                option={"uses": [{"resource": "moulds", "amount": 2, "attended": "ends", "after_slots": 1}]},
                earliest=1,
                latest_start=4,
                needs=[{"skill": "caster", "people": 1, "attended": "run"}],
                flows=[{"buffer": "returns", "quantity": -1.0, "at_end": False}],
                offered=_place("melt", "furnace", 2),
            ),
            _job(
                "pour",
                "press",
                3,
                40,
                after=[
                    {"job": "melt", "min_slots": 0, "max_slots": 2, "holding_kw": 30, "keeps_machine": True},
                ],
                due=6,
                late_per_hour=40,
                priority=2,
                family="steel",
                flows=[{"buffer": "returns", "quantity": 0.5}],
            ),
            _job("hold", "line", 0, 50, 50, option={"adjustable": {"least_kw": 20, "most_kw": 80}}, must_end=8),
            _job(
                "grind",
                "line",
                0,
                30,
                30,
                30,
                option={
                    "also": ["press"],
                    "interruptible": {
                        "least_run_slots": 1,
                        "longest_pause_slots": 2,
                        "most_pauses": 1,
                        "restart_cost": 4.5,
                    },
                },
            ),
            _job("part 1", "oven", 2, 0, 0, mode="anneal", value=9.0, option={"quantity": 2.0}),
            _job("part 2", "oven", 2, 0, 0, mode="anneal", option={"quantity": 2.0}, accepted=True),
            _job("clean 1", "press", 0, 5, fixed=_place("clean 1", "press", 0)),
            _job("clean 2", "press", 4, 5),
        ],
        "orders": [
            {
                "id": "4711",
                "pegs": [{"job": "part 1", "share": 0.5}, {"job": "part 2"}],
                "quantity": 2.0,
                "due": 6,
                "must_end": 9,
                "rest_slots": 1,
            },
        ],
        "recurring": [{"name": "cleaning", "jobs": ["clean 1", "clean 2"], "least_slots": 2, "most_slots": 6}],
        "same_order": [{"name": "row", "pieces": [["melt", "pour"], ["hold", "grind"]]}],
        "rosters": [{"skill": "caster", "people": [2] * SLOTS, "premium_per_hour": [0, 0, 0, 0, 0, 5, 5, 5]}],
        "shifts": [
            {"name": "early", "start": 0, "end": 4, "max_moves": 3},
            {"name": "late", "start": 4, "end": 8},
        ],
        "resources": [{"name": "crane", "amount": [1.0]}],
        "buffers": [
            {"id": "returns", "unit": "t", "start": 3.0, "least": 0.0, "most": 6.0, "draw": [0.0] * SLOTS},
        ],
        "feeders": [
            {"id": "converter", "machines": ["furnace", "line"], "limit_kw": 600, "base_load_kw": [10] * SLOTS}
        ],
        "stores": [
            {
                "id": "cold",
                "start": 60,
                "least": 20,
                "most": 90,
                "end": 50,
                "level_per_kwh": 3.0,
                "most_kw": 12,
                "least_kw": 4,
                "loss_per_hour": 0.01,
                "draw": [12] * SLOTS,
                "as_is_kw": [4] * SLOTS,
            },
        ],
        "base_load_kw": row,
        "pv_kw": [0, 0, 20, 40, 60, 60, 40, 20],
        "import_limit_kw": 900,
        "export_limit_kw": 100,
        "import_price": [0.12, 0.16, 0.20, 0.14, 0.08, 0.06, 0.08, 0.11],
        "export_price": [0.05] * SLOTS,
        "price_published": [True, True, True, True, True, True, False, False],
        "carbon_kg_per_kwh": [0.4, 0.4, 0.4, 0.3, 0.2, 0.2, 0.2, 0.3],
        "carbon_price_per_kg": 0.05,
        "carbon_limit_kg": 2000,
        "battery": {
            "capacity_kwh": 200,
            "charge_kw": 100,
            "discharge_kw": 100,
            "charge_efficiency": 0.96,
            "discharge_efficiency": 0.96,
            "min_kwh": 10,
            "start_kwh": 100,
            "end_kwh": 80,
            "end_value_per_kwh": 0.1,
            "wear_per_kwh": 0.02,
            "rule": "planned",
            "reserves": [{"name": "balancing", "start": 1, "end": 3, "kwh": 50, "kw": 40}],
        },
        "demand": [
            {
                "name": "month",
                "per_kw": 10,
                "slots": [0, 1, 2, 3, 4, 5, 6, 7],
                "interval_slots": 2,
                "so_far_kw": 500,
                "as_is_so_far_kw": 500,
                "target_kw": 450,
                "least_billed_kw": 300,
                "ratchet": {"highest_kw": 600, "per_kw": 5},
                "guard": 0.9,
            },
        ],
        "tiers": [{"name": "beyond 30 MWh", "above_kwh": 30000, "so_far_kwh": 29000, "extra_per_kwh": 0.012}],
        "limits": [{"name": "call 3", "start": 2, "end": 4, "limit_kw": 700, "penalty_per_kwh": 2}],
        "reductions": [
            {"name": "call 17", "start": 1, "end": 3, "baseline_kw": [600, 600], "pay_per_kwh": 0.2, "most_kw": 150},
        ],
        "base_load_band": {"p10": [190] * SLOTS, "p90": [215] * SLOTS},
        "pv_band": {"p10": [0, 0, 10, 20, 30, 30, 20, 10], "p90": [0, 0, 30, 60, 90, 90, 60, 30]},
        "import_price_band": {"p10": [0.05] * SLOTS, "p90": [0.25] * SLOTS},
        "scenarios": [
            {"weight": 3},
            {"weight": 1, "base_load_kw": [220] * SLOTS, "pv_kw": [0] * SLOTS, "import_price": [0.2] * SLOTS},
        ],
        "sober_prices": [
            {"up_to_hours": 2, "kept": 0.8, "import_price": [0.14] * SLOTS, "export_price": [0.04] * SLOTS},
            {"up_to_hours": 24, "kept": 1, "import_price": [0.15] * SLOTS, "export_price": [0.05] * SLOTS},
        ],
        "curtailable": True,
        "least_gain": 1.0,
        "notes": ["invented"],
    }


def text() -> str:
    return json.dumps(rich())
