"""Do metal, heat and power pass? Feeders, buffers, machines that hold, batches: slot by slot, from the problem and the
plan alone."""

from collections.abc import Iterable, Iterator, Sequence

from energy.model.plan import Plan, Violation
from energy.model.problem import Batch, Option, Placement, Problem
from energy.planning.check_flow_words import Batches, Hold, Placed, batches, end_of, holds
from energy.planning.check_load import machines_kw
from energy.planning.check_words import runs_of, span, when

SLACK = 1e-6  # of a quantity: what adding up may be off
SLACK_KW = 1e-4  # what a solver may be off, and no meter can see


def check_flow(problem: Problem, placed: Placed) -> list[Violation]:
    """What follows from the places of the jobs alone."""
    return [*_buffers(problem, placed), *_kept(problem, placed), *_batches(problem, placed)]


def check_feeders(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """No cable, transformer or converter carries more than it may."""
    by_machine = machines_kw(problem, plan) if problem.feeders else {}
    for feeder in problem.feeders:
        over = []
        for k in range(problem.slots):
            kw = feeder.base_load_kw[k] if feeder.base_load_kw else 0.0
            kw += sum(by_machine[machine][k] for machine in feeder.machines)
            over.append(kw - feeder.limit_kw if kw > feeder.limit_kw + SLACK_KW else 0.0)
        name = feeder.name or feeder.id
        for first, sizes in runs_of(over):
            what = (
                f"{name} carries more than {feeder.limit_kw:g} kW from {when(problem, first)} for "
                f"{span(problem, len(sizes))}, by up to {max(sizes):.4g} kW"
            )
            yield _slots("feeder limit", feeder.id, first, what, sizes, "kW")


def _buffers(problem: Problem, placed: Placed) -> Iterator[Violation]:
    """The level at the end of each slot is within its bounds. What a run takes or brings as it starts counts in its
    first slot, as it ends in the slot after its last one."""
    change = {buffer.id: [0.0] * problem.slots for buffer in problem.buffers}
    for job, place, option in placed.values():
        for flow in job.flows:
            slot = end_of(place, option) if flow.at_end else place.start
            if 0 <= slot < problem.slots and flow.buffer in change:
                change[flow.buffer][slot] += flow.quantity
    for buffer in problem.buffers:
        level, above, below = buffer.start, [], []
        tolerance = SLACK * max(1.0, abs(buffer.least), abs(buffer.most))
        for k in range(problem.slots):
            level += change[buffer.id][k] - (buffer.draw[k] if buffer.draw else 0.0)
            above.append(level - buffer.most if level > buffer.most + tolerance else 0.0)
            below.append(buffer.least - level if level < buffer.least - tolerance else 0.0)
        name = buffer.name or buffer.id
        for rule, over, said in (
            ("buffer full", above, f"more than {buffer.most:g} {buffer.unit} in {name}"),
            ("buffer empty", below, f"less than {buffer.least:g} {buffer.unit} in {name}"),
        ):
            for first, sizes in runs_of(over):
                long = span(problem, len(sizes))
                what = f"{said} from {when(problem, first)} for {long}, by up to {max(sizes):.4g}"
                yield _slots(rule, buffer.id, first, what, sizes, buffer.unit)


def _kept(problem: Problem, placed: Placed) -> Iterator[Violation]:
    """While a machine holds what a job made, that counts among the jobs that it can run at a time."""
    kept: dict[str, list[Hold]] = {}
    for hold in holds(placed):
        if hold.keeps:
            kept.setdefault(hold.machine, []).append(hold)
    if not kept:
        return
    works: dict[str, list[tuple[int, int, str]]] = {machine: [] for machine in kept}
    for job, place, option in placed.values():
        if place.machine in works:
            works[place.machine].extend((first, end, job.id) for first, end in _working(place, option))
    for machine in problem.machines:
        if machine.id in kept and machine.capacity is not None:
            most = machine.capacity
            waits = _until_taken(kept[machine.id])
            use, held = _count(problem, works[machine.id]), _count(problem, waits)
            over = [float(max(0, use[k] + held[k] - most)) if held[k] else 0.0 for k in range(problem.slots)]
            for first, sizes in runs_of(over):
                has = ", ".join(sorted({f"the work of {id}" for a, b, id in waits if a <= first < b}))
                runs = sorted({id for a, b, id in works[machine.id] if a <= first < b})
                beside = f" beside {', '.join(runs)}" if runs else ""
                what = (
                    f"{machine.name or machine.id} holds {has}{beside} {when(problem, first)}; it bears {most} at a "
                    f"time; too many for {span(problem, len(sizes))}"
                )
                yield _slots("kept machine", machine.id, first, what, sizes, "jobs")


def _working(place: Placement, option: Option) -> Iterator[tuple[int, int]]:
    """The spans in which a run works on its machine: all of it, but for the pauses of one that may be interrupted."""
    if option.interruptible is None:
        yield place.start, end_of(place, option)
        return
    for k, kw in enumerate(place.power_kw or option.power_kw, start=place.start):
        if kw > 0.0:
            yield k, k + 1


def _until_taken(kept: Sequence[Hold]) -> list[tuple[int, int, str]]:
    """What one job made takes its machine once, until the last one has taken over."""
    last: dict[str, tuple[int, int]] = {}
    for hold in kept:
        first, end = last.get(hold.before, (hold.first, hold.end))
        last[hold.before] = (min(first, hold.first), max(end, hold.end))
    return [(first, end, before) for before, (first, end) in last.items()]


def _count(problem: Problem, spans: Iterable[tuple[int, int, str]]) -> list[int]:
    count = [0] * problem.slots
    for first, end, _ in spans:
        for k in range(max(0, first), min(problem.slots, end)):
            count[k] += 1
    return count


def _batches(problem: Problem, placed: Placed) -> Iterator[Violation]:
    """A batch machine treats one batch at a time, neither too full nor too empty, all of the recipe's length."""
    found = batches(problem, placed)
    for machine in problem.machines:
        if machine.batch is not None:
            name = machine.name or machine.id
            here = {key: batch for key, batch in found.items() if key[0] == machine.id}
            yield from _lengths(problem, placed, here, name)
            yield from _fill(problem, machine.batch, here, name)
            yield from _one_at_a_time(problem, machine.id, here, name)


def _lengths(problem: Problem, placed: Placed, here: Batches, name: str) -> Iterator[Violation]:
    for (_, start, mode), (recipe, inside) in here.items():
        for id, _ in inside:
            _, place, option = placed[id]
            takes, has = len(recipe.power_kw), end_of(place, option) - start
            if takes != has:
                what = f"{id} is {span(problem, has)} in {name}; {mode} takes {span(problem, takes)}"
                yield Violation(
                    rule="batch length", subject=id, slot=start, what=what, size=float(abs(takes - has)), unit="slots"
                )


def _fill(problem: Problem, batch: Batch, here: Batches, name: str) -> Iterator[Violation]:
    for (machine, start, mode), (_, inside) in sorted(here.items()):
        fill = sum(quantity for _, quantity in inside)
        who = f"{name}, {mode} {when(problem, start)} ({', '.join(id for id, _ in inside)})"
        tolerance = SLACK * max(1.0, batch.capacity)
        subject = f"{mode} on {machine} in slot {start}"
        if fill > batch.capacity + tolerance:
            what = f"{who}: {fill:g} in a batch; it holds {batch.capacity:g}"
            yield Violation(
                rule="batch too full", subject=subject, slot=start, what=what, size=fill - batch.capacity, unit="units"
            )
        if fill < batch.least_fill - tolerance:
            what = f"{who}: {fill:g} in a batch; it starts with at least {batch.least_fill:g}"
            yield Violation(
                rule="batch too empty",
                subject=subject,
                slot=start,
                what=what,
                size=batch.least_fill - fill,
                unit="units",
            )


def _one_at_a_time(problem: Problem, machine: str, here: Batches, name: str) -> Iterator[Violation]:
    spans = [(start, start + len(recipe.power_kw), mode) for (_, start, mode), (recipe, _) in here.items()]
    count = _count(problem, spans)
    for first, sizes in runs_of([float(max(0, number - 1)) for number in count]):
        modes = ", ".join(sorted(f"{mode} from {when(problem, a)}" for a, b, mode in spans if a <= first < b))
        what = f"{name} has more than one batch {when(problem, first)} ({modes}), for {span(problem, len(sizes))}"
        yield _slots("batch at a time", machine, first, what, sizes, "batches")


def _slots(rule: str, subject: str, first: int, what: str, sizes: tuple[float, ...], unit: str) -> Violation:
    return Violation(rule=rule, subject=subject, slot=first, what=what, size=max(sizes), unit=unit, by_slot=sizes)
