#!/usr/bin/python3
"""Debian's python3-openvswitch and python3-ovsdbapp against weft-dbd: the Idl (with conditions, a lock, changes by others and a server that
is killed and comes back), and ovsdbapp's APIs of the northbound, the southbound and the switch's database."""
import os
import subprocess
import sys
import tempfile
import time

import ovs.db.idl
import ovs.poller
from ovsdbapp.backend.ovs_idl import connection
from ovsdbapp.schema.open_vswitch import impl_idl as ovs_api
from ovsdbapp.schema.ovn_northbound import impl_idl as nb_api
from ovsdbapp.schema.ovn_southbound import impl_idl as sb_api

BIN = os.environ.get("WEFT_BIN", "build/asan/bin")
SCHEMAS = {"OVN_Northbound": "/usr/share/ovn/ovn-nb.ovsschema", "OVN_Southbound": "/usr/share/ovn/ovn-sb.ovsschema",
           "Open_vSwitch": "/usr/share/openvswitch/vswitch.ovsschema"}


class Daemon:
    def __init__(self, top):
        self.top, self.remote, self.process = top, "unix:%s/sock" % top, None
        self.files = []
        for name, schema in SCHEMAS.items():
            self.files.append("%s/%s.db" % (top, name))
            subprocess.run([BIN + "/weft-dbctl", "create", self.files[-1], schema], check=True)
        self.log = open(top + "/log", "w")

    def start(self):
        self.process = subprocess.Popen([BIN + "/weft-dbd", "-vconsole:info", "--unixctl=%s/ctl" % self.top, "--remote=p" + self.remote] + self.files,
                                        stdout=self.log, stderr=self.log, env=dict(os.environ, WEFT_RUNDIR=self.top))
        end = time.time() + 60
        while subprocess.run(["ovsdb-client", "-t", "2", "list-dbs", self.remote], capture_output=True).returncode:
            assert time.time() < end and self.process.poll() is None, open(self.top + "/log").read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(60)
        assert status == 0, "weft-dbd ended with %d:\n%s" % (status, open(self.top + "/log").read()[-3000:])


class Idl:
    """An Idl with the loop that a program has around it."""

    def __init__(self, remote, db, tables, lock=None):
        helper = ovs.db.idl.SchemaHelper(SCHEMAS[db])
        for t in tables:
            helper.register_table(t)
        self.idl = ovs.db.idl.Idl(remote, helper)
        if lock:
            self.idl.set_lock(lock)

    def until(self, condition, what):
        end = time.time() + 60
        while not condition():
            assert time.time() < end, "in vain: " + what
            self.idl.run()
            poller = ovs.poller.Poller()
            self.idl.wait(poller)
            poller.timer_wait(100)
            if not condition():
                poller.block()

    def rows(self, table):
        return self.idl.tables[table].rows.values()

    def commit(self, fill):
        end = time.time() + 60
        while True:
            txn = ovs.db.idl.Transaction(self.idl)
            fill(txn)
            status = txn.commit_block()
            if status != txn.TRY_AGAIN or time.time() > end:
                break
            self.until(self.idl.has_ever_connected, "connected")
            self.idl.run()
        assert status in (txn.SUCCESS, txn.UNCHANGED), (txn.status_to_string(status), txn.get_error())
        return txn


def names(idl):
    return sorted(r.name for r in idl.rows("Logical_Switch"))


def idl_test(daemon):
    a = Idl(daemon.remote, "OVN_Northbound", ["Logical_Switch", "Logical_Switch_Port", "NB_Global"])
    b = Idl(daemon.remote, "OVN_Northbound", ["Logical_Switch", "Logical_Switch_Port"])
    a.until(lambda: a.idl.has_ever_connected(), "connected")
    b.until(lambda: b.idl.has_ever_connected(), "connected")

    def make(txn):
        ls = txn.insert(a.idl.tables["Logical_Switch"])
        ls.name = "idl"
        ls.other_config = {"k": "v"}
        for i in range(3):
            port = txn.insert(a.idl.tables["Logical_Switch_Port"])
            port.name = "idl-p%d" % i
            ls.addvalue("ports", port)
    a.commit(make)
    b.until(lambda: names(b) == ["idl"], "the other sees it")
    ls = next(iter(b.rows("Logical_Switch")))
    assert sorted(p.name for p in ls.ports) == ["idl-p0", "idl-p1", "idl-p2"] and ls.other_config == {"k": "v"}
    b.commit(lambda txn: ls.setkey("other_config", "x", "y"))
    a.until(lambda: any(r.other_config.get("x") == "y" for r in a.rows("Logical_Switch")), "a change of a map")
    mine = next(iter(a.rows("Logical_Switch")))
    a.commit(lambda txn: mine.delvalue("ports", next(p for p in mine.ports if p.name == "idl-p1")))
    b.until(lambda: len(b.rows("Logical_Switch_Port")) == 2, "garbage is collected")

    # Conditions: what is not asked for goes away, and comes back.
    b.idl.cond_change("Logical_Switch_Port", [["name", "==", "idl-p0"]])
    b.until(lambda: [p.name for p in b.rows("Logical_Switch_Port")] == ["idl-p0"], "a condition")
    b.idl.cond_change("Logical_Switch_Port", [True])
    b.until(lambda: len(b.rows("Logical_Switch_Port")) == 2, "no condition")

    # A lock has one owner, and the next gets it.
    first = Idl(daemon.remote, "OVN_Northbound", ["NB_Global"], "the_lock")
    first.until(lambda: first.idl.has_lock, "the lock")
    second = Idl(daemon.remote, "OVN_Northbound", ["NB_Global"], "the_lock")
    second.until(lambda: second.idl.is_lock_contended, "contended")
    first.idl.close()
    second.until(lambda: second.idl.has_lock, "the lock passes on")
    second.idl.close()

    # The server is killed and comes back: everything is there, and goes on.
    daemon.kill()
    daemon.start()
    a.commit(lambda txn: next(iter(a.rows("Logical_Switch"))).setkey("other_config", "after", "kill"))
    b.until(lambda: any(r.other_config.get("after") == "kill" for r in b.rows("Logical_Switch")), "after the kill")
    assert len(b.rows("Logical_Switch_Port")) == 2
    a.commit(lambda txn: next(iter(a.rows("Logical_Switch"))).delete())
    b.until(lambda: not b.rows("Logical_Switch") and not b.rows("Logical_Switch_Port"), "all is gone")
    a.idl.close()
    b.idl.close()
    return "transactions, conditions, lock, kill"


def api(module, cls, daemon, db):
    idl = connection.OvsdbIdl.from_server(daemon.remote, db)
    return getattr(module, cls)(connection.Connection(idl, timeout=60))


def nb_test(daemon):
    nb = api(nb_api, "OvnNbApiIdlImpl", daemon, "OVN_Northbound")
    with nb.transaction(check_error=True) as txn:
        txn.add(nb.ls_add("app", may_exist=True, external_ids={"a": "b"}))
        for i in range(5):
            txn.add(nb.lsp_add("app", "app-p%d" % i, may_exist=True))
    nb.lsp_set_addresses("app-p0", ["0a:00:00:00:00:01 10.0.0.1"]).execute(check_error=True)
    nb.lsp_set_type("app-p1", "router").execute(check_error=True)
    nb.lsp_set_options("app-p1", **{"router-port": "app-rp"}).execute(check_error=True)
    nb.acl_add("app", "to-lport", 1001, "ip4 && tcp", "allow-related").execute(check_error=True)
    nb.lr_add("app-r").execute(check_error=True)
    nb.lrp_add("app-r", "app-rp", "0a:00:00:00:ff:01", ["10.0.0.254/24"]).execute(check_error=True)
    nb.lr_route_add("app-r", "0.0.0.0/0", "10.0.0.253").execute(check_error=True)
    nb.lr_nat_add("app-r", "snat", "192.0.2.1", "10.0.0.0/24").execute(check_error=True)
    nb.lb_add("app-lb", "10.0.0.100:80", ["10.0.0.1:80", "10.0.0.2:80"]).execute(check_error=True)
    nb.ls_lb_add("app", "app-lb").execute(check_error=True)
    nb.pg_add("app_pg").execute(check_error=True)
    nb.pg_add_ports("app_pg", [nb.lsp_get("app-p0").execute(check_error=True).uuid]).execute(check_error=True)
    nb.address_set_add("app_as", ["10.0.0.1"]).execute(check_error=True)
    nb.address_set_add_addresses("app_as", ["10.0.0.2"]).execute(check_error=True)
    nb.dhcp_options_add("10.0.0.0/24").execute(check_error=True)
    nb.meter_add("app-m", "pktps", 100).execute(check_error=True)
    assert len(nb.lsp_list("app").execute(check_error=True)) == 5
    assert nb.lsp_get_addresses("app-p0").execute(check_error=True) == ["0a:00:00:00:00:01 10.0.0.1"]
    assert len(nb.acl_list("app").execute(check_error=True)) == 1
    assert nb.lr_route_list("app-r").execute(check_error=True)[0].nexthop == "10.0.0.253"
    assert sorted(nb.address_set_get("app_as").execute(check_error=True).addresses) == ["10.0.0.1", "10.0.0.2"]
    found = nb.db_find("Logical_Switch_Port", ("type", "=", "router")).execute(check_error=True)
    assert [f["name"] for f in found] == ["app-p1"], found
    try:
        nb.ls_add("app", may_exist=False).execute(check_error=True)
        raise AssertionError("a second switch of the name was made")
    except RuntimeError:
        pass
    nb.db_set("Logical_Switch", "app", ("external_ids", {"c": "d"})).execute(check_error=True)
    assert nb.db_get("Logical_Switch", "app", "external_ids").execute(check_error=True) == {"a": "b", "c": "d"}
    nb.lsp_del("app-p4").execute(check_error=True)
    nb.pg_del("app_pg").execute(check_error=True)
    nb.lr_del("app-r").execute(check_error=True)
    nb.ls_del("app").execute(check_error=True)
    left = nb.db_list("Logical_Switch_Port").execute(check_error=True)
    assert not left, left
    nb.ovsdb_connection.stop()
    return "switches, routers, ACLs, NAT, LB, groups, sets, meters"


def sb_test(daemon):
    # ovsdbapp waits for the row that ovn-northd would make.
    subprocess.run(["ovn-sbctl", "--db=" + daemon.remote, "init"], check=True)
    sb = api(sb_api, "OvnSbApiIdlImpl", daemon, "OVN_Southbound")
    sb.chassis_add("hv1", ["geneve"], "192.0.2.1", hostname="one").execute(check_error=True)
    subprocess.run(["ovn-sbctl", "--db=" + daemon.remote, "create", "Datapath_Binding", "tunnel_key=1", "--", "--id=@d", "create", "Datapath_Binding",
                    "tunnel_key=2", "--", "create", "Port_Binding", "logical_port=p0", "datapath=@d", "tunnel_key=1"], check=True, stdout=subprocess.DEVNULL)
    end = time.time() + 60
    while not sb.db_find("Port_Binding", ("logical_port", "=", "p0")).execute(check_error=True):
        assert time.time() < end
    sb.lsp_bind("p0", "hv1").execute(check_error=True)
    chassis = sb.chassis_list().execute(check_error=True)
    assert [c.name for c in chassis] == ["hv1"] and chassis[0].hostname == "one"
    sb.lsp_unbind("p0").execute(check_error=True)
    sb.chassis_del("hv1").execute(check_error=True)
    assert not sb.db_list("Encap").execute(check_error=True)
    sb.ovsdb_connection.stop()
    return "chassis, port bindings"


def switch_test(daemon):
    subprocess.run(["ovs-vsctl", "--db=" + daemon.remote, "--no-wait", "init"], check=True)
    # ovsdbapp waits until the switch has done what the database says.
    switch = subprocess.Popen(["ovs-vswitchd", daemon.remote, "--enable-dummy=override", "--disable-system", "-vconsole:off", "--log-file=%s/vswitchd.log" % daemon.top,
                               "--unixctl=%s/vswitchd.ctl" % daemon.top], env=dict(os.environ, OVS_RUNDIR=daemon.top))
    try:
        return switch_api(daemon)
    finally:
        switch.terminate()
        switch.wait(60)


def switch_api(daemon):
    ovs_db = ovs_api.OvsdbIdl(
        connection.Connection(connection.OvsdbIdl.from_server(daemon.remote, "Open_vSwitch"), timeout=60))
    with ovs_db.transaction(check_error=True) as txn:
        txn.add(ovs_db.add_br("br0", datapath_type="dummy"))
        txn.add(ovs_db.add_port("br0", "p0"))
        txn.add(ovs_db.db_set("Interface", "p0", ("external_ids", {"iface-id": "lsp0"})))
    ovs_db.set_controller("br0", ["tcp:127.0.0.1:6653"]).execute(check_error=True)
    assert ovs_db.list_br().execute(check_error=True) == ["br0"]
    assert ovs_db.list_ports("br0").execute(check_error=True) == ["p0"]
    assert ovs_db.get_controller("br0").execute(check_error=True) == ["tcp:127.0.0.1:6653"]
    assert ovs_db.iface_get_external_id("p0", "iface-id").execute(check_error=True) == "lsp0"
    ovs_db.del_port("p0").execute(check_error=True)
    ovs_db.del_br("br0").execute(check_error=True)
    assert ovs_db.list_br().execute(check_error=True) == []
    ovs_db.ovsdb_connection.stop()
    return "bridges, ports, interfaces, controllers"


def main():
    failures = 0
    with tempfile.TemporaryDirectory(prefix="weft-python-") as top:
        daemon = Daemon(top)
        daemon.start()
        for test in (idl_test, nb_test, sb_test, switch_test):
            try:
                print("ok    %s: %s" % (test.__name__, test(daemon)), flush=True)
            except Exception as e:
                failures += 1
                import traceback
                traceback.print_exc()
                print("FAIL  %s: %s %s" % (test.__name__, type(e).__name__, e), flush=True)
        daemon.stop()
    return 1 if failures else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # ovsdbapp's threads are not waited for
