"""Before any test module imports torch: the package sets how OpenMP waits, see its __init__."""

import ainet_core  # noqa: F401
