#!/bin/bash
# What the machines' packets must not notice: the southbound database gone and back, restored from an older backup, a controller that loses its
# switch, one replaced by another binary; and a switch that is killed has its flows back in a moment. Longer: OUTAGE=300 tests/system/outages.sh
. "$WEFT_SRC/tests/support/lib.sh"
begin outages
lab() { "$WEFT_BIN/weft-lab" --name out "$@"; }
nb() { lab exec central weft-nbctl "$@"; }
trap 'lab down; finish' EXIT
lab down 2>/dev/null
check "lab" lab up 2
db=${WEFT_LAB_DIR:-/run/weft-lab}/out/central/db
northd() { lab exec central weft-northd --detach --monitor --pidfile --log-file -vconsole:off --nb-remote=ptcp:6641 --sb-remote=ptcp:6642; }
ctl() { lab exec "$1" weft-appctl -t weft-controller "${@:2}"; }
sent() { for h in hv1 hv2; do ctl $h install/show | grep -E '^(flows|sent)'; done; }
is_gone() { ! kill -0 "$1"; }
connected() { [ "$(ctl hv1 connection-status) $(ctl hv2 connection-status)" = "connected connected" ]; }
disconnected() { [ "$(ctl hv1 connection-status) $(ctl hv2 connection-status)" = "not connected not connected" ]; }
traffic() { # begins a stream of pings, 50 a second, from vm1 to vm2
    lab exec vm1 ping -n -i 0.02 -W 2 10.0.1.2 >"$dir/ping.txt" 2>&1 &
    pings=$!
}
arrived() { # WHAT: ends the stream; all was answered up to the last, and that is the end (one may be under way)
    lab exec vm1 pkill -INT ping
    wait "$pings" 2>/dev/null
    local sent last
    sent=$(sed -nE 's/^([0-9]+) packets transmitted.*/\1/p' "$dir/ping.txt")
    last=$(grep -o 'icmp_seq=[0-9]*' "$dir/ping.txt" | cut -d= -f2 | sort -n | tail -n 1)
    equal "$1: nothing lost of $sent packets" "$last answers" "$(grep -c 'bytes from' "$dir/ping.txt") answers"
    [ "$((sent - last))" -le 1 ] || equal "$1: the last answer is that of packet $sent" "$sent" "$last"
}

nb lr-add lr0
for i in 1 2; do
    nb ls-add sw$i -- lsp-add sw$i vm$i -- lsp-set-addresses vm$i "0a:00:00:00:00:0$i 10.0.$i.${i}" \
        -- lrp-add lr0 lr0-sw$i 0a:00:00:00:ff:0$i 10.0.$i.254/24 -- lsp-add sw$i sw$i-lr0 -- lsp-set-type sw$i-lr0 router \
        -- lsp-set-addresses sw$i-lr0 router -- lsp-set-options sw$i-lr0 router-port=lr0-sw$i -- acl-add sw$i to-lport 1000 ip4 allow-related
done
nb lrp-del lr0-sw1 -- lrp-add lr0 lr0-sw1 0a:00:00:00:ff:01 10.0.0.254/24 -- lsp-set-addresses vm1 "0a:00:00:00:00:01 10.0.0.1"
lab vm vm1 hv1 vm1 0a:00:00:00:00:01 10.0.0.1/24 10.0.0.254
lab vm vm2 hv2 vm2 0a:00:00:00:00:02 10.0.1.2/24 10.0.1.254
nb lrp-del lr0-sw2 -- lrp-add lr0 lr0-sw2 0a:00:00:00:ff:02 10.0.1.254/24 -- lsp-set-addresses vm2 "0a:00:00:00:00:02 10.0.1.2"
check "flows are in" nb --wait=hv --timeout=60 sync
check "ping" lab exec vm1 ping -n -q -c 3 -i 0.2 -W 2 10.0.1.2

# The database is gone for a while, and comes back as it was.
before=$(sent)
traffic
pid=$(lab pid central weft-northd)
check "northd ends" lab exec central weft-appctl -t weft-northd exit
wait_for 10 is_gone "$pid"
check "a backup of SB" cp "$db/sb.db" "$dir/old.db"
wait_for 60 disconnected
sleep "${OUTAGE:-5}"
check "northd starts" northd
wait_for 60 connected
check "in force again" nb --wait=hv --timeout=60 sync
arrived "without the database"
equal "no message to the switches" "$before" "$(sent)"

# The database comes back as it was long ago: without a switch, its ACL and its machine's port, and with one that is gone.
nb ls-add sw3 -- lsp-add sw3 vm3 -- lsp-set-addresses vm3 "0a:00:00:00:00:03 10.0.2.3" -- acl-add sw3 to-lport 1000 ip4 allow-related -- acl-del sw1
lab vm vm3 hv1 vm3 0a:00:00:00:00:03 10.0.2.3/24
check "changes are in" nb --wait=hv --timeout=60 sync
traffic
pid=$(lab pid central weft-northd)
lab exec central weft-appctl -t weft-northd exit
wait_for 10 is_gone "$pid"
rm -f "$db"/sb.db*
check "SB as it was" cp "$dir/old.db" "$db/sb.db"
check "northd starts on it" northd
wait_for 60 connected
check "in force again" nb --wait=hv --timeout=60 sync
arrived "restored from a backup"
equal "ports are where they were" "hv1 hv2 hv1" \
    "$(for p in vm1 vm2 vm3; do lab exec central weft-sbctl --bare --columns=name find chassis _uuid="$(lab exec central weft-sbctl --bare --columns=chassis find port_binding logical_port=$p)"; done | paste -sd' ')"

# The controller loses its switch, and finds it as it was.
remote() { lab exec hv1 weft-vsctl set-controller br-int ptcp:6653:127.0.0.1; }
attached() { lab exec hv1 ss -Htn state established 'sport = :6653' | grep -q .; }
detached() { ! attached; }
check "a way that can be taken away" remote
lab exec hv1 weft-vsctl set open_vswitch . external_ids:ovn-bridge-remote=tcp:127.0.0.1:6653
wait_for 20 attached
check "in force by it" nb --wait=hv --timeout=60 sync
traffic
check "it is taken away" lab exec hv1 weft-vsctl del-controller br-int
wait_for 20 detached
check "and is there again" remote
wait_for 20 attached
check "in force again" nb --wait=hv --timeout=60 sync
arrived "without the switch's ear"
has "nothing was sent" 'sent: 0 adds, 0 deletes' "$(ctl hv1 install/show)"
lab exec hv1 weft-vsctl remove open_vswitch . external_ids ovn-bridge-remote
check "by its own socket" nb --wait=hv --timeout=60 sync
check "as before" lab exec hv1 weft-vsctl del-controller br-int

# Another binary of the controller takes over.
cp "$WEFT_BIN/weft-controller" "$dir/weft-controller"
before=$(lab exec hv1 weft-ofctl dump-flows br-int | sed -E 's/ (duration|n_packets|n_bytes|idle_age|hard_age)=[^, ]*,?//g' | sort)
traffic
pid=$(lab pid hv1 weft-controller)
check "the old one leaves" ctl hv1 exit --restart
wait_for 10 is_gone "$pid"
check "the new one starts" lab exec hv1 "$dir/weft-controller" --detach --monitor --pidfile --log-file -vconsole:off
check "in force again" nb --wait=hv --timeout=60 sync
arrived "another binary"
equal "the same flows" "$before" "$(lab exec hv1 weft-ofctl dump-flows br-int | sed -E 's/ (duration|n_packets|n_bytes|idle_age|hard_age)=[^, ]*,?//g' | sort)"
has "nothing was sent" 'sent: 0 adds, 0 deletes' "$(ctl hv1 install/show)"

# A switch that is killed: its supervisor starts it, the controller gives it its flows.
old=$(lab pid hv1 weft-switchd)
is_new() { new=$(lab pid hv1 weft-switchd) && [ "$new" != "$old" ] && kill -0 "$new"; }
kill -9 "$old"
wait_for 30 is_new
begun=${EPOCHREALTIME/./}
wait_for 20 lab exec vm1 ping -n -q -c 1 -W 0.2 10.0.1.2
echo "      $(((${EPOCHREALTIME/./} - begun) / 1000)) ms from the new switch's start to the first answer"
has "its flows are in" 'installed, 0 refused' "$(ctl hv1 install/show)"
