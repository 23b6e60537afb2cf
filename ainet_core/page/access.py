"""Who may talk to the page: judged from a request's headers alone.

Three things are asked. `Host` must be a name that this machine has, or an address: a site that
lets its own name point here (DNS rebinding) fails. `Origin`, where a browser sends it, must be the
page itself: other sites fail. And the token must fit, where there is one.
"""

from __future__ import annotations

import hmac
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

SUBPROTOCOL = "ainet"
TOKEN = r"[A-Za-z0-9_-]{16,200}"
TOKEN_PREFIX = "token."  # a browser can put a token nowhere else into a WebSocket's headers
_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})(?::\d{1,5})?")


@dataclass(frozen=True)
class Refusal:
    """Why a request is not answered."""

    status: int  # of HTTP
    sentence: str


@dataclass(frozen=True)
class Access:
    """The rules of one page.

    Args:
        host: name or address that the page is bound to.
        token: what a client must know; "" where everybody on this machine may use the page.

    Raises:
        ValueError: others than this machine can reach `host` and there is no token, or the token
            is short or has other characters than a URL takes.
    """

    host: str
    token: str = ""

    def __post_init__(self) -> None:
        if self.token and not re.fullmatch(TOKEN, self.token):
            raise ValueError(
                "the page's token must be 16 to 200 letters, digits, _ or -, "
                f"got {len(self.token)} characters"
            )
        if not self.token and not is_loopback(self.host):
            raise ValueError(
                f"a page on {self.host!r} can be reached from other machines and needs a token: "
                "16 letters or more, say from "
                "python3 -c 'import secrets; print(secrets.token_urlsafe())'; "
                "without one it must be on 127.0.0.1"
            )

    def refusal(self, headers: Mapping[str, str], *, live: bool) -> Refusal | None:
        """None where the request may be answered.

        Args:
            live: it asks for pictures or gives orders; the page's own files hold no secret and
                need no token, for a browser cannot send one along with them.
        """
        host = headers.get("Host", "")
        match = _HOST.fullmatch(host)
        if match is None or not self._is_ours(match["name"].strip("[]").lower()):
            return Refusal(421, f"this page is not {host!r}")
        origin = headers.get("Origin")
        if origin is not None and not _same(origin, host):
            return Refusal(403, f"the page takes no orders from {origin!r}")
        if not live:
            return None
        if origin is None and "Upgrade" in headers:
            return Refusal(403, "a browser says which page it shows, this request does not")
        if self.token and not hmac.compare_digest(_given(headers).encode(), self.token.encode()):
            return Refusal(401, "wrong token" if _given(headers) else "the page needs its token")
        return None

    def _is_ours(self, name: str) -> bool:
        if is_address(name):
            return is_loopback(name) or not is_loopback(self.host)
        own = socket.gethostname().lower()
        names = {"localhost"} if is_loopback(self.host) else {"localhost", own, f"{own}.local"}
        return name in names | {self.host.lower()}


def is_address(name: str) -> bool:
    """It is an IPv4 or IPv6 address, not a name."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Only this machine can reach it."""
    return host.lower() == "localhost" or (is_address(host) and ip_address(host).is_loopback)


def _same(origin: str, host: str) -> bool:
    # https: a proxy in front of the page may encrypt.
    return origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")


def _given(headers: Mapping[str, str]) -> str:
    """The token that a request brings."""
    kind, _, token = headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    offered = headers.get("Sec-WebSocket-Protocol", "").split(",")
    tokens = [each.strip() for each in offered if each.strip().startswith(TOKEN_PREFIX)]
    return tokens[0].removeprefix(TOKEN_PREFIX) if tokens else ""
