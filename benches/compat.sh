#!/bin/sh
# Compares what Gitleaks finds with what crates/gitleaks-rs finds in its place (`--compat`), finding by finding and
# field by field; secrets are compared as hashes and never shown. Needs gitleaks 8.30.1 on PATH or in
# target/peers/bin. Writes the table of docs/compat.md to standard output, and each difference to standard error.
#
#   benches/compat.sh CONFIG SOURCE...
#
# A source is a folder, a file to be piped in (`stdin:FILE`), the history of a repository (`git:FOLDER`), the same
# through a pipe (`log:FOLDER`), or a seed from which an agent's state (`state:SEED`) or a history of such states
# (`history:SEED`) is made. Ends with 1 if anything differs.
set -eu
[ $# -ge 2 ] || { sed -n '2,11p' "$0"; exit 2; }
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

# A history in which planted files change, are renamed, merged and called binary, under names that git quotes.
history() {
    git="git -C $folder/history -c user.name=dev -c user.email=dev@localhost -c core.hooksPath=/dev/null"
    git init --quiet --initial-branch=main "$folder/history"
    for seed in "$1" "$(($1 + 1))" "$(($1 + 2))"; do
        "$examples/plant" "$config" "$folder/state" "$seed"
        for file in "$folder"/state/storage/*[1-9].*; do
            kept=$folder/history/$(basename "$file")
            { head -n 40 "$kept" 2> /dev/null || :; tail -n 60 "$file"; } > "$folder/next"
            mv "$folder/next" "$kept"
        done
        $git add --all && $git commit --quiet --message="état $seed"
        $git branch "side$seed"
        $git mv 01.log "r\"enamed é $seed.txt"
        tail -n 20 "$folder/history/03.txt" > "$folder/history/01.log"
        tail -n 5 "$folder/history/07.log" >> "$folder/history/r\"enamed é $seed.txt"
        $git add --all && $git commit --quiet --message="renamed

and changed"
        $git checkout --quiet "side$seed"
        tail -n 20 "$folder/history/07.log" > "$folder/history/side $seed.txt"
        $git add --all && $git commit --quiet --message=side
        $git checkout --quiet main && $git merge --quiet --no-edit "side$seed"
    done
    echo '*.branch binary' > "$folder/history/.gitattributes"
    rm -rf "$folder/state"
}

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
    history:*)
        history "$path"
        name="history of states, seed $path" path=$folder/history kind=git
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
