"""Reading config.yaml: every section is held against its model, every kind asked for its own, then all together."""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from energy.clock import SpeedClock, SystemClock
from energy.config import assemble, doors, sections
from energy.config.kept import KeptMeter, add_kept, kept_meters
from energy.config.kinds import read_kind, read_kinds
from energy.config.mistakes import Mistakes
from energy.config.rules import agree
from energy.config.settings import (
    DashboardSettings,
    KindSettings,
    MeterSettings,
    NetworkSettings,
    OptimizerSettings,
    SavingsSettings,
    ScheduleSettings,
    Settings,
    StoreSettings,
    TwinSettings,
)
from energy.config.text import read
from energy.errors import ConfigError, Mistake, MistakesError
from energy.model.forecast import Target
from energy.plugins import nearest

SECTIONS: dict[str, type[sections.Section]] = {
    "site": sections.SiteSection,
    "calendar": sections.CalendarSection,
    "tariff": sections.TariffSection,
    "store": sections.StoreSection,
    "savings": sections.SavingsSection,
    "schedule": sections.ScheduleSection,
    "dashboard": sections.DashboardSection,
    "api": doors.ApiSection,
    "network": sections.NetworkSection,
    "twin": sections.TwinSection,
}
HISTORY = "history_days"
NEEDED = ("site", "tariff")
OPTIONAL = ("api", "twin")  # what is not there without its section
M = TypeVar("M", bound=sections.Section)
KIND_LISTS = ("feeds", "programs", "dispatchers", "notifiers")
ROOMS = (*SECTIONS, "meters", "orders", "forecasters", "optimizer", *KIND_LISTS)


def load_settings(
    path: Path, environ: Mapping[str, str] | None = None, kept: Sequence[KeptMeter] | None = None
) -> Settings:
    """The settings of a config.yaml with the meters kept beside it, secrets filled in from the environment. ConfigError
    lists all mistakes. `kept` are tried in place of what lies in `meters.d/`."""
    path = Path(path).resolve()
    environ = dict(os.environ if environ is None else environ)
    written = read(text_of(path), environ, path.name)
    if not isinstance(written.data, dict):
        raise ConfigError(path.name, [Mistake("file", "should be sections like `site:` and `tariff:`")])
    add_kept(written, kept_meters(path) if kept is None else kept, environ)
    mistakes = Mistakes(written)
    reader = Reader(written.data, path, mistakes)
    settings = reader.settings(environ)
    if settings is None or mistakes.found:
        raise ConfigError(path.name, mistakes.found)
    return settings


FIRST_PLANT = "`loadstone init` writes a first one"


def text_of(path: Path, first: str = FIRST_PLANT) -> str:
    """The text of a config; ConfigError where it cannot be read. `first` says how one comes to be."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        said = f"there is no such file; {first}, `--config FILE` names another"
        raise ConfigError(str(path), [Mistake("file", said)]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [Mistake("file", f"cannot be read: {error}")]) from error


class Reader:
    """Plain data becoming settings; what is wrong is noted in `mistakes`."""

    def __init__(self, data: dict[str, Any], path: Path, mistakes: Mistakes) -> None:
        self.data = data
        self.path = path
        self.folder = path.parent
        self.mistakes = mistakes

    def settings(self, environ: Mapping[str, str]) -> Settings | None:
        for key in self.data:
            if key not in ROOMS:
                self.mistakes.add(key, f"unknown section{nearest(key, list(ROOMS))}")
        said = {name: self._section(name) for name in SECTIONS}
        meters = self.meters()
        orders = self._orders()
        lists = {name: read_kinds(name, self.data.get(name), name, self.mistakes) for name in KIND_LISTS}
        forecasters, history_days = self._forecasters(), self._history_days()
        optimizer = self._optimizer()
        agree(self.data, self.mistakes)
        network = self._network(said["network"])
        api = self._api(said["api"])
        holidays = self._holidays(said["site"], said["calendar"], said["schedule"])
        if self.mistakes.found or optimizer is None:
            return None
        site = assemble.site(_as(sections.SiteSection, said["site"]))
        store = _as(sections.StoreSection, said["store"])
        schedule = _as(sections.ScheduleSection, said["schedule"])
        dashboard = _as(sections.DashboardSection, said["dashboard"])
        twin = said["twin"]
        return Settings(
            path=self.path,
            folder=self.folder,
            site=site,
            calendar=assemble.calendar(_as(sections.CalendarSection, said["calendar"]), site.zone, holidays),
            tariff=assemble.tariff(_as(sections.TariffSection, said["tariff"]), site.currency),
            store=StoreSettings(url=self._store_url(store.url), raw_days=store.raw_days, raw_gb=store.raw_gb),
            meters=meters,
            orders=orders,
            feeds=lists["feeds"],
            forecasters=forecasters,
            history_days=history_days,
            optimizer=optimizer,
            programs=lists["programs"],
            dispatchers=lists["dispatchers"],
            notifiers=lists["notifiers"],
            savings=SavingsSettings(**dict(_as(sections.SavingsSection, said["savings"]))),
            schedule=ScheduleSettings(**{**dict(schedule), "clock": self._clock_path(schedule)}),
            dashboard=DashboardSettings(**dict(dashboard)),
            network=network,
            twin=TwinSettings(**dict(twin)) if twin is not None else None,
            api=api,
            environ=environ,
        )

    def _section(self, name: str) -> sections.Section | None:
        if name in OPTIONAL and name not in self.data:
            return None
        if name in NEEDED and name not in self.data:
            self.mistakes.add(name, "the section is missing")
            return None
        said = self.data.get(name)
        return self.mistakes.check(SECTIONS[name], {} if said is None else said, name)

    def meters(self) -> tuple[MeterSettings, ...]:
        """The meters, each with what its kind asks."""
        rows = self.data.get("meters") or []
        if not isinstance(rows, list):
            self.mistakes.add("meters", "should be a list: `- {id: grid, kind: modbus, …}`")
            return ()
        return tuple(made for i, row in enumerate(rows) if (made := self._meter(row, f"meters[{i}]")))

    def _meter(self, row: Any, path: str) -> MeterSettings | None:
        kind = read_kind("meters", row, path, self.mistakes)
        if not isinstance(row, dict):
            return None
        shared = {key: value for key, value in row.items() if key in sections.MeterSection.model_fields}
        if "kind" not in shared:
            shared["kind"] = ""  # already said
        section = self.mistakes.check(sections.MeterSection, shared, path)
        if kind is None or section is None:
            return None
        meter = assemble.meter(section)
        complete = getattr(kind.options, "complete", None)  # a kind may know more of its meter, such as its rollover
        try:
            known = meter if complete is None else complete(meter, str(self.folder))
        except MistakesError as error:
            for mistake in error.mistakes:
                self.mistakes.add(path, f"{error.source}: {mistake}")
            return None
        return MeterSettings(meter=known, kind=kind.kind, options=kind.options)

    def _orders(self) -> KindSettings | None:
        said = self.data.get("orders")
        return None if said is None else read_kind("orders", said, "orders", self.mistakes)

    def _forecasters(self) -> dict[Target, KindSettings]:
        said = self.data.get("forecasters") or {}
        if not isinstance(said, dict):
            self.mistakes.add("forecasters", "should be a kind by target: `base_load: combined`")
            return {}
        for key in said:
            if key not in (*sections.TARGETS, HISTORY):
                self.mistakes.add(f"forecasters.{key}", f"no such target{nearest(key, list(sections.TARGETS))}")
        made = {t: read_kind("forecasters", said.get(t, "combined"), f"forecasters.{t}", self.mistakes) for t in Target}
        return {target: kind for target, kind in made.items() if kind is not None}

    def _history_days(self) -> int:
        said = self.data.get("forecasters")
        own = {HISTORY: said[HISTORY]} if isinstance(said, dict) and HISTORY in said else {}
        section = self.mistakes.check(sections.HistorySection, own, "forecasters")
        return sections.HistorySection.model_validate({}).history_days if section is None else section.history_days

    def _optimizer(self) -> OptimizerSettings | None:
        said = self.data.get("optimizer") or {}
        said = {"kind": said} if isinstance(said, str) else said
        if not isinstance(said, dict):
            self.mistakes.add("optimizer", "should be `kind: milp` with its settings")
            return None
        said = {"kind": "milp", **said}
        kind = read_kind("optimizers", said, "optimizer", self.mistakes)
        shared = {key: value for key, value in said.items() if key in sections.OptimizerSection.model_fields}
        section = self.mistakes.check(sections.OptimizerSection, shared, "optimizer")
        if kind is None or section is None:
            return None
        return OptimizerSettings(kind=kind.kind, seconds=section.seconds, gap=section.gap, options=kind.options)

    def network(self) -> NetworkSettings:
        """The way out of the network, read by itself."""
        return self._network(self._section("network"))

    def _network(self, section: sections.Section | None) -> NetworkSettings:
        if not isinstance(section, sections.NetworkSection):
            return NetworkSettings(proxy=None, ca_bundle=None)
        bundle = None if section.ca_bundle is None else self.folder / section.ca_bundle
        if bundle is not None and not bundle.is_file():
            self.mistakes.add("network.ca_bundle", f"there is no file {bundle}")
        return NetworkSettings(proxy=section.proxy, ca_bundle=None if bundle is None else str(bundle))

    def _api(self, section: sections.Section | None) -> doors.ApiSection | None:
        """The door, its files found from where config.yaml lies."""
        if not isinstance(section, doors.ApiSection):
            return None
        found: dict[str, str] = {}
        for name in ("certificate", "key"):
            said = getattr(section, name)
            if said is None:
                continue
            found[name] = str(self.folder / said)
            if not (self.folder / said).is_file():
                self.mistakes.add(f"api.{name}", f"there is no file {self.folder / said}")
        return section.model_copy(update=found)

    def _holidays(self, site: Any, calendar: Any, schedule: Any) -> set[date]:
        if site is None or (calendar is not None and not calendar.public_holidays):
            return set()
        saved = self._clock_path(schedule) if schedule is not None else None
        clock = SpeedClock.load(saved) if saved is not None and saved.exists() else SystemClock()
        year = clock.now().year
        try:
            return assemble.public_holidays(site.country, range(year - 3, year + 3))
        except ValueError as error:
            self.mistakes.add("site.country", str(error))
            return set()

    def _clock_path(self, schedule: sections.ScheduleSection) -> Path | None:
        return None if schedule.clock is None else self.folder / schedule.clock

    def _store_url(self, url: str) -> str:
        """A relative SQLite file starts where config.yaml lies, wherever the command is run."""
        scheme, _, file = url.partition(":///")
        if not scheme.startswith("sqlite") or not file or file.startswith((":memory:", "/")):
            return url
        return f"{scheme}:///{self.folder / file}"


def _as(model: type[M], section: sections.Section | None) -> M:
    """A section as what it is; with no mistakes found, every needed one is there."""
    if not isinstance(section, model):
        raise TypeError(f"{model.__name__} was not read")
    return section
