"""One file per point of a checklist, each with its `ITEM`; found by themselves, none imports another."""
