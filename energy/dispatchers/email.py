"""E-mail to the people who answer offers."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from energy.errors import LoadstoneError
from energy.ports import Context

SECONDS = 20.0


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(description="the mail server")
    port: int = Field(587, ge=1, le=65535, description="587 for starttls, 465 for tls, 25 for none")
    security: Literal["starttls", "tls", "none"] = Field("starttls", description="how the connection is kept secret")
    user: str | None = Field(None, description="name at the mail server, where it asks for one")
    password: SecretStr | None = Field(None, description="from the environment: `${SMTP_PASSWORD}`")
    sender: str = Field("loadstone@localhost", description="address it comes from")
    to: tuple[str, ...] = Field(min_length=1, description="addresses it goes to")

    @model_validator(mode="after")
    def _no_password_in_the_open(self) -> Self:
        if self.password is not None and self.security == "none":
            raise ValueError("a password is sent only over starttls or tls; change security, or leave the password out")
        return self


class EmailNotifier:
    """Sends one message to all addresses."""

    name = "email"

    def __init__(self, settings: Settings, context: Context) -> None:
        self.settings = settings
        self.site = context.site.name
        self.ca_bundle = context.ca_bundle

    def notify(self, subject: str, text: str) -> None:
        settings = self.settings
        try:
            message = self._message(subject, text)
            with self._connection() as server:
                if settings.user is not None and settings.password is not None:
                    server.login(settings.user, settings.password.get_secret_value())
                refused = server.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise LoadstoneError(f"e-mail: not handed over to {settings.host} port {settings.port}: {error}") from error
        if refused:
            raise LoadstoneError(f"e-mail: {settings.host} does not take {', '.join(refused)}")

    def _message(self, subject: str, text: str) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = f"{self.site}: {' '.join(subject.split())}"
        message["From"] = self.settings.sender
        message["To"] = ", ".join(self.settings.to)
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid(domain="loadstone.invalid")
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        settings = self.settings
        trusted = ssl.create_default_context()
        if self.ca_bundle is not None:
            trusted.load_verify_locations(self.ca_bundle)
        if settings.security == "tls":
            with smtplib.SMTP_SSL(settings.host, settings.port, timeout=SECONDS, context=trusted) as server:
                yield server
            return
        with smtplib.SMTP(settings.host, settings.port, timeout=SECONDS) as server:
            if settings.security == "starttls":
                server.starttls(context=trusted)
            yield server


def build(settings: Settings, context: Context) -> EmailNotifier:
    return EmailNotifier(settings, context)
