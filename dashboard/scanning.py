"""A scan that runs beside the page: it takes from seconds to minutes, and whoever started it may look elsewhere."""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from energy.errors import EnoughError, LoadstoneError
from energy.model.commissioning import FoundMeter
from energy.service import EnergyService

log = logging.getLogger("dashboard")


@dataclass
class Scan:
    """What is looked for, how far it is, and at the end what was found or why not."""

    host: str
    units: str = ""
    share: float = 0.0
    what: str = "connecting"
    found: Sequence[FoundMeter] | None = None
    trouble: str = ""
    began: float = field(default_factory=time.monotonic)
    enough: threading.Event = field(default_factory=threading.Event)

    def start(self, service: EnergyService) -> "Scan":
        threading.Thread(target=self._run, args=(service,), name=f"scan {self.host}", daemon=True).start()
        return self

    @property
    def over(self) -> bool:
        return self.found is not None or bool(self.trouble)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def stop(self) -> None:
        """What was found until now is enough."""
        self.enough.set()

    def _run(self, service: EnergyService) -> None:
        try:
            self.found = service.scan_meters(self.host, units=self.units, progress=self._tell)
        except LoadstoneError as error:
            self.trouble = str(error)
        except Exception:
            log.exception("the scan of %s failed", self.host)
            self.trouble = "The scan failed; the reason is in Loadstone's log."

    def _tell(self, share: float, what: str) -> None:
        self.share, self.what = share, what
        if self.enough.is_set():
            raise EnoughError("enough")
