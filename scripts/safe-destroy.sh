#!/bin/sh
# The guide's safe-destroy.sh: backups first, then destroy. A thin call of `orchestrate destroy`, which does more:
# services stopped, database, files and index backed up and verified, what is left looked for.
#
#   scripts/safe-destroy.sh [-var-file=FILE …]     in Terraform's directory, or with --chdir DIR
set -eu
if [ -z "${ORCHESTRATE:-}" ]; then
  ours=$(dirname -- "$0")/../.venv/bin/orchestrate
  [ -x "$ours" ] && ORCHESTRATE=$ours || ORCHESTRATE=orchestrate
fi
exec "$ORCHESTRATE" destroy "$@"
