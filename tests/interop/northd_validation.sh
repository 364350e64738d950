#!/bin/bash
# weft-northd refuses what can never work in the northbound database that it hosts; Debian's ovn-nbctl sees the sentence and otherwise works as ever.
. "$WEFT_SRC/tests/support/lib.sh"
begin northd-validation
start northd "$WEFT_BIN/weft-northd"
northd=$started
wait_for 20 test -S "$dir/ovnsb_db.sock"
nb=unix:$dir/ovnnb_db.sock
nbctl() { ovn-nbctl --db="$nb" --timeout=20 "$@"; }
ours() { "$WEFT_BIN/weft-nbctl" --db="$nb" --timeout=20 "$@"; }

check "good rows of all kinds" nbctl ls-add s -- lsp-add s p -- lsp-set-addresses p "0a:00:00:00:00:01 10.0.0.1 fd00::1" \
    -- lsp-set-port-security p "0a:00:00:00:00:01 10.0.0.0/24" -- acl-add s to-lport 100 'ip4 && tcp.dst == {80, 443}' allow-related \
    -- qos-add s from-lport 1 ip6 rate=10 -- lr-add r -- lrp-add r rp 0a:00:00:00:00:ff 10.0.0.254/24 \
    -- lr-route-add r 10.9.0.0/16 10.0.0.9 -- lr-nat-add r snat 30.0.0.1 10.0.0.0/24 -- lr-policy-add r 1 'ip4.dst == 1.2.3.4' reroute 10.0.0.7 \
    -- lb-add lb 30.0.0.2:80 10.0.0.1:80,10.0.0.2:80 -- ls-lb-add s lb -- dhcp-options-create 10.0.0.0/24

refuse "a match that does not parse" 'table ACL, row [0-9a-f-]+, column match, position [0-9]+:.*expected a match expression' \
    nbctl acl-add s to-lport 101 'ip4 && tcp.dst ==' drop
refuse "a field that is none" 'column match.*nonsense' nbctl acl-add s to-lport 102 'nonsense == 1' drop
refuse "by our tool too" 'table ACL.*column match, position' ours acl-add s to-lport 101 'ip4 &&' drop
refuse "a QoS match" 'table QoS.*column match' nbctl qos-add s to-lport 1 'ip4.src == 300.0.0.1' rate=1
refuse "a policy match" 'table Logical_Router_Policy.*column match' nbctl lr-policy-add r 2 'ip4 ||' drop
refuse "an address of a port" 'table Logical_Switch_Port.*column addresses, position 19.*10.0.0.300' nbctl lsp-set-addresses p "0a:00:00:00:00:01 10.0.0.300"
refuse "an address in a set" 'table Address_Set.*column addresses' nbctl create address_set name=as addresses='"ten"'
refuse "a next hop" 'table Logical_Router_Static_Route.*column nexthop' nbctl --id=@r create logical_router_static_route ip_prefix='"10.0.0.0/8"' nexthop='"there"' -- add logical_router r static_routes @r
refuse "backends of another version" 'table Load_Balancer.*expected an IPv4 address' nbctl set load_balancer lb 'vips:"30.0.0.3:80"="[fd00::1]:80"'
refuse "a subnet" 'table Logical_Switch.*column other_config:subnet' nbctl set logical_switch s other_config:subnet=10.0.0.0/33
dhcp=$(nbctl --bare --columns=_uuid find dhcp_options)
refuse "a value of a DHCP option" 'table DHCP_Options.*column options: router .*ttt.*: expected an IPv4 address' nbctl set dhcp_options "$dhcp" options:router=ttt
check "good ones, and one that nobody knows" nbctl set dhcp_options "$dhcp" 'options:dns_server="{8.8.8.8, 8.8.4.4}"' 'options:domain_name="\"ovn.org\""' options:nobody=x
refuse "an address to translate to" 'table Logical_Router.*column options:lb_force_snat_ip.*router_ip' nbctl set logical_router r options:lb_force_snat_ip=rubbish
refuse "a mode of advertisements" 'column ipv6_ra_configs:address_mode.*slaac' nbctl set logical_router_port rp ipv6_ra_configs:address_mode=rubbish
refuse "a tunnel key" 'table Logical_Switch,.*requested-tnl-key.*1 to 16777215' nbctl set logical_switch s other_config:requested-tnl-key=16777216
refuse "a name without an address" 'table DNS.*column records: vm .*there.*: expected' nbctl create dns records:vm=there
refuse "a transaction as a whole" 'column match' nbctl ls-add never -- acl-add s to-lport 103 '((' drop
equal "nothing of it happened" "" "$(nbctl --bare --columns=_uuid find logical_switch name=never)"
equal "no bad rule came in" 100 "$(nbctl --bare --columns=priority list acl)"

check "commands by their names of old" ours lswitch-add old -- lport-add old port -- lport-set-addresses port unknown
equal "are those of today" unknown "$(ours lsp-get-addresses port)"
check "and remove" ours lswitch-del old

check "names that nobody has yet" nbctl acl-add s to-lport 200 'outport == @later && ip4.src == $soon' drop
check "a hidden rule" nbctl acl-add s to-lport 50 '(ip4) && tcp.dst == {0x50, 443}' drop
report=$(ours check)
has "check: a set that is missing" 'warning: .*there is no address set "soon"' "$report"
has "check: a group that is missing" 'warning: .*there is no port group "later"' "$report"
has "check: a DHCP option that is none" 'warning: .*there is no DHCP option "nobody"' "$report"
has "check: what is hidden" 'warning: .*is hidden by' "$report"
has "northd's log tells it" 'there is no address set "soon"' "$(cat "$dir"/*.log "$dir"/northd.out 2>/dev/null)"

told() { grep -qE "$1" "$dir"/*.log "$dir"/northd.out 2>/dev/null; }
# What is accepted, told in the log at its commit and by check.
twice() {
    local what=$1 said=$2
    shift 2
    check "$what" nbctl "$@"
    check "$what: northd's log tells it" wait_for 20 told "$said"
    expected+=("$said")
}
expected=()
check "two of each" nbctl lsp-add s q -- lsp-set-addresses q "0a:00:00:00:00:02 10.0.0.2" -- lrp-add r rq 0a:00:00:00:00:fe 10.1.0.254/24 \
    -- lb-add lb2 30.0.0.3:80 10.0.0.1:80 -- ls-lb-add s lb2
twice "a hidden rule of one already there" 'priority 49, match.*is hidden by' acl-add s to-lport 49 'ip4 && tcp.dst == {80, 0x1bb}' drop
twice "a rule that a wider one hides" 'priority 30, match.*is hidden by.*priority 40, match "ip6"' acl-add s from-lport 40 ip6 allow -- acl-add s from-lport 30 'ip6 && tcp' drop
twice "a policy that a wider one hides" 'table Logical_Router_Policy.*priority 7, match.*is hidden by' lr-policy-add r 8 ip4 allow -- lr-policy-add r 7 'ip4.src == 10.0.0.1' drop
twice "a route to nowhere" 'route 10.5.0.0/16 via 99.9.9.9 of router "r" leads nowhere' lr-route-add r 10.5.0.0/16 99.9.9.9
twice "a MAC twice" '\([pq]\): Ethernet address 0a:00:00:00:00:01 is also of' set logical_switch_port q addresses='"0a:00:00:00:00:01 10.0.0.2"'
twice "an address twice" ': address 10.0.0.1 is also of' set logical_switch_port q addresses='"0a:00:00:00:00:01 10.0.0.1"'
twice "a route twice" 'route 10.9.0.0/16 via 10.0.0.9 is also of' --id=@x create logical_router_static_route ip_prefix=10.9.0.0/16 nexthop=10.0.0.9 -- \
    add logical_router r static_routes @x
twice "a NAT twice" 'type snat, logical_ip 10.0.0.0/24 is also of' --id=@x create nat type=snat external_ip=30.0.0.9 logical_ip=10.0.0.0/24 -- add logical_router r nat @x
twice "a virtual address twice" 'virtual address 30.0.0.2, tcp port 80 is also of' set load_balancer lb2 'vips:"30.0.0.2:80"="10.0.0.2:80"'
twice "networks that overlap" 'network 10.0.0.0/24 overlaps one of' set logical_router_port rq networks=10.0.0.253/16
check "a switch that has one address to give" nbctl ls-add full -- set logical_switch full other_config:subnet=10.3.0.0/30 \
    -- lsp-add full f1 -- lsp-set-addresses f1 dynamic -- lsp-add full f2 -- lsp-set-addresses f2 dynamic
check "northd's log tells who gets none" wait_for 20 told 'switch "full" has no address left in other_config:subnet for port "f[12]"'
twice "a type that is none" 'column type: there is no type "rooter"' set logical_switch_port q type=rooter
report=$(ours check)
has "check tells who was given no address" 'row .* \(f[12]\): it has been given no address of other_config:subnet of switch "full"' "$report"
equal "and nobody else" 1 "$(grep -c 'has been given no address' <<<"$report")"
for said in "${expected[@]}"; do has "check tells it, too" "warning: .*($said)" "$report"; done

check "strict" nbctl set nb_global . options:validate=strict
refuse "strict: a name that nobody has" 'there is no address set .*gone' nbctl acl-add s to-lport 201 'ip4.src == $gone' drop
check "strict: its name comes with it" nbctl create address_set name=gone -- acl-add s to-lport 201 'ip4.src == $gone' drop
check "off" nbctl set nb_global . options:validate=off
check "off: anything goes" nbctl acl-add s to-lport 300 'ip4 &&' drop
check "back to the default" nbctl remove nb_global . options validate
check "a bad row does not stop others from changing" nbctl set acl "$(nbctl --bare --columns=_uuid find acl priority=300)" priority=301
report=$(ours check)
equal "check: its status" 1 $?
has "check: the bad row" 'error: table ACL.*column match' "$report"

kill -KILL "$northd"
wait "$northd" 2>/dev/null
pids=()
start northd2 "$WEFT_BIN/weft-northd"
wait_for 20 nbctl init
equal "a file with a bad row is served" 301 "$(nbctl --bare --columns=priority find acl action=drop priority=301)"
check "and northd works" nbctl --wait=sb ls-add more
