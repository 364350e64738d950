/* ofmodify.c - messages that change a bridge: flows, groups, meters, ports, packets sent. What many flows are concerned by is a commit of its own
 * (ofcommit.c). */
#include "openflow/action_check.h"
#include "switchd/action_set.h"
#include "switchd/ofconn.h"

int ofconn_flow_mod_decode(const struct ofconn *oc, const struct of_msg *msg,
                           struct of_flow_mod *ret)
{
    int err = of_flow_mod_decode(msg, oc->table_ids, ret);
    if (!err && msg->version > OF10_VERSION && ret->table_id == OF_TABLE_ALL &&
        ret->command < OF_FLOW_DELETE)
        err = OF_ERR_FLOW_MOD_BAD_TABLE_ID;
    return err;
}

static int flow_mod(struct ofconn *oc, const struct of_msg *msg, struct journal *journal)
{
    struct of_flow_mod fm;
    int err = ofconn_flow_mod_decode(oc, msg, &fm);
    if (!err && msg->version < OF13_VERSION && fm.command == OF_FLOW_ADD) {
        fm.flags |= OF_FLOW_RESET_COUNTS;
        if (fm.table_id == OF_TABLE_ALL)
            fm.table_id = 0; /* the switch chooses */
    }
    if (!err && msg->version > OF10_VERSION)
        err = of_actions_check_present(&fm.actions, &fm.match);
    if (!err)
        err = action_set_check(&fm.actions);
    if (!err)
        err = ofcommit_takes(oc, &fm) ? ofcommit_walk(oc, msg, &fm)
                                      : bridge_flow_mod(oc->of->br, &fm, journal);
    of_flow_mod_fini(&fm);
    return err;
}

static int group_mod(struct ofconn *oc, const struct of_msg *msg, struct journal *journal)
{
    struct of_group_mod gm;
    int err = of_group_mod_decode(msg, &gm);
    if (!err && gm.command == OF_GROUP_DELETE && ofcommit_takes_users(oc))
        err = ofcommit_walk_users(oc, msg, OF_GROUP, gm.group.id);
    else if (!err)
        err = bridge_group_mod(oc->of->br, &gm, journal);
    of_group_mod_fini(&gm);
    return err;
}

void ofserver_port_mod(struct bridge *br, const struct of_port_mod *pm)
{
    const uint32_t known = OF_PC_PORT_DOWN | OF_PC_NO_RECV | OF_PC_NO_FLOOD | OF_PC_NO_FWD |
                           OF_PC_NO_PACKET_IN | OF_PC_NO_STP | OF_PC_NO_RECV_STP;
    struct vport *port = bridge_port(br, pm->number);
    if (!port)
        return;
    port->config = (port->config & ~(pm->mask & known)) | (pm->config & pm->mask & known);
    vswitch_invalidate(br->vs);
    ofserver_port_status(port, OF_PORT_MODIFY);
}

static int port_mod(struct ofconn *oc, const struct of_msg *msg)
{
    struct of_port_mod pm;
    int err = of_port_mod_decode(msg, &pm);
    if (err)
        return err;
    struct bridge *br = oc->of->br;
    const struct vport *port = bridge_port(br, pm.number);
    if (!port)
        return OF_ERR_PORT_MOD_BAD_PORT;
    if (port->dev && !mac_is_zero(port->dev->status.mac) &&
        !mac_equal(port->dev->status.mac, pm.mac))
        return OF_ERR_PORT_MOD_BAD_HW_ADDR;
    if (br->tables.by_commit)
        ofcommit_port_mod(oc->of, &pm);
    else
        ofserver_port_mod(br, &pm);
    return 0;
}

static int meter_mod(struct ofconn *oc, const struct of_msg *msg, struct journal *journal)
{
    struct of_meter_mod mm;
    int err = of_meter_mod_decode(msg, &mm);
    if (err)
        return err;
    if (mm.command == OF_METER_DELETE && ofcommit_takes_users(oc) &&
        bridge_meter_is_in_flows(oc->of->br, mm.meter.id))
        err = ofcommit_walk_users(oc, msg, OF_METER, mm.meter.id);
    else
        err = bridge_meter_mod(oc->of->br, &mm, journal);
    of_meter_mod_fini(&mm);
    return err;
}

int ofserver_modify(struct ofconn *oc, const struct of_msg *msg, struct journal *journal)
{
    if (oc->role == OF_ROLE_SECONDARY)
        return OF_ERR_IS_SLAVE;
    tables_settle(&oc->of->br->tables);
    switch (msg->type) {
    case OF_FLOW_MOD:
        return flow_mod(oc, msg, journal);
    case OF_GROUP_MOD:
        return group_mod(oc, msg, journal);
    case OF_PORT_MOD:
        return port_mod(oc, msg);
    case OF_METER_MOD:
        return meter_mod(oc, msg, journal);
    case OF_PACKET_OUT:
        return ofpacket_out(oc, msg);
    default:
        return OF_ERR_BAD_TYPE;
    }
}
