#!/bin/bash
# weft-nbctl --cost: what is told before a change is what it then costs: logical flows in SB, OpenFlow flows in the switches, hypervisors. Two
# switches on a router, three hypervisors of which one has a machine on neither.
. "$WEFT_SRC/tests/support/lib.sh"
begin cost
lab() { "$WEFT_BIN/weft-lab" --name cost "$@"; }
nb() { lab exec central weft-nbctl "$@"; }
trap 'lab down; finish' EXIT
lab down 2>/dev/null
check "lab" lab up 3
nb ls-add sw0 -- ls-add sw1 -- ls-add apart -- lr-add lr0
for i in 0 1; do
    nb lrp-add lr0 lr0-sw$i 0a:00:00:00:ff:0$i 10.0.$i.254/24 -- lsp-add sw$i sw$i-lr0 -- lsp-set-type sw$i-lr0 router \
        -- lsp-set-addresses sw$i-lr0 router -- lsp-set-options sw$i-lr0 router-port=lr0-sw$i
done
place() { # VM HYPERVISOR SWITCH ADDRESS
    nb lsp-add "$3" "$1" -- lsp-set-addresses "$1" "0a:00:00:00:00:${1#vm} $4"
    lab vm "$1" "$2" "$1" "0a:00:00:00:00:${1#vm}" "$4/24" "${4%.*}.254"
}
place vm01 hv1 sw0 10.0.0.1
place vm02 hv2 sw0 10.0.0.2
place vm03 hv2 sw1 10.0.1.3
place vm04 hv3 apart 10.0.2.4
nb pg-add web vm01 vm02 vm03 -- create Address_Set name=many 'addresses="10.1.0.1","10.1.0.3","10.1.0.5","10.2.0.0/16"'
check "flows are in" nb --wait=hv --timeout=60 sync

count() { # logical flows (one for each datapath), OpenFlow flows of all hypervisors
    echo "$(lab exec central weft-sbctl lflow-list | grep -c ' table=')" \
        "$(for hv in hv1 hv2 hv3; do lab exec $hv weft-ofctl dump-flows br-int; done | grep -c table=)"
}
net() { sed -n "s/^$2: +\([0-9]*\) -\([0-9]*\)$/\1 - \2/p" <<<"$1"; }
# Says what the command will cost, without and with the change, and compares with what then is there.
costs() { # HYPERVISORS COMMAND...
    local hypervisors=$1 said after
    shift
    said=$(nb --cost --dry-run "$@")
    equal "$*: the same is said with the change, which was not made before" "$said" "$(nb --cost --wait=hv --timeout=60 "$@")"
    after=$(count)
    equal "$*: logical flows" $((${after% *} - ${before% *})) $(($(net "$said" "logical flows")))
    equal "$*: OpenFlow flows" $((${after#* } - ${before#* })) $(($(net "$said" "OpenFlow flows")))
    has "$*: hypervisors" "^hypervisors: $hypervisors$" "$said"
    before=$after
}
before=$(count)
costs 2 acl-add sw0 to-lport 1000 'ip4.src == {10.1.0.1, 10.1.0.2} && tcp.dst == {80, 443, 8080}' drop
costs 1 acl-add apart to-lport 1000 'tcp && 1 <= tcp.dst <= 1000' reject
costs 2 acl-add web from-lport 1002 'inport == @web && ip4.dst == $many' allow-related
has "and all that becomes stateful with it" '^OpenFlow flows: .* -[0-9][0-9][0-9]$' "$(nb --cost --dry-run acl-del web)"
costs 0 lb-add lb0 10.99.0.1:80 10.0.0.1:8000,10.0.0.2:8000
costs 2 ls-lb-add sw0 lb0 -- lr-lb-add lr0 lb0
costs 2 lb-add lb0 10.99.0.2:80 10.0.0.1:8001,10.0.0.2:8001,10.0.1.3:8001
costs 2 lb-del lb0 -- acl-del web

# What is wrong is said as it is without --cost, and a server that cannot tell says so.
refuse "a malformed match" 'ip4.src == ' nb --cost --dry-run acl-add sw0 to-lport 9 'ip4.src == ' drop
lab exec central sh -c 'weft-dbctl get-schema "unix:$WEFT_RUNDIR/ovnnb_db.sock" OVN_Northbound' >"$dir/schema"
"$WEFT_BIN/weft-dbctl" create "$dir/nb.db" "$dir/schema"
start dbd "$WEFT_BIN/weft-dbd" -vconsole:off --remote="punix:$dir/nb.sock" "$dir/nb.db"
wait_for 10 test -S "$dir/nb.sock"
refuse "a server that compiles nothing" 'the server cannot tell' "$WEFT_BIN/weft-nbctl" --db="unix:$dir/nb.sock" --cost ls-add sw0
equal "and nothing is changed" "" "$("$WEFT_BIN/weft-nbctl" --db="unix:$dir/nb.sock" ls-list)"
