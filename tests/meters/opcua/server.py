"""An OPC UA server in a process of its own, told over its standard input what its nodes say.

Each line is JSON: {"node": "Power", "value": 1.5, "status": "BadNoCommunication", "source": "2026-05-18T12:00:00+00:00"}.
"""

import asyncio
import json
import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from asyncua import Server, ua
from asyncua.crypto.permission_rules import SimpleRoleRuleset, User, UserRole
from asyncua.server.user_managers import UserManager

URI = "urn:meters.example"
POLICIES = [
    ua.SecurityPolicyType.NoSecurity,
    ua.SecurityPolicyType.Basic256Sha256_Sign,
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
]


class OneUser(UserManager):
    """Of those who say a name only loadstone, with its password."""

    def get_user(self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None) -> Any:
        known = username is None or (username, password) == ("loadstone", "correct horse")
        return User(role=UserRole.User) if known else None


async def main(port: int, folder: Path) -> None:
    logging.disable(logging.CRITICAL)
    server = Server(user_manager=OneUser())
    await server.init(shelf_file=folder / "shelf")
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy(POLICIES, permission_ruleset=SimpleRoleRuleset())
    await server.load_certificate(str(folder / "server.der"))
    await server.load_private_key(str(folder / "server-key.pem"))
    index = await server.register_namespace(URI)
    meter = await server.nodes.objects.add_object(f"ns={index};s=Meter", f"{index}:Meter")
    nodes = {}
    for name, unit, code in (("Power", "W", 5723220), ("Energy", "kWh", 4937544), ("Voltage", "", 0)):
        node = await meter.add_variable(f"ns={index};s=Meter.{name}", f"{index}:{name}", 0.0, ua.VariantType.Double)
        if unit:
            said = ua.EUInformation(UnitId=code, DisplayName=ua.LocalizedText(unit))
            await node.add_property(0, "EngineeringUnits", said)
        nodes[name] = node
    async with server:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            said = json.loads(line)
            value = ua.DataValue(ua.Variant(said.get("value")) if "value" in said else ua.Variant(0.0))
            value = ua.DataValue(
                Value=value.Value,
                StatusCode=ua.StatusCode(getattr(ua.StatusCodes, said.get("status", "Good"))),
                SourceTimestamp=datetime.fromisoformat(said["source"]),
            )
            await nodes[said["node"]].write_value(value)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
