"""What may stand in config.yaml about the door for edge boxes and gateways, and in edge.yaml about a box."""

import re
from typing import Annotated, Self

from pydantic import Field, model_validator

from energy.config.sections import Id, Port, Section
from energy.errors import Mistake

LEAST_TOKEN = 24  # characters; `loadstone api token` makes 43
LEAST_DIFFERENT = 8
KNOWN_WORDS = ("changeme", "password", "secret", "token", "example", "loadstone")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
Variable = Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")]


def variable_of(name: str) -> str:
    """The environment variable that holds a box's token, where the config names none."""
    return f"LOADSTONE_TOKEN_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}"


def weakness(token: str) -> str:
    """Why a token is no secret; empty where it can be one."""
    if any(token.lower().count(word) * len(word) * 2 > len(token) for word in KNOWN_WORDS):
        return "is a known word; `loadstone api token NAME` makes a token by chance"
    if len(token) < LEAST_TOKEN or len(set(token)) < LEAST_DIFFERENT:
        return (
            f"is too easy to guess; it needs {LEAST_TOKEN} characters by chance: `loadstone api token NAME` makes one"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        return "may hold only letters, digits and signs without spaces: `loadstone api token NAME` makes one"
    return ""


class CallerSection(Section):
    """Somebody who may call, by a token of its own."""

    name: Id = Field(description="its name; an edge box has it in its edge.yaml too")
    token_env: Variable = Field(
        "", description="environment variable with its token; `LOADSTONE_TOKEN_NAME` if not given"
    )

    @property
    def variable(self) -> str:
        return self.token_env or variable_of(self.name)


class BoxSection(CallerSection):
    """An edge box. Its meters name it: `kind: edge`, `box: NAME`."""


class GatewaySection(CallerSection):
    meters: tuple[Id, ...] = Field(min_length=1, description="ids of the meters (`kind: push`) that it may speak for")


class ApiSection(Section):
    """The door for edge boxes and gateways (see [how-to/edge-box.md](how-to/edge-box.md)); without this section it stays
    shut."""

    address: str = Field("127.0.0.1", description="address to listen on; loopback unless you mean otherwise")
    port: Port = Field(8502, description="port to listen on")
    certificate: str | None = Field(None, description="PEM file with the certificate chain, to speak TLS directly")
    key: str | None = Field(None, description="PEM file with the key of that certificate")
    plain: bool = Field(
        False, description="whether to speak without TLS beyond this machine, behind a proxy of your own that does"
    )
    max_mb: float = Field(16.0, gt=0, le=1_000, description="largest body that is taken, unpacked, MB")
    boxes: tuple[BoxSection, ...] = Field((), description="edge boxes, each with a token of its own")
    gateways: tuple[GatewaySection, ...] = Field((), description="what pushes readings by itself, each with its token")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if self.address not in LOOPBACK and self.certificate is None and not self.plain:
            raise ValueError(
                f"tokens would cross the network to {self.address} for all to read: give `certificate` and `key`, or stay on "
                "127.0.0.1 behind a proxy with TLS; `plain: true` where the proxy is another machine of a closed network"
            )
        callers: tuple[CallerSection, ...] = (*self.boxes, *self.gateways)
        names = [one.name for one in callers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the name {', '.join(twice)} stands twice; each box and gateway has its own")
        return self


class EdgeSection(Section):
    """A small box at the machines. This section stands in the box's own file, `edge.yaml`, beside `meters` and, where it
    is needed, `network`; it has no other sections."""

    name: Id = Field(description="name of the box, as in `api.boxes` of the centre")
    centre: str = Field(
        pattern=r"^https?://[^/\s]+(/\S*)?$", description="where the centre's door is: `https://energy.example:8502`"
    )
    token: str = Field(description="the box's token, from the environment: `${LOADSTONE_EDGE_TOKEN}`")
    buffer: str = Field("var/edge.sqlite", min_length=1, description="file that readings wait in")
    max_gb: float = Field(2.0, gt=0, le=10_000, description="how much room that file may take, GB")
    keep_hours: float = Field(
        24.0, ge=0, le=24 * 366, description="how long acknowledged readings stay, for a centre restored from a backup"
    )
    keep_minutes: int = Field(
        15,
        ge=1,
        le=1440,
        description="when room runs out: of each meter the readings at the edges of so many minutes stay",
    )
    catch_up_per_second: float = Field(
        5_000.0, gt=0, le=1e6, description="readings a second at most while catching up, so that the centre can breathe"
    )
    most_in_batch: int = Field(2_000, ge=1, le=20_000, description="readings in a batch at most")
    timeout_seconds: float = Field(30.0, gt=0, le=600, description="how long an answer of the centre may take")

    @model_validator(mode="after")
    def _safe(self) -> Self:
        scheme, _, rest = self.centre.partition("://")
        host = rest.split("/")[0]
        host = host[1 : host.index("]")] if host.startswith("[") and "]" in host else host.split(":")[0]
        if scheme == "http" and host not in LOOPBACK:
            raise ValueError(f"centre: the token would cross the network to {host} for all to read; use https")
        if not self.token.startswith("${") and (weak := weakness(self.token)):  # what is not set is said already
            raise ValueError(f"token: {weak}, on the centre")
        return self


def tokens(section: ApiSection, environ: dict[str, str]) -> tuple[dict[str, str], list[Mistake]]:
    """The token of each name, from the environment, and all that is wrong with them."""
    found: dict[str, str] = {}
    mistakes: list[Mistake] = []
    owner: dict[str, str] = {}
    groups: tuple[tuple[str, tuple[CallerSection, ...]], ...] = (
        ("boxes", section.boxes),
        ("gateways", section.gateways),
    )
    for group, listed in groups:
        for i, one in enumerate(listed):
            where, token = f"api.{group}[{i}]", environ.get(one.variable, "").strip()
            if not token:
                said = f"the environment variable {one.variable} is not set; `loadstone api token {one.name}` makes a token"
                mistakes.append(Mistake(where, said))
            elif weak := weakness(token):
                mistakes.append(Mistake(where, f"the token in {one.variable} {weak}"))
            elif token in owner:
                mistakes.append(Mistake(where, f"the token of {owner[token]} again; each has its own"))
            else:
                owner[token] = one.name
                found[one.name] = token
    return found, mistakes
