#!/bin/sh
# What rerec does on a machine with one GPU, in at most nine minutes: figures as JSON in $OUT/device.json.
#   tests/device/run.sh [--wheels DIR] [--device cuda|cpu] [--tiny] [--model FOLDER]
# DIR holds, as wheels, what the machine's own Python lacks of requirements.lock; nothing is fetched.
# `--device cpu --tiny` is a check of this script itself, on a machine without a GPU. PYTHON names another interpreter than python3.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
if [ "${1:-}" = --wheels ]; then
  site=$(mktemp -d)
  "$python" -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --target "$site" "$2"/*.whl
  PYTHONPATH=$site
  shift 2
fi
PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH}
export PYTHONPATH
exec "$python" -m tests.device.journey --out "${OUT:-runs/device}" "$@"
