"""Site balance: what the grid connection carries."""

from optimizer.model import Model


def add(model: Model) -> None:
    """import − export = base load + jobs + charge − discharge − PV + curtailed, in each slot.

    Import and export stay within the connection; a kW beyond it is loudly priced, so that there is always a plan.
    Where exporting would pay more than importing costs, a slot does one of the two.
    """
    problem = model.problem
    for k in model.slots:
        if problem.curtailable and problem.pv_kw[k] > 0.0:
            model.curtailed_kw[k] = model.variable(0.0, problem.pv_kw[k])
        imported, exported = model.variable(), model.variable(0.0, model.export_most_kw[k])
        model.import_kw.append(imported)
        model.export_kw.append(exported)
        flows = [*model.job_kw[k], (imported, -1.0), (exported, 1.0)]
        behind = [(model.charge_kw[k], 1.0), (model.discharge_kw[k], -1.0), (model.curtailed_kw[k], 1.0)]
        flows += [(x, sign) for x, sign in behind if not isinstance(x, float)]
        given_kw = sum(x * sign for x, sign in behind if isinstance(x, float))
        right_kw = problem.pv_kw[k] - problem.base_load_kw[k] - given_kw
        model.require(model.total(flows) == right_kw, f"balance of slot {k}")
        _within(model, imported, problem.import_limit_kw, f"import limit in slot {k}")
        _within(model, exported, problem.export_limit_kw, f"export limit in slot {k}")
        if problem.export_price[k] > _taking(model, k):
            _one_way(model, k)


def _taking(model: Model, k: int) -> float:
    problem = model.problem
    return problem.import_price[k] + problem.carbon_price_per_kg * problem.carbon_kg_per_kwh[k]


def _within(model: Model, flow: object, limit_kw: float, name: str) -> None:
    beyond = model.variable()
    model.require(model.total([(flow, 1.0), (beyond, -1.0)]) <= limit_kw, name)
    model.cost("beyond the grid connection", model.loud_per_kwh * model.hours * beyond)


def _one_way(model: Model, k: int) -> None:
    problem = model.problem
    most_in = problem.base_load_kw[k] + sum(power for _, power in model.job_kw[k])
    most_in += problem.battery.charge_kw if problem.battery else 0.0
    most_out = problem.pv_kw[k] + max(0.0, -problem.base_load_kw[k])
    most_out += problem.battery.discharge_kw if problem.battery else 0.0
    importing = model.variable(0.0, 1.0, whole=True)
    model.require(model.import_kw[k] <= max(0.0, most_in) * importing, f"slot {k} imports")
    model.require(model.export_kw[k] + most_out * importing <= most_out, f"slot {k} exports")
