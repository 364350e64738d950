#!/bin/bash
# Geneve between two switches in two namespaces: fixed keys and flow-based, options by TLV map, checksums, TCP whose large segments
# are cut before the tunnel, hostile tunnel packets; and the bytes on the wire.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-geneve
switch_up h1
switch_up h2
ip link add u1 netns wswh1 type veth peer name u2 netns wswh2
for i in 1 2; do
    ip -n wswh$i addr add 172.31.9.$i/24 dev u$i
    ip -n wswh$i addr add fd00:9::$i/64 dev u$i nodad
    ip -n wswh$i link set u$i mtu 1700 up
done
machine h1 a 10.9.0.1/24
machine h2 b 10.9.0.2/24
for i in 1 2; do
    check "bridge $i" vsctl h$i add-br br0
    check "tunnel $i" vsctl h$i add-port br0 g0 -- set interface g0 type=geneve options:remote_ip=172.31.9.$((3 - i)) options:key=7 options:csum=$([ $i = 1 ] && echo true || echo false) ofport_request=9
done
check "port a" vsctl h1 add-port br0 pa -- set interface pa ofport_request=1
check "port b" vsctl h2 add-port br0 pb -- set interface pb ofport_request=1
check "ping" pings a 10.9.0.2
check "TCP, 32 MB, as it was sent" transfer b a 10.9.0.2 32

capture() { # FILTER COUNT: verbose lines of what crosses the underlay while a pings b
    ip netns exec wswh1 timeout 5 tcpdump -nnvvi u1 -c "$2" "$1" >"$dir/cap" 2>/dev/null &
    local p=$!
    sleep 0.7
    pings a 10.9.0.2 >/dev/null
    wait $p
    cat "$dir/cap"
}
ip netns exec wswh1 ethtool -K u1 tx off >/dev/null # else the device's other end finishes the checksum
cap=$(capture 'udp and src 172.31.9.1' 2)
has "source port from the flow's hash" '172.31.9.1.(3[2-9]|[4-6][0-9])[0-9]{3} > 172.31.9.2.6081' "$cap"
has "checksum as the option says" 'udp sum ok' "$cap"
has "DF, TTL 64" 'ttl 64.*flags \[DF\]' "$cap"
has "VNI" 'vni 0x7' "$cap"
has "no checksum the other way" 'no cksum' "$(capture 'udp and src 172.31.9.2' 2)"

has "its tunnels" '^port [0-9]+: [^ ]+ \(geneve: .*172.31.9.2, key=0x7, legacy_l2, dp port=[0-9]+, ttl=64, csum=true' "$(appctl h1 ofproto/list-tunnels)"
has "where they listen" '^genev_sys_6081 \(6081\) ref_cnt=[1-9]' "$(appctl h1 tnl/ports/show)"

# The tables that tunnels go by are the kernel's.
has "its routes" '^Cached: 172.31.9.0/24 dev u1 SRC 172.31.9.1$' "$(appctl h1 ovs/route/show)"
check "a route" appctl h1 ovs/route/add 10.77.0.0/16 u1 172.31.9.2
has "is the kernel's" '10.77.0.0/16 via 172.31.9.2 dev u1' "$(ip -n wswh1 route)"
has "and shown as what was added" '^User: 10.77.0.0/16 dev u1 GW 172.31.9.2 SRC 172.31.9.1$' "$(appctl h1 ovs/route/show)"
has "the way to an address" 'src 172.31.9.1 gateway 172.31.9.2 dev u1' "$(appctl h1 ovs/route/lookup 10.77.3.4 | tr '\n' ' ')"
check "it goes" appctl h1 ovs/route/del 10.77.0.0/16
refuse "only once" 'Not found' appctl h1 ovs/route/del 10.77.0.0/16
refuse "nobody else's" 'Not found' appctl h1 ovs/route/del 172.31.9.0/24
has "the neighbour" '^172.31.9.2 +[0-9a-f:]{17} +u1$' "$(appctl h1 tnl/neigh/show)"
check "another one" appctl h1 tnl/neigh/set u1 fd00:9::77 02:00:00:00:00:77
has "is the kernel's" 'fd00:9::77 dev u1 lladdr 02:00:00:00:00:77' "$(ip -n wswh1 neigh)"
check "all forgotten" appctl h1 tnl/neigh/flush
check "ping asks again" pings a 10.9.0.2

check "TCP, by a device without offloads" transfer b a 10.9.0.2 8
ip netns exec wswh1 ethtool -K u1 tx on >/dev/null

# Options of the outer header, and marks of congestion: the inner one's outside, the outer one's inside.
check "options" vsctl h1 set interface g0 options:tos=0x20 options:ttl=33 options:df_default=false
has "TOS, TTL, no DF" 'tos 0x20, ttl 33,.*flags \[none\]' "$(capture 'udp and src 172.31.9.1' 1)"
check "options" vsctl h1 remove interface g0 options df_default -- set interface g0 options:tos=inherit options:ttl=inherit options:out_key=9
ip netns exec wswh1 timeout 10 tcpdump -nnvvi u1 -c 1 'src 172.31.9.1 and ip[1] = 0x48' >"$dir/cap" 2>/dev/null &
cap=$!
wait_for 10 bash -c "ip netns exec wswa ping -n -c 1 -Q 0x48 -t 77 -W 1 10.9.0.2 >/dev/null; ! kill -0 $cap"
has "TOS, TTL of the inner header, a key for the way there" 'tos 0x48, ttl 77,.*vni 0x9' "$(tr '\n' ' ' <"$dir/cap")"
has "told" 'key=0x7, legacy_l2, dp port=[0-9]+, out_key=0x9, ttl=inherit, tos=inherit, csum=true' "$(appctl h1 ofproto/list-tunnels)"
check "options" vsctl h1 remove interface g0 options tos ttl out_key
is_error() { [ "$(vsctl h1 get interface "$1" error)" = "$2" ]; }
check "one that cannot be" vsctl h1 --no-wait set interface g0 options:csum=yes
wait_for 20 is_error g0 '"bad value for option csum: yes (wanted: true or false)"'
check "is not in force" pings a 10.9.0.2
check "as it was" vsctl h1 set interface g0 options:csum=true
wait_for 20 is_error g0 "[]"
check "one that is none" vsctl h1 set interface g0 options:exts=gbp
said() { grep -q -- "$1" "$dir/h1.out"; }
wait_for 20 said 'g0: option exts has no effect here'
check "nor any longer" vsctl h1 remove interface g0 options exts
ip netns exec wswh1 timeout 5 tcpdump -nnvvi u1 -c 1 'udp and src 172.31.9.1' >"$dir/cap" 2>/dev/null &
cap=$!
wait_for 5 bash -c "ip netns exec wswa ping -n -c 1 -Q 1 -W 1 10.9.0.2 >/dev/null; ! kill -0 $cap"
has "the inner mark outside" 'tos 0x1,ECT' "$(cat "$dir/cap")"
check "marks of congestion, all pairs" python3 "$WEFT_SRC/tests/system/libecn.py" 172.31.9.2 172.31.9.1 7
for i in 1 2; do check "IPv6 $i" vsctl h$i set interface g0 options:remote_ip=fd00:9::$((3 - i)); done
check "the same over IPv6" python3 "$WEFT_SRC/tests/system/libecn.py" fd00:9::2 fd00:9::1 7
for i in 1 2; do check "IPv4 $i" vsctl h$i set interface g0 options:remote_ip=172.31.9.$((3 - i)); done
has "what was dropped for them is counted" 'drop_tunnel_congestion +8 ' "$(appctl h1 dpif/show-drops)"

# As OVN uses it: key and destination by flow, metadata in an option.
for i in 1 2; do
    check "flow-based $i" vsctl h$i set interface g0 options:key=flow options:csum=true
    ofctl h$i add-tlv-map br0 '{class=0x102,type=0x80,len=4}->tun_metadata0'
    ofctl h$i del-flows br0
done
check "flows 1" ofctl h1 add-flow br0 'in_port=1,actions=set_field:5->tun_id,set_field:0x10002->tun_metadata0,9'
check "flows 1" ofctl h1 add-flow br0 'in_port=9,tun_id=6,tun_metadata0=0x20001,actions=1'
check "flows 2" ofctl h2 add-flow br0 'in_port=1,actions=set_field:6->tun_id,load:2->NXM_NX_TUN_METADATA0[16..31],load:1->NXM_NX_TUN_METADATA0[0..15],9'
check "flows 2" ofctl h2 add-flow br0 'in_port=9,tun_id=5,actions=move:NXM_NX_TUN_METADATA0[0..15]->NXM_NX_REG0[0..15],resubmit(,1)'
check "flows 2" ofctl h2 add-flow br0 'table=1,reg0=2,actions=1'
check "ping with metadata" pings a 10.9.0.2
cap=$(ip netns exec wswh1 timeout 5 tcpdump -nnxi u1 -c 1 'udp and src 172.31.9.1' 2>/dev/null & sleep 0.7; pings a 10.9.0.2 >/dev/null; wait)
# Geneve header: 02 (2 words of options) 40 (critical) 6558, VNI 5, class 0102 type 80 length 1, 00010002.
has "the bytes on the wire" '0240 6558 0000 0500 0102 8001 0001 0002' "$(echo "$cap" | sed 's/.*: *//' | tr '\n' ' ' | tr -s ' ')"

# Several options, not the same ones both ways; some are matched in part, and one that does not come meets no match.
for i in 1 2; do check "more options $i" ofctl h$i add-tlv-map br0 '{class=0x103,type=1,len=8}->tun_metadata3,{class=0x104,type=2,len=4}->tun_metadata7'; done
three='set_field:0x10002->tun_metadata0,set_field:0x1122334455667788->tun_metadata3,set_field:0xabcd->tun_metadata7'
check "three options" ofctl h1 add-flow br0 "cookie=3,priority=40000,in_port=1,actions=set_field:5->tun_id,$three,9"
check "three are matched" ofctl h2 add-flow br0 'cookie=3,priority=40000,in_port=9,tun_metadata0=0x10002,tun_metadata3=0x1122334455667788,tun_metadata7=0xcd/0xff,actions=1'
check "one option" ofctl h2 add-flow br0 'cookie=3,priority=40000,in_port=1,actions=set_field:6->tun_id,set_field:0x77->tun_metadata3,9'
check "one that does not come" ofctl h1 add-flow br0 'cookie=3,priority=40001,in_port=9,tun_metadata0=0,actions=drop'
check "one is matched" ofctl h1 add-flow br0 'cookie=3,priority=40000,in_port=9,tun_metadata3=0x77,actions=1'
for i in 1 2; do check "nothing else" ofctl h$i add-flow br0 'cookie=3,priority=39999,in_port=9,actions=drop'; done
check "ping with three options" pings a 10.9.0.2
cap=$(ip netns exec wswh1 timeout 5 tcpdump -nnxi u1 -c 1 'udp and src 172.31.9.1' 2>/dev/null & sleep 0.7; pings a 10.9.0.2 >/dev/null; wait)
has "their bytes" '0740 6558 0000 0500 0102 8001 0001 0002 0103 0102 1122 3344 5566 7788 0104 0201 0000 abcd' "$(echo "$cap" | sed 's/.*: *//' | tr '\n' ' ' | tr -s ' ')"
refuse "an option in use stays" NXTTMFC_INVALID_TLV_DEL ofctl h1 del-tlv-map br0 '{class=0x103,type=1,len=8}->tun_metadata3'
for i in 1 2; do
    check "those flows go" ofctl h$i del-flows br0 cookie=3/-1
    check "their options too" ofctl h$i del-tlv-map br0 '{class=0x103,type=1,len=8}->tun_metadata3,{class=0x104,type=2,len=4}->tun_metadata7'
done
check "ping as before" pings a 10.9.0.2

# Over IPv6.
for i in 1 2; do check "IPv6 $i" vsctl h$i set interface g0 options:remote_ip=fd00:9::$((3 - i)); done
check "ping over IPv6" pings a 10.9.0.2
ip netns exec wswh1 ethtool -K u1 tx off >/dev/null
check "without checksums" vsctl h1 set interface g0 options:csum=false
has "a datagram has none" 'cksum 0x0000' "$(capture 'udp and src fd00:9::1' 1)"
check "and is taken" pings a 10.9.0.2
check "unless said" vsctl h1 remove interface g0 options csum
has "it has one" 'udp sum ok' "$(capture 'udp and src fd00:9::1' 1)"
ip netns exec wswh1 ethtool -K u1 tx on >/dev/null
check "TCP over IPv6" transfer b a 10.9.0.2 8
for i in 1 2; do vsctl h$i set interface g0 options:remote_ip=172.31.9.$((3 - i)); done

# Hostile packets to the tunnel's port: counted, nothing else.
ip netns exec wswh2 python3 - <<'P'
import socket, os
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("172.31.9.2", 0))
inner = b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x08\0" + b"\x45" + b"\0" * 40
for p in [b"", b"\0", b"\0" * 8, b"\xff" * 8, b"\x3f\x00\x65\x58" + b"\0" * 20,            # options longer than the packet
          b"\x02\x40\x65\x58\0\0\5\0" + b"\1\2\x80\x1f" + b"\0" * 4 + inner,             # an option longer than the options
          b"\x02\x40\x65\x58\0\0\5\0" + b"\7\7\x80\1" + b"\0" * 4 + inner,               # unknown and critical
          b"\x40\0\x65\x58\0\0\5\0" + inner, b"\0\0\x08\0\0\0\5\0" + inner,              # version 1; not Ethernet
          b"\0\0\x65\x58\0\0\5\0" + inner[:13]] + [os.urandom(n) for n in range(0, 1400, 7)]:
    s.sendto(p, ("172.31.9.1", 6081))
s.close()
P
wait_for 5 bash -c "ovs-appctl -t $dir/h1/ctl dpif/show-drops | grep -q drop_tunnel_malformed"
check "ping after them" pings a 10.9.0.2
# VXLAN.
for i in 1 2; do
    check "VXLAN $i" vsctl h$i add-port br0 v0 -- set interface v0 type=vxlan options:remote_ip=172.31.9.$((3 - i)) options:key=42 ofport_request=8
    ofctl h$i del-flows br0
    check "flows $i" bash -c "printf 'in_port=1,actions=8\nin_port=8,tun_id=42,actions=1\n' | OVS_RUNDIR=$dir/h$i ovs-ofctl -O OpenFlow15 add-flows br0 -"
done
check "ping over VXLAN" pings a 10.9.0.2
check "TCP over VXLAN" transfer b a 10.9.0.2 8
cap=$(capture 'udp and src 172.31.9.1' 2)
has "port 4789, VNI 42" '172.31.9.2.4789:.*VXLAN.*vni 42' "$(echo "$cap" | tr '\n' ' ')"
for i in 1 2; do
    ofctl h$i del-flows br0
    check "back to Geneve $i" bash -c "printf 'in_port=1,actions=set_field:1->tun_id,9\nin_port=9,actions=1\n' | OVS_RUNDIR=$dir/h$i ovs-ofctl -O OpenFlow15 add-flows br0 -"
done
check "ping over Geneve" pings a 10.9.0.2

check "remove the tunnel" vsctl h1 del-port br0 g0
refuse "it is gone" '100% packet loss' ip netns exec wswa ping -n -c 2 -i 0.2 -W 1 10.9.0.2
