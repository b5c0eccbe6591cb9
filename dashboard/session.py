"""What one browser session has in hand: the service, who acts, the inks, and the pages read from the service.

Reads are kept for a few seconds for all sessions together; an action makes them fresh at once.
"""

import os
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import streamlit as st

from dashboard.colours import Inks, inks
from energy.errors import DecisionRefusedError, LoadstoneError
from energy.reports.pages import Consequence, Done, Header, MeterPage, Place, SavingsPage, ShiftSheet
from energy.service import EnergyService

CONFIG = "LOADSTONE_CONFIG"
FACTORY = "LOADSTONE_SERVICE"  # "module:function" that returns an EnergyService; for tests and for pictures
FRESH_SECONDS = 5
ROLES_BY_DEFAULT = ("planner", "energy manager", "shift lead")


@st.cache_resource(show_spinner="Opening the plant …")
def service() -> EnergyService:
    """The one service of this process."""
    if factory := os.environ.get(FACTORY):
        module, function = factory.split(":")
        made: EnergyService = getattr(import_module(module), function)()
        return made
    config = os.environ.get(CONFIG, "config.yaml")
    if not Path(config).exists():
        raise LoadstoneError(
            f"There is no {config}. Start with `loadstone dashboard --config FILE`, or `loadstone init`."
        )
    return import_module("energy.build").build_service(Path(config))


@st.cache_data(ttl=FRESH_SECONDS, max_entries=64, show_spinner=False)
def _kept(name: str, arguments: tuple[Any, ...]) -> Any:
    return getattr(service(), name)(*arguments)


def read(name: str, *arguments: Any) -> Any:
    """A page of the service by the name of its call, a few seconds old at most."""
    return _kept(name, arguments)


def header() -> Header:
    return read("header")


def meter(id: str) -> MeterPage:
    return read("meter_page", id)


def savings(month: str | None) -> SavingsPage:
    return read("savings_page", month)


def sheet(start: datetime | None) -> ShiftSheet:
    return read("shift_sheet", start)


def places(offer: str, job: str) -> tuple[Place, ...]:
    return read("places", offer, job)


def consequence(fact: Any) -> Consequence:
    return service().consequence(fact)


def fresh() -> None:
    """Forget what was read: something has changed."""
    _kept.clear()


def theme() -> Inks:
    """The inks for this browser's background."""
    return inks(st.context.theme.type)


# --- who acts ---------------------------------------------------------------------------------------------------


def who() -> tuple[str, str]:
    """(name, role) as chosen in this browser; nobody has verified them. Without a name the role stands for it."""
    role = st.session_state.get("role") or roles()[0]
    return (st.session_state.get("who") or "").strip() or role, role


def roles() -> tuple[str, ...]:
    return tuple(service().roles) or ROLES_BY_DEFAULT


def remember_who() -> None:
    """Take name and role from the address on the first run, and keep them there, so that a bookmark keeps them."""
    for key in ("who", "role"):
        if key not in st.session_state:
            said = st.query_params.get(key, "")
            st.session_state[key] = said if key == "who" or said in roles() else roles()[0]
        elif st.session_state[key] and st.query_params.get(key) != st.session_state[key]:
            st.query_params[key] = st.session_state[key]


# --- actions ----------------------------------------------------------------------------------------------------


def once(key: str) -> str:
    """An id made once for a card and an action, so that a double click is one decision."""
    ids = st.session_state.setdefault("ids", {})
    if key not in ids:
        ids[key] = uuid4().hex
    return ids[key]


def act(key: str, call: Callable[[], Done]) -> Done:
    """Do something once: a second click gets the first answer, a refused one may be tried again with a new id."""
    answers: dict[str, Done] = st.session_state.setdefault("answers", {})
    id = once(key)
    if id in answers:
        return answers[id]
    try:
        done = call()
    except DecisionRefusedError as refused:
        done = Done(ok=False, text=refused.why, possible=refused.possible)
    if done.ok:
        answers[id] = done
    else:
        st.session_state["ids"].pop(key, None)
    st.session_state["said"] = done
    fresh()
    return done


def said() -> Done | None:
    """What the last action answered; told once."""
    return st.session_state.pop("said", None)
