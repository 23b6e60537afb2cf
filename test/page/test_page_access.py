"""Who may talk to the page, judged from headers alone; then the same against the server."""

from __future__ import annotations

import pytest

from ainet_core.page.access import Access

TOKEN = "a-token-of-24-characters"
LOCAL, OPEN = Access("127.0.0.1"), Access("0.0.0.0", TOKEN)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.7.2", "robot", "robot.local", ""])
def test_a_page_for_other_machines_without_a_token_is_refused(host):
    with pytest.raises(ValueError, match="can be reached from other machines and needs a token"):
        Access(host)
    Access(host, TOKEN)


@pytest.mark.parametrize(
    "token", ["short", "fifteen-letters", "x" * 201, "with space " * 3, "ä" * 20]
)
def test_a_token_that_is_short_or_cannot_be_sent_is_refused(token):
    with pytest.raises(ValueError, match="must be 16 to 200 letters, digits, _ or -"):
        Access("127.0.0.1", token)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "LOCALHOST"])
def test_this_machine_alone_needs_no_token(host):
    assert Access(host).refusal({"Host": "localhost:1"}, live=True) is None


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8075", "localhost.evil.example", "127.0.0.1.evil.example",
     "192.168.7.2:8075", "localhost:80:80", "localhost:port", "a b", "[::1", "localhost:8075/x",
     "\u0430inet", "localhost,evil.example"],
)  # fmt: skip
def test_another_host_is_refused(host):
    """DNS rebinding: the browser thinks that the page is evil.example's own."""
    refusal = LOCAL.refusal({"Host": host, "Origin": f"http://{host}"}, live=True)
    assert refusal is not None
    assert refusal.status == 421


@pytest.mark.parametrize("host", ["192.168.7.2:8075", "[fe80::1]:8075", "localhost:9000"])
def test_an_address_is_no_name_that_somebody_could_point_here(host):
    headers = {"Host": host, "Authorization": f"Bearer {TOKEN}"}
    assert OPEN.refusal(headers, live=True) is None
    refusal = OPEN.refusal(headers | {"Host": "evil.example:8075"}, live=True)
    assert refusal is not None
    assert refusal.status == 421


def test_the_machines_own_names_are_known(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "Robot7")
    named = Access("rover.lan", TOKEN)
    for name in ("robot7", "robot7.local:8075", "ROVER.lan:8075"):
        assert named.refusal({"Host": name, "Authorization": f"bearer {TOKEN}"}, live=True) is None


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "", "http://localhost:3000", "http://127.0.0.1:8075",
     "file://", "http://localhost:8075.evil.example", "ws://localhost:8075"],
)  # fmt: skip
def test_another_origin_is_refused_another_port_of_this_machine_too(origin):
    for live in (True, False):
        refusal = LOCAL.refusal({"Host": "localhost:8075", "Origin": origin}, live=live)
        assert refusal is not None
        assert refusal.status == 403


def test_a_websocket_that_does_not_say_its_origin_is_refused():
    headers = {"Host": "localhost:8075", "Upgrade": "websocket"}
    refusal = LOCAL.refusal(headers, live=True)
    assert refusal is not None
    assert refusal.status == 403
    assert LOCAL.refusal(headers | {"Origin": "http://LOCALHOST:8075"}, live=True) is None


@pytest.mark.parametrize(
    "given",
    [{}, {"Authorization": ""}, {"Authorization": "Bearer "}, {"Authorization": f"Basic {TOKEN}"},
     {"Authorization": f"Bearer {TOKEN[:-1]}"}, {"Authorization": f"Bearer {TOKEN}x"},
     {"Authorization": "Bearer ünlesbar"}, {"Sec-WebSocket-Protocol": "ainet"},
     {"Sec-WebSocket-Protocol": "ainet, token.wrong-wrong-wrong"},
     {"Sec-WebSocket-Protocol": TOKEN}],
)  # fmt: skip
def test_no_token_or_a_wrong_one_is_refused(given):
    headers = {"Host": "10.0.0.7:8075", **given}
    refusal = OPEN.refusal(headers, live=True)
    assert refusal is not None
    assert refusal.status == 401
    assert OPEN.refusal(headers, live=False) is None  # the page's own files hold no secret


def test_the_token_comes_as_a_subprotocol_too():
    headers = {"Host": "10.0.0.7:8075", "Sec-WebSocket-Protocol": f"ainet, token.{TOKEN}"}
    assert OPEN.refusal(headers, live=True) is None
