#!/bin/bash
# The life of a learned neighbour, on real packets: learned by a question, kept while it is used, shown by weft-sbctl, asked when it is only
# spoken to, and forgotten when it is silent; with options:mac_binding_age_threshold of the router.
. "$WEFT_SRC/tests/support/lib.sh"
begin neighbor-life
at() { # MACHINE COMMAND...
    local m=$1
    shift
    ip netns exec "wnl-$m" "$@"
}
sb() { "$WEFT_BIN/weft-sbctl" --db="unix:$dir/ovnsb_db.sock" "$@"; }
nb() { "$WEFT_BIN/weft-nbctl" --db="unix:$dir/ovnnb_db.sock" --timeout=20 "$@"; }
ctl() { ovs-appctl -t "$dir/hv/controller.ctl" "$@"; }
start northd "$WEFT_BIN/weft-northd" --unixctl="$dir/northd.ctl"
wait_for 20 test -S "$dir/ovnsb_db.sock"
mkdir "$dir/hv"
ns_new wnl-hv
run="ip netns exec wnl-hv env OVS_RUNDIR=$dir/hv OVN_RUNDIR=$dir/hv WEFT_RUNDIR=$dir/hv OVS_DBDIR=$dir/hv WEFT_DBDIR=$dir/hv"
start switch $run "$WEFT_BIN/weft-switchd" --unixctl="$dir/hv/switch.ctl"
wait_for 20 test -S "$dir/hv/db.sock"
vs() { ovs-vsctl --db="unix:$dir/hv/db.sock" --timeout=10 --no-wait "$@"; }
vs init
vs set open . external_ids:system-id=hv external_ids:ovn-remote="unix:$dir/ovnsb_db.sock" external_ids:ovn-encap-type=geneve \
    external_ids:ovn-encap-ip=127.0.0.1 external_ids:ovn-bridge-datapath-type=netdev
start controller $run "$WEFT_BIN/weft-controller" --unixctl="$dir/hv/controller.ctl" --verify "unix:$dir/hv/db.sock"
wait_for 20 vs br-exists br-int || exit 1

nb ls-add s0 -- lsp-add s0 a -- lsp-set-addresses a "02:00:00:00:00:0a 10.0.0.1" \
    -- ls-add s1 -- lsp-add s1 u -- lsp-set-addresses u unknown \
    -- lr-add r -- lrp-add r r0 02:00:00:00:ff:00 10.0.0.254/24 -- lrp-add r r1 02:00:00:00:ff:01 10.0.1.254/24 \
    -- lsp-add s0 s0r -- lsp-set-type s0r router -- lsp-set-addresses s0r router -- lsp-set-options s0r router-port=r0 \
    -- lsp-add s1 s1r -- lsp-set-type s1r router -- lsp-set-addresses s1r router -- lsp-set-options s1r router-port=r1 \
    -- set logical_router r options:mac_binding_age_threshold=4
for m in "a 02:00:00:00:00:0a 10.0.0.1 10.0.0.254" "u 02:00:00:00:00:0f 10.0.1.9 10.0.1.254"; do
    set -- $m
    ns_new "wnl-$1"
    ip link add "p-$1" netns wnl-hv type veth peer name eth0 netns "wnl-$1"
    ip -n wnl-hv link set "p-$1" up
    ip -n "wnl-$1" link set eth0 address "$2" up
    ip -n "wnl-$1" addr add "$3/24" dev eth0
    ip -n "wnl-$1" route add default via "$4"
    vs add-port br-int "p-$1" -- set interface "p-$1" external_ids:iface-id="$1"
    wait_for 20 nb wait-until logical_switch_port "$1" up=true
done
check "every flow is in" nb --wait=hv sync

check "the first packet arrives" at a ping -n -q -c 1 -W 5 10.0.1.9
wait_for 5 sh -c "'$WEFT_BIN/weft-sbctl' --db='unix:$dir/ovnsb_db.sock' neighbors | grep -q 10.0.1.9"
has "the neighbour is shown" '^r1 +10.0.1.9 +02:00:00:00:00:0f +fresh +[01] +4 +hv, ARP reply' "$(sb neighbors)"
equal "of that port alone" "" "$(sb neighbors r0 | grep -v '^port\|^-' | grep -v '^ *$')"
has "the controller knows it, too" '^r1 +10.0.1.9 +02:00:00:00:00:0f +fresh +[01] +4 +hv, ARP reply' "$(ctl neighbors/show r1)"
has "a port that is none" 'exit 1: .*no port named nosuch' "$(sb neighbors nosuch 2>&1 >"$dir/none" || echo "exit $?: $(sb neighbors nosuch 2>&1)")"
has "questions are counted" 'packet_in_arp +total: [1-9]' "$(ctl coverage/show)"
has "transactions are counted" 'sb_transaction +total: [1-9]' "$(ovs-appctl -t "$dir/northd.ctl" coverage/show)"
first=$(sb --bare --columns=timestamp find mac_binding ip=10.0.1.9)
# More than two thresholds of traffic. u does not ask for the router meanwhile (it is told who that is), so only probes can show that it lives.
at u ip neigh replace 10.0.1.254 lladdr 02:00:00:00:ff:01 dev eth0 nud permanent
check "no packet is lost while the neighbour is used" at a ping -n -q -c 50 -i 0.2 -W 2 10.0.1.9
second=$(sb --bare --columns=timestamp find mac_binding ip=10.0.1.9)
has "the row is younger than it was" yes "$([ "${second:-0}" -gt "$first" ] && echo yes)"
has "the neighbour was asked" 'neighbours probed: [1-9]' "$(ctl pinctrl/show)"
has "and it answered" 'neighbours refreshed: [1-9]' "$(ctl pinctrl/show)"
equal "it was never forgotten" 'neighbours forgotten: 0' "$(ctl pinctrl/show | grep forgotten)"
wait_for 15 sh -c "! '$WEFT_BIN/weft-sbctl' --db='unix:$dir/ovnsb_db.sock' neighbors | grep -q 10.0.1.9"
has "in silence it is forgotten" 'neighbours forgotten: [1-9]' "$(ctl pinctrl/show)"
check "and found again" at a ping -n -q -c 1 -W 5 10.0.1.9
# At most one question a second for a destination, whatever is sent there (MB-70), seen from the outside.
at u timeout 20 tcpdump -lnni eth0 'arp and dst host 10.0.1.77' >"$dir/questions" 2>"$dir/tcpdump.err" &
tcpdump=$!
wait_for 5 grep -q 'listening on' "$dir/tcpdump.err"
at a ping -n -q -c 350 -i 0.01 -W 1 10.0.1.77 >"$dir/ping.out" &
wait_for 10 sh -c "[ \$(wc -l <'$dir/questions') -ge 3 ]"
wait $!
kill $tcpdump
has "hundreds of packets, a question a second" yes "$(awk -F'[: ]' '{ t = $1 * 3600 + $2 * 60 + $3; if (NR > 1 && t - last < 0.95) bad = 1; last = t } END { print !bad && NR <= 7 ? "yes" : "no: " NR " questions" }' "$dir/questions")"
# Of ICMP errors a host gets six at once and then one a second (MB-70).
has "a host gets few ICMP errors at once" '40 packets transmitted, 0 received, [+][67] errors' "$(at a ping -n -q -c 40 -i 0.01 -W 1 -t 1 10.0.1.9)"

# What waits for an answer arrives in order when it comes (MB-76).
at u timeout 20 python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 7777)); print("ready", flush=True)
print(" ".join(s.recv(9).decode() for i in range(4)))' >"$dir/order" &
receiver=$!
wait_for 5 grep -q ready "$dir/order"
send() { at a python3 -c 'import socket, sys; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); [s.sendto(n.encode(), ("10.0.1.78", 7777)) for n in sys.argv[1:]]' "$@"; }
send 1 2 3
at u ip addr add 10.0.1.78/32 dev eth0
sleep 1.1 # then the question is put again
send 4
wait $receiver
equal "packets that waited, in order" "ready 1 2 3 4" "$(tr '\n' ' ' <"$dir/order" | sed 's/ $//')"

# A gateway's port that takes smaller packets says so, and the sender follows (MB-74).
nb --wait=hv set logical_router r options:chassis=hv -- set logical_router_port r1 options:gateway_mtu=900
wait_for 10 at a ping -n -q -c 1 -W 1 10.0.1.9
has "a packet that is too large is answered with the size that is not" 'mtu ?= ?900' "$(at a ping -n -c 2 -i 0.3 -W 1 -M do -s 1200 10.0.1.9 2>&1)"
check "which the sender goes by" at a ping -n -q -c 1 -W 5 -M do -s 872 10.0.1.9
has "from then on" 'mtu 900' "$(at a ip route get 10.0.1.9)"
has "verified" 'verified [1-9][0-9]* times, 0 differences' "$(ctl inc/show)"
