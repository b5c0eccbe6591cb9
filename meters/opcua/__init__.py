"""Kind `opcua`: meters whose values are nodes of an OPC UA server (controllers, gateways, machine tools)."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from energy.errors import LoadstoneError
from energy.ports import Context, MeterListener
from meters.modbus import meter_of
from meters.wanted import Wanted, mistakes_of, some_unit

EXTRA = "this kind of meter needs an extra package: pip install 'loadstone[opcua]'"
NODE = re.compile(r"((ns=\d+|nsu=[^;]+);)?([isgb])=.+")
PATH = re.compile(r"\d+:[^/]+(/\d+:[^/]+)*")
Plain = ConfigDict(extra="forbid", frozen=True)


def _node(node: str) -> str:
    if node and NODE.fullmatch(node) is None:
        raise ValueError(f"{node!r} is no node: write it like ns=2;s=Meter1.Power, or with nsu=URI; for the namespace")
    return node


def _path(path: str) -> str:
    if path and PATH.fullmatch(path) is None:
        raise ValueError(f"{path!r} is no path: write it like 2:Meter1/2:Power, from the folder Objects on")
    return path


class OpcQuantity(BaseModel):
    """The node of one quantity."""

    model_config = Plain

    node: Annotated[str, AfterValidator(_node)] = Field("", description="NodeId: `ns=2;s=Meter1.Power`, `nsu=URI;i=17`")
    path: Annotated[str, AfterValidator(_path)] = Field(
        "", description="or browse names from Objects: `2:Meter1/2:Power`"
    )
    unit: str | None = Field(None, description="if the node does not say it itself (EngineeringUnits)")
    scale: float = Field(1.0, description="what the value is multiplied with first")

    def wanted(self, unit: str) -> Wanted:
        return Wanted(unit=unit, scale=self.scale)


class Settings(BaseModel):
    """What config.yaml may say about a meter on an OPC UA server. Meters of the same server share one connection."""

    model_config = Plain

    id: str = Field("", description="which of the plant's meters this is")
    endpoint: str = Field(pattern=r"^opc\.tcp://[^/@]+", description="`opc.tcp://plc.example:4840`, without user")
    security: Literal["none", "Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"] = "none"
    mode: Literal["sign", "sign and encrypt"] = "sign and encrypt"
    cert_file: str | None = Field(None, description="our certificate, PEM or DER; the server has to trust it")
    key_file: str | None = Field(None, description="its key")
    server_cert_file: str | None = Field(
        None, description="the server's certificate; else the one that it shows is taken"
    )
    user: str | None = None
    password: str | None = Field(None, repr=False, description="`${NAME}` takes it from the environment")
    quantities: dict[str, OpcQuantity] = Field(
        min_length=1, description="`power`, `total_import`, `total_export`, `voltage_l1` …"
    )
    subscribe: bool = Field(True, description="be told of changes; else, or where the server cannot, ask")
    sample_seconds: float = Field(1.0, gt=0, le=3600, description="how often the server looks, or is asked")
    together_seconds: float = Field(1.0, ge=0, le=60, description="values of one reading lie at most so far apart")
    confirm_seconds: float = Field(60.0, gt=0, description="how often power that has not changed is said again")

    @model_validator(mode="after")
    def _agree(self) -> "Settings":
        mistakes = list(self._mistakes())
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    def _mistakes(self) -> Any:
        yield from mistakes_of({n: q.wanted(q.unit or some_unit(n)) for n, q in self.quantities.items()})
        for name, quantity in self.quantities.items():
            if bool(quantity.node) == bool(quantity.path):
                yield f"quantities.{name}: name its node or its path, one of the two"
        if self.security != "none" and not (self.cert_file and self.key_file):
            yield f"security {self.security} needs cert_file and key_file"
        if self.security == "none" and (self.cert_file or self.server_cert_file):
            yield "certificates are only used with a security policy: say security"
        if self.password is not None and self.user is None:
            yield "password: whose? say user"


def build(settings: Settings, context: Context) -> MeterListener:
    """The listener of the meter that the settings belong to."""
    try:
        from meters.opcua.listener import listener
    except ImportError as error:
        raise LoadstoneError(f"kind opcua: {EXTRA} ({error})") from error
    return listener(settings, meter_of(settings.id, context), context)
