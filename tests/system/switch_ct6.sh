#!/bin/bash
# Connection tracking of weft-switchd over IPv6 with real packets: a stateful firewall, source NAT (TCP, ping), ICMPv6 errors about
# translated packets, fragments, and FTP whose text becomes longer on the way.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/system/libswitch.sh"
begin switch-ct6
switch_up s
vsctl s add-br br0
machine s ca 10.0.0.1/24
machine s cb 10.0.0.2/24
for i in a:1 b:2; do
    ip -n wswc${i%:*} addr add fd00:6::${i#*:}/64 dev eth0 nodad
    mac=$(ip netns exec wswc${i%:*} cat /sys/class/net/eth0/address)
    eval "mac_${i%:*}=$mac"
done
ip -n wswca -6 neigh replace fd00:6::2 lladdr $mac_b dev eth0
ip -n wswcb -6 neigh replace fd00:6::1 lladdr $mac_a dev eth0
check "ports" vsctl s add-port br0 pca -- set interface pca ofport_request=1 -- add-port br0 pcb -- set interface pcb ofport_request=2
flows() { ofctl s del-flows br0 && ofctl s add-flows br0 -; }
check "a firewall: ca may begin, cb may only answer" flows <<'F'
table=0,priority=200,icmp6,icmp_type=135,actions=normal
table=0,priority=200,icmp6,icmp_type=136,actions=normal
table=0,priority=100,ipv6,ct_state=-trk,actions=ct(table=1,zone=6)
table=1,in_port=1,ipv6,ct_state=+trk+new,actions=ct(commit,zone=6,exec(set_field:6->ct_mark)),2
table=1,in_port=1,ipv6,ct_state=+trk+est,actions=2
table=1,in_port=2,ipv6,ct_state=+trk+est+rpl,ct_mark=6,actions=1
table=1,in_port=2,ipv6,ct_state=+trk+rel+rpl,actions=1
F
check "ping from inside" pings ca fd00:6::2
refuse "ping from outside" '100% packet loss' ip netns exec wswcb ping -n -c 2 -i 0.2 -W 1 fd00:6::1
check "ping in fragments" ip netns exec wswca ping -n -c 3 -i 0.2 -W 2 -s 4000 fd00:6::2
has "they were put together" 'v6 frags completed: [1-9]' "$(appctl s dpctl/ipf-get-status)"
check "without that" appctl s dpctl/ipf-set-disabled v6
refuse "fragments are invalid" '100% packet loss' ip netns exec wswca ping -n -c 2 -i 0.2 -W 1 -s 4000 fd00:6::2
check "with it" appctl s dpctl/ipf-set-enabled v6
refuse "a least size has a least value" 'too small' appctl s dpctl/ipf-set-min-frag v6 100
has "the ping is in the table" '^icmpv6,orig=\(src=fd00:6::1,dst=fd00:6::2,id=[0-9]+,type=128,code=0\),reply=\(src=fd00:6::2,dst=fd00:6::1,id=[0-9]+,type=129,code=0\),zone=6,mark=6$' "$(appctl s dpctl/dump-conntrack zone=6)"
tcp() { # FROM TO ADDRESS: 4 MB over TCP; what arrived is what was sent
    ip netns exec "wsw$2" timeout 60 python3 -c '
import socket, hashlib
s = socket.socket(socket.AF_INET6); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("::", 5006)); s.listen(1); s.settimeout(40)
c, a = s.accept(); h = hashlib.md5()
while d := c.recv(1 << 20): h.update(d)
print(h.hexdigest(), a[0])' >"$dir/received" &
    local server=$!
    wait_for 10 ip netns exec "wsw$2" sh -c 'ss -6ltn | grep -q :5006'
    ip netns exec "wsw$1" timeout 60 python3 -c '
import socket, hashlib, os, sys
s = socket.create_connection((sys.argv[1], 5006), 30); b = os.urandom(4 << 20); s.sendall(b); print(hashlib.md5(b).hexdigest(), sys.argv[2])' "$3" "$4" >"$dir/sent"
    wait $server
    diff "$dir/sent" "$dir/received"
}
check "TCP from inside" tcp ca cb fd00:6::2 fd00:6::1

check "source NAT" flows <<'F'
table=0,priority=200,icmp6,icmp_type=135,actions=normal
table=0,priority=200,icmp6,icmp_type=136,actions=normal
table=0,priority=100,in_port=1,ipv6,actions=ct(commit,zone=7,nat(src=fd00:6:ffff:ffff:ffff:ffff:ffff:100),table=1)
table=0,priority=110,in_port=1,tcp6,tp_dst=21,actions=ct(commit,zone=7,nat(src=fd00:6:ffff:ffff:ffff:ffff:ffff:100),alg=ftp,table=1)
table=0,priority=100,in_port=2,ipv6,actions=ct(zone=7,nat,table=1)
table=1,in_port=1,ipv6,ct_state=+trk-inv,actions=2
table=1,in_port=2,ipv6,ct_state=+trk+est,actions=1
table=1,in_port=2,ipv6,ct_state=+trk+rel,actions=ct(commit,zone=7,nat,table=2)
table=2,ipv6,actions=1
F
ip -n wswcb -6 route add fd00:6:ffff:ffff:ffff:ffff:ffff:100 dev eth0
ip -n wswcb -6 neigh replace fd00:6:ffff:ffff:ffff:ffff:ffff:100 lladdr $mac_a dev eth0
check "ping, translated" pings ca fd00:6::2
check "TCP, translated" tcp ca cb fd00:6::2 fd00:6:ffff:ffff:ffff:ffff:ffff:100
equal "an error about a translated packet" ConnectionRefusedError "$(ip netns exec wswca timeout 5 python3 -c '
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.settimeout(2); s.connect(("fd00:6::2", 9)); s.send(b"x")
try: s.recv(10); print("answered")
except Exception as e: print(type(e).__name__)')"

# FTP, active: the server connects to the address that it reads in EPRT, which is longer than what the client wrote. Both directions of
# the control connection go on behind it.
ip netns exec wswcb timeout 30 python3 - >"$dir/server" <<'P' &
import socket
s = socket.socket(socket.AF_INET6); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("::", 21)); s.listen(1); s.settimeout(20)
c, a = s.accept(); f = c.makefile("rw", newline="\r\n")
f.write("220 ready\r\n"); f.flush()
for line in f:
    word, _, rest = line.strip().partition(" ")
    print(line.strip(), flush=True)
    if word == "EPRT": _, _, host, port, _ = rest.split(rest[0])
    if word == "QUIT": f.write("221 bye\r\n"); f.flush(); break
    if word == "RETR":
        f.write("150 coming\r\n"); f.flush()
        d = socket.create_connection((host, int(port)), 10); d.sendall(rest.encode() * 100000); d.close()
    f.write("226 done with a text of some length: %s\r\n" % word); f.flush()
P
server=$!
wait_for 10 ip netns exec wswcb sh -c 'ss -6ltn | grep -q :21'
equal "FTP through translation" "400000 400000 221 bye" "$(ip netns exec wswca timeout 30 python3 - <<'P'
import socket
c = socket.create_connection(("fd00:6::2", 21), 10); f = c.makefile("rw", newline="\r\n"); f.readline()
got = []
for name in ("AAAA", "BBBB"):    # the second announcement begins behind the first one's shift
    l = socket.socket(socket.AF_INET6); l.bind(("::", 0)); l.listen(1); l.settimeout(10)
    f.write("EPRT |2|fd00:6::1|%d|\r\n" % l.getsockname()[1]); f.flush(); f.readline()
    f.write("RETR %s\r\n" % name); f.flush(); f.readline()
    d, _ = l.accept(); n = 0
    while b := d.recv(1 << 16): n += len(b)
    got.append(str(n)); f.readline()
f.write("QUIT\r\n"); f.flush()
print(*got, f.readline().strip())
P
)"
wait $server
has "the server read the longer address" 'EPRT \|2\|fd00:6:ffff:ffff:ffff:ffff:ffff:100\|' "$(cat "$dir/server")"
equal "and each command as it was sent" 5 "$(grep -cE '^(EPRT \|2\|[0-9a-f:]+\|[0-9]+\||RETR (AAAA|BBBB)|QUIT)$' "$dir/server")"
finish
