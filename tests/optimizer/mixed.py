"""Tiny random plants that mix any rules of the nouns, from a seed: two to four jobs, five to eight slots, two machines.

Each rule is said with some chance of its own, so that any two of them meet in some plant. Production's own plan is drawn
a few times until it keeps every rule; at times it does not, and breaks some.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from energy.model.calendar import Attended
from energy.model.plan import How, HowFound, Plan
from energy.model.problem import (
    Adjustable,
    Band,
    Batch,
    Buffer,
    Closed,
    CrewNeed,
    DemandWindow,
    Feeder,
    Flow,
    Interruptible,
    Limit,
    MachineState,
    MachineStates,
    Option,
    Peg,
    Placement,
    Precedence,
    Problem,
    ProblemJob,
    ProblemMachine,
    ProblemOrder,
    Ratchet,
    Recipe,
    Recurring,
    Reduction,
    Reserve,
    Resource,
    Roster,
    SameOrder,
    Scenario,
    Setup,
    ShiftHours,
    Store,
    Tier,
    Transition,
    Use,
)
from energy.model.site import BatteryRule
from energy.planning.check import check
from energy.planning.price import price_plan
from tests.optimizer.plants import battery, plant

GIVEN = How(found=HowFound.AS_GIVEN)
TRIES = 25  # to find a plan of production that keeps every rule
MACHINES = ("furnace", "press")
STEPS = (15, 30, 60)


def mixed(seed: int) -> Problem:
    """The plant of a seed."""
    return _Drawn(Random(seed)).problem()


def in_force(problem: Problem) -> Plan:
    """Production's own plan, priced."""
    return price_plan(problem, [job.fixed or job.in_force for job in problem.jobs], how=GIVEN)


class _Drawn:
    """One plant being drawn."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.slots = random.randint(5, 8)
        self.fixed: set[str] = set()

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def whole(self, low: int, high: int) -> float:
        return float(self.random.randint(low, high))

    def row(self, low: int, high: int) -> tuple[float, ...]:
        return tuple(self.whole(low, high) for _ in range(self.slots))

    def pick(self, values: Sequence[Any]) -> Any:
        return self.random.choice(values)

    # --- the whole

    def problem(self) -> Problem:
        machines = tuple(self.machine(id) for id in MACHINES)
        buffers = (self.buffer(),) if self.maybe(0.2) else ()
        count = self.pick((2, 2, 2, 3, 3, 4))
        jobs = [self.job(f"j{i}", i, machines, buffers) for i in range(count)]
        cheapest = self.pick((-2, 1, 1))
        base = plant(
            list(self.row(cheapest, 9)),
            *jobs,
            step_minutes=self.pick(STEPS),
            machines=machines,
            orders=self.orders(jobs),
            recurring=self.recurring(jobs),
            same_order=self.same_order(jobs),
            rosters=(
                Roster(
                    skill="caster",
                    people=tuple(self.pick((1, 2, 2)) for _ in range(self.slots)),
                    premium_per_hour=self.row(0, 3) if self.maybe(0.4) else (),
                ),
            ),
            shifts=self.shifts(),
            resources=(Resource(name="crane", amount=self.pick(((1.0,), (2.0,), self.row(1, 2)))),),
            buffers=buffers,
            feeders=self.feeders(),
        )
        return self.settled(replace(base, **self.site()))

    def settled(self, problem: Problem) -> Problem:
        """The same with production's own plan at places that keep every rule, if some are found."""
        strict = self.maybe(0.85)
        self.fixed = {job.id for job in problem.jobs if job.fixed is not None}
        for _ in range(TRIES):
            problem = replace(problem, jobs=tuple(self.placed(job, problem) for job in problem.jobs))
            if not strict or not check(problem, in_force(problem)):
                break
        return replace(problem, jobs=tuple(self.with_offers(job) for job in problem.jobs))

    def placed(self, job: ProblemJob, problem: Problem) -> ProblemJob:
        option = self.pick(job.options)
        slots = problem.slots - option.slots
        start = self.random.randint(max(0, min(slots, job.earliest)), max(0, slots))
        if self.maybe(0.04):
            start = -1
        if self.maybe(0.04):
            start = problem.slots - option.slots + 1
        machine = self.pick(option.machines)
        place = Placement(job=job.id, machine=machine, mode=option.mode, start=start, power_kw=self.powers(option))
        ours = start >= 0 and job.end(place) <= problem.slots and job.id not in self.fixed
        return replace(job, as_is=place, in_force=place, fixed=None if ours else place)

    def powers(self, option: Option) -> tuple[float, ...]:
        """Now and then powers or pauses of the plan in force itself."""
        kw = option.power_kw[0]
        may = option.interruptible
        if may is not None and self.maybe(0.3) and option.slots >= 2 * may.least_run_slots:
            return (kw,) * may.least_run_slots + (0.0,) + (kw,) * (option.slots - may.least_run_slots)
        bounds = option.adjustable
        if bounds is not None and option.slots > 1 and self.maybe(0.3):
            by = min(bounds.most_kw - option.power_kw[0], option.power_kw[1] - bounds.least_kw)
            return (option.power_kw[0] + by, option.power_kw[1] - by, *option.power_kw[2:])
        return ()

    def with_offers(self, job: ProblemJob) -> ProblemJob:
        place = job.in_force
        offered = replace(place, start=max(0, place.start - 1), power_kw=()) if self.maybe(0.15) else None
        return replace(job, offered=offered)

    # --- machines

    def machine(self, id: str) -> ProblemMachine:
        kind = self.pick(("plain", "plain", "capacity", "states", "setups", "batch", "states"))
        if id == "furnace" and kind == "batch":
            kind = "states"  # so that there is always a machine for every job
        states = self.states() if kind == "states" or self.maybe(0.1) else None
        closed = ()
        if self.maybe(0.2):
            first = self.random.randrange(self.slots)
            closed = (Closed(start=first, end=first + self.random.randint(1, 2), why="maintenance"),)
        return ProblemMachine(
            id=id,
            closed=closed,
            capacity=self.pick((2, None, 2)) if kind == "capacity" else 1,
            resources=(Resource(name="moulds", amount=self.pick(((1.0,), (2.0,)))),) if id == "furnace" else (),
            states=states,
            setups=self.setups() if kind == "setups" or (kind == "states" and self.maybe(0.3)) else (),
            family_at_start=self.pick(("", "A", "B")) if kind == "setups" else "",
            batch=self.batch() if kind == "batch" else None,
        )

    def states(self) -> MachineStates:
        names = ("off", "on") if self.maybe(0.5) else ("off", "warm", "on")
        pairs = [("off", "on"), ("on", "off")]
        pairs += [("on", "warm"), ("warm", "on")] if len(names) == 3 else []
        return MachineStates(
            states=tuple(
                MachineState(name=name, power_kw=n * self.whole(0, 2), runs_jobs=name == "on")
                for n, name in enumerate(names)
            ),
            transitions=tuple(
                Transition(
                    from_state=a,
                    to_state=b,
                    slots=self.pick((0, 1, 1, 2)),
                    power_kw=self.whole(0, 2),
                    cost=self.whole(0, 2),
                )
                for a, b in pairs
            ),
            at_start=self.pick(("off", "on", "on")),
            at_end=self.pick((None, None, "off", "on")),
        )

    def setups(self) -> tuple[Setup, ...]:
        found = []
        for before, after in (("A", "B"), ("B", "A"), ("", "A"), ("A", "A")):
            if self.maybe(0.6):
                slots = self.random.randint(0, 1)
                found.append(
                    Setup(
                        from_family=before,
                        to_family=after,
                        slots=slots,
                        power_kw=self.whole(0, 3),
                        cost=self.whole(0, 3),
                    )
                )
        return tuple(found)

    def batch(self) -> Batch:
        recipes = tuple(
            Recipe(name=name, power_kw=tuple(self.whole(1, 4) for _ in range(self.random.randint(1, 3))))
            for name in ("anneal", "temper")[: self.random.randint(1, 2)]
        )
        return Batch(recipes=recipes, capacity=self.pick((2.0, 3.0)), least_fill=self.pick((0.0, 1.0, 2.0)))

    # --- jobs

    def job(
        self, id: str, number: int, machines: tuple[ProblemMachine, ...], buffers: tuple[Buffer, ...]
    ) -> ProblemJob:
        by_id = {machine.id: machine for machine in machines}
        options = self.options(by_id)
        place = Placement(job=id, machine=options[0].machine, mode=options[0].mode, start=0)
        batching = {m.id for m in machines if m.batch is not None}
        return ProblemJob(
            id=id,
            options=options,
            as_is=place,
            in_force=place,
            fixed=place if self.maybe(0.08) else None,
            earliest=self.pick((0, 0, 0, 1, 2)),
            latest_start=self.random.randint(2, self.slots) if self.maybe(0.15) else None,
            must_end=self.random.randint(self.slots - 1, self.slots) if self.maybe(0.15) else None,
            due=self.random.randint(2, self.slots) if self.maybe(0.4) else None,
            late_per_hour=self.whole(1, 6),
            priority=self.pick((1.0, 1.0, 2.0)),
            value=self.whole(0, 12) if self.maybe(0.2) else None,
            family=self.pick(("", "A", "B", "A", "B")),
            after=self.after(number, batching),
            needs=(CrewNeed(skill="caster", attended=self.pick(tuple(Attended))),) if self.maybe(0.3) else (),
            flows=tuple(
                Flow(buffer=b.id, quantity=self.pick((-2.0, -1.0, 1.0, 2.0)), at_end=self.maybe(0.5))
                for b in buffers
                if self.maybe(0.7)
            ),
            move_price=self.pick((0.0, 0.25)),
            change_offer_price=0.5,
            accepted=self.maybe(0.15),
            break_accepted_price=2.0,
        )

    def after(self, number: int, batching: set[str]) -> tuple[Precedence, ...]:
        found = []
        for other in range(number):
            if self.maybe(0.35):
                least = self.pick((0, 0, 0, 1))
                found.append(
                    Precedence(
                        job=f"j{other}",
                        min_slots=least,
                        max_slots=least + self.random.randint(0, 3) if self.maybe(0.5) else None,
                        holding_kw=self.whole(1, 2) if self.maybe(0.4) else 0.0,
                        keeps_machine=not batching and self.maybe(0.4),
                    )
                )
        return tuple(found)

    def options(self, machines: dict[str, ProblemMachine]) -> tuple[Option, ...]:
        first = self.pick(MACHINES)
        other = "press" if first == "furnace" else "furnace"
        found = [self.option(machines[first])]
        if machines[other].batch is None and found[0].mode == "" and self.maybe(0.25):
            found = [replace(found[0], also=(other,))]
            if any(use.resource == "moulds" for use in found[0].uses):
                found = [replace(found[0], uses=())]
        elif self.maybe(0.25):
            found.append(self.option(machines[other]))
        return tuple(found)

    def option(self, machine: ProblemMachine) -> Option:
        if machine.batch is not None:
            recipe = self.pick(machine.batch.recipes)
            return Option(
                machine=machine.id,
                mode=recipe.name,
                power_kw=tuple(self.whole(0, 1) for _ in recipe.power_kw),
                quantity=self.pick((1.0, 1.0, 2.0)),
                uses=self.uses(machine.id),
            )
        slots = self.pick((1, 2, 2, 3))
        kw = self.whole(1, 6)
        kind = self.pick(("plain", "plain", "profile", "adjustable", "interruptible"))
        powers = (kw,) * slots if kind != "profile" else tuple(self.whole(0, 6) for _ in range(slots))
        return Option(
            machine=machine.id,
            power_kw=powers,
            quantity=self.pick((1.0, 2.0)),
            uses=self.uses(machine.id),
            adjustable=Adjustable(least_kw=max(0.0, kw - 1.0), most_kw=kw + 2.0) if kind == "adjustable" else None,
            interruptible=Interruptible(
                least_run_slots=1,
                longest_pause_slots=self.random.randint(1, 2),
                most_pauses=1,
                restart_cost=self.pick((0.0, 1.5)),
            )
            if kind == "interruptible"
            else None,
        )

    def uses(self, machine: str) -> tuple[Use, ...]:
        names = [name for name in ("crane", "moulds") if name == "crane" or machine == "furnace"]
        return tuple(
            Use(resource=name, attended=self.pick(tuple(Attended)), after_slots=self.random.randint(0, 2))
            for name in names
            if self.maybe(0.2)
        )

    def plain_job(self, id: str) -> ProblemJob:
        slots = self.random.randint(1, 3)
        place = Placement(job=id, machine="furnace", start=0)
        return ProblemJob(
            id=id,
            options=(Option(machine="furnace", power_kw=tuple(self.whole(1, 6) for _ in range(slots))),),
            as_is=place,
            in_force=place,
            earliest=self.pick((0, 0, 1)),
            must_end=self.random.randint(self.slots - 1, self.slots) if self.maybe(0.2) else None,
            due=self.random.randint(2, self.slots) if self.maybe(0.4) else None,
            late_per_hour=self.whole(1, 6),
            move_price=self.pick((0.0, 0.25)),
            change_offer_price=0.5,
        )

    def one_more(self, problem: Problem) -> Problem:
        """The plant with one thing more said of it."""
        site, jobs, furnace = self.site(), list(problem.jobs), problem.machines[0]
        said = self.pick((*site, "job", "job", "machine", "together"))
        if said in site:
            return replace(problem, **{said: site[said]})
        if said == "machine":
            setups, states = self.setups(), self.states() if self.maybe(0.5) else furnace.states
            closed = (Closed(start=2, end=3),)
            other = self.pick(({"capacity": 2}, {"capacity": None}, {"closed": closed}, {"setups": setups}))
            return replace(problem, machines=(replace(furnace, states=states, **other), *problem.machines[1:]))
        if said == "together":
            rules = {"orders": self.orders(jobs), "recurring": self.recurring(jobs), "feeders": self.feeders()}
            feeders = tuple(replace(feeder, machines=("furnace",)) for feeder in rules["feeders"])
            return replace(problem, **{**rules, "feeders": feeders})
        option = jobs[1].options[0]
        kw = option.power_kw[0]
        of_option = self.pick(
            (
                {"adjustable": Adjustable(least_kw=0.0, most_kw=7.0)},
                {"interruptible": Interruptible(), "power_kw": (kw,) * option.slots},
                {},
            )
        )
        of_job = self.pick(
            (
                {"after": (Precedence(job="j0", max_slots=3),)},
                {"after": (Precedence(job="j0", holding_kw=2.0),)},
                {"value": 3.0},
                {"latest_start": self.slots - 2},
                {"priority": 3.0},
                {"family": "A"},
                {"accepted": True},
            )
        )
        jobs[1] = replace(jobs[1], **(of_job if not of_option else {"options": (replace(option, **of_option),)}))
        return replace(problem, jobs=tuple(jobs))

    # --- jobs together

    def orders(self, jobs: list[ProblemJob]) -> tuple[ProblemOrder, ...]:
        if not self.maybe(0.2):
            return ()
        pegged = jobs[:2] if self.maybe(0.7) else jobs[:1]
        pegs = tuple(Peg(job=job.id, share=self.pick((0.5, 1.0))) for job in pegged)
        least = sum(p.share * min(o.quantity for o in j.options) for p, j in zip(pegs, pegged, strict=True))
        return (
            ProblemOrder(
                id="order",
                pegs=pegs,
                quantity=least * self.pick((0.4, 1.0)),
                due=self.random.randint(2, self.slots) if self.maybe(0.6) else None,
                must_end=self.slots + 1 if self.maybe(0.3) else None,
                late_per_hour=self.whole(1, 4),
                rest_slots=self.random.randint(0, 1),
            ),
        )

    def recurring(self, jobs: list[ProblemJob]) -> tuple[Recurring, ...]:
        if not self.maybe(0.12):
            return ()
        names = [job.id for job in jobs]
        self.random.shuffle(names)
        least = self.random.randint(0, 2)
        most = least + self.random.randint(1, 3) if self.maybe(0.7) else None
        return (
            Recurring(
                name="row", jobs=tuple(names[: self.random.randint(2, len(names))]), least_slots=least, most_slots=most
            ),
        )

    def same_order(self, jobs: list[ProblemJob]) -> tuple[SameOrder, ...]:
        if len(jobs) < 4 or not self.maybe(0.5):
            return ()
        return (SameOrder(name="line", pieces=(("j0", "j1"), ("j2", "j3"))),)

    def shifts(self) -> tuple[ShiftHours, ...]:
        half = self.slots // 2
        most = self.pick((None, None, 1, 2))
        return (
            ShiftHours(name="early", start=0, end=half, max_moves=most),
            ShiftHours(name="late", start=half, end=self.slots, max_moves=self.pick((None, None, 1))),
        )

    # --- the site

    def buffer(self) -> Buffer:
        return Buffer(
            id="rack",
            start=self.whole(1, 3),
            most=self.whole(4, 6),
            draw=tuple(self.pick((0.0, 0.0, 1.0, -1.0)) for _ in range(self.slots)) if self.maybe(0.3) else (),
        )

    def feeders(self) -> tuple[Feeder, ...]:
        if not self.maybe(0.2):
            return ()
        machines = self.pick((("furnace",), MACHINES))
        base = self.row(0, 1) if self.maybe(0.3) else ()
        return (Feeder(id="cable", machines=machines, limit_kw=self.whole(6, 12), base_load_kw=base),)

    def site(self) -> dict[str, Any]:
        pv = self.row(0, 6) if self.maybe(0.4) else (0.0,) * self.slots
        dear = self.maybe(0.3)
        said: dict[str, Any] = {
            "base_load_kw": self.row(0, 5),
            "pv_kw": pv,
            "export_price": self.row(-1, 2) if not dear else self.row(-2, 9),
            "price_published": tuple(self.maybe(0.5) for _ in range(self.slots)),
            "carbon_kg_per_kwh": tuple(self.pick((0.1, 0.5)) for _ in range(self.slots)),
            "carbon_price_per_kg": self.pick((0.0, 0.0, 1.0)),
            "curtailable": self.maybe(0.3),
        }
        if self.maybe(0.15):
            said["import_limit_kw"] = self.whole(9, 14)
        if self.maybe(0.15):
            said["export_limit_kw"] = self.whole(1, 4)
        if self.maybe(0.1):
            said["carbon_limit_kg"] = self.whole(4, 20)
        said["battery"] = self.battery() if self.maybe(0.25) else None
        said["demand"] = self.demand()
        if any(window.guard is not None for window in said["demand"]) or self.maybe(0.1):
            low = self.row(0, 2)
            said["base_load_band"] = Band(
                p10=tuple(kw - by for kw, by in zip(said["base_load_kw"], low, strict=True)),
                p90=tuple(kw + by for kw, by in zip(said["base_load_kw"], low, strict=True)),
            )
        if self.maybe(0.1):
            said["scenarios"] = (
                Scenario(weight=2.0),
                Scenario(base_load_kw=self.row(0, 6), import_price=self.row(1, 9)),
            )
        said["tiers"] = self.tiers()
        said["limits"] = self.limits()
        said["reductions"] = self.reductions()
        said["stores"] = (self.store(),) if self.maybe(0.15) else ()
        return said

    def battery(self) -> Any:
        rule = self.pick((BatteryRule.PLANNED, BatteryRule.PLANNED, BatteryRule.SELF_CONSUMPTION))
        start = self.whole(1, 4)
        reserve = Reserve(name="call", start=1, end=3, kwh=self.whole(0, 1), kw=self.whole(0, 1))
        return battery(
            capacity_kwh=6.0,
            charge_kw=3.0,
            discharge_kw=3.0,
            charge_efficiency=self.pick((1.0, 0.9)),
            discharge_efficiency=self.pick((1.0, 0.8)),
            min_kwh=self.pick((0.0, 1.0)),
            start_kwh=start,
            end_kwh=start if rule is BatteryRule.PLANNED else 0.0,
            end_value_per_kwh=self.pick((0.0, 2.0)),
            wear_per_kwh=self.pick((0.0, 0.5)),
            rule=rule,
            reserves=(reserve,) if rule is BatteryRule.PLANNED and self.maybe(0.4) else (),
        )

    def demand(self) -> tuple[DemandWindow, ...]:
        if not self.maybe(0.45):
            return ()
        even = self.slots // 2 * 2
        ratchet = Ratchet(highest_kw=self.whole(2, 9), per_kw=self.whole(1, 3)) if self.maybe(0.3) else None
        guard = self.pick((None, 0.5, 0.9)) if self.maybe(0.4) else None
        year = DemandWindow(
            name="year",
            per_kw=self.whole(1, 5),
            slots=tuple(range(even)),
            interval_slots=self.pick((1, 2)),
            so_far_kw=self.whole(0, 6),
            target_kw=self.whole(0, 3),
            ratchet=ratchet,
            guard=guard,
        )
        high = DemandWindow(name="high", per_kw=self.whole(1, 4), slots=(1, 2, 3), least_billed_kw=self.whole(0, 3))
        return (year, high) if self.maybe(0.4) else (year,)

    def tiers(self) -> tuple[Tier, ...]:
        if not self.maybe(0.2):
            return ()
        rising = Tier(name="dear", above_kwh=self.whole(5, 30), so_far_kwh=self.whole(0, 5), extra_per_kwh=2.0)
        falling = Tier(name="large", above_kwh=self.whole(5, 30), so_far_kwh=self.whole(0, 5), extra_per_kwh=-2.0)
        return self.pick(((rising,), (falling,), (rising, falling)))

    def limits(self) -> tuple[Limit, ...]:
        if not self.maybe(0.2):
            return ()
        penalty = self.pick((None, 1.0, 4.0))
        return (Limit(name="call", start=1, end=4, limit_kw=self.whole(4, 12), penalty_per_kwh=penalty),)

    def reductions(self) -> tuple[Reduction, ...]:
        if not self.maybe(0.15):
            return ()
        baseline = (self.whole(2, 12), self.whole(2, 12))
        pay, most = self.whole(1, 6), self.whole(1, 8)
        return (Reduction(name="less", start=2, end=4, baseline_kw=baseline, pay_per_kwh=pay, most_kw=most),)

    def store(self) -> Store:
        least = self.pick((0.0, 2.0))
        return Store(
            id="tank",
            start=4.0,
            least=0.0,
            most=9.0,
            end=self.whole(0, 4),
            level_per_kwh=self.pick((1.0, 2.0)),
            most_kw=4.0,
            least_kw=least,
            loss_per_hour=self.pick((0.0, 0.1)),
            draw=tuple(self.whole(0, 1) for _ in range(self.slots)),
            as_is_kw=tuple(self.pick((0.0, 2.0)) for _ in range(self.slots)),
        )


def of_one_machine(seed: int) -> Problem:
    """A plant near those that the engines of one machine know: one machine, plain jobs, a price for each slot, and at
    most two things more that some engine may not know."""
    drawn = _Drawn(Random(seed))
    switched = drawn.maybe(0.5)
    furnace = ProblemMachine(id="furnace", states=drawn.states() if switched else None)
    jobs = [drawn.plain_job(f"j{i}") for i in range(drawn.pick((2, 3, 3, 4)))]
    base = plant(
        list(drawn.row(drawn.pick((-2, 0, 1)), 9)),
        *jobs,
        step_minutes=drawn.pick(STEPS),
        machines=(furnace, ProblemMachine(id="press")) if not switched and drawn.maybe(0.5) else (furnace,),
        base_load_kw=drawn.row(0, 5),
    )
    for _ in range(drawn.pick((0, 0, 1, 1, 2))):
        base = drawn.one_more(base)
    return drawn.settled(base)
