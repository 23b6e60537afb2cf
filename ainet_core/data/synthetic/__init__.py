"""A generated RGB-thermal world: exact boxes, no files, a function of its seed alone.

`SyntheticWorld` is the demo's directed scene; `random_world` makes endless ones to train on.
"""

from ainet_core.data.synthetic.world import SyntheticWorld, WorldFrame

__all__ = ["SyntheticWorld", "WorldFrame"]
