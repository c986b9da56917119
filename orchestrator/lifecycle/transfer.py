"""Copies of many objects between two buckets, made on S3's side: what is missing, and a crowd that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from orchestrator.aws.buckets import Buckets, Stored
from orchestrator.errors import counted

AT_ONCE = 24
SAY_EVERY = 2.0
"""Seconds between two words about the progress."""


@dataclass(frozen=True, slots=True)
class ListingDifference:
    """What separates two listings: objects to copy, keys to delete. Keys are relative, without any prefix."""

    missing: Mapping[str, Stored] = field(default_factory=dict)
    surplus: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """To copy."""
        return sum(one.size for one in self.missing.values())


def relative(found: Sequence[Stored], prefix: str) -> dict[str, Stored]:
    """By the key below the prefix."""
    return {one.key.removeprefix(prefix): one for one in found}


def gap(source: Mapping[str, Stored], target: Mapping[str, Stored]) -> ListingDifference:
    """Pure. A copy counts when it has the size and is no older than its original: ETags change in a copy."""

    def lacks(key: str, one: Stored) -> bool:
        copy = target.get(key)
        if copy is None or copy.size != one.size:
            return True
        return copy.etag != one.etag and copy.modified < one.modified

    missing = {key: one for key, one in source.items() if lacks(key, one)}
    return ListingDifference(missing, tuple(sorted(target.keys() - source.keys())))


def overwriting(source: Mapping[str, Stored], target: Mapping[str, Stored], since: float) -> ListingDifference:
    """Pure. The same where the target is to become the source, whatever was written to it before `since`."""

    def lacks(key: str, one: Stored) -> bool:
        there = target.get(key)
        return there is None or there.size != one.size or (there.etag != one.etag and there.modified < since)

    missing = {key: one for key, one in source.items() if lacks(key, one)}
    return ListingDifference(missing, tuple(sorted(target.keys() - source.keys())))


def copy_all(
    copier: Buckets,
    wanted: Mapping[str, Stored],
    place: Callable[[str], tuple[str, str]],
    source: str,
    *,
    monotonic: Callable[[], float],
    say: Callable[[str], None],
) -> None:
    """Copy each of `wanted` to the bucket and key that `place` gives for its relative key, telling how fast it goes.

    What was deleted or changed meanwhile is left: the next look sees it. The first error ends it.
    """
    began = told = monotonic()
    done, size, total = 0, 0, sum(one.size for one in wanted.values())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(copier.copy, source, one, *place(key)): one for key, one in wanted.items()}
        try:
            for future in as_completed(running):
                future.result()
                done, size = done + 1, size + running[future].size
                if monotonic() - told >= SAY_EVERY:
                    told = monotonic()
                    say(progress(done, len(wanted), size, total, told - began))
        except BaseException:  # also Ctrl-C: what has not begun is not copied any more
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def progress(done: int, of: int, size: int, total: int, seconds: float) -> str:
    """Pure: objects, bytes, rate, and the time it will take at that rate."""
    rate = size / seconds if seconds else 0.0
    left = f", {(total - size) / rate:.0f} s left" if rate else ""
    return f"{done} of {counted(of, 'object')}, {human(size)} of {human(total)}, {human(rate)}/s{left}"


def human(size: float) -> str:
    """Bytes as people say them."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
