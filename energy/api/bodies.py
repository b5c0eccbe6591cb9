"""What came in a request, unpacked, and never more of it than is allowed: neither on the wire nor out of a gzip."""

import zlib

from starlette.requests import Request

WHOLE_GZIP = 31  # zlib's word for a gzip header and trailer


class BodyError(Exception):
    """A body that is not read: the status of the answer and why."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        super().__init__(why)


async def body_of(request: Request, most_bytes: int) -> bytes:
    """The body, unpacked. What grows beyond the limit is not read to its end."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise BodyError(415, f"content encoding {encoding[:40]!r} is not understood; send gzip or none")
    unpack = zlib.decompressobj(WHOLE_GZIP) if encoding == "gzip" else None
    parts: list[bytes] = []
    wire = size = 0
    async for part in request.stream():
        wire += len(part)
        piece = part if unpack is None else _unpacked(unpack, part, most_bytes - size)
        size += len(piece)
        if size > most_bytes or wire > most_bytes or (unpack is not None and unpack.unconsumed_tail):
            raise BodyError(413, f"more than {most_bytes / 1e6:g} MB (api.max_mb); send it in smaller parts")
        parts.append(piece)
    if unpack is not None and (not unpack.eof or unpack.unused_data):
        raise BodyError(400, "the gzip is cut off, or something follows it")
    return b"".join(parts)


def _unpacked(unpack: "zlib._Decompress", part: bytes, room: int) -> bytes:
    try:
        return unpack.decompress(part, max(room, 0) + 1)  # one byte more shows that there is more
    except zlib.error as error:
        raise BodyError(400, f"not gzip: {error}") from error
