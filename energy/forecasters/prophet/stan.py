"""Prophet's Stan backend as we use it: a quick way in, a wall-clock limit, no Newton fallback, no files left behind.

Importing this module imports Prophet (170 MB, 3 s).
"""

import json
from collections import OrderedDict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prophet.models import CmdStanPyBackend


class TimedStan(CmdStanPyBackend):
    """One optimization by L-BFGS in a child process.

    Prophet's own backend writes the data through a slow JSON writer, which takes ten times as long as the fit, and
    tries Newton where L-BFGS fails, which can stall for a minute.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def fit(self, stan_init: dict[str, Any], stan_data: dict[str, Any], **kwargs: Any) -> OrderedDict[str, Any]:
        """The parameters of the maximum a posteriori. TimeoutError or RuntimeError where there are none."""
        init, data = self.prepare_data(stan_init, stan_data)
        with TemporaryDirectory(prefix="loadstone-fit-") as folder:
            file = Path(folder) / "data.json"
            file.write_text(json.dumps(data))
            found = self.model.optimize(data=str(file), inits=init, algorithm="LBFGS", iter=10_000,
                                        timeout=self._seconds, output_dir=folder, **kwargs)  # fmt: skip
            params = self.stan_to_dict_numpy(found.column_names, found.optimized_params_np)
        return OrderedDict((name, values.reshape((1, -1))) for name, values in params.items())
