/* ofbundle.c - bundles (OpenFlow 1.4 section 6.9): messages kept until commit (ofcommit.c), which carries them out in order, all or none. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "switchd/ofconn.h"

LOG_MODULE(bundle);

enum { BLOCK_BYTES = 32 << 10 };

static struct bundle *bundle_find(const struct ofconn *oc, uint32_t id)
{
    struct bundle *b;
    LIST_FOR_EACH (b, node, &oc->bundles) {
        if (b->id == id)
            return b;
    }
    return NULL;
}

static void message_add(struct bundle *b, const void *data, size_t n)
{
    size_t room = ROUND_UP(n, 8);
    if (!b->block || b->block->size - b->block->n_bytes < room) {
        uint32_t size = (uint32_t)MAX(room, (size_t)BLOCK_BYTES);
        b->block = xmalloc(sizeof *b->block + size);
        *b->block = (struct bundle_block){.size = size};
    }
    struct bundle_message m = {b->block->bytes + b->block->n_bytes, b->block, (uint32_t)n};
    memcpy(m.data, data, n);
    b->block->n_bytes += (uint32_t)room;
    b->block->n_messages++;
    vec_push(&b->messages, m);
}

struct bundle *ofbundle_of(const struct of_msg *msg)
{
    struct bundle *b = NEW(struct bundle);
    list_init(&b->node);
    message_add(b, msg->data, msg->len);
    return b;
}

void ofbundle_release(struct bundle_message *m)
{
    if (m->data && !--m->block->n_messages)
        free(m->block);
    m->data = NULL;
}

void ofbundle_free(struct bundle *b)
{
    struct bundle_message *m;
    VEC_FOR_EACH (m, &b->messages)
        ofbundle_release(m);
    vec_fini(&b->messages);
    list_remove(&b->node);
    free(b);
}

void ofbundles_free(struct ofconn *oc)
{
    while (!list_empty(&oc->bundles))
        ofbundle_free(LIST_FIRST(struct bundle, node, &oc->bundles));
}

void ofbundles_expire(struct ofconn *oc, int64_t now_ms)
{
    struct bundle *b, *next;
    LIST_FOR_EACH_SAFE (b, next, node, &oc->bundles) {
        if (now_ms - b->used_ms > oc->of->br->vs->bundle_idle_ms)
            ofbundle_free(b);
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
            ofbundle_free(b);
            return OF_ERR_BUNDLE_BAD_ID;
        }
        err = bundle_open(oc, bc.id, bc.flags, &b);
        break;
    case OF_BUNDLE_CLOSE_REQUEST:
        if (!b)
            return OF_ERR_BUNDLE_BAD_ID;
        if (b->closed) {
            ofbundle_free(b);
            return OF_ERR_BUNDLE_CLOSED;
        }
        b->closed = true;
        break;
    case OF_BUNDLE_COMMIT_REQUEST:
        if (!b)
            return OF_ERR_BUNDLE_BAD_ID;
        if (b->flags == bc.flags) {
            ofcommit_begin(oc, b, msg, out); /* which answers */
            return 0;
        }
        ofbundle_free(b);
        return OF_ERR_BUNDLE_BAD_FLAGS;
    case OF_BUNDLE_DISCARD_REQUEST:
        if (!b)
            return OF_ERR_BUNDLE_BAD_ID;
        ofbundle_free(b);
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
        err = ofconn_flow_mod_decode(oc, msg, &fm);
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
    b->used_ms = loop_now_ms(oc->of->br->vs->loop);
    if (b->closed)
        return OF_ERR_BUNDLE_CLOSED;
    if (b->flags != add.flags)
        return OF_ERR_BUNDLE_BAD_FLAGS;
    if (b->messages.n >= BUNDLE_MESSAGES_MAX)
        return OF_ERR_BUNDLE_MSG_TOO_MANY;
    err = check_early(oc, &add.msg);
    if (err)
        return err;
    message_add(b, add.msg.data, add.msg.len);
    return 0;
}
