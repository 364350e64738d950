#!/bin/bash
# Queues, policing and mirrors: what ovs-vsctl's rows become, with real packets between namespaces.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-qos
switch_up q
machine q a 10.9.0.1/24
machine q b 10.9.0.2/24
machine q m 10.9.0.3/24
check "bridge" vsctl q add-br br0
for p in a:1 b:2 m:3; do check "port ${p%:*}" vsctl q add-port br0 p${p%:*} -- set interface p${p%:*} ofport_request=${p#*:}; done
check "ping" pings a 10.9.0.2

# ---- queues ----
check "QoS of two queues" vsctl q set port pb qos=@q -- --id=@q create qos type=linux-htb other_config:max-rate=100000000 queues:1=@a queues:7=@b -- \
    --id=@a create queue other_config:min-rate=10000000 -- --id=@b create queue dscp=10 other_config:max-rate=20000000 other_config:priority=3
classes() { ip netns exec wswq tc class show dev pb; }
has "htb on the device" 'qdisc htb 1: root .*default 0x1' "$(ip netns exec wswq tc qdisc show dev pb)"
has "the port's class" 'class htb 1:fffe root rate 100Mbit ceil 100Mbit' "$(classes)"
has "queue 1" 'class htb 1:2 parent 1:fffe .*rate 10Mbit ceil 100Mbit' "$(classes)"
has "queue 7" 'class htb 1:8 parent 1:fffe .*prio 3 rate 12Kbit ceil 20Mbit' "$(classes)"
has "the default" 'class htb 1:1 parent 1:fffe' "$(classes)"
ofctl q del-flows br0
ofctl q add-flow br0 'priority=9,in_port=1,icmp,actions=set_queue:7,output:2'
ofctl q add-flow br0 'priority=8,in_port=1,arp,actions=set_queue:1,output:2'
ofctl q add-flow br0 'priority=0,actions=NORMAL'
has "traced" 'actions: set\(skb_priority\(0x10008\)\),' "$(appctl q ofproto/trace br0 in_port=1,icmp,nw_tos=0)"
ip netns exec wswb timeout 10 tcpdump -nvi eth0 -c 1 'icmp[0] = 8' >"$dir/dump" 2>/dev/null &
dump=$!
sleep 0.7
check "ping through a queue" pings a 10.9.0.2
wait $dump
has "marked by the queue's DSCP" 'tos 0x28' "$(cat "$dir/dump")"
# The translation is cached by now: another mark must reach packets of the same flow.
check "another DSCP" vsctl q set queue "$(vsctl q get qos "$(vsctl q get port pb qos)" queues:7)" dscp=20
ip netns exec wswb timeout 10 tcpdump -nvi eth0 -c 1 'icmp[0] = 8' >"$dir/dump" 2>/dev/null &
dump=$!
sleep 0.7
check "ping with it" pings a 10.9.0.2
wait $dump
has "marked by the new one" 'tos 0x50' "$(cat "$dir/dump")"
packets() { ofctl q queue-stats br0 2 "$1" | sed -n "s/.*queue $1:.*pkts=\([0-9]*\).*/\1/p"; }
check "queue 7 counts" wait_for 10 bash -c "OVS_RUNDIR=$dir/q ovs-ofctl -O OpenFlow15 queue-stats br0 2 7 | grep -Eq 'pkts=([3-9]|[1-9][0-9])'"
equal "queue 1 does not count them" 0 "$(packets 1)"
has "queue-get-config" 'queue 7: min_rate:0.0% max_rate:20.0%' "$(WEFT_RUNDIR=$dir/q OVS_RUNDIR=$dir/q "$WEFT_BIN/weft-ofctl" -O OpenFlow13 queue-get-config br0 2)"
has "of the peer's ofctl" 'queue 7:' "$(OVS_RUNDIR=$dir/q ovs-ofctl queue-get-config br0 2)"
show=$(appctl q qos/show pb)
has "qos/show" 'QoS: pb linux-htb' "$show"
has "qos/show, queue" 'Queue 7:' "$show"
equal "no such queue" OFPQOFC_BAD_QUEUE "$(ofctl q queue-stats br0 2 5 2>&1 | grep -o OFPQOFC_BAD_QUEUE)"
check "another rate" vsctl q set qos "$(vsctl q get port pb qos)" other_config:max-rate=50000000
check "is in force" wait_for 5 bash -c "ip netns exec wswq tc class show dev pb | grep -q '1:fffe root rate 50Mbit'"
check "QoS goes" vsctl q clear port pb qos
refuse "nothing of it is left" . bash -c "ip netns exec wswq tc class show dev pb | grep htb || { echo none; false; }"
vsctl q -- --all destroy qos -- --all destroy queue

# ---- policing ----
check "limit of a's packets" vsctl q set interface pa ingress_policing_kpkts_rate=1 ingress_policing_kpkts_burst=1
ip netns exec wswa python3 - <<'P'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(20000): s.sendto(b"x" * 100, ("10.9.0.2", 9))
P
has "beyond it they are dropped" 'drop_policed +[1-9][0-9]{2,}' "$(appctl q dpif/show-drops)"
check "no limit" vsctl q set interface pa ingress_policing_kpkts_rate=0

# ---- mirrors ----
sees() { # COMMAND...: how many echo requests a sends are seen by m meanwhile
    ip netns exec wswm timeout 6 tcpdump -ni eth0 -c 3 "$1" >"$dir/seen" 2>/dev/null &
    local p=$!
    sleep 0.7
    pings a 10.9.0.2 >/dev/null
    wait $p
    grep -c . "$dir/seen"
}
check "mirror of all that a sends" vsctl q -- --id=@a get port pa -- --id=@out get port pm \
    -- --id=@m create mirror name=m select-src-port=@a output-port=@out -- set bridge br0 mirrors=@m
equal "requests are seen" 3 "$(sees 'icmp[0] = 8')"
equal "answers are not" 0 "$(sees 'icmp[0] = 0')"
check "and what goes to a" vsctl q -- --id=@a get port pa -- set mirror m select-dst-port=@a
equal "answers are seen" 3 "$(sees 'icmp[0] = 0')"
check "statistics" wait_for 15 bash -c "[ \"\$(ovs-vsctl --db=unix:$dir/q/db.sock get mirror m statistics:tx_packets)\" -ge 12 ]"
refuse "the port is the mirror's alone" '100% packet loss' pings m 10.9.0.1
check "cut to 60 bytes" vsctl q set mirror m snaplen=60
ip netns exec wswm timeout 8 tcpdump -eni eth0 -c 1 icmp >"$dir/dump" 2>/dev/null &
dump=$!
sleep 0.7
pings a 10.9.0.2 >/dev/null
wait $dump
has "60 bytes" 'length 60' "$(cat "$dir/dump")"
# What flows drop is mirrored as well, and a connection that recirculates is mirrored once.
ofctl q del-flows br0
check "mirror of drops" vsctl q clear mirror m select_dst_port
equal "dropped packets are seen" 3 "$(sees 'arp or icmp')"
ofctl q add-flow br0 'ip,ct_state=-trk,actions=ct(table=1)'
ofctl q add-flow br0 'arp,actions=NORMAL'
ofctl q add-flow br0 'table=1,ip,actions=ct(commit,table=2)'
ofctl q add-flow br0 'table=2,actions=NORMAL'
check "ping through the tracker" pings a 10.9.0.2
vsctl q set mirror m select_all=true
ip netns exec wswm timeout 4 tcpdump -ni eth0 'icmp' >"$dir/seen" 2>/dev/null &
dump=$!
sleep 0.7
pings a 10.9.0.2 >/dev/null
wait $dump
equal "each packet once" 6 "$(grep -c . "$dir/seen")"
# Into a VLAN.
check "mirror into VLAN 5" vsctl q set mirror m output_vlan=5 snaplen=[] -- clear mirror m output_port
ofctl q del-flows br0
ofctl q add-flow br0 'actions=NORMAL'
ip netns exec wswm timeout 8 tcpdump -eni eth0 -c 1 'vlan 5' >"$dir/dump" 2>/dev/null &
dump=$!
sleep 0.7
pings a 10.9.0.2 >/dev/null
wait $dump
has "tagged copies" 'vlan 5' "$(cat "$dir/dump")"
check "mirror goes" vsctl q clear bridge br0 mirrors
check "m is a port again" pings m 10.9.0.1
finish
