#!/bin/sh
# Compares what Gitleaks finds with what crates/gitleaks-rs finds in its place (`--compat`), finding by finding and
# field by field; secrets are compared as hashes and never shown. Needs gitleaks 8.30.1 on PATH.
#
#   benches/compat.sh CONFIG SOURCE...
#
# A source is a folder, a file to be piped in (`stdin:FILE`) or the history of a repository (`git:FOLDER`).
# Ends with 1 if anything differs.
set -eu
[ $# -ge 2 ] || { sed -n '2,9p' "$0"; exit 2; }
config=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
cargo build --quiet --release --package gitleaks-rs --example compat
compat=${CARGO_TARGET_DIR:-target}/release/examples/compat
report=$(mktemp)
trap 'rm -f "$report"' EXIT
flags="--config=$config --report-format=json --report-path=$report --exit-code=0 --no-banner --log-level=error"
differs=0
for source in "$@"; do
    path=${source#*:}
    echo "== $source"
    start=$(date +%s.%N)
    # shellcheck disable=SC2086
    case $source in
    git:*) gitleaks git $flags --platform=none "$path" ;;
    stdin:*) gitleaks stdin $flags < "$path" ;;
    *) gitleaks dir $flags "$path" ;;
    esac
    echo "gitleaks took $(echo "$(date +%s.%N) - $start" | bc) s"
    case $source in
    git:*) git -C "$path" log -p -U0 --full-history --all --diff-filter=tuxdb | "$compat" "$config" "$report" log "$path" ;;
    stdin:*) "$compat" "$config" "$report" stdin < "$path" ;;
    *) "$compat" "$config" "$report" dir "$path" ;;
    esac || differs=1
done
exit $differs
