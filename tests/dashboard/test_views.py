"""Each view in each state: it stands, it says its sentence, and what is clicked reaches the service once."""

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import session
from dashboard.parts import VIEWS
from tests.dashboard import gallery

APP = Path(session.__file__).parent / "app.py"
STATES = ("normal", "nothing", "empty", "silent_feed", "degraded", "meter_dead", "event_running", "failing")


@pytest.fixture
def open_view(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    def opened(view: str, state: str = "normal", **query: str) -> AppTest:
        monkeypatch.setenv("LOADSTONE_SERVICE", f"tests.dashboard.gallery:{state}")
        st.cache_resource.clear()
        st.cache_data.clear()
        at = AppTest.from_file(str(APP), default_timeout=60)
        for key, value in query.items():
            at.query_params[key] = value
        at.run()
        return at.switch_page(VIEWS[view]).run() if view != "overview" else at

    return opened


def plant() -> gallery.Gallery:
    service = session.service()
    assert isinstance(service, gallery.Gallery)
    return service


def words(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.get("html")).replace("\u00a0", " ")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_stands_in_every_state(open_view: Callable[..., AppTest], view: str, state: str) -> None:
    at = open_view(view, state)
    assert not at.exception
    text = words(at)
    assert "Traceback" not in text
    if state == "failing":
        assert "This part of the page failed" in text
    else:
        assert "failed." not in text
        assert 'class="sentence"' in text or "Shift sheet" in text
