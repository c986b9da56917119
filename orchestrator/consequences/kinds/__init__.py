"""One file per kind of consequence, each with its `KIND`; found by themselves, none imports another."""
