from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestrator.local.toolchain import third_party


def test_the_null_provider_may_be_asked_for_by_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their drafts had one name: who came second found its own moved away."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / f"terraform-provider-null_v{third_party.NULL_VERSION}_x4").write_text("a provider")
    monkeypatch.setattr(third_party, "installed", lambda _package, _tools: tmp_path)
    together = threading.Barrier(8)

    def ask(_number: int) -> Path:
        together.wait()
        return third_party.null_mirror(tmp_path, "127.0.0.1:1")

    with ThreadPoolExecutor(8) as pool:
        for _ in range(25):
            (mirrored,) = set(pool.map(ask, range(8)))
            (provider,) = [path for path in mirrored.rglob("*") if path.is_file()]
            provider.unlink()
