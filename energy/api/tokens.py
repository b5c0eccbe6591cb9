"""Who is calling: one token for each box and gateway, compared by its hash and in constant time."""

import hashlib
import hmac
from collections.abc import Mapping


class Tokens:
    """The names that may call, each with the hash of its token. The tokens themselves are not kept."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._hashes = {name: _hash(token) for name, token in tokens.items()}

    def name_of(self, authorization: str) -> str | None:
        """Who has the token of an `Authorization: Bearer …` header; None for anybody else. All are compared, whichever it
        is, so that the time of the answer says nothing."""
        scheme, _, token = authorization.partition(" ")
        said = _hash(token.strip())
        found = None
        for name, known in self._hashes.items():
            if hmac.compare_digest(said, known):
                found = name
        return found if scheme.lower() == "bearer" else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
