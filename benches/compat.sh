#!/bin/sh
# Compares what Gitleaks finds with what crates/gitleaks-rs finds in its place (`--compat`), finding by finding and
# field by field; secrets are compared as hashes and never shown. Needs gitleaks 8.30.1 on PATH or in
# target/peers/bin. Writes the table of docs/compat.md to standard output, and each difference to standard error.
#
#   benches/compat.sh CONFIG SOURCE...
#
# A source is a folder, a file to be piped in (`stdin:FILE`), the history of a repository (`git:FOLDER`), the same
# through a pipe (`log:FOLDER`), or a seed from which an agent's state is made (`state:SEED`).
# Ends with 1 if anything differs.
set -eu
[ $# -ge 2 ] || { sed -n '2,12p' "$0"; exit 2; }
config=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
PATH=$PWD/target/peers/bin:$PATH
cargo build --quiet --release --package gitleaks-rs --example compat --example plant
examples=${CARGO_TARGET_DIR:-target}/release/examples
folder=$(mktemp -d)
report=$folder/report.json
trap 'rm -rf "$folder"' EXIT
flags="--config=$config --report-format=json --report-path=$report --exit-code=0 --no-banner --log-level=error"
differs=0
echo "| source | files or commits | MB | findings of gitleaks | of \`--compat\` | only gitleaks | only \`--compat\` | gitleaks, s | \`--compat\`, s |"
echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
for source in "$@"; do
    kind=${source%%:*} path=${source#*:}
    name=$(basename "$path")
    case $source in
    state:*)
        "$examples/plant" "$config" "$folder/state" "$path"
        name="agent state, seed $path" path=$folder/state kind=dir
        ;;
    git:* | log:* | stdin:*) name="$name, $kind" ;;
    *) kind=dir ;;
    esac
    case $kind in
    git | log)
        count=$(git -C "$path" rev-list --all --count)
        size=$(git -C "$path" log -p -U0 --full-history --all --diff-filter=tuxdb | wc -c)
        ;;
    *)
        count=$(find "$path" -type f -not -path '*/.git/*' | wc -l)
        size=$(find "$path" -type f -not -path '*/.git/*' -print0 | xargs -0 cat | wc -c)
        ;;
    esac
    start=$(date +%s.%N)
    # shellcheck disable=SC2086
    case $kind in
    git | log) gitleaks git $flags --platform=none "$path" ;;
    stdin) gitleaks stdin $flags < "$path" ;;
    *) gitleaks dir $flags "$path" ;;
    esac
    took=$(echo "$(date +%s.%N) - $start" | bc)
    printf '| %s | %d | %.1f | ' "$name" "$count" "$(echo "$size / 1000000" | bc -l)"
    case $kind in
    log)
        git -C "$path" log -p -U0 --full-history --all --diff-filter=tuxdb |
            "$examples/compat" "$config" "$report" "$took" log "$path"
        ;;
    stdin) "$examples/compat" "$config" "$report" "$took" stdin < "$path" ;;
    *) "$examples/compat" "$config" "$report" "$took" "$kind" "$path" ;;
    esac || differs=1
done
exit $differs
