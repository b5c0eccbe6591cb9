"""Kind `mqtt`: meters that publish to a broker, as JSON, as plain numbers, or as Sparkplug B."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from energy.errors import LoadstoneError
from energy.ports import Context, MeterListener
from meters.modbus import meter_of
from meters.mqtt.path import parse
from meters.wanted import Checked, NonEmpty, Wanted

EXTRA = "this kind of meter needs an extra package: pip install 'loadstone[mqtt]'"
SILENT_AFTER_SECONDS = 120.0


def _path(path: str) -> str:
    parse(path)
    return path


def _filter(topic: str) -> str:
    """A topic, or a filter with + for one level and # for all that follow."""
    levels = topic.split("/")
    bad = "#" in topic[:-1] or any(
        ("+" in level and level != "+") or ("#" in level and level != "#") for level in levels
    )
    if bad:
        raise ValueError(
            f"{topic!r} is no topic filter: + stands for one whole level, # for all that follow, at the end"
        )
    return topic


JsonPath = Annotated[str, AfterValidator(_path)]
Topic = Annotated[str, AfterValidator(_filter)]
Plain = ConfigDict(extra="forbid", frozen=True)


class Tls(BaseModel):
    """A connection that is encrypted and whose broker is known by its certificate."""

    model_config = Plain

    ca_file: str | None = Field(None, description="PEM of who signs the broker's certificate; else the machine's own")
    cert_file: str | None = Field(None, description="PEM of our own certificate, where the broker asks for one")
    key_file: str | None = Field(None, description="PEM of its key; may stand in `cert_file`")


class When(BaseModel):
    """Where a message says of which moment it is."""

    model_config = Plain

    path: JsonPath = Field(description="where it stands in the JSON")
    format: Literal["iso", "epoch s", "epoch ms"] = Field("iso", description="how it is written")
    zone: str = Field("", description="of ISO times without an offset; else the site's")


class Availability(BaseModel):
    """Where a device, or the broker in its last will, says whether it is there."""

    model_config = Plain

    topic: Topic
    path: JsonPath = Field("", description="where it stands, if the message is JSON")
    offline: str = Field("offline", description="what is said when it is gone; anything else: it is there")


class MqttQuantity(Wanted):
    """Where one quantity is said."""

    topic: Topic = Field("", description="if it is not the meter's `topic`")
    path: JsonPath = Field("", description="payload `json`: where the number stands")
    metric: str = Field("", description="payload `sparkplug`: its name in the birth message")


class Sparkplug(BaseModel):
    """Which edge node speaks for the meter."""

    model_config = Plain

    group: NonEmpty
    node: NonEmpty
    device: str = Field("", description="empty: the metrics are the node's own")
    rebirth: bool = Field(
        True, description="ask the node to introduce itself again after a gap; needs leave to publish"
    )


class Settings(BaseModel):
    """What config.yaml may say about a meter behind a broker. Meters of the same broker share one connection."""

    model_config = Plain

    id: str = Field("", description="which of the plant's meters this is")
    host: str = Field(min_length=1, description="the broker")
    port: int = Field(0, ge=0, le=65535, description="0: 1883, with `tls` 8883")
    tls: Tls | None = Field(None, description="`{}`: trust what the machine trusts")
    user: str | None = None
    password: str | None = Field(None, repr=False, description="`${NAME}` takes it from the environment")
    client_id: str = Field("", description="else made from the site's id; two collectors of one plant need two")
    mqtt_version: Literal[5, "3.1.1"] = 5
    payload: Literal["json", "raw", "sparkplug"] = "json"
    topic: Topic = Field("", description="of all quantities that name none")
    quantities: Annotated[dict[str, MqttQuantity], Checked] = Field(
        min_length=1, description="`power`, `total_import`, `total_export`, `voltage_l1` …"
    )
    time: When | None = Field(None, description="else a message is of the moment in which it comes")
    availability: Availability | None = None
    sparkplug: Sparkplug | None = None
    together_seconds: float = Field(2.0, ge=0, le=60, description="values of one reading lie at most so far apart")
    silent_after_seconds: float | None = Field(
        None, gt=0, description="without a value for so long it is dead: 120; with `sparkplug` only when it is said"
    )
    confirm_seconds: float = Field(
        60.0, gt=0, description="`sparkplug`: how often power that has not changed is said again"
    )
    keep_hours: float = Field(
        168.0, ge=0, le=8760, description="how long the broker keeps for us what it could not deliver"
    )

    @model_validator(mode="after")
    def _agree(self) -> "Settings":
        mistakes = list(self._mistakes())
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self

    def _mistakes(self) -> Any:
        if (self.payload == "sparkplug") != (self.sparkplug is not None):
            yield "payload sparkplug and `sparkplug: {group: …, node: …}` belong together"
        if self.payload == "sparkplug" and self.time is not None:
            yield "time: Sparkplug messages carry their own"
        if self.payload == "raw" and self.time is not None:
            yield "time: a plain number says none; it is of the moment in which it comes"
        for name, wanted in self.quantities.items():
            if self.payload == "sparkplug" and not wanted.metric:
                yield f"quantities.{name}.metric: is missing: which metric says it"
            if self.payload != "sparkplug" and not (wanted.topic or self.topic):
                yield f"quantities.{name}.topic: is missing, and the meter has no `topic` either"
        if self.tls is not None and self.tls.key_file and not self.tls.cert_file:
            yield "tls.key_file: needs a cert_file"
        if self.time is not None and self.time.zone and not _zone(self.time.zone):
            yield f"time.zone: no zone {self.time.zone!r}"

    @property
    def persistent(self) -> bool:
        """Whether the broker keeps for us what comes while we are away. Only what says when it was may come late."""
        return self.time is not None

    @property
    def silence_seconds(self) -> float | None:
        if self.silent_after_seconds is None and self.payload != "sparkplug":
            return SILENT_AFTER_SECONDS
        return self.silent_after_seconds


def _zone(name: str) -> bool:
    from energy.clock import zone_exists

    return zone_exists(name)


def build(settings: Settings, context: Context) -> MeterListener:
    """The listener of the meter that the settings belong to."""
    try:
        from meters.mqtt.listener import listener
    except ImportError as error:
        raise LoadstoneError(f"kind mqtt: {EXTRA} ({error})") from error
    return listener(settings, meter_of(settings.id, context), context)
