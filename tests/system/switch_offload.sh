#!/bin/bash
# Unfinished checksums and large segments on their way through the switch, every packet on every leg looked at (liboffload.py): routed by flows, flooded, and the
# matrix (libmatrix.py) of senders, ways (VLANs, Geneve and VXLAN over both IP versions), the connection tracker and its translations, IPv4 and IPv6, TCP and UDP;
# with offloads, of a sender without, and to devices without. Machines a and b and the tap ti hang on switch h1, c on h2.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-offload
switch_up h1
switch_up h2
ip link add u1 netns wswh1 type veth peer name u2 netns wswh2
for i in 1 2; do
    ip -n wswh$i addr add 172.31.9.$i/24 dev u$i
    ip -n wswh$i addr add fd00:31::$i/64 dev u$i nodad
    ip -n wswh$i link set u$i mtu 1600 up
done
ip link add t1 netns wswh1 type veth peer name t2 netns wswh2
knows() { # NS DEVICE: all machines' addresses and those that only flows know, so that no packet but ours crosses
    local m v
    for m in 1=01 2=02 3=03 98=01 99=02 100=64; do
        for v in 10.9.0.${m%=*} fd00:9::${m%=*}; do ip -n "$1" neigh replace $v lladdr 0a:00:00:00:00:${m#*=} dev "$2"; done
    done
}
n=0
for m in h1:a h1:b h2:c; do
    n=$((n + 1))
    machine "${m%:*}" "${m#*:}" 10.9.0.$n/24
    ns=wsw${m#*:}
    ip -n "$ns" link set eth0 address 0a:00:00:00:00:0$n
    ip -n "$ns" addr add fd00:9::$n/64 dev eth0 nodad
    knows "$ns" eth0
done
check "bridges" vsctl h1 add-br br0 -- add-port br0 pa -- set interface pa ofport_request=1 -- add-port br0 pb -- set interface pb ofport_request=2
check "bridge of c" vsctl h2 add-br br0 -- add-port br0 pc -- set interface pc ofport_request=1
for i in 1 2; do
    ip="options:remote_ip=172.31.9.$((3 - i)) options:key=7" ip6="options:remote_ip=fd00:31::$((3 - i)) options:key=7"
    check "tunnels $i" vsctl h$i add-port br0 t$i -- set interface t$i ofport_request=3 \
        -- add-port br0 g0 -- set interface g0 type=geneve $ip options:csum=true ofport_request=9 -- add-port br0 v0 -- set interface v0 type=vxlan $ip ofport_request=8 \
        -- add-port br0 g6 -- set interface g6 type=geneve $ip6 ofport_request=7 -- add-port br0 v6 -- set interface v6 type=vxlan $ip6 options:csum=false ofport_request=6
done
ip link add w1 netns wswh1 type veth peer name w2 netns wswh2
for i in 1 2; do # the switch's own ports are the underlay of this one
    ip -n wswh$i link set w$i mtu 1600
    check "a bridge below $i" vsctl h$i add-br bru -- add-port bru w$i -- set interface bru mtu_request=1600 \
        -- add-port br0 gb -- set interface gb type=geneve options:remote_ip=172.31.8.$((3 - i)) options:key=7 options:csum=true ofport_request=4
    wait_for 20 ip -n wswh$i link show bru
    ip -n wswh$i addr add 172.31.8.$i/24 dev bru
    ip -n wswh$i link set bru up
done
wait_for 20 ip netns exec wswh1 ping -n -c 1 -W 1 172.31.8.2
check "a tap" vsctl h1 add-port br0 ti -- set interface ti type=internal ofport_request=5 options:n_rxq=2 'mac="0a:00:00:00:00:64"'
wait_for 20 ip -n wswh1 link show ti
ip -n wswh1 addr add 10.9.0.100/24 dev ti
ip -n wswh1 addr add fd00:9::100/64 dev ti nodad
ip -n wswh1 link set ti up
knows wswh1 ti
flows() { # SWITCH FLOW...: these and no others
    local s=$1
    shift
    check "flows of $s" bash -c "printf '%s\n' $(printf "'%s' " "$@") | OVS_RUNDIR=$dir/$s ovs-ofctl -O OpenFlow15 --bundle replace-flows br0 -"
}
send() { # WHAT KIND TO ADDRESS LEG...: from machine a
    check "$1" python3 "$WEFT_SRC/tests/system/liboffload.py" "$2" wswa "wsw$3" "${@:4}"
}
offloads() { # NS DEVICE on|off
    ip netns exec "$1" ethtool -K "$2" tx "$3" tso "$3" gso "$3" tx-udp-segmentation "$3" >/dev/null
}

matrix() { # STATE
    check "the matrix: $1" python3 "$WEFT_SRC/tests/system/libmatrix.py" "$1"
}

whole=wswh1,pa,1500,whole
sets='set_field:0a:00:00:00:00:02->eth_dst,dec_ttl'
flows h1 in_port=1,ip,actions=$sets,2 in_port=1,ipv6,actions=$sets,2 in_port=1,arp,actions=2 in_port=2,actions=1
send "routed" tcp b 10.9.0.2 $whole wswb,eth0,1500,whole
flows h1 in_port=1,actions=flood in_port=2,actions=1
send "flooded, through tunnels too" tcp b 10.9.0.2 $whole wswb,eth0,1500,whole
send "UDP, one by one" udp b 10.9.0.2 ${whole/whole/cut} wswb,eth0,1500,cut
flows h1 in_port=1,actions=5 in_port=5,actions=1
for to in 10.9.0.100 fd00:9::100; do
    send "TCP to a tap, $to" tcp h1 $to $whole wswh1,ti,1500,whole
    send "UDP, many in one" udp-gso h1 $to $whole wswh1,ti,1500,whole
done

for h in h1 h2; do
    python3 "$WEFT_SRC/tests/system/libmatrix.py" flows $h >"$dir/matrix.$h"
    check "flows of the matrix, $h" ofctl $h --bundle replace-flows br0 "$dir/matrix.$h"
done
matrix on
offloads wswa eth0 off
matrix sender
offloads wswa eth0 on
for d in wswh1,u1 wswh1,w1 wswh1,t1 wswh1,pb wswh2,pc; do offloads ${d%,*} ${d#*,} off; done
matrix ends
for d in wswh1,u1 wswh1,w1 wswh1,t1 wswh1,pb wswh2,pc; do offloads ${d%,*} ${d#*,} on; done
crosses() { # SWITCH PORT: as it will, and has said so
    [ -n "$(vsctl "$1" get interface "$2" status:packet_io)" ] && grep -q "$2: packets cross by" "$dir/$1.out"
}
for p in h1,pa h1,pb h2,pc; do check "AF_XDP for ${p#*,}" vsctl ${p%,*} set interface ${p#*,} options:xdp-mode=best-effort; done
for p in h1,pa h1,pb h2,pc; do wait_for 20 crosses ${p%,*} ${p#*,}; done
matrix xdp
