"""Where one is on the Meters page: a section, or one meter. It stands in the address, so that others can lead to it."""

from html import escape
from urllib.parse import urlencode

import streamlit as st

from energy.model.meter import Meter

SECTIONS = ("meters", "tree", "doubted", "bill", "boxes")
KEPT = ("who", "role")  # what a link inside the page takes along


def section() -> str:
    """The section that the address names; the table where it names none of ours."""
    said = st.query_params.get("section", SECTIONS[0])
    return said if said in SECTIONS else SECTIONS[0]


def go(name: str) -> None:
    if name == SECTIONS[0]:
        st.query_params.pop("section", None)
    else:
        st.query_params["section"] = name


def one_meter() -> str | None:
    """The id of the meter that is shown alone."""
    return st.query_params.get("meter")


def open_meter(id: str) -> None:
    st.query_params["meter"] = id


def leave_meter() -> None:
    st.query_params.pop("meter", None)


def link(meter: Meter, inner: str = "") -> str:
    """A link to a meter as HTML, with its name, or with HTML of one's own inside."""
    kept = {key: st.query_params[key] for key in KEPT if key in st.query_params}
    address = escape(urlencode({"meter": meter.id, **kept}))
    return f'<a class="open" href="?{address}" target="_self">{inner or escape(meter.name)}</a>'
