#!/bin/bash
# The life of rows of MAC_Binding in the databases, and what a gateway may be: rows MB-20 to MB-22, MB-53, SD-8 and SD-12 of docs/seeds.md.
. "$WEFT_SRC/tests/support/lib.sh"
begin mac-rows
nbctl() { "$WEFT_BIN/weft-nbctl" --timeout=20 "$@"; }
sbctl() { "$WEFT_BIN/weft-sbctl" --timeout=20 "$@"; }
dbctl() { "$WEFT_BIN/weft-dbctl" --timeout=20 "$@"; }
start northd "$WEFT_BIN/weft-northd" -vconsole:warn
wait_for 20 test -S "$dir/ovnsb_db.sock"

nbctl --wait=sb lr-add lr0 -- lrp-add lr0 lrp11 00:00:00:00:ff:11 192.168.11.254/24 -- lrp-add lr0 lrp12 00:00:00:00:ff:12 192.168.12.254/24
datapath=$(sbctl --bare --columns=_uuid list Datapath_Binding)
bind() { sbctl create MAC_Binding "logical_port=$1" "ip=$2" "mac=\"$3\"" "datapath=$datapath"; }
left() { sbctl --bare --columns=logical_port list MAC_Binding | sort | xargs; }
check "a row for lrp11" bind lrp11 192.168.11.23 80:00:00:00:00:23
check "the same address on another port" bind lrp12 192.168.11.23 80:00:00:00:00:24
# MB-22
has "a row is named by its port" '80:00:00:00:00:23' "$(sbctl list mac_binding lrp11)"
equal "the row itself" 80:00:00:00:00:24 "$(sbctl get mac_binding lrp12 mac | tr -d '"')"
refuse "no row of such a port" 'no row "lrp13" in table MAC_Binding' sbctl list mac_binding lrp13
# MB-20, as the schema of today has it
refuse "port and address are a key" 'constraint|duplicate|same|identical' bind lrp11 192.168.11.23 80:00:00:00:00:99
# SD-8
nbctl --wait=sb lrp-del lrp11
wait_for 10 test "$(left)" = lrp12
equal "rows go with their port" lrp12 "$(left)"
nbctl --wait=sb lr-del lr0
equal "and with their router" "" "$(left)"

# MB-53
nbctl lr-add lr1 -- lrp-add lr1 lrp21 00:00:00:00:ff:21 10.0.0.254/24
refuse "a gateway with a mask" '10\.0\.0\.1/24' nbctl lr-route-add lr1 0.0.0.0/0 10.0.0.1/24
nbctl set NB_Global . options:validate=off # a row that an older northd let pass
check "written all the same, past weft-nbctl's own check" nbctl --id=@r create Logical_Router_Static_Route ip_prefix=0.0.0.0/0 nexthop=10.0.0.1/24 \
    -- add Logical_Router lr1 static_routes @r
routes() { sbctl lflow-list lr1 | grep lr_in_ip_routing | grep -c '10\.0\.0\.1'; }
nbctl --wait=sb sync
equal "it makes no route" 0 "$(routes)"
has "and a warning that quotes it" 'WARN.*"10\.0\.0\.1/24"' "$(cat "$dir/northd.out")"
check "a plain one" nbctl --wait=sb set Logical_Router_Static_Route "$(nbctl --bare --columns=_uuid list Logical_Router_Static_Route)" nexthop=10.0.0.1
equal "makes one" 1 "$(routes)"

# MB-20, MB-21: the first schema that had the table, as those who came from 1.0.0 met it
table() { echo '"columns": {"logical_port": {"type": "string"}, "ip": {"type": "string"}, "mac": {"type": "string"}}, "indexes": [["logical_port", "ip"]], "isRoot": true'; }
echo '{"name": "OVN_Southbound", "version": "1.0.0", "tables": {"Chassis": {"columns": {"name": {"type": "string"}}, "isRoot": true}}}' >"$dir/old.ovsschema"
echo '{"name": "OVN_Southbound", "version": "1.1.0", "tables": {"Chassis": {"columns": {"name": {"type": "string"}}, "isRoot": true}, "MAC_Binding": {'"$(table)"'}}}' >"$dir/new.ovsschema"
equal "version before" 1.0.0 "$(dbctl schema-version "$dir/old.ovsschema")"
equal "version with the table" 1.1.0 "$(dbctl schema-version "$dir/new.ovsschema")"
check "a file of the old one" dbctl create "$dir/old.db" "$dir/old.ovsschema"
equal "needs conversion" yes "$(dbctl needs-conversion "$dir/old.db" "$dir/new.ovsschema")"
check "a file of the new one" dbctl create "$dir/seed.db" "$dir/new.ovsschema"
insert='{"op": "insert", "table": "MAC_Binding", "row": {"logical_port": "lrp11", "ip": "192.168.11.23", "mac": "80:00:00:00:00:23"}}'
seed() { dbctl transact "$dir/seed.db" "[\"OVN_Southbound\", $1]"; }
has "a row stays, though nothing refers to it" uuid "$(seed "$insert")"
has "another of its port and address does not" 'constraint violation' "$(seed "$insert" 2>&1)"
equal "so there is one" 1 "$(seed '{"op": "select", "table": "MAC_Binding", "where": []}' | grep -o lrp11 | grep -c .)"
