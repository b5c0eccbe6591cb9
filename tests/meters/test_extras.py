"""Kinds that need a package more say which, before anything else goes wrong."""

import sys

import pytest

from energy.errors import LoadstoneError
from meters import mqtt, opcua
from tests.meters.listening import context

MQTT = mqtt.Settings.model_validate({"host": "h", "topic": "t", "quantities": {"power": {"unit": "W", "path": "p"}}})
OPCUA = opcua.Settings.model_validate(
    {"endpoint": "opc.tcp://h", "quantities": {"power": {"node": "i=1", "unit": "W"}}}
)


@pytest.mark.parametrize(
    ("kind", "said", "package", "extra"),
    [(mqtt, MQTT, "aiomqtt", "loadstone[mqtt]"), (opcua, OPCUA, "asyncua", "loadstone[opcua]")],
    ids=["mqtt", "opcua"],
)
def test_a_package_that_is_not_there_is_named(monkeypatch, kind, said, package, extra):
    for name in [n for n in sys.modules if n.startswith((f"{kind.__name__}.", package))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    for child in ("listener", "broker", "connection"):
        monkeypatch.delattr(kind, child, raising=False)
    with pytest.raises(LoadstoneError) as raised:
        kind.build(said, context())
    assert f"pip install '{extra}'" in str(raised.value)
