/* ofbundle.c - bundles (OpenFlow 1.4 section 6.9): messages kept until commit, then carried out in
 * order, all or none. Since the switch has one thread, readers see all or nothing as well. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "switchd/ofconn.h"

LOG_MODULE(bundle);

static struct bundle *bundle_find(const struct ofconn *oc, uint32_t id)
{
    struct bundle *b;
    LIST_FOR_EACH (b, node, &oc->bundles) {
        if (b->id == id)
            return b;
    }
    return NULL;
}

static void bundle_free(struct bundle *b)
{
    struct bundle_message *m;
    VEC_FOR_EACH (m, &b->messages)
        free(m->data);
    vec_fini(&b->messages);
    list_remove(&b->node);
    free(b);
}

void ofbundles_free(struct ofconn *oc)
{
    while (!list_empty(&oc->bundles))
        bundle_free(LIST_FIRST(struct bundle, node, &oc->bundles));
}

void ofbundles_expire(struct ofconn *oc, int64_t now_ms)
{
    struct bundle *b, *next;
    LIST_FOR_EACH_SAFE (b, next, node, &oc->bundles) {
        if (now_ms - b->used_ms > oc->of->br->vs->bundle_idle_ms)
            bundle_free(b);
    }
}

static int bundle_open(struct ofconn *oc, uint32_t id, uint16_t flags, struct bundle **ret)
{
    size_t n = 0;
    struct bundle *b;
    LIST_FOR_EACH (b, node, &oc->bundles)
        n++;
    if (n >= BUNDLES_MAX)
        return OF_ERR_BUNDLE_OUT_OF_BUNDLES;
    b = NEW(struct bundle);
    b->id = id;
    b->flags = flags;
    b->used_ms = env_now_ms(oc->of->br->vs->env);
    list_push_back(&oc->bundles, &b->node);
    *ret = b;
    return 0;
}

/* Groups and the configuration of ports have no journal: copies are put back when the bundle fails. */
struct saved_groups {
    VEC(struct of_group) groups;
};
struct saved_port {
    uint32_t number, config;
};
typedef VEC(struct saved_port) saved_ports;

static void ports_save(const struct bridge *br, saved_ports *saved)
{
    const struct vport *port;
    HMAP_FOR_EACH (port, by_no, &br->ports) {
        struct saved_port s = {port->ofport, port->config};
        vec_push(saved, s);
    }
}

static void ports_restore(struct bridge *br, const saved_ports *saved)
{
    for (size_t i = 0; i < saved->n; i++) {
        struct vport *port = bridge_port(br, saved->data[i].number);
        if (!port || port->config == saved->data[i].config)
            continue;
        struct of_port desc;
        port->config = saved->data[i].config;
        vport_describe(port, &desc);
        ofserver_port_status(br->of, OF_PORT_MODIFY, &desc);
    }
}

static void groups_save(const struct bridge *br, struct saved_groups *saved)
{
    const struct group *g;
    HMAP_FOR_EACH (g, node, &br->groups) {
        struct of_group *copy = vec_push_zero(&saved->groups);
        of_group_copy(copy, &g->of);
    }
}

static void groups_restore(struct bridge *br, struct saved_groups *saved)
{
    struct journal journal = JOURNAL_INIT;
    struct group *g;
    HMAP_FOR_EACH_SAFE (g, node, &br->groups) {
        bool was = false;
        for (size_t i = 0; i < saved->groups.n; i++)
            was |= saved->groups.data[i].id == g->of.id;
        struct of_group_mod gm;
        of_group_mod_init(&gm, OF_GROUP_DELETE, g->of.id);
        if (!was && bridge_group_mod(br, &gm, &journal))
            log_warn("bridge %s: could not take back group %u", br->name, gm.group.id);
        of_group_mod_fini(&gm);
    }
    for (size_t i = 0; i < saved->groups.n; i++) {
        struct of_group_mod gm = {.command = OF_GROUP_ADD_OR_MODIFY,
                                  .group = saved->groups.data[i]};
        if (bridge_group_mod(br, &gm, &journal))
            log_warn("bridge %s: could not put back group %u", br->name, gm.group.id);
    }
    journal_commit(&journal, NULL, NULL);
}

static void groups_saved_fini(struct saved_groups *saved)
{
    struct of_group *g;
    VEC_FOR_EACH (g, &saved->groups)
        of_group_fini(g);
    vec_fini(&saved->groups);
}

static bool is_packet_out(const struct bundle_message *m)
{
    struct of_msg msg;
    return !of_msg_parse(m->data, m->n, &msg) && msg.type == OF_PACKET_OUT;
}

static int commit(struct ofconn *oc, const struct bundle *b, struct of_buf *out)
{
    struct bridge *br = oc->of->br;
    struct journal journal = JOURNAL_INIT;
    struct saved_groups saved = {VEC_INIT};
    saved_ports ports = VEC_INIT;
    groups_save(br, &saved);
    ports_save(br, &ports);
    int err = 0;
    for (size_t i = 0; i < b->messages.n && !err; i++) {
        struct of_msg msg;
        err = of_msg_parse(b->messages.data[i].data, b->messages.data[i].n, &msg);
        /* A packet-out must not happen before it is certain that all will. */
        if (!err && msg.type != OF_PACKET_OUT)
            err = ofserver_modify(oc, &msg, &journal);
        if (err)
            of_error_encode(err, &msg, out);
    }
    if (err) {
        journal_undo(&journal, &br->tables);
        groups_restore(br, &saved);
        ports_restore(br, &ports);
        vswitch_invalidate(br->vs);
    } else {
        oc->of->changer = oc;
        bridge_commit(br, &journal);
        oc->of->changer = NULL;
        for (size_t i = 0; i < b->messages.n; i++) {
            struct of_msg msg;
            if (is_packet_out(&b->messages.data[i]) &&
                !of_msg_parse(b->messages.data[i].data, b->messages.data[i].n, &msg))
                (void)!ofserver_modify(oc, &msg, &journal);
        }
    }
    groups_saved_fini(&saved);
    vec_fini(&ports);
    return err ? OF_ERR_BUNDLE_MSG_FAILED : 0;
}

int ofbundle_control(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out)
{
    struct of_bundle_control bc;
    int err = of_bundle_control_decode(msg, &bc);
    if (err)
        return err;
    struct bundle *b = bundle_find(oc, bc.id);
    if (b)
        b->used_ms = env_now_ms(oc->of->br->vs->env);
    switch (bc.type) {
    case OF_BUNDLE_OPEN_REQUEST:
        if (b) {
            bundle_free(b);
            return OF_ERR_BUNDLE_BAD_ID;
        }
        err = bundle_open(oc, bc.id, bc.flags, &b);
        break;
    case OF_BUNDLE_CLOSE_REQUEST:
        if (!b)
            return OF_ERR_BUNDLE_BAD_ID;
        if (b->closed) {
            bundle_free(b);
            return OF_ERR_BUNDLE_CLOSED;
        }
        b->closed = true;
        break;
    case OF_BUNDLE_COMMIT_REQUEST:
        if (!b)
            return OF_ERR_BUNDLE_BAD_ID;
        oc->of->changer_xid = msg->xid;
        err = b->flags != bc.flags ? OF_ERR_BUNDLE_BAD_FLAGS : commit(oc, b, out);
        bundle_free(b);
        break;
    case OF_BUNDLE_DISCARD_REQUEST:
        if (!b)
            return OF_ERR_BUNDLE_BAD_ID;
        bundle_free(b);
        break;
    default:
        return OF_ERR_BUNDLE_BAD_TYPE;
    }
    if (err)
        return err;
    struct of_bundle_control reply = {bc.id, (uint16_t)(bc.type + 1), 0};
    of_bundle_control_encode(&reply, msg->version, msg->xid, out);
    return 0;
}

/* What can be said against a message before the commit, is said now. */
static int check_early(struct ofconn *oc, const struct of_msg *msg)
{
    int err = 0;
    if (msg->type == OF_FLOW_MOD) {
        struct of_flow_mod fm;
        err = of_flow_mod_decode(msg, oc->table_ids, &fm);
        of_flow_mod_fini(&fm);
    } else if (msg->type == OF_GROUP_MOD) {
        struct of_group_mod gm;
        err = of_group_mod_decode(msg, &gm);
        of_group_mod_fini(&gm);
    } else if (msg->type != OF_PORT_MOD && msg->type != OF_PACKET_OUT) {
        err = OF_ERR_BUNDLE_MSG_UNSUPPORTED;
    }
    return err;
}

int ofbundle_add(struct ofconn *oc, const struct of_msg *msg)
{
    struct of_bundle_add add;
    int err = of_bundle_add_decode(msg, &add);
    if (err)
        return err;
    struct bundle *b = bundle_find(oc, add.id);
    if (!b) {
        err = bundle_open(oc, add.id, add.flags, &b);
        if (err)
            return err;
    }
    b->used_ms = env_now_ms(oc->of->br->vs->env);
    if (b->closed)
        return OF_ERR_BUNDLE_CLOSED;
    if (b->flags != add.flags)
        return OF_ERR_BUNDLE_BAD_FLAGS;
    if (b->messages.n >= BUNDLE_MESSAGES_MAX)
        return OF_ERR_BUNDLE_MSG_TOO_MANY;
    err = check_early(oc, &add.msg);
    if (err)
        return err;
    struct bundle_message m = {xmemdup(add.msg.data, add.msg.len), add.msg.len};
    vec_push(&b->messages, m);
    return 0;
}
