#!/bin/bash
# Debian's unmodified ovs-vsctl, ovs-ofctl, ovs-appctl and ovsdb-client against weft-switchd with its own database.
. "$WEFT_SRC/tests/support/lib.sh"
begin switch-clients
hv=wswc-hv a=wswc-a b=wswc-b
for ns in $hv $a $b; do ns_new $ns; done
start switchd ip netns exec $hv "$WEFT_BIN/weft-switchd" --unixctl="$dir/switchd.ctl"
wait_for 20 test -S "$dir/db.sock"
for vm in a b; do
    ip link add p$vm netns $hv type veth peer name eth0 netns wswc-$vm
    ip -n $hv link set p$vm up
    ip -n wswc-$vm link set eth0 up
done
ip -n $a addr add 10.9.0.1/24 dev eth0
ip -n $b addr add 10.9.0.2/24 dev eth0
check "init" ovs-vsctl init
check "add-br, add-port in one command" ovs-vsctl add-br br0 -- add-port br0 pa -- set Interface pa ofport_request=7 -- add-port br0 pb
equal "ofport_request" 7 "$(ovs-vsctl get Interface pa ofport)"
has "show" 'Port pa' "$(ovs-vsctl show)"
equal "list-br" br0 "$(ovs-vsctl list-br)"
equal "LOCAL's number" 65534 "$(ovs-vsctl get Interface br0 ofport)"
has "no such device" 'could not open network device nope|No such device' "$(ovs-vsctl add-port br0 nope 2>&1)"
check "NORMAL passes packets" ip netns exec $a ping -n -c 2 -i 0.2 -W 2 10.9.0.2
for v in OpenFlow10 OpenFlow13 OpenFlow14 OpenFlow15; do
    has "ovs-ofctl -O $v dump-flows" 'priority=0.* actions=NORMAL' "$(ovs-ofctl -O $v dump-flows br0)"
done
equal "driver" veth "$(ovs-vsctl get Interface pa status:driver_name)"
resets=$(ovs-vsctl get Interface pa link_resets)
ip -n $a link set eth0 down
wait_for 10 bash -c '[ "$(ovs-vsctl get Interface pa link_state)" = down ]'
ip -n $a link set eth0 up
wait_for 10 bash -c '[ "$(ovs-vsctl get Interface pa link_state)" = up ]'
equal "link_resets" $((resets + 2)) "$(ovs-vsctl get Interface pa link_resets)"
check "del-flows" ovs-ofctl -O OpenFlow13 del-flows br0
refuse "without flows nothing passes" '100% packet loss' ip netns exec $a ping -n -c 2 -i 0.2 -W 1 10.9.0.2
pb=$(ovs-vsctl get Interface pb ofport)
check "add-flow" ovs-ofctl -O OpenFlow13 add-flow br0 "table=0,priority=10,in_port=7,actions=resubmit(,3)"
check "add-flow with move, load and output" ovs-ofctl -O OpenFlow13 add-flow br0 "table=3,actions=load:0x5->NXM_NX_REG3[],move:NXM_NX_REG3[0..15]->NXM_NX_REG4[0..15],output:$pb"
check "add-flow back" ovs-ofctl -O OpenFlow13 add-flow br0 "in_port=$pb,actions=output:7"
check "flows pass packets" ip netns exec $a ping -n -c 2 -i 0.2 -W 2 10.9.0.2
has "counters" 'n_packets=[1-9]' "$(ovs-ofctl -O OpenFlow13 dump-flows br0 table=3)"
has "actions read back" 'NXM_NX_REG3\[0..15\]->NXM_NX_REG4\[0..15\]' "$(ovs-ofctl -O OpenFlow13 dump-flows br0 table=3)"
refuse "a flow that cannot be" 'OFPBAC|OFPBMC|OFPFMFC|invalid|bad' ovs-ofctl -O OpenFlow13 add-flow br0 "table=3,actions=goto_table:2"
check "bundle" bash -c "printf 'table=5,priority=%d,actions=drop\n' 1 2 3 | ovs-ofctl -O OpenFlow14 --bundle add-flows br0 -"
equal "three flows in table 5" 3 "$(ovs-ofctl -O OpenFlow14 dump-flows br0 table=5 | grep -c priority=)"
has "dump-ports" 'rx pkts=[1-9]' "$(ovs-ofctl -O OpenFlow13 dump-ports br0 7)"
has "show" '7\(pa\)' "$(ovs-ofctl -O OpenFlow13 show br0)"
has "ofproto/trace" 'output:'"$pb" "$(ovs-appctl -t "$dir/switchd.ctl" ofproto/trace br0 in_port=7,ip,nw_dst=10.9.0.2)"
has "ofproto/trace-packet-out" 'Datapath actions: [0-9]+$' "$(ovs-appctl -t "$dir/switchd.ctl" ofproto/trace-packet-out br0 in_port=7,ip "resubmit(,3)" | tail -1)"
has "of a frame" 'dl_src=02:00:00:00:00:09' "$(ovs-appctl -t "$dir/switchd.ctl" ofproto/trace-packet-out br0 in_port=7 ffffffffffff02000000000912340000 output:7)"
has "ovs-appctl version" . "$(ovs-appctl -t "$dir/switchd.ctl" version)"
has "coverage/show" . "$(ovs-appctl -t "$dir/switchd.ctl" coverage/show)"
has "ovsdb-client dump" 'Interface table' "$(ovsdb-client dump unix:"$dir/db.sock" Open_vSwitch)"

# Hostile OpenFlow: the length of the message is wrong; the connection ends, the switch goes on.
python3 - "$dir/br0.mgmt" <<'P' && echo "ok    a message with a wrong length is refused" || { echo "FAIL  wrong length"; failures=$((failures + 1)); }
import socket, struct, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.settimeout(5)
s.sendall(struct.pack("!BBHI", 4, 0, 8, 1))
s.sendall(struct.pack("!BBHI", 4, 14, 12, 2) + b"\0" * 4)      # FLOW_MOD of 12 bytes
s.sendall(struct.pack("!BBHI", 4, 2, 4, 3))                    # length below the header's
data = b""
try:
    while True:
        d = s.recv(4096)
        if not d: break
        data += d
except socket.timeout: sys.exit(1)
types = []
while len(data) >= 8:
    v, t, n, x = struct.unpack("!BBHI", data[:8]); types.append(t); data = data[max(n, 8):]
sys.exit(0 if 1 in types else 1)                               # an ERROR came
P
check "and goes on" ovs-ofctl -O OpenFlow13 dump-flows br0
# A truncated frame and one of garbage are counted, not forwarded wrongly.
ip netns exec $a python3 - <<'P'
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(("eth0", 0))
s.send(bytes.fromhex("ffffffffffff0a00000000010800") + b"\x45\0\0\x54" + b"\0" * 4)
s.send(bytes.fromhex("ffffffffffff0a000000000186dd") + b"\x60" + b"\xff" * 45)
P
check "packets still pass" ip netns exec $a ping -n -c 2 -i 0.2 -W 2 10.9.0.2
check "del-port" ovs-vsctl del-port br0 pb
check "del-br" ovs-vsctl del-br br0
equal "nothing left" "" "$(ovs-vsctl list-br)"
