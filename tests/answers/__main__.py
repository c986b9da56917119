"""`python -m tests.answers`: write `answers.json` from AWS's recorded answers; with `moto`, `moto.json` from moto's."""

from __future__ import annotations

import json
import os
import sys

from tests.answers.beside import of_moto
from tests.answers.compared import write
from tests.answers.derived import FILE, derive

if __name__ == "__main__":
    if sys.argv[1:] == ["moto"]:
        write("moto", of_moto(os.environ.__setitem__))
    else:
        FILE.write_text(json.dumps(derive(), indent=1, sort_keys=True) + "\n")
