#!/usr/bin/env bash
# Gradescope runs this once, as root, while it builds the image: Python, PyTorch for the processor, and what judging needs.
set -euo pipefail
root=${AUTOGRADER:-/autograder}

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends ca-certificates python3-venv
python=python3
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then # Ubuntu 22.04 has both
  apt-get install -y --no-install-recommends python3.11-venv
  python=python3.11
fi

"$python" -m venv "$root/venv"
"$root/venv/bin/python" -m pip install --no-cache-dir --only-binary :all: -r "$root/source/requirements.txt"
"$root/venv/bin/python" -m compileall -q "$root/source/grader"
chmod -R go= "$root"/source/{solutions,secret,assignment.yaml} # for the judge alone; answers run as nobody
