"""The entrance: theme, navigation in three sections, who acts, and the page that was chosen."""

from pathlib import Path

import streamlit as st

from dashboard import parts, session
from energy.errors import LoadstoneError

HERE = Path(__file__).parent

SECTIONS = {
    "Today": (
        ("overview", "Overview", "speed"),
        ("plan", "Plan", "view_timeline"),
        ("happened", "Something happened", "campaign"),
        ("sheet", "Shift sheet", "print"),
    ),
    "Proof": (
        ("savings", "Savings and carbon", "savings"),
        ("year", "Year and peaks", "landscape"),
        ("journal", "Assumptions, journal", "fact_check"),
    ),
    "Plant": (
        ("forecast", "Forecast", "show_chart"),
        ("meters", "Meters", "electric_meter"),
        ("machines", "Machines", "precision_manufacturing"),
        ("events", "Events", "notifications_active"),
    ),
}


def pages() -> dict[str, list[st.Page]]:
    return {
        section: [
            st.Page(
                HERE / parts.VIEWS[id],
                title=title,
                icon=f":material/{icon}:",
                url_path="" if id == "overview" else id,
                default=id == "overview",
            )
            for id, title, icon in views
        ]
        for section, views in SECTIONS.items()
    }


def acting() -> None:
    """Who acts in this browser: a name and a role that nobody verifies, said so."""
    session.remember_who()
    name, role = session.who()
    label = role if name == role else f"{name}, {role}"
    with st.sidebar.container(key="acting"), st.popover(label, icon=":material/person:", type="tertiary"):
        st.text_input("Your name", key="who", placeholder="as colleagues know you", max_chars=60)
        st.selectbox("Your role", session.roles(), key="role")
        st.caption("Kept in this browser and written beside each decision as *unverified*: there are no accounts yet.")


def main() -> None:
    st.set_page_config(
        page_title="Loadstone", page_icon=str(HERE / "icon.svg"), layout="wide", initial_sidebar_state=248
    )
    parts.style(session.theme())
    chosen = st.navigation(pages())
    try:
        acting()
    except LoadstoneError as error:
        parts.notice(f"**Loadstone cannot open this plant.** {error}", level="urgent")
        st.stop()
    chosen.run()


parts.guarded(main)()
