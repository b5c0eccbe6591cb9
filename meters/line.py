"""What makes one physical line to meters, and how config.yaml says it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from energy.errors import ConfigError, Mistake


class Transport(StrEnum):
    """How Modbus travels."""

    TCP = "tcp"
    RTU_OVER_TCP = "rtu-over-tcp"  # a gateway that passes the serial frames on as they are
    SERIAL = "serial"
    TLS = "tls"  # Modbus/TCP Security


PORTS = {Transport.TCP: 502, Transport.RTU_OVER_TCP: 502, Transport.TLS: 802}

Parity = Literal["none", "even", "odd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """All that makes one line. Two equal lines are one: they share a connection, one request at a time."""

    transport: Transport = Transport.TCP
    host: str = ""
    port: int = 502
    device: str = ""
    baudrate: int = 0
    parity: Parity = "none"
    stop_bits: int = 1
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    server_name: str = ""

    @property
    def address(self) -> str:
        """Where it leads, for a person."""
        return self.device if self.transport is Transport.SERIAL else f"{self.host}:{self.port}"

    @property
    def numbers_requests(self) -> bool:
        """Whether an answer says which request it belongs to; serial frames do not."""
        return self.transport in (Transport.TCP, Transport.TLS)

    @property
    def silence_seconds(self) -> float:
        """The silence that ends a frame: 3.5 characters on a wire, nothing where frames have a length."""
        if self.transport is not Transport.SERIAL:
            return 0.0
        bits = 1 + 8 + (self.parity != "none") + self.stop_bits
        return max(3.5 * bits / self.baudrate, 0.00175)  # the standard's least, above 19 200 baud


SERIAL_KEYS = ("device", "baudrate", "parity", "stop_bits")
TLS_KEYS = ("ca_file", "client_cert", "client_key", "server_name")


class LineSettings(BaseModel):
    """What config.yaml may say about the way to a Modbus meter; kinds that speak Modbus begin with it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    transport: Transport = Field(Transport.TCP, description="`rtu-over-tcp`: a gateway that passes serial frames on")
    host: str = Field("", description="address of the meter or its gateway; needed unless it is a serial line")
    port: int = Field(502, ge=1, le=65535, description="802 with `tls`")
    device: str = Field("", description="serial: /dev/serial/by-id/…, /dev/ttyUSB0, COM3")
    baudrate: int = Field(19200, ge=300, le=4_000_000, description="serial")
    parity: Parity = Field("even", description="serial")
    stop_bits: Literal[1, 2] = Field(1, description="serial")
    ca_file: str = Field("", description="tls: the authority that signed the meter's certificate, PEM")
    client_cert: str = Field("", description="tls: our certificate, PEM")
    client_key: str = Field("", description="tls: its key, PEM, without a passphrase")
    server_name: str = Field("", description="tls: the name in the meter's certificate, where it is not the host")
    unit: int = Field(1, ge=0, le=255, description="Modbus unit (slave) number")
    timeout_seconds: float = Field(1.0, gt=0, le=60, description="how long an answer may take")
    pause_ms: float | None = Field(
        None, ge=0, le=10_000, description="silence between an answer and the next request; learned if not said"
    )
    echoes_unit: bool = Field(True, description="false: a gateway that answers as unit 0 or 255, whoever was asked")

    @model_validator(mode="before")
    @classmethod
    def _usual_port(cls, said: Any) -> Any:
        if isinstance(said, dict) and said.get("transport") == Transport.TLS and "port" not in said:
            return said | {"port": PORTS[Transport.TLS]}
        return said

    @model_validator(mode="after")
    def _whole(self) -> "LineSettings":
        mistakes = self._line_mistakes()
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    def _line_mistakes(self) -> list[str]:
        said = self.model_fields_set
        serial, tls = self.transport is Transport.SERIAL, self.transport is Transport.TLS
        found = []
        if serial and not self.device:
            found.append("transport serial needs `device`, such as /dev/ttyUSB0")
        if serial and said & {"host", "port"}:
            found.append(
                "a serial line has a `device`, no `host` and no `port`; a gateway is transport rtu-over-tcp or tcp"
            )
        if not serial and not self.host:
            found.append(f"transport {self.transport} needs `host`")
        if not serial and said & set(SERIAL_KEYS):
            found.append(f"{_named(said, SERIAL_KEYS)} belong to transport serial, here it is {self.transport}")
        if not tls and said & set(TLS_KEYS):
            found.append(f"{_named(said, TLS_KEYS)} belong to transport tls, here it is {self.transport}")
        if tls:
            missing = [key for key in TLS_KEYS[:3] if not getattr(self, key)]
            found += [f"transport tls needs {' and '.join(f'`{key}`' for key in missing)}"] if missing else []
        if not self.echoes_unit and self.transport is Transport.SERIAL:
            found.append("`echoes_unit: false` is for gateways; on a serial line every unit answers as itself")
        return found

    def line(self, folder: str = ".") -> Line:
        """The line that the meter hangs on. ConfigError where a certificate's file is not there."""
        if self.transport is Transport.SERIAL:
            return Line(
                transport=self.transport,
                port=0,
                device=self.device,
                baudrate=self.baudrate,
                parity=self.parity,
                stop_bits=self.stop_bits,
            )
        if self.transport is not Transport.TLS:
            return Line(transport=self.transport, host=self.host, port=self.port)
        files = {key: Path(folder) / getattr(self, key) for key in TLS_KEYS[:3]}
        lost = [Mistake(key, f"there is no file {path}") for key, path in files.items() if not path.is_file()]
        if lost:
            raise ConfigError(f"{self.host}:{self.port}", lost)
        return Line(
            transport=self.transport,
            host=self.host,
            port=self.port,
            ca_file=str(files["ca_file"].resolve()),
            client_cert=str(files["client_cert"].resolve()),
            client_key=str(files["client_key"].resolve()),
            server_name=self.server_name,
        )


def _named(said: set[str], keys: tuple[str, ...]) -> str:
    return ", ".join(f"`{key}`" for key in keys if key in said)
