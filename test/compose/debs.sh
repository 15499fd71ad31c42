#!/bin/sh
# debs.sh SUITE FOLDER PACKAGE...: unpacks packages of a Debian suite under FOLDER; nothing is installed.
set -eu
suite=$1 folder=$2
shift 2
state=$folder/.apt
mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
: >"$state/status"
echo "deb ${DEBIAN_MIRROR:?} $suite main" >"$state/sources.list"
apt() {
  apt-get -qq -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=- \
    -o "Dir::State::lists=$state/lists" -o "Dir::State::status=$state/status" \
    -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=root "$@"
}
apt update
cd "$folder"
apt download "$@"
for package in *.deb; do
  dpkg -x "$package" .
  rm "$package"
done
