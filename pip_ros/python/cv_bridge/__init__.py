"""cv_bridge for machines where ROS 2 comes from PyPI, which lacks it.

Same names, signatures and behaviour as ROS 2 Jazzy's module (4.1) for what a tracker node uses;
the real one always comes first on the path. Written from the documented behaviour, not from its
source.
"""

from .core import CvBridge, CvBridgeError

__all__ = ["CvBridge", "CvBridgeError"]
