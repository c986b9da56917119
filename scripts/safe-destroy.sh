#!/bin/sh
# The guide's safe-destroy.sh: backups first, then destroy. A thin call of `orchestrate destroy`, which does more:
# it stops services, backs up database, files and index, verifies the backup, and looks for what is left.
#
#   scripts/safe-destroy.sh [-var-file=FILE …]     in Terraform's directory, or with --chdir DIR
set -eu
if [ -z "${ORCHESTRATE:-}" ]; then
  ours=$(dirname -- "$0")/../.venv/bin/orchestrate
  [ -x "$ours" ] && ORCHESTRATE=$ours || ORCHESTRATE=orchestrate
fi
exec "$ORCHESTRATE" destroy "$@"
