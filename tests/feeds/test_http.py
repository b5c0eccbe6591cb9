"""Real HTTP on this machine: through a proxy, to a stall, and only where it is allowed."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from energy.errors import FeedError, LoadstoneError
from energy.http import client, get_json, post_json


@contextmanager
def server(answer) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            answer(self)

        do_POST = do_GET

        def log_message(self, *args):
            pass

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.daemon_threads = True
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{serving.server_port}", asked
    finally:
        serving.shutdown()
        thread.join(5)
        serving.server_close()


def say(handler, status=200, body=b'{"a": 1}', kind="application/json"):
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def test_json_over_a_real_connection():
    with server(say) as (url, asked), client() as web:
        fetched = get_json(web, f"{url}/x", {"zone": "DE-LU"}, feed="f")
    assert fetched is not None
    assert (fetched.data, asked) == ({"a": 1}, ["/x?zone=DE-LU"])


def test_the_proxy_of_the_config_is_asked_and_no_one_else():
    with server(say) as (proxy, asked), client(proxy=proxy) as web:
        fetched = get_json(web, "http://127.0.0.1:9/price", feed="f")  # nobody listens on port 9
    assert fetched is not None
    assert asked == ["http://127.0.0.1:9/price"]


def test_a_proxy_in_the_environment_is_not_taken(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with server(say) as (url, asked), client() as web:
        assert get_json(web, url, feed="f") is not None
    assert asked == ["/"]


def test_a_stall_ends_in_time():
    over = threading.Event()

    def stall(handler):
        over.wait(20)
        handler.close_connection = True

    with server(stall) as (url, _), client(read_seconds=0.1, backoff_seconds=0.001) as web:
        with pytest.raises(FeedError, match="does not answer in time"):
            get_json(web, url, feed="f")
        over.set()


def test_half_an_answer_is_none():
    def half(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b'{"a":')
        handler.close_connection = True

    with server(half) as (url, _), client() as web, pytest.raises(FeedError, match=r"f: .*without sending complete"):
        get_json(web, url, feed="f")


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://example.com", "example.com", "file:///etc/passwd"])
def test_only_https_is_asked(url):
    with client() as web, pytest.raises(FeedError, match="only https is"):
        get_json(web, url, feed="f")


def test_a_closed_port_says_what_to_look_at():
    with (
        client(backoff_seconds=0.001) as web,
        pytest.raises(FeedError, match=r"127\.0\.0\.1:9 refused the connection.*network\.proxy"),
    ):
        get_json(web, "http://127.0.0.1:9/", feed="f")


def test_a_ca_bundle_is_loaded(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(LoadstoneError, match=r"network.ca_bundle"):
        client(ca_bundle=str(tmp_path / "ca.pem"))


def test_a_message_is_handed_over_once_or_said_not_to_be():
    bodies: list[object] = []

    def take(handler):
        bodies.append(json.loads(handler.rfile.read(int(handler.headers["Content-Length"]))))
        say(handler, 200 if len(bodies) == 1 else 500)

    with server(take) as (url, _), client() as web:
        post_json(web, url, {"text": "new offer"}, what="webhook")
        with pytest.raises(LoadstoneError, match=r"webhook: not handed over: 127\.0\.0\.1 answered 500"):
            post_json(web, url, {"text": "again"}, what="webhook")
    assert bodies == [{"text": "new offer"}, {"text": "again"}]
