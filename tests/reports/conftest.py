from pathlib import Path

import pytest

from tests.reports.lived import Lived, live


@pytest.fixture(scope="package")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return live(Path(tmp_path_factory.mktemp("lived")))
