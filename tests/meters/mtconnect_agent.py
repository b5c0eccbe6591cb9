"""A small MTConnect agent over real HTTP: probe, current and sample, with a buffer that runs over and instances that change.

The documents are as MTConnect 1.7 and 2.0 write them: header, namespaces, streams by component, error documents.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, quoteattr

# id, category, type, subType, units, component
ITEMS = (
    ("avail", "EVENT", "AVAILABILITY", "", "", ("dev", "Mill-1", "Device")),
    ("exec", "EVENT", "EXECUTION", "", "", ("path1", "path", "Path")),
    ("w1", "SAMPLE", "WATTAGE", "ACTUAL", "WATT", ("elec", "electric", "Electric")),
    ("e1", "SAMPLE", "ELECTRICAL_ENERGY", "ACTUAL", "WATT_SECOND", ("elec", "electric", "Electric")),
    ("v1", "SAMPLE", "VOLTAGE", "", "VOLT", ("elec", "electric", "Electric")),
    ("w2", "SAMPLE", "WATTAGE", "ACTUAL", "WATT", ("spindle", "S1", "Rotary")),
)


@dataclass
class Agent:
    """The agent's memory. `say` is what the machine's adapter does."""

    version: str = "2.0"
    size: int = 16
    instance: int = 1
    durations: dict[str, str] = field(default_factory=dict)
    port: int = 0
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.restart()

    def restart(self) -> None:
        """A new instance: the buffer is empty, nothing is known, sequences count from 1."""
        with self.lock:
            self.instance += 1
            self.next = 1
            self.buffer: deque[tuple[int, str, str, datetime]] = deque(maxlen=self.size)
            self.latest: dict[str, tuple[int, str, str, datetime]] = {}
        for item in ITEMS:
            self.say(item[0], "UNAVAILABLE")

    def say(self, item: str, value: object, at: datetime | None = None) -> None:
        with self.lock:
            said = (self.next, item, str(value), at or datetime.now(UTC))
            self.next += 1
            self.buffer.append(said)
            self.latest[item] = said

    def answer(self, path: str) -> tuple[int, str]:
        parts = urlsplit(path)
        *device, what = [unquote(part) for part in parts.path.strip("/").split("/")]
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        with self.lock:
            self.asked.append(what)
            if device and device[0] != "Mill-1":
                return 404, self.error("NO_DEVICE", f"Could not find the device '{device[0]}'")
            wanted = [item[0] for item in ITEMS if f'@id="{item[0]}"' in query.get("path", f'@id="{item[0]}"')]
            if what == "probe":
                return 200, self.devices()
            if what == "current":
                return 200, self.streams([self.latest[id] for id in wanted], self.next)
            if what == "sample":
                begin, count = int(query["from"]), int(query.get("count", "100"))
                first = self.buffer[0][0]
                if not first <= begin <= self.next:
                    return 404, self.error("OUT_OF_RANGE", f"'from' must be between {first} and {self.next}")
                seen = [s for s in self.buffer if s[0] >= begin and s[1] in wanted][:count]
                return 200, self.streams(seen, seen[-1][0] + 1 if len(seen) == count else self.next)
        return 404, self.error("UNSUPPORTED", what)

    def document(self, kind: str, header: str, body: str) -> str:
        namespace = f"urn:mtconnect.org:MTConnect{kind}:{self.version}"
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<MTConnect{kind} xmlns="{namespace}" xmlns:m="{namespace}">'
            f'<Header creationTime="{now}" sender="agent" instanceId="{self.instance}" version="{self.version}.0.1" '
            f'bufferSize="{self.size}" {header}/>{body}</MTConnect{kind}>'
        )

    def error(self, code: str, text: str) -> str:
        return self.document("Error", "", f'<Errors><Error errorCode="{code}">{escape(text)}</Error></Errors>')

    def devices(self) -> str:
        def items(component: str) -> str:
            rows = [
                f'<DataItem id="{id}" category="{category}" type="{type}"'
                + (f' subType="{subtype}"' if subtype else "")
                + (f' units="{units}" nativeUnits="{units}"' if units else "")
                + "/>"
                for id, category, type, subtype, units, (of, _, _) in ITEMS
                if of == component
            ]
            return f"<DataItems>{''.join(rows)}</DataItems>"

        body = (
            f'<Devices><Device id="dev" name="Mill-1" uuid="000-mill-1">{items("dev")}<Components>'
            f'<Axes id="axes" name="base"><Components><Rotary id="spindle" name="S1">{items("spindle")}</Rotary>'
            f'</Components></Axes><Controller id="cont"><Components><Path id="path1" name="path">{items("path1")}</Path>'
            f'</Components></Controller><Systems id="sys"><Components><Electric id="elec" name="electric">{items("elec")}'
            "</Electric></Components></Systems></Components></Device></Devices>"
        )
        return self.document("Devices", 'assetBufferSize="8" assetCount="0"', body)

    def streams(self, seen: list[tuple[int, str, str, datetime]], following: int) -> str:
        known = {item[0]: item for item in ITEMS}
        components: dict[tuple[str, str, str], dict[str, list[str]]] = {}
        for sequence, id, value, at in seen:
            _, category, type, subtype, _, component = known[id]
            tag = "".join(word.capitalize() for word in type.split("_"))
            stamp = quoteattr(at.isoformat().replace("+00:00", "Z"))
            row = f'<{tag} dataItemId="{id}" timestamp={stamp} sequence="{sequence}"'
            row += f' subType="{subtype}"' if subtype else ""
            row += f' duration="{self.durations[id]}"' if id in self.durations else ""
            group = "Samples" if category == "SAMPLE" else "Events"
            components.setdefault(component, {}).setdefault(group, []).append(f"{row}>{escape(value)}</{tag}>")
        body = "".join(
            f'<ComponentStream component="{kind}" name="{name}" componentId="{id}">'
            + "".join(f"<{group}>{''.join(rows)}</{group}>" for group, rows in groups.items())
            + "</ComponentStream>"
            for (id, name, kind), groups in components.items()
        )
        header = f'nextSequence="{following}" firstSequence="{self.buffer[0][0]}" lastSequence="{self.next - 1}"'
        device = f'<Streams><DeviceStream name="Mill-1" uuid="000-mill-1">{body}</DeviceStream></Streams>'
        return self.document("Streams", header, device)


@contextmanager
def served(agent: Agent) -> Iterator[Agent]:
    """The agent on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = agent.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", agent.port), Handler)
    agent.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield agent
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
