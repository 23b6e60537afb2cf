"""Recordings are made by `bag_maker`, and tracked without a network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("rosbags", reason="the extra `recordings` is not installed")
sys.path.insert(0, str(Path(__file__).parent))  # bag_maker, walking_tracker: no package
