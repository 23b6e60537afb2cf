"""A generated RGB-thermal world: exact boxes, no files, a function of its seed alone.

`SyntheticWorld` is the demo's directed scene; `random_world` makes endless ones to train on;
`StagedWorld` does one thing as hard as asked, to find limits.
"""

from ainet_core.data.synthetic.random_world import RandomWorld, random_world
from ainet_core.data.synthetic.staged_world import StagedWorld
from ainet_core.data.synthetic.staging import Staging, stage
from ainet_core.data.synthetic.world import SyntheticWorld, WorldFrame, WorldView

__all__ = [
    "RandomWorld",
    "StagedWorld",
    "Staging",
    "SyntheticWorld",
    "WorldFrame",
    "WorldView",
    "random_world",
    "stage",
]
