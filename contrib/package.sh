#!/usr/bin/env bash
# Builds target/debian/smtplog_*.deb: the program, its manual pages, completions and an example configuration.
# Needs cargo-deb (cargo install cargo-deb). The name of a target builds for that target:
#   contrib/package.sh x86_64-unknown-linux-musl
set -euo pipefail
cd "$(dirname "$0")/.."
for_target=()
built="${CARGO_TARGET_DIR:-target}"
if [ $# -gt 0 ]; then
    for_target=(--target "$1")
    built="$built/$1"
fi
cargo build --release --locked "${for_target[@]}"
assets=target/assets
rm -rf "$assets"
mkdir -p "$assets"
"$built/release/smtplog" man --out "$assets/man"
"$built/release/smtplog" completions bash > "$assets/smtplog.bash"
"$built/release/smtplog" completions zsh > "$assets/_smtplog"
"$built/release/smtplog" completions fish > "$assets/smtplog.fish"
# Debian requires a changelog in its own format; ours is installed beside it.
version=$("$built/release/smtplog" --version)
cat > "$assets/changelog" <<END
smtplog (${version#smtplog }-1) unstable; urgency=medium

  * See changelog.gz.

 -- The smtplog authors <smtplog@example.org>  $(date -R -u -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}")
END
cargo deb --no-build --locked "${for_target[@]}"
