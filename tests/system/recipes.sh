#!/bin/bash
# Every recipe of docs/recipes does what it says: its own commands, with real packets.
. "$WEFT_SRC/tests/support/lib.sh"
begin recipes
for f in "$WEFT_SRC"/docs/recipes/*.md; do
    grep -q '^```sh$' "$f" || continue
    check "$(basename "$f" .md)" "$WEFT_SRC/tools/recipe/run" "$WEFT_BIN" "$f"
done
sed 's/weft-ofctl/ovs-ofctl/g' "$WEFT_SRC/docs/recipes/learn-proxy.md" >"$dir/by-ovs-ofctl.md"
check "learn-proxy, word for word by ovs-ofctl" "$WEFT_SRC/tools/recipe/run" "$WEFT_BIN" "$dir/by-ovs-ofctl.md"
refuse "a recipe that fails says where" 'stopped at: false' "$WEFT_SRC/tools/recipe/run" "$WEFT_BIN" <(printf '```sh\nfalse\n```\n')
refuse "an unknown recipe" 'there is no recipe "nonsense"; there are: learn-proxy' "$WEFT_SRC/tools/demo" --recipe nonsense
completed() { # PROGRAM WORD: what bash offers for it
    PATH=$WEFT_BIN:$PATH bash -c '. "$WEFT_SRC/tools/completion/weft.bash"; COMP_WORDS=("$1" "$2") COMP_CWORD=1; _weft_daemon "$1"; echo "${COMPREPLY[*]}"' - "$@"
}
equal "options of a daemon are completed" "--dnat= --dnat-instance=" "$(completed weft-testcontroller --dn)"
equal "methods too" "ptcp: pssl: punix:" "$(completed weft-testcontroller p)"
ofctl_completed() { # WORD...: what bash offers for the last
    WEFT_RUNDIR=$dir PATH=$WEFT_BIN:$PATH bash -c '. "$WEFT_SRC/tools/completion/weft.bash"; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _weft_ofctl "$1"
        echo "${COMPREPLY[*]}"' - weft-ofctl "$@"
}
: >"$dir/br-x.mgmt"
equal "commands of weft-ofctl" "add-flow add-flows" "$(ofctl_completed -O OpenFlow13 add-fl)"
equal "bridges" "br-x" "$(ofctl_completed dump-flows br-)"
equal "versions" "OpenFlow13" "$(ofctl_completed -O OpenFlow13)"
equal "what a port can be told" "no-receive no-receive-stp" "$(ofctl_completed mod-port br-x p1 no-re)"
