#!/usr/bin/env bash
# Guess: what pip resolves works: tensorboard 2.20 requires "setuptools>=41", so any newer setuptools will do.
# What happens: tensorboard 2.20 imports pkg_resources, which setuptools 82 has no longer. pip installs the two side by
# side, `pip check` is content, and the command `tensorboard` dies at its first import.
# For users: a venv of Python 3.11 hides it, as it brings setuptools 65; from 3.12 on pip takes the newest. tensorboard
# 2.21 is free of pkg_resources, so this project requires that.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
look() { # tensorboard's version: install it beside a new setuptools, and ask for its version
  venv/bin/pip install --quiet "tensorboard==$1" setuptools==82.0.0
  venv/bin/pip check
  echo "tensorboard $1 with setuptools 82.0.0:"
  venv/bin/tensorboard --version 2>&1 | tail -n 1
}
old=$(look 2.20.0 || true)
new=$(look 2.21.0)
printf '%s\n' "$old" "$new"
case $old in *"No module named 'pkg_resources'") ;; *) echo "the behaviour of 2.20.0 has changed"; exit 1 ;; esac
case $new in *2.21.0) ;; *) echo "the behaviour of 2.21.0 has changed"; exit 1 ;; esac
