# lib.sh - for system and interop scripts: a private folder, daemons ended by pid, assertions that say what was expected.
# Use:  . "$WEFT_SRC/tests/support/lib.sh"; begin NAME; ...; start NAME PROGRAM...; expect ...; the end is automatic.
set -uo pipefail
: "${WEFT_BIN:?the folder of the built programs}" "${WEFT_SRC:?the folder of the tree}"
failures=0
pids=()
namespaces=()

finish() {
    local status=$?
    trap - EXIT INT TERM
    for ns in "${namespaces[@]}"; do
        for p in $(ip netns pids "$ns" 2>/dev/null); do kill -TERM "$p" 2>/dev/null; done
    done
    for p in "${pids[@]}"; do kill -TERM "$p" 2>/dev/null; done
    for p in "${pids[@]}"; do
        for _ in $(seq 100); do kill -0 "$p" 2>/dev/null || break; sleep 0.05; done
        kill -KILL "$p" 2>/dev/null
        wait "$p" 2>/dev/null
        code=$?
        # a sanitizer's finding ends a daemon with a signal or a code that TERM does not give
        case $code in 0 | 127 | 143) ;; *) echo "FAIL  daemon $p ended with status $code"; failures=$((failures + 1)) ;; esac
    done
    for ns in "${namespaces[@]}"; do
        for p in $(ip netns pids "$ns" 2>/dev/null); do kill -KILL "$p" 2>/dev/null; done
        ip netns del "$ns" 2>/dev/null
    done
    if [ "$failures" -gt 0 ] || [ "$status" != 0 ]; then
        for f in "$dir"/*.log "$dir"/*.out; do [ -s "$f" ] && { echo "--- ${f##*/}"; tail -n 40 "$f"; }; done
        echo "FAILED: $failures failure(s), status $status"
        rm -rf "$dir"
        exit 1
    fi
    rm -rf "$dir"
    echo "passed"
    exit 0
}

begin() { # NAME: one script at a time on a machine, since namespaces have fixed names
    exec 8>/tmp/weft-tests.lock
    flock -w 250 8 || { echo "another test runs for more than 250 s"; exit 1; }
    dir=$(mktemp -d "/tmp/weft-$1.XXXXXX")
    export WEFT_RUNDIR=$dir OVN_RUNDIR=$dir OVS_RUNDIR=$dir WEFT_DBDIR=$dir OVN_DBDIR=$dir OVS_DBDIR=$dir
    export WEFT_LOGDIR=$dir OVN_LOGDIR=$dir OVS_LOGDIR=$dir OVS_SYSCONFDIR=$dir
    trap finish EXIT
    trap 'exit 130' INT TERM
}

ns_new() { # NAME: a namespace that is deleted at the end
    ip netns del "$1" 2>/dev/null
    ip netns add "$1" && namespaces+=("$1") && ip -n "$1" link set lo up
}

start() { # NAME PROGRAM ARGUMENT...: in the background, output in NAME.out; its pid is in $started
    local name=$1
    shift
    "$@" >"$dir/$name.out" 2>&1 </dev/null 8>&- &
    started=$!
    pids+=("$started")
}

wait_for() { # SECONDS COMMAND...: until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || { echo "FAIL  waited in vain for: $*"; "$@" 2>&1 | tail -n 20; failures=$((failures + 1)); return 1; }
        sleep 0.05
    done
}

check() { # WHAT COMMAND...: must succeed
    local what=$1 out
    shift
    if out=$("$@" 2>&1); then echo "ok    $what"; else
        echo "FAIL  $what: $* (status $?)"
        echo "$out" | sed 's/^/      /' | tail -n 30
        failures=$((failures + 1))
    fi
}

refuse() { # WHAT PATTERN COMMAND...: must fail, and say PATTERN (extended regular expression)
    local what=$1 pattern=$2 out
    shift 2
    if out=$("$@" 2>&1); then
        echo "FAIL  $what: succeeded: $*"
        failures=$((failures + 1))
    elif grep -Eq -- "$pattern" <<<"$out"; then echo "ok    $what"; else
        echo "FAIL  $what: says \"$out\" and not \"$pattern\""
        failures=$((failures + 1))
    fi
}

equal() { # WHAT EXPECTED ACTUAL
    if [ "$2" = "$3" ]; then echo "ok    $1"; else
        echo "FAIL  $1"
        diff <(echo "$2") <(echo "$3") | sed 's/^/      /' | head -n 30
        failures=$((failures + 1))
    fi
}

has() { # WHAT PATTERN TEXT
    if grep -Eq -- "$2" <<<"$3"; then echo "ok    $1"; else
        echo "FAIL  $1: \"$2\" is not in:"
        echo "$3" | sed 's/^/      /' | head -n 30
        failures=$((failures + 1))
    fi
}
