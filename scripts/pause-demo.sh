#!/bin/sh
# The guide's script: stop what is billed by the hour without destroying anything; bring it back; show the state.
#
#   scripts/pause-demo.sh             stop services, database server and instances (asks first on a terminal)
#   scripts/pause-demo.sh --resume    bring them back as they were
#   scripts/pause-demo.sh --status    current state; changes nothing
#   scripts/pause-demo.sh --help      this text
#
# Anything else is given to `orchestrate pause`, `resume` or `status`: --chdir terraform, --tenant customer-a, --json …
# ORCHESTRATE names the program (default: the project's own, else the one on PATH).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
if [ -z "${ORCHESTRATE:-}" ]; then
  if [ -x "$here/.venv/bin/orchestrate" ]; then ORCHESTRATE=$here/.venv/bin/orchestrate; else ORCHESTRATE=orchestrate; fi
fi

case ${1:-} in
  --resume) shift; exec "$ORCHESTRATE" resume "$@" ;;
  --status) shift; exec "$ORCHESTRATE" status "$@" ;;
  -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p;}' "$0"; exit 0 ;;
esac
# On a terminal `pause` asks; where nobody can answer, calling the script was the answer.
if [ -t 0 ]; then exec "$ORCHESTRATE" pause "$@"; fi
exec "$ORCHESTRATE" pause --auto-approve "$@"
