"""Sparkplug B payloads: what a message of an edge node holds, metric by metric.

Field numbers and data types are those of sparkplug_b.proto of Eclipse Tahu (github.com/eclipse/tahu), which the
Eclipse Sparkplug specification 3.0.0 names in chapter 6. Only what a meter needs is described here; a protobuf
decoder passes over the rest (data sets, templates, files).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

PACKAGE = "loadstone.sparkplug"
OPTIONAL, REPEATED = (
    descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
    descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED,
)
KINDS = {
    "uint32": descriptor_pb2.FieldDescriptorProto.TYPE_UINT32,
    "uint64": descriptor_pb2.FieldDescriptorProto.TYPE_UINT64,
    "float": descriptor_pb2.FieldDescriptorProto.TYPE_FLOAT,
    "double": descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
}
MESSAGES = {
    "PropertyValue": (
        (1, "type", "uint32"),
        (2, "is_null", "bool"),
        (3, "int_value", "uint32"),
        (4, "long_value", "uint64"),
        (5, "float_value", "float"),
        (6, "double_value", "double"),
        (7, "boolean_value", "bool"),
        (8, "string_value", "string"),
    ),
    "PropertySet": ((1, "keys", "string*"), (2, "values", "PropertyValue*")),
    "Metric": (
        (1, "name", "string"),
        (2, "alias", "uint64"),
        (3, "timestamp", "uint64"),
        (4, "datatype", "uint32"),
        (5, "is_historical", "bool"),
        (7, "is_null", "bool"),
        (9, "properties", "PropertySet"),
        (10, "int_value", "uint32"),
        (11, "long_value", "uint64"),
        (12, "float_value", "float"),
        (13, "double_value", "double"),
        (14, "boolean_value", "bool"),
        (15, "string_value", "string"),
    ),
    "Payload": ((1, "timestamp", "uint64"), (2, "metrics", "Metric*"), (3, "seq", "uint64")),
}
VALUES = ("int_value", "long_value", "float_value", "double_value", "boolean_value", "string_value")
GOOD_QUALITY = 192  # of the property Quality: 192 good, 500 stale, 0 bad


class DataType(IntEnum):
    """The data types that can hold a number."""

    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12


SIGNED_BITS = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}


class PayloadError(ValueError):
    """A message that is no Sparkplug B payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One value of an edge node. After the birth message only its alias stands for its name and type."""

    name: str = ""
    alias: int | None = None
    at: datetime | None = None
    datatype: int | None = None
    historical: bool = False
    null: bool = False
    good: bool = True  # the property Quality
    value: float | bool | str | None = None  # as it lies on the wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    at: datetime | None
    seq: int | None
    metrics: tuple[Metric, ...]

    def said(self, name: str) -> object:
        return next((m.value for m in self.metrics if m.name == name and not m.null), None)


def _pool() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="loadstone_sparkplug.proto", package=PACKAGE, syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field, kind in fields:
            made = message.field.add(name=field, number=number, label=REPEATED if kind.endswith("*") else OPTIONAL)
            one = kind.removesuffix("*")
            if one in KINDS:
                made.type = KINDS[one]
            else:
                made.type = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
                made.type_name = f".{PACKAGE}.{one}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)  # type: ignore[no-untyped-call, unused-ignore]  # an older protobuf leaves it untyped
    return pool


MESSAGE: Any = message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{PACKAGE}.Payload"))


def decode(payload: bytes) -> Payload:
    """What a message says. PayloadError where it is no Sparkplug B."""
    try:
        said = MESSAGE.FromString(payload)
    except DecodeError as error:
        raise PayloadError(f"no Sparkplug B payload: {error}") from error
    return Payload(
        at=_instant(said.timestamp) if said.HasField("timestamp") else None,
        seq=said.seq if said.HasField("seq") else None,
        metrics=tuple(_metric(metric) for metric in said.metrics),
    )


def _metric(said: Any) -> Metric:
    return Metric(
        name=said.name,
        alias=said.alias if said.HasField("alias") else None,
        at=_instant(said.timestamp) if said.HasField("timestamp") else None,
        datatype=said.datatype if said.HasField("datatype") else None,
        historical=said.is_historical,
        null=said.is_null,
        good=_good(said.properties),
        value=next((getattr(said, name) for name in VALUES if said.HasField(name)), None),
    )


def _good(properties: Any) -> bool:
    said = dict(zip(properties.keys, properties.values, strict=False))
    quality = said.get("Quality", said.get("quality"))
    if quality is None or quality.is_null:
        return True
    return int(quality.int_value or quality.long_value) == GOOD_QUALITY


def number(metric: Metric, datatype: int | None) -> float | None:
    """The number that a metric says; None where it is null, bad, or no number. Signed types lie on the wire as the
    unsigned ones of their width."""
    value = metric.value
    if metric.null or not metric.good or value is None or isinstance(value, bool | str):
        return None
    bits = SIGNED_BITS.get(DataType(datatype)) if datatype in list(DataType) else None
    if bits is not None and isinstance(value, int):
        value &= (1 << bits) - 1
        value -= (1 << bits) if value >> (bits - 1) else 0
    return float(value)


def rebirth(now: datetime) -> bytes:
    """The command by which a node is asked to introduce itself again."""
    said = MESSAGE(timestamp=int(now.timestamp() * 1000))
    said.metrics.add(
        name="Node Control/Rebirth",
        timestamp=int(now.timestamp() * 1000),
        datatype=DataType.BOOLEAN.value,
        boolean_value=True,
    )
    return bytes(said.SerializeToString())


def _instant(milliseconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
