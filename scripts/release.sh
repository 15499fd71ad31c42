#!/bin/sh
# release.sh VERSION [--dry-run]: makes a release of this checkout: sets the version, dates the changelog, packs, writes
# an SBOM, commits and tags. It publishes and pushes nothing, but prints how to. With --dry-run it makes the files
# only: no commit, no tag.
set -eu

fail() {
  echo "release: $*" >&2
  exit 1
}
usage='usage: scripts/release.sh VERSION [--dry-run], with a VERSION like 1.2.3'

[ $# -ge 1 ] && [ $# -le 2 ] || fail "$usage"
version=$1
printf '%s\n' "$version" | grep -Eqx '(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}' || fail "$usage"
dry=
if [ $# -eq 2 ]; then
  [ "$2" = --dry-run ] || fail "$usage"
  dry=yes
fi

cd "$(dirname "$0")/.."
npm() { scripts/with-node.sh npm "$@"; }
node() { scripts/with-node.sh node "$@"; }
tag=v$version
changed='package.json package-lock.json CHANGELOG.md'

[ -z "$(git status --porcelain)" ] || fail 'the tree has changes that are not committed'
git rev-parse --quiet --verify "refs/tags/$tag" >/dev/null && fail "the tag $tag exists"
before=$(node -p "require('./package.json').version")
newer=$(printf '%s\n' "$before" "$version" | sort -V | tail -n 1)
[ "$before" != "$version" ] && [ "$newer" = "$version" ] || fail "$version is not later than $before"
# What is between the heading and the next one.
[ -n "$(sed -n '/^## \[Unreleased\]$/,/^## \[[0-9]/p' CHANGELOG.md | grep '^- ')" ] ||
  fail 'CHANGELOG.md has nothing under [Unreleased]'
npm_version=$(npm --version)
[ "${npm_version%%.*}" -ge 10 ] || fail "npm $npm_version cannot write an SBOM; npm 10 or later can"
make check >&2 || fail 'make check is red'

folder=.cdvault/release/$version
rm -rf "$folder"
mkdir -p "$folder"
# Until the commit, a failure or Ctrl-C leaves the tree as it was.
# shellcheck disable=SC2086 # a list of names
trap 'git checkout --quiet HEAD -- $changed' EXIT
trap 'exit 130' INT TERM HUP
npm version "$version" --no-git-tag-version --ignore-scripts >/dev/null
today=$(date -u +%Y-%m-%d)
sed "s/^## \[Unreleased\]\$/&\n\n## [$version] - $today/" CHANGELOG.md >"$folder/changelog"
cat "$folder/changelog" >CHANGELOG.md
rm "$folder/changelog"
npm pack --silent --pack-destination "$folder" >&2
# Of a copy without packages of the tests: `npm sbom --omit dev` (11.19) also leaves out packages that tests and users
# share, such as zod. npm names the root after its folder. The lock file has all that it needs, so npm asks nobody.
mkdir "$folder/cdvault"
cp package.json package-lock.json .npmrc "$folder/cdvault"
npm pkg delete devDependencies --prefix "$folder/cdvault"
npm install --prefix "$folder/cdvault" --package-lock-only --offline --ignore-scripts --no-audit --silent
npm sbom --prefix "$folder/cdvault" --sbom-format cyclonedx --sbom-type application --package-lock-only \
  >"$folder/cdvault-$version.cdx.json"
rm -r "$folder/cdvault"
(cd "$folder" && sha256sum -- *.tgz *.json >SHA256SUMS)

if [ -n "$dry" ]; then
  echo "dry run: no commit, no tag; $folder has:"
  ls "$folder"
  exit 0
fi
# shellcheck disable=SC2086 # a list of names
git commit --quiet --message "release: $version" -- $changed
trap - EXIT
git tag --annotate "$tag" --message "cdvault $version"
cat <<END
cdvault $version is committed and tagged; $folder has the package, its SBOM (CycloneDX) and their checksums.
Nothing is published yet. After make test:
  git push origin HEAD $tag
  npm publish $folder/cdvault-$version.tgz
and attach the three files to the release of $tag.
END
