#!/bin/bash
# TLS of a database server: mutual certificates, 1.2 and 1.3, keys that the database names and that change at run time, CAs that
# a connection brings. Debian's clients and server are the peers.
. "$WEFT_SRC/tests/support/lib.sh"
. "$WEFT_SRC/tests/support/pki.sh"
begin dbd-tls
cd "$dir" || exit 1
nb=/usr/share/ovn/ovn-nb.ovsschema db=OVN_Northbound
ca red && ca blue && signed server red && signed client red && signed stranger blue && signed other blue || exit 1
check "create" "$WEFT_BIN/weft-dbctl" create nb.db $nb
ovn_ctl_options=(--private-key=db:$db,SSL,private_key --certificate=db:$db,SSL,certificate --ca-cert=db:$db,SSL,ca_cert
    --ssl-protocols=db:$db,SSL,ssl_protocols --ssl-ciphers=db:$db,SSL,ssl_ciphers)
start dbd "$WEFT_BIN/weft-dbd" -vconsole:info --remote=punix:nb.sock --unixctl="$dir/dbd.ctl" --remote=db:$db,NB_Global,connections "${ovn_ctl_options[@]}" nb.db
wait_for 20 test -S nb.sock
nbctl() { ovn-nbctl --db="unix:$dir/nb.sock" --timeout=20 "$@"; }
as() { local name=$1; shift; ovn-nbctl --db=ssl:127.0.0.1:16661 -p "$name.key" -c "$name.pem" -C red.pem --timeout=3 "$@"; }
check "set-connection without keys" nbctl init -- set-connection pssl:16661:127.0.0.1
wait_for 10 bash -c "ovn-nbctl --db='unix:$dir/nb.sock' --bare --columns=status list Connection | grep -q bound_port=16661"
refuse "nobody gets in while there is no certificate" 'connection failed' as client show
check "set-ssl" nbctl set-ssl "$dir/server.key" "$dir/server.pem" "$dir/red.pem"
wait_for 10 as client show
check "a client of the CA" as client ls-add by-tls
has "who did it is in the log" 'client' "$("$WEFT_BIN/weft-dbctl" log nb.db 5)"
refuse "one of another CA" 'connection failed' as stranger show
has "one without certificate" 'alert' "$(openssl s_client -tls1_2 -connect 127.0.0.1:16661 -CAfile red.pem </dev/null 2>&1)"
for version in 1_2 1_3; do
    has "TLS $version" "TLSv${version/_/.}" "$(openssl s_client -tls$version -connect 127.0.0.1:16661 -key client.key -cert client.pem -CAfile red.pem </dev/null 2>/dev/null | grep -i 'protocol\|^New')"
done
check "set-ssl with TLS 1.2 alone" nbctl set-ssl "$dir/server.key" "$dir/server.pem" "$dir/red.pem" TLSv1.2
wait_for 10 bash -c "! openssl s_client -tls1_3 -connect 127.0.0.1:16661 -key client.key -cert client.pem -CAfile red.pem </dev/null 2>/dev/null | grep -q '^New, TLSv1.3'"
check "1.2 still" as client show
check "set-ssl with another CA" nbctl set-ssl "$dir/other.key" "$dir/other.pem" "$dir/blue.pem"
wait_for 10 ovn-nbctl --db=ssl:127.0.0.1:16661 -p stranger.key -c stranger.pem -C blue.pem --timeout=3 show
refuse "the first client is one of another CA now" 'connection failed' as client show
check "set-ssl with files that are not there" nbctl set-ssl /nonexistent "$dir/server.pem" "$dir/red.pem"
wait_for 10 grep -q 'cannot be used.*/nonexistent: No such file' dbd.out
check "what was in use stays" ovn-nbctl --db=ssl:127.0.0.1:16661 -p stranger.key -c stranger.pem -C blue.pem --timeout=3 show
check "del-ssl" nbctl del-ssl
wait_for 10 bash -c "! ovn-nbctl --db=ssl:127.0.0.1:16661 -p stranger.key -c stranger.pem -C blue.pem --timeout=3 show"

# A hosted southbound database, set-ssl while it runs, and what a chassis may do in the role ovn-controller.
start northd "$WEFT_BIN/weft-northd" -vconsole:info --unixctl="$dir/northd.ctl" --nb-file="$dir/central-nb.db" --sb-file="$dir/central-sb.db"
wait_for 20 test -S ovnsb_db.sock
sbctl() { ovn-sbctl --db="unix:$dir/ovnsb_db.sock" --timeout=20 "$@"; }
wait_for 20 bash -c "ovn-sbctl --db='unix:$dir/ovnsb_db.sock' --bare --columns=name list RBAC_Role | grep -q ovn-controller"
check "set-ssl and a connection with a role" sbctl set-ssl "$dir/server.key" "$dir/server.pem" "$dir/red.pem" -- set-connection role=ovn-controller pssl:16666:127.0.0.1
chassis() { ovn-sbctl --db=ssl:127.0.0.1:16666 -p client.key -c client.pem -C red.pem --timeout=5 "$@"; }
wait_for 20 chassis show
check "a chassis makes its own row" chassis chassis-add client geneve 127.0.0.2
check "and changes what it may" chassis set Chassis client external_ids:a=b
refuse "not its name" 'permission error' chassis set Chassis client name=other
refuse "nor another's row" 'permission error' chassis chassis-add other geneve 127.0.0.3
check "another chassis, by the administrator" sbctl chassis-add other geneve 127.0.0.3
refuse "nor change that" 'permission error' chassis set Chassis other external_ids:a=b
refuse "nor delete it" 'permission error' chassis --if-exists destroy Chassis other
refuse "nor a table without permissions" 'permission error' chassis set SB_Global . external_ids:a=b
check "its own row may go" chassis chassis-del client

# --bootstrap-ca-cert: our copy learns the CA of their server, which sends it; and their client that of ours.
check "create" bash -c "ovsdb-tool create theirs.db $nb && '$WEFT_BIN/weft-dbctl' create copy.db $nb"
start theirs ovsdb-server -vconsole:off --remote="punix:$dir/theirs.sock" --remote=pssl:16662:127.0.0.1 --unixctl="$dir/theirs.ctl" \
    -p server.key -c server.pem -C red.pem --peer-ca-cert=red.pem theirs.db
wait_for 20 test -S theirs.sock
ovn-nbctl --no-leader-only --db="unix:$dir/theirs.sock" ls-add theirs
start copy "$WEFT_BIN/weft-dbd" -vconsole:info --remote=punix:copy.sock --remote=pssl:16663:127.0.0.1 --unixctl=none -p client.key -c client.pem \
    --bootstrap-ca-cert="$dir/learnt.pem" --peer-ca-cert="$dir/red.pem" --sync-from=ssl:127.0.0.1:16662 copy.db
wait_for 20 bash -c "ovsdb-client dump 'unix:$dir/copy.sock' $db Logical_Switch name | grep -q theirs"
equal "the CA it learnt" "$(openssl x509 -noout -fingerprint -in red.pem)" "$(openssl x509 -noout -fingerprint -in learnt.pem)"
ovsdb-client -p client.key -c client.pem --bootstrap-ca-cert="$dir/learnt2.pem" --timeout=5 list-dbs ssl:127.0.0.1:16663 >/dev/null 2>&1
equal "the CA that their client learnt" "$(openssl x509 -noout -fingerprint -in red.pem)" "$(openssl x509 -noout -fingerprint -in learnt2.pem)"
refuse "a stranger" 'failed' ovsdb-client -p stranger.key -c stranger.pem -C red.pem --timeout=3 list-dbs ssl:127.0.0.1:16663
start open "$WEFT_BIN/weft-dbd" -vconsole:info --no-dbs --remote=pssl:16664:127.0.0.1 --unixctl=none -p server.key -c server.pem --ca-cert=none
wait_for 10 ovsdb-client -p stranger.key -c stranger.pem -C red.pem --timeout=3 list-dbs ssl:127.0.0.1:16664
refuse "a CA must be named" 'ca-cert' "$WEFT_BIN/weft-dbd" --no-dbs --unixctl=none -p server.key -c server.pem --remote=pssl:16665:127.0.0.1
refuse "db: without that program's database" 'serves no database' "$WEFT_BIN/weft-controller" --unixctl=none -p db:a,b,c -c server.pem

# Files that options name are read again when they change: for the next connection, and only when they fit together.
install_file() { cp "$1" "$2.new" && mv "$2.new" "$2"; }
for what in key pem; do cp server.$what used.$what; done
cp red.pem used-ca.pem
start files "$WEFT_BIN/weft-dbd" -vconsole:info --no-dbs --remote=pssl:16667:127.0.0.1 --unixctl=none -p used.key -c used.pem -C used-ca.pem
list_dbs() { ovsdb-client -p "$1.key" -c "$1.pem" -C "$2.pem" --timeout=5 list-dbs ssl:127.0.0.1:16667; }
wait_for 10 list_dbs client red
install_file other.key used.key # alone: what is in use stays
check "a client of the first CA" list_dbs client red
install_file other.pem used.pem
check "now the certificate too: the server is one of the other CA" list_dbs client blue
refuse "no longer of the first" 'failed' list_dbs client red
refuse "a client of the other CA" 'failed' list_dbs stranger blue
install_file blue.pem used-ca.pem
check "now that CA is asked for" list_dbs stranger blue
refuse "and the first client is a stranger" 'failed' list_dbs client blue
