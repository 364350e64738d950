#!/bin/bash
# Packets that, with a tunnel's headers, do not fit its path: their senders are told (switchd/port/tunnel_mtu.h), so that TCP goes on, over IPv4 and IPv6, in a VLAN, by
# one thread and by two. Between the hypervisors is a router, whose far link is the narrow one, so the path is what the kernel learns of it.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-mtu
switch_up h1
switch_up h2
ns_new wswr
for i in 1 2; do
    ip link add u$i netns wswh$i type veth peer name r$i netns wswr
    ip -n wswh$i addr add 172.31.$i.1/24 dev u$i
    ip -n wswh$i addr add fd00:3$i::1/64 dev u$i nodad
    ip -n wswh$i link set u$i mtu 1600 up
    ip -n wswr addr add 172.31.$i.9/24 dev r$i
    ip -n wswr addr add fd00:3$i::9/64 dev r$i nodad
    ip -n wswr link set r$i mtu 1600 up
    ip -n wswh$i route add default via 172.31.$i.9
    ip -n wswh$i route add default via fd00:3$i::9
done
ip netns exec wswr sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n wswh2 link set u2 mtu 1500
ip -n wswr link set r2 mtu 1500
machine h1 a 10.9.0.1/24
machine h2 b 10.9.0.2/24
for m in a:1 b:2; do ip -n wsw${m%:*} addr add fd00:9::${m#*:}/64 dev eth0 nodad; done
for i in 1 2; do
    check "tunnel $i" vsctl h$i add-br br0 -- add-port br0 g0 -- set interface g0 type=geneve options:remote_ip=172.31.$((3 - i)).1 options:key=7 options:csum=true ofport_request=9
    check "port $i" vsctl h$i add-port br0 p$([ $i = 1 ] && echo a || echo b) -- set interface p$([ $i = 1 ] && echo a || echo b) ofport_request=1
done
wait_for 20 ip netns exec wswa ping -n -c 1 -W 1 10.9.0.2
wait_for 20 ip netns exec wswa ping -n -c 1 -W 1 fd00:9::2

forget() { # all ways: what they take, too
    for ns in wswa wswb wswh1 wswh2; do
        ip -n $ns route flush cache
        ip -n $ns -6 route flush cache
    done
}
knows() { # ADDRESS MTU: a sends it 1,500 bytes, and is told that only so many fit
    local size=1472
    [[ $1 == *:* ]] && size=1452
    ip netns exec wswa ping -n -c 1 -W 1 -M do -s $size "$1" >/dev/null
    ip -n wswa route get "$1" | grep -q " mtu $2 "
}
tells() { # MTU WHAT: each family's senders
    forget
    check "$2" wait_for 20 knows 10.9.0.2 "$1"
    check "$2, IPv6" wait_for 20 knows fd00:9::2 "$1"
}
tells 1450 "what fits through Geneve"
forget
check "TCP" transfer b a 10.9.0.2 4
forget
check "TCP the other way" transfer a b 10.9.0.1 4
has "the log says so" 'tunnel to 172.31.2.1: the path takes packets of 1500 bytes, inner ones of 1450; their senders are told' "$(cat "$dir/h1.out")"
has "what was lost is counted" '^drop_send_failed +[1-9]' "$(appctl h1 dpif/show-drops)"
for i in 1 2; do
    check "two threads" vsctl h$i set open_vswitch . other_config:n-handler-threads=2
    check "over IPv6" vsctl h$i set interface g0 options:remote_ip=fd00:3$((3 - i))::1
done
tells 1430 "what fits over IPv6"
forget
check "TCP" transfer b a 10.9.0.2 4
for i in 1 2; do
    check "over IPv4, in a VLAN" vsctl h$i set interface g0 options:remote_ip=172.31.$((3 - i)).1
    check "flows" ofctl h$i --bundle replace-flows br0 - <<<$'in_port=1,actions=push_vlan:0x8100,set_field:4103->vlan_vid,9\nin_port=9,dl_vlan=7,actions=pop_vlan,1'
done
tells 1446 "what fits in a VLAN"
forget
for i in 1 2; do check "fragments" vsctl h$i set interface g0 options:df_default=false; done
check "are of use where they may be" ip netns exec wswa ping -n -c 3 -i 0.2 -W 2 -M do -s 1472 10.9.0.2
