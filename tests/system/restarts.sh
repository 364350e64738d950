#!/bin/bash
# A controller that is killed twenty times under steady traffic, at any moment of its start: the switch is told nothing, no packet misses a flow, a
# group or a port, and no more are lost than when nobody is killed. The size of a real hypervisor: tools/bench controller (restart_*).
. "$WEFT_SRC/tests/support/lib.sh"
begin restarts
lab() { "$WEFT_BIN/weft-lab" --name rst "$@"; }
nb() { lab exec central weft-nbctl "$@"; }
ctl() { lab exec hv1 weft-appctl -t "$1" "${@:2}"; }
trap 'lab down; finish' EXIT
lab down 2>/dev/null
check "lab" lab up 1
nb lr-add r
for i in 1 2; do
    nb ls-add s$i -- lrp-add r r$i 0a:00:00:00:ff:0$i 10.0.$i.254/24 -- lsp-add s$i s${i}r -- lsp-set-type s${i}r router \
        -- lsp-set-addresses s${i}r router -- lsp-set-options s${i}r router-port=r$i \
        -- lsp-add s$i vm$i -- lsp-set-addresses vm$i "0a:00:00:00:00:0$i 10.0.$i.$i"
    lab vm vm$i hv1 vm$i 0a:00:00:00:00:0$i 10.0.$i.$i/24 10.0.$i.254
done
nb create address_set name=far addresses="$(printf '"10.1.%s.1",' $(seq 250) | sed 's/,$//')"
nb pg-add all vm1 vm2 -- acl-add all to-lport 1002 'outport == @all && icmp4' allow-related -- acl-add all to-lport 1001 'outport == @all && ip4.src == $far' drop \
    -- acl-add all from-lport 1001 'inport == @all && tcp && ip4.dst == $far' allow-related -- acl-add all to-lport 1000 'outport == @all && ip' drop
for i in $(seq 20); do nb lb-add lb$i 10.9.0.$i:80 10.0.1.1:80,10.0.2.2:80 tcp -- ls-lb-add s1 lb$i -- lr-lb-add r lb$i; done
check "flows are in" nb --wait=hv --timeout=60 sync
check "ping" lab exec vm1 ping -n -q -c 3 -i 0.2 -W 2 10.0.2.2

flows() { lab exec hv1 weft-ofctl dump-flows br-int | sed -E 's/ (duration|n_packets|n_bytes|idle_age|hard_age)=[^, ]*,?//g' | sort; }
misses() { ctl weft-switchd coverage/show | grep -E '^(drop_table_miss|drop_no_group|drop_no_port|drop_unsupported) ' | awk '{print $1, $NF}' | sort; }
is_gone() { ! grep -qs '^State:.[^ZX]' "/proc/$1/status"; } # whether or not somebody has buried it
controller() { lab exec hv1 weft-controller --detach --pidfile --log-file -vconsole:off; }
traffic() { # begins a stream of 200 packets a second, through two switches, a router and the connection tracker
    lab exec vm1 ping -n -q -i 0.005 10.0.2.2 >"$dir/ping.txt" 2>&1 &
    stream=$!
}
lost() { # ends the stream: packets without an answer (one may be under way)
    lab exec vm1 pkill -INT ping
    wait "$stream"
    sed -nE 's/^([0-9]+) packets transmitted, ([0-9]+) received.*/\1 \2/p' "$dir/ping.txt" | { read -r sent received && echo $((sent - received > 1 ? sent - received : 0)); }
}

# from here on without a supervisor, so that the test decides when it starts
pid=$(lab pid hv1 weft-controller)
check "the supervised one leaves" ctl weft-controller exit --restart
wait_for 15 is_gone "$pid"
before=$(flows) missed=$(misses)
lab exec hv1 weft-ofctl monitor br-int 'watch:!initial' >"$dir/changes.txt" 2>&1 &
watcher=$!
traffic
begun=${EPOCHREALTIME/./}
for k in $(seq 20); do
    controller || check "start $k" false
    if [ $((k % 5)) = 0 ]; then
        check "start $k: in force again" nb --wait=hv --timeout=60 sync
        has "and nothing was sent" 'sent: 0 adds, 0 deletes' "$(ctl weft-controller install/show)"
        has "no group, no meter" 'groups and meters: 0 sent' "$(ctl weft-controller install/show)"
    else
        sleep "0.$(printf '%02d' $((k * 2)))" # to be killed anywhere between reading the first row and being ready
    fi
    pid=$(lab pid hv1 weft-controller)
    kill -9 "$pid"
    wait_for 15 is_gone "$pid"
done
took=$((${EPOCHREALTIME/./} - begun))
with=$(lost)
equal "no packet missed a flow, a group or a port" "$missed" "$(misses)"
equal "the same flows" "$before" "$(flows)"
check "started for good" controller
check "in force again" nb --wait=hv --timeout=60 sync
if [ "$with" -gt 0 ]; then # the machine may be busy: as much work, and nobody killed
    traffic
    end=$((${EPOCHREALTIME/./} + took))
    while [ "${EPOCHREALTIME/./}" -lt $end ]; do ctl weft-controller recompute >/dev/null; done
    without=$(lost)
    check "packets lost: $with; when nobody was killed: $without" test "$with" -le "$without"
else
    echo "ok    no packet was lost in $((took / 1000)) ms"
fi
equal "the switch was told nothing" "" "$(grep event= "$dir/changes.txt")"
nb acl-del all to-lport 1000 'outport == @all && ip'
check "a change" nb --wait=hv --timeout=60 sync
wait_for 15 grep -q event=DELETED "$dir/changes.txt" # whoever watches does see
kill "$watcher"
