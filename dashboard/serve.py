"""The process that serves the screens; what the first page needs is loaded while the server starts."""

import threading
from importlib import import_module

from streamlit.web.cli import main as streamlit

NEEDED = ("altair", "pandas", "dashboard.parts", "dashboard.charts.pictures", "dashboard.charts.small", "energy.build")


def preload() -> None:
    for name in NEEDED:
        import_module(name)


if __name__ == "__main__":
    threading.Thread(target=preload, name="preload", daemon=True).start()
    streamlit(prog_name="streamlit")
