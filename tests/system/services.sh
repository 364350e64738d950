#!/bin/bash
# The classic features together, all of Weft's own and on real packets: two hypervisors, ACLs with connection tracking, reject, load
# balancers, DHCP, DNS, a gateway to a physical network with SNAT, floating addresses and a load balancer on the router.
. "$WEFT_SRC/tests/support/lib.sh"
begin services
lab() { "$WEFT_BIN/weft-lab" --name svc "$@"; }
nb() { lab exec central weft-nbctl "$@"; }
end_lab() { lab down; }
trap 'end_lab; finish' EXIT
lab down 2>/dev/null
check "lab" lab up 2

vm() { lab exec "$@"; }
serve() { # VM PORT: a server that answers each TCP connection with the VM's name and the address that asked
    vm "$1" python3 -c "
import socket
s = socket.create_server(('', $2))
while True:
    c, a = s.accept()
    c.sendall(b'$1 to ' + a[0].encode())
    c.close()" >/dev/null 2>&1 &
}
ask() { # VM ADDRESS PORT: what is answered, or the error
    vm "$1" timeout 5 python3 -c "
import socket
try: print(socket.create_connection(('$2', $3), 3).recv(100).decode())
except Exception as e: print(type(e).__name__)"
}
quiet_pings() { vm "$1" ping -n -q -c "${3:-3}" -i 0.2 -W 2 "$2"; }

nb ls-add sw0 -- lr-add lr0 -- lrp-add lr0 lr0-sw0 0a:00:00:00:ff:01 10.0.0.254/24
nb lsp-add sw0 sw0-lr0 -- lsp-set-type sw0-lr0 router -- lsp-set-addresses sw0-lr0 router -- lsp-set-options sw0-lr0 router-port=lr0-sw0
for i in 1 2; do
    nb lsp-add sw0 vm$i -- lsp-set-addresses vm$i "0a:00:00:00:00:0$i 10.0.0.$i" -- lsp-set-port-security vm$i "0a:00:00:00:00:0$i 10.0.0.$i"
    lab vm vm$i hv$i vm$i 0a:00:00:00:00:0$i 10.0.0.$i/24 10.0.0.254
done
check "flows are in" nb --wait=hv --timeout=60 sync
check "ping between hypervisors" quiet_pings vm1 10.0.0.2
serve vm2 8000
serve vm1 8000
wait_for 10 lab exec vm2 sh -c 'ss -ltn | grep -q :8000'
wait_for 10 lab exec vm1 sh -c 'ss -ltn | grep -q :8000'

# Port security: another source address does not leave.
vm vm1 ip addr add 10.0.0.77/24 dev eth0
refuse "a wrong source address" '100% packet loss' vm vm1 ping -n -c 2 -i 0.2 -W 1 -I 10.0.0.77 10.0.0.2
vm vm1 ip addr del 10.0.0.77/24 dev eth0

# ACLs: vm2 takes connections to port 8000 only, answers to its own come back, and port 9000 is refused aloud.
nb pg-add web vm2
nb acl-add web to-lport 1000 'outport == @web && ip4' drop -- acl-add web to-lport 1001 'outport == @web && tcp.dst == 8000' allow-related \
    -- acl-add web to-lport 1002 'outport == @web && tcp.dst == 9000' reject -- acl-add web from-lport 1000 'inport == @web && ip4' allow-related
check "flows of ACLs are in" nb --wait=hv --timeout=60 sync
equal "allowed" "vm2 to 10.0.0.1" "$(ask vm1 10.0.0.2 8000)"
equal "rejected" ConnectionRefusedError "$(ask vm1 10.0.0.2 9000)"
equal "dropped" TimeoutError "$(ask vm1 10.0.0.2 7000)"
refuse "no ping in" '100% packet loss' vm vm1 ping -n -c 2 -i 0.2 -W 1 10.0.0.2
check "but out, with answers" quiet_pings vm2 10.0.0.1
equal "connections out" "vm1 to 10.0.0.2" "$(ask vm2 10.0.0.1 8000)"
nb acl-del web
check "without ACLs again" nb --wait=hv --timeout=60 sync
check "ping in again" quiet_pings vm1 10.0.0.2

# A load balancer on the switch, also to oneself (hairpin).
nb lb-add lb0 10.99.0.100:80 10.0.0.1:8000,10.0.0.2:8000 -- ls-lb-add sw0 lb0
check "flows of the load balancer are in" nb --wait=hv --timeout=60 sync
answers=$(for _ in $(seq 16); do ask vm1 10.99.0.100 80; done | sort -u)
has "one backend answers" '^vm2 to 10.0.0.1$' "$answers"
has "the other too, which is the asker itself" '^vm1 to ' "$answers"
nb ls-lb-del sw0 lb0

# DHCP and DNS.
nb dhcp-options-create 10.0.0.0/24
dhcp=$(nb --bare --columns=_uuid find DHCP_Options cidr=10.0.0.0/24)
nb dhcp-options-set-options "$dhcp" lease_time=3600 router=10.0.0.254 server_id=10.0.0.254 server_mac=0a:00:00:00:ff:01 dns_server=10.0.0.254
nb lsp-add sw0 vm3 -- lsp-set-addresses vm3 "0a:00:00:00:00:03 10.0.0.3" -- lsp-set-dhcpv4-options vm3 "$dhcp"
dns=$(nb create DNS 'records={"web.example"="10.0.0.2"}')
nb set Logical_Switch sw0 "dns_records=$dns"
lab vm vm3 hv2 vm3 0a:00:00:00:00:03
check "flows of DHCP are in" nb --wait=hv --timeout=60 sync
has "a lease" '10\.0\.0\.3' "$(vm vm3 python3 - 2>&1 <<'P'
import socket, struct, random
mac = bytes.fromhex("0a0000000003"); xid = random.randbytes(4)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for o, v in ((socket.SO_BROADCAST, 1), (socket.SO_REUSEADDR, 1)): s.setsockopt(socket.SOL_SOCKET, o, v)
s.setsockopt(socket.SOL_SOCKET, 25, b"eth0\0"); s.bind(("", 68)); s.settimeout(2)
def ask(options):
    m = struct.pack("!BBBB4sHH4s4s4s4s16s192s4s", 1, 1, 6, 0, xid, 0, 0x8000, b"\0" * 4, b"\0" * 4, b"\0" * 4, b"\0" * 4, mac, b"", b"\x63\x82\x53\x63") + options + b"\xff"
    for i in range(5):
        s.sendto(m, ("255.255.255.255", 67))
        try:
            r = s.recv(2000)
            if r[4:8] == xid: return r
        except socket.timeout: pass
    raise SystemExit("no answer")
offer = ask(b"\x35\1\1"); ip = offer[16:20]
ack = ask(b"\x35\1\3\x32\4" + ip + b"\x36\4" + bytes((10, 0, 0, 254)))
print(socket.inet_ntoa(ip), ack[240:243].hex())
P
)"
vm vm3 ip addr add 10.0.0.3/24 dev eth0
vm vm3 ip route add default via 10.0.0.254
has "a name" '^10\.0\.0\.2$' "$(vm vm3 python3 - 2>&1 <<'P'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(2)
q = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\3web\7example\0\0\1\0\1"
for i in range(5):
    s.sendto(q, ("10.0.0.254", 53))
    try:
        r = s.recv(500)
        print(socket.inet_ntoa(r[-4:])); break
    except socket.timeout: pass
P
)"

# A physical network on hv1: SNAT for all, a floating address for vm2, a load balancer on the router.
for hv in hv1 hv2; do lab exec $hv weft-vsctl add-br br-ex -- set Open_vSwitch . external_ids:ovn-bridge-mappings=physnet:br-ex; done
ns_new wsvout
ip link add ex0 netns wl-svc-hv1 type veth peer name eth0 netns wsvout
ip -n wl-svc-hv1 link set ex0 up
ip -n wsvout addr add 172.16.0.9/24 dev eth0
ip -n wsvout link set eth0 up
lab exec hv1 weft-vsctl add-port br-ex ex0
nb ls-add public -- lsp-add public ln -- lsp-set-type ln localnet -- lsp-set-addresses ln unknown -- lsp-set-options ln network_name=physnet
nb lrp-add lr0 lr0-public 0a:00:00:00:ff:02 172.16.0.254/24 -- lsp-add public public-lr0 -- lsp-set-type public-lr0 router \
    -- lsp-set-addresses public-lr0 router -- lsp-set-options public-lr0 router-port=lr0-public
nb lrp-set-gateway-chassis lr0-public "$(lab exec hv1 weft-vsctl --bare get Open_vSwitch . external_ids:system-id | tr -d '"')" 20
nb lr-nat-add lr0 snat 172.16.0.254 10.0.0.0/24 -- lr-nat-add lr0 dnat_and_snat 172.16.0.50 10.0.0.2
nb lb-add lb1 172.16.0.60:80 10.0.0.1:8000,10.0.0.2:8000 -- lr-lb-add lr0 lb1
check "flows of the gateway are in" nb --wait=hv --timeout=60 sync
out() { ip netns exec wsvout "$@"; }
out python3 -c "
import socket
s = socket.create_server(('', 8000))
while True:
    c, a = s.accept()
    c.sendall(b'outside to ' + a[0].encode())
    c.close()" >/dev/null 2>&1 &
wait_for 10 ip netns exec wsvout sh -c 'ss -ltn | grep -q :8000'
check "out, from the gateway's hypervisor" quiet_pings vm1 172.16.0.9 5
equal "with the router's address" "outside to 172.16.0.254" "$(ask vm1 172.16.0.9 8000)"
equal "out from the other hypervisor, with the floating address" "outside to 172.16.0.50" "$(ask vm2 172.16.0.9 8000)"
check "in to the floating address" out ping -n -q -c 3 -i 0.2 -W 2 172.16.0.50
asked() { out timeout 5 python3 -c "import socket; print(socket.create_connection(('$1', $2), 3).recv(100).decode())"; }
equal "in over TCP" "vm2 to 172.16.0.9" "$(asked 172.16.0.50 8000)"
has "the router's load balancer" '^vm[12] to ' "$(asked 172.16.0.60 80)"
check "the router's own address" out ping -n -q -c 3 -i 0.2 -W 2 172.16.0.254

# Every daemon killed at once; all of it is there again.
for node in central hv1 hv2; do
    for p in weft-northd weft-switchd weft-controller; do
        pid=$(lab pid $node $p 2>/dev/null) && kill -9 "$pid"
    done
done
wait_for 60 ip netns exec wsvout ping -n -q -c 1 -W 1 172.16.0.50
equal "out again" "outside to 172.16.0.254" "$(ask vm1 172.16.0.9 8000)"
equal "in again" "vm2 to 172.16.0.9" "$(asked 172.16.0.50 8000)"
