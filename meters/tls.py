"""Modbus/TCP Security: who we are, whom we trust, and what a refused certificate means in words."""

import ssl
from functools import lru_cache

from energy.errors import MeterError
from meters.line import Line

WORDS = {  # OpenSSL's numbers of what is wrong with the meter's certificate
    9: "the meter's certificate is not valid yet: is the clock of this machine right?",
    10: "the meter's certificate has expired: put a new one on the meter",
    18: "the meter's certificate is signed by itself: give that certificate as `ca_file`, if you trust it",
    19: "the meter's certificate is signed by an authority that `ca_file` does not hold",
    20: "the meter's certificate is signed by an authority that `ca_file` does not hold",
    21: "the meter's certificate is signed by an authority that `ca_file` does not hold",
    23: "the meter's certificate was revoked",
    62: "the meter's certificate is for another name: say the name that stands in it as `server_name`",
    64: "the meter's certificate is not for this address: say the name that stands in it as `server_name`",
}
ALERTS = {  # what the meter says of our certificate
    "certificate required": "the meter wants a client certificate and got none that it takes",
    "certificate expired": "our client certificate has expired: make a new `client_cert`",
    "unknown ca": "the meter does not know who signed our client certificate: put its authority on the meter",
    "bad certificate": "the meter does not take our client certificate: is it signed by the authority that it knows?",
    "certificate unknown": "the meter does not take our client certificate: is it signed by the authority that it knows?",
    "certificate revoked": "our client certificate was revoked",
    "access denied": "the meter knows our client certificate, and does not let it in",
    "protocol version": "the meter speaks no TLS 1.2 or newer, which Modbus/TCP Security asks for",
    "handshake failure": "the meter refused the handshake: it may want another client certificate or other ciphers",
    "wrong version number": "what answers there is not TLS: is it plain Modbus TCP (transport tcp, port 502)?",
}


@lru_cache(maxsize=256)
def context(line: Line) -> ssl.SSLContext:
    """TLS 1.2 or newer, both sides with a certificate. MeterError where a file is not what it should be."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_verify_locations(line.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise MeterError(f"ca_file {line.ca_file}: cannot be read as certificates in PEM ({_said(error)})") from error
    try:
        made.load_cert_chain(line.client_cert, line.client_key, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        both = f"client_cert {line.client_cert} and client_key {line.client_key}"
        raise MeterError(f"{both}: not a certificate and its key in PEM ({_said(error)})") from error
    return made


def _no_password() -> str:
    """Asked for by a key under a passphrase; OpenSSL would otherwise ask on the terminal of a service."""
    raise MeterError("the client_key is under a passphrase; give one without, readable only by this service")


def words(error: BaseException) -> str:
    """What went wrong with TLS, for a person."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return WORDS.get(error.verify_code, f"the meter's certificate is not taken: {error.verify_message}")
    said = str(error).lower().replace("_", " ")
    for alert, meaning in ALERTS.items():
        if alert in said:
            return meaning
    return f"TLS failed: {_said(error)}"


def _said(error: BaseException) -> str:
    return str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)
