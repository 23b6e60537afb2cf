"""Start a page: the one place that imports its server, and with it aiohttp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ainet_core.page.access import Access
from ainet_core.page.live import Live
from ainet_core.page.orders import Orders

if TYPE_CHECKING:
    from ainet_core.page.server import Page


def open_page(
    live: Live, orders: Orders, access: Access, port: int = 0, **settings: object
) -> tuple[Page, str]:
    """A page that serves, and its address.

    Args:
        settings: the other fields of `server.Settings`.

    Raises:
        ValueError: aiohttp is not installed; says what to install.
        OSError: the port is taken, or this machine has no such address.
    """
    try:
        from ainet_core.page.server import Page, Settings
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the operator's page needs {error.name}: pip install 'ainet_ros[page]'"
        ) from None
    page = Page(Settings(access, port, **settings), live, orders)  # type: ignore[arg-type]
    return page, page.start()
