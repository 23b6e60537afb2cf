"""What a browser may say, and nothing else."""

from __future__ import annotations

import pytest

from ainet_core.page.orders import (
    Correct,
    Done,
    Enable,
    Fill,
    Go,
    Mark,
    Reset,
    Shown,
    Target,
    Undo,
    View,
    parse,
)


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "null", "[]", "{}", "[" * 10_000, '{"shown": ' * 3000, '{"shown": -1}',
     '{"shown": true}', '{"shown": 1.5}', f'{{"shown": {2**60}}}', '{"reset": false}',
     '{"reset": 1}', '{"reset": true, "enable": true}', '{"enable": 1}', '{"enable": null}',
     '{"view": "infrared"}', '{"view": ["rgb"]}', '{"view": {"rgb": 1}}', '{"shutdown": true}',
     '{"target": [1, 2, 3]}', '{"target": [1, 2, 3, 0]}', '{"target": [1, 2, -3, 4]}',
     '{"target": [NaN, 2, 3, 4]}', '{"target": [1, 2, Infinity, 4]}', '{"target": "1234"}',
     '{"target": [1, 2, 1e300, 4]}', '{"target": [true, 2, 3, 4]}', '{"target": {"0": 1}}',
     '{"target": [1' + "0" * 4000 + ", 2, 3, 4]}", '{"target": [1' + "0" * 5000 + ", 2, 3, 4]}",
     '{"mark": []}', '{"mark": [[1, 2, 3]]}', '{"mark": [1, 2, 3, 4]}', '{"mark": 4}',
     '{"go": -1}', '{"go": true}', '{"go": "1"}', '{"fill": 1.5}', '{"undo": false}',
     '{"done": 1}', '{"correct": 3}', '{"correct": [3]}', '{"correct": [3, "nowhere"]}',
     '{"correct": [3, null]}', '{"correct": [-1, "absent"]}', '{"correct": ["3", "absent"]}',
     '{"correct": [3, [1, 2, 0, 4]]}', '{"correct": [3, [1, 2, NaN, 4]]}',
     '{"correct": [3, ["absent"]]}', '{"correct": [3, {"0": 1}]}',
     '{"mark": [' + ", ".join(["[1, 2, 3, 4]"] * 101) + "]}"],
    ids=lambda text: text[:30] or "nothing",
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"^expected (JSON|one order|shown)"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ('{"shown": 7}', Shown(7)),
        ('{"target": [1, -2.5, 3, 4]}', Target((1, -2.5, 3, 4))),
        ('{"reset": true}', Reset()),
        ('{"enable": false}', Enable(False)),
        ('{"view": "blend"}', View("blend")),
        ('{"go": 12}', Go(12)),
        ('{"fill": 0}', Fill(0)),
        ('{"undo": true}', Undo()),
        ('{"done": true}', Done()),
        ('{"correct": [3, [1, -2.5, 3, 4]]}', Correct(3, (1, -2.5, 3, 4))),
        ('{"correct": [3, "absent"]}', Correct(3, "absent")),
        ('{"correct": [0, "unknown"]}', Correct(0, "unknown")),
        ('{"mark": [[1, 2, 3, 4], [5, 6, 7, 8.5]]}', Mark(((1, 2, 3, 4), (5, 6, 7, 8.5)))),
    ],
)
def test_what_a_browser_says_is_read(text, order):
    assert parse(text) == order
