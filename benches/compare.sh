#!/bin/sh
# Times smtplog against wc, ripgrep, grep, pflogsumm, eximstats and gzip on generated logs, after checking its counts.
#
#   benches/compare.sh [--install] [--rounds N] [SIZE ...]     sizes as 10MiB, 1GiB; default: 100MiB 1GiB
#
# Logs are made once and kept in ${SMTPLOG_BENCH_DIR:-target/bench}. Missing peers are skipped with a note;
# --install gets them by apt-get (Debian, as root). Needs cargo and python3, and two processors to be worth reading.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"

rounds=9
sizes=
while [ $# -gt 0 ]; do
    case $1 in
    --install) apt-get install -y --no-install-recommends pflogsumm ripgrep exim4-base ;;
    --rounds) shift; rounds=${1:?--rounds wants a number} ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *[0-9]KiB | *[0-9]MiB | *[0-9]GiB) sizes="$sizes $1" ;;
    *) echo "cannot read $1: give sizes such as 100MiB" >&2; exit 2 ;;
    esac
    shift
done
if [ "$rounds" -lt 7 ]; then
    echo "cannot compare in $rounds rounds: a median wants seven" >&2
    exit 2
fi

logs=${SMTPLOG_BENCH_DIR:-target/bench}
mkdir -p "$logs"

cargo build --release --bin smtplog

# A size in bytes, for what is too slow to be run on a large log.
bytes() {
    number=${1%??B}
    case $1 in
    *KiB) echo $((number * 1024)) ;;
    *MiB) echo $((number * 1048576)) ;;
    *GiB) echo $((number * 1073741824)) ;;
    esac
}

# The log is only named as wanted once it is whole.
generate() {
    name=$1
    shift
    if [ ! -f "$logs/$name.json" ] || [ -n "$(find benches/loggen -newer "$logs/$name.json" -name '*.rs')" ]; then
        echo "writing $name" >&2
        cargo bench --quiet --bench loggen -- "$@" --out "$logs/part" >&2
        mv "$logs/part" "$logs/$name"
        mv "$logs/part.json" "$logs/$name.json"
        rm -f "$logs/$name.gz"
    fi
}

set --
for size in ${sizes:-100MiB 1GiB}; do
    kind=large
    [ "$(bytes "$size")" -gt 209715200 ] || kind=small
    generate "postfix-$size.log" --mta postfix --size "$size"
    # Ids of the old form, since eximstats before 4.97 takes the new ones for no ids at all.
    generate "exim-$size.log" --mta exim --short-ids --size "$size"
    set -- "$@" "postfix:$kind:$logs/postfix-$size.log" "exim:$kind:$logs/exim-$size.log"
done

binary=$(cargo metadata --no-deps --format-version 1 | python3 -c \
    'import json, sys; print(json.load(sys.stdin)["target_directory"])')/release/smtplog

exec python3 benches/compare.py "$binary" "$rounds" "$@"
