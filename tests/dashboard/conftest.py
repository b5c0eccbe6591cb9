"""Views opened over a state of the gallery, without a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import session
from dashboard.parts import VIEWS

APP = Path(session.__file__).parent / "app.py"


@pytest.fixture
def open_view(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open a view over a state; further words are the address's query."""

    def opened(view: str, state: str = "normal", **query: str) -> AppTest:
        monkeypatch.setenv("LOADSTONE_SERVICE", f"tests.dashboard.gallery:{state}")
        st.cache_resource.clear()
        st.cache_data.clear()
        at = AppTest.from_file(str(APP), default_timeout=120)
        for key, value in query.items():
            at.query_params[key] = value
        return (at if view == "overview" else at.switch_page(VIEWS[view])).run()

    return opened
