"""Notices by e-mail and webhook, to real servers on this machine."""

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import ValidationError

from energy.clock import HeldClock
from energy.dispatchers import email as mail
from energy.dispatchers import webhook
from energy.errors import LoadstoneError
from energy.model.site import Site
from energy.ports import Context

SITE = Site(id="p2", name="Plant 2", zone="UTC", currency="EUR", import_limit_kw=1, export_limit_kw=0)
CONTEXT = Context(site=SITE, clock=HeldClock(datetime(2026, 5, 18, 12, tzinfo=UTC)))


class MailServer(socketserver.StreamRequestHandler):
    """As much SMTP as a message needs; `refuse` in an address makes the server refuse it."""

    timeout = 5

    def handle(self):
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(" ")[0].split(":")[0].upper()
            if verb == "QUIT":
                return self.say("221 bye")
            if verb == "DATA":
                self.say("354 go on")
                self.server.messages.append(self.data())
                self.say("250 taken")
            elif verb == "RCPT" and "refuse" in line:
                self.say("550 nobody of that name")
            else:
                self.say("250 ok")
        return None

    def data(self):
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return email.message_from_bytes(b"".join(lines), policy=email.policy.default)

    def say(self, line):
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def serving(server) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


@pytest.fixture
def mails():
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer)
    server.daemon_threads = True
    server.messages = []
    with serving(server) as port:
        yield port, server.messages


def notifier(port, *to):
    settings = mail.Settings(host="127.0.0.1", port=port, security="none", sender="l@plant", to=to)
    return mail.build(settings, CONTEXT)


def test_a_message_arrives_with_its_text(mails):
    port, messages = mails
    notifier(port, "a@plant", "b@plant").notify("New offer:\nFurnace 3", "Coil rings 4 h 30 später\n.\nsaves 21 EUR")
    (message,) = messages
    assert message["Subject"] == "Plant 2: New offer: Furnace 3"
    assert (message["From"], message["To"]) == ("l@plant", "a@plant, b@plant")
    assert message.get_content().splitlines() == ["Coil rings 4 h 30 später", ".", "saves 21 EUR"]


def test_an_address_that_is_refused_is_named(mails):
    port, messages = mails
    with pytest.raises(LoadstoneError, match="does not take refuse@plant"):
        notifier(port, "a@plant", "refuse@plant").notify("s", "t")
    assert len(messages) == 1  # the other one has it
    with pytest.raises(LoadstoneError, match="not handed over"):
        notifier(port, "refuse@plant").notify("s", "t")


def test_no_mail_server_is_said():
    with pytest.raises(LoadstoneError, match=r"not handed over to 127\.0\.0\.1 port 9"):
        notifier(9, "a@plant").notify("s", "t")


def test_a_server_without_encryption_does_not_get_the_message(mails):
    port, messages = mails
    settings = mail.Settings(host="127.0.0.1", port=port, to=("a@plant",))
    with pytest.raises(LoadstoneError, match="STARTTLS"):
        mail.build(settings, CONTEXT).notify("s", "t")
    assert messages == []


def test_a_password_is_not_sent_in_the_open_nor_shown():
    with pytest.raises(ValidationError, match="only over starttls or tls"):
        mail.Settings(host="h", to=("a",), security="none", user="u", password="secret")
    assert "secret" not in repr(mail.Settings(host="h", to=("a",), user="u", password="secret"))


def test_a_webhook_gets_text_subject_site_and_time():
    bodies = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args):
            pass

    with serving(HTTPServer(("127.0.0.1", 0), Handler)) as port:
        made = webhook.build(webhook.Settings(url=f"http://127.0.0.1:{port}/secret-token"), CONTEXT)
        with made.client:
            made.notify("New offer", "Furnace 3 later")
    text = "Plant 2: New offer\nFurnace 3 later"
    assert bodies == [{"text": text, "subject": "New offer", "site": "p2", "at": "2026-05-18T12:00:00+00:00"}]


def test_a_webhook_that_cannot_be_reached_is_said_without_its_secret():
    made = webhook.build(webhook.Settings(url="http://127.0.0.1:9/secret-token"), CONTEXT)
    with made.client, pytest.raises(LoadstoneError, match="webhook: not handed over") as caught:
        made.notify("s", "t")
    assert "secret-token" not in str(caught.value)
