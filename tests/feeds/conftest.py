from datetime import UTC, datetime

import pytest

from energy.clock import HeldClock
from energy.model.site import Site
from energy.ports import Context

NOW = datetime(2026, 1, 1, 13, 30, tzinfo=UTC)


@pytest.fixture
def context(tmp_path):
    site = Site(id="p", name="P", zone="Europe/Berlin", currency="EUR", import_limit_kw=1000, export_limit_kw=0)
    return Context(site=site, clock=HeldClock(NOW), folder=str(tmp_path))
