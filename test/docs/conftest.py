"""What users read is tested like code: links, commands, Python, the figure."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # documentation, checks, ...: no package
sys.path.insert(0, str(Path(__file__).parents[1] / "recordings"))  # bag_maker
sys.path.insert(0, str(Path(__file__).parents[1]))  # test_imports
