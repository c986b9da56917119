from tests.e2e.conftest import alive, cold

__all__ = ["alive", "cold"]
