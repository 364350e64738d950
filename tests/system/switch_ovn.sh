#!/bin/bash
# Debian's unmodified ovn-northd, ovsdb-server and ovn-controller drive two weft-switchd hypervisors: same switch, across Geneve,
# routed, the router's own address, and an address that the router must resolve by ARP; a switch that is killed comes back.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-ovn
for db in nb sb; do
    ovsdb-tool create "$dir/$db.db" "/usr/share/ovn/ovn-$db.ovsschema"
    start ovsdb-$db ovsdb-server --remote="punix:$dir/$db.sock" --unixctl="$dir/$db.ctl" "$dir/$db.db"
    wait_for 10 test -S "$dir/$db.sock"
done
start northd ovn-northd --ovnnb-db="unix:$dir/nb.sock" --ovnsb-db="unix:$dir/sb.sock" --unixctl="$dir/northd.ctl"
nb() { ovn-nbctl --db="unix:$dir/nb.sock" --timeout=30 "$@"; }

ip netns del wswh1 2>/dev/null
for h in 1 2; do switch_up h$h; done
ip link add u1 netns wswh1 type veth peer name u2 netns wswh2
controller_start() { # NUMBER
    OVS_RUNDIR=$dir/h$1 OVN_RUNDIR=$dir/h$1 start controller$1 ip netns exec wswh$1 ovn-controller "unix:$dir/h$1/db.sock"
}
for h in 1 2; do
    ip -n wswh$h addr add 172.31.9.$h/24 dev u$h
    ip -n wswh$h link set u$h mtu 1700 up
    vsctl h$h set open_vswitch . external_ids:system-id=h$h external_ids:ovn-remote="unix:$dir/sb.sock" \
        external_ids:ovn-encap-type=geneve external_ids:ovn-encap-ip=172.31.9.$h
    controller_start $h
    wait_for 10 vsctl h$h br-exists br-int
done

vm() { # HYPERVISOR NAME NUMBER ADDRESS GATEWAY
    machine "h$1" "$2" "$4/24"
    ip -n "wsw$2" link set eth0 address "0a:00:00:00:00:$3"
    ip -n "wsw$2" route add default via "$5"
    vsctl "h$1" add-port br-int "p$2" -- set interface "p$2" external_ids:iface-id="$2"
}
check "two switches and a router" nb ls-add ls0 -- ls-add ls1 -- lr-add lr0
for i in 0 1; do
    check "router port $i" nb lrp-add lr0 r$i 00:00:00:00:ff:0$i 10.0.$i.1/24 -- lsp-add ls$i s$i -- lsp-set-type s$i router \
        -- lsp-set-addresses s$i router -- lsp-set-options s$i router-port=r$i
done
for p in a:0a:ls0:10.0.0.10 b:0b:ls0:10.0.0.11 c:0c:ls0:10.0.0.12 d:0d:ls1:10.0.1.10; do
    IFS=: read -r name number switch address <<<"$p"
    nb lsp-add $switch $name -- lsp-set-addresses $name "0a:00:00:00:00:$number $address"
done
check "a port for unknown addresses" nb lsp-add ls1 e -- lsp-set-addresses e unknown
vm 1 a 0a 10.0.0.10 10.0.0.1
vm 1 b 0b 10.0.0.11 10.0.0.1
vm 2 c 0c 10.0.0.12 10.0.0.1
vm 2 d 0d 10.0.1.10 10.0.1.1
vm 1 e 0e 10.0.1.77 10.0.1.1
check "the network is there" nb --wait=hv sync

all() { # SUFFIX
    check "same switch, same hypervisor$1" pings a 10.0.0.11
    check "same switch, across Geneve$1" pings a 10.0.0.12
    check "the router$1" pings a 10.0.0.1
    check "routed, across Geneve$1" pings a 10.0.1.10
    check "routed, by ARP$1" ip netns exec wswa ping -n -c 3 -i 0.5 -W 3 10.0.1.77
}
all ""
has "the binding" '10.0.1.77' "$(ovn-sbctl --db="unix:$dir/sb.sock" list mac_binding)"
check "TCP, routed, across Geneve" transfer d a 10.0.1.10 16
has "megaflows of routed traffic are few" '^[0-9]$|^[1-3][0-9]$' "$(appctl h1 dpif/dump-flows br-int | wc -l)"

# Stateful: c may begin connections and be answered; nobody may begin one to c. Then a load balancer, and a router that translates.
check "ACLs" nb acl-add ls0 from-lport 1002 'inport == "c" && ip4' allow-related -- acl-add ls0 to-lport 1001 'outport == "c" && ip4' drop
check "ACLs are there" nb --wait=hv sync
check "c begins: ping" pings c 10.0.0.10
check "c begins: TCP, across Geneve" transfer a c 10.0.0.10 8
refuse "nobody begins to c" '100% packet loss' ip netns exec wswa ping -n -c 2 -i 0.2 -W 1 10.0.0.12
has "connections are tracked in a zone" 'tcp,orig=\(src=10.0.0.12,dst=10.0.0.10,.*zone=[1-9]' "$(appctl h2 dpctl/dump-conntrack)"
check "no ACLs" nb acl-del ls0
check "a load balancer" nb lb-add lb0 10.9.9.9:5001 10.0.0.11:5001 -- ls-lb-add ls0 lb0
check "it is there" nb --wait=hv sync
check "TCP to the virtual address, same hypervisor" transfer b a 10.9.9.9 8
check "TCP to the virtual address, across Geneve" transfer b c 10.9.9.9 8
check "no load balancer" nb lb-del lb0
check "NAT at h1" nb lrp-set-gateway-chassis r1 h1 -- lr-nat-add lr0 dnat_and_snat 10.0.1.200 10.0.0.10 -- lr-nat-add lr0 snat 10.0.1.201 10.0.0.0/24
check "it is there too" nb --wait=hv sync
check "ping to the floating address" pings e 10.0.1.200
check "TCP to the floating address" transfer a e 10.0.1.200 8
check "ping from behind SNAT" pings b 10.0.1.77
check "TCP from behind SNAT" transfer e b 10.0.1.77 8
has "the source was translated" 'tcp,orig=\(src=10.0.0.11,dst=10.0.1.77,.*dst=10.0.1.201' "$(appctl h1 dpctl/dump-conntrack)"
check "no NAT" nb lr-nat-del lr0 -- lrp-del-gateway-chassis r1 h1
check "it is gone" nb --wait=hv sync

# kill -9 of a switch: it comes back with its ports, the controller puts its flows back, nothing is configured again.
kill -9 "$(cat "/proc/$pid_h1/task/$pid_h1/children" 2>/dev/null | awk '{ print $1 }')" 2>/dev/null || kill -9 "$pid_h1"
sleep 0.3
kept=()
for p in "${pids[@]}"; do [ "$p" = "$pid_h1" ] || kept+=("$p"); done
pids=("${kept[@]}")
switch_start h1
wait_for 30 ip netns exec wswa ping -n -c 1 -W 1 10.0.1.10
all " after kill -9"
equal "no packet was lost for want of something that we do not have" "" "$(appctl h1 dpif/show-drops | grep -E 'drop_(recirc_too_deep|unsupported|recursion_too_deep|stack)')"
