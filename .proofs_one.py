import sys, tempfile, traceback, os, shutil
from pathlib import Path
from tests.diagnose.patient import Patient
from tests.diagnose.trials import single, calm, CALM
folder=Path(tempfile.mkdtemp(prefix="proofs-one-"))/"cloud"
p=Patient.admit(folder)
try:
    assert p.heal(), p.examine().findings
    for name in sys.argv[1:]:
        try:
            print((calm if name in CALM else single)(p,name), flush=True)
        except Exception: traceback.print_exc()
finally:
    shutil.copy(folder/"cloud.log","/tmp/proofs_one.log")
    p.discharge()
