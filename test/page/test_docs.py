"""docs/operator_page.md names tests, keys and parameters that there are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "operator_page.md").read_text()


def test_every_attack_that_it_names_is_a_test():
    named = re.findall(r"`(test_\w+)\.py::(test_\w+)`", TEXT)
    assert len(named) >= 20
    for file, test in named:
        (path,) = ROOT.glob(f"test/*/{file}.py")
        assert f"def {test}(" in path.read_text(), f"{file}.py has no {test}"


def test_every_attack_test_is_named():
    tests = re.findall(
        r"def (test_\w+)\(", (ROOT / "test/page/test_server_attacks.py").read_text()
    )
    unnamed = [test for test in tests if test not in TEXT]
    assert unnamed == ["test_the_token_opens_the_page",
                       "test_an_owner_who_raises_costs_one_connection_and_no_page"]  # fmt: skip


def test_its_limits_are_the_codes():
    from ainet_core.page import conversation, server

    assert server.MAX_CLIENTS == 8
    assert "eight are served" in TEXT
    assert f"{server.MAX_CONNECTIONS} are held, each for {server.SILENT_S:.0f} s" in TEXT
    assert f"at most {conversation.MAX_RATE:.0f} a second" in TEXT
    assert f"more than {conversation.MAX_MESSAGE // 1024} kB" in TEXT
    assert f"after about {conversation.ORDERS_AT_ONCE:.0f}" in TEXT


def test_its_keys_are_the_scripts():
    script = (ROOT / "ainet_core/page/static/page.js").read_text()
    keys = re.search(r"const KEYS = \{(.*?)\};", script, re.DOTALL)[1]
    assert set(re.findall(r"^\s*(\w):", keys, re.MULTILINE)) == {"1", "2", "3", "b", "p", "r"}
    named = set(re.findall(r"`(\w)`", TEXT.split("| key |")[1].split("## ")[0]))
    assert named == {"1", "2", "3", "B", "P", "R"}


def test_its_picture_is_small():
    assert (ROOT / "docs" / "operator_page.jpg").stat().st_size <= 200_000
