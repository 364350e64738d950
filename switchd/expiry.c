/* expiry.c - see expiry.h. */
#include "switchd/expiry.h"

#include "switchd/heap.h"
#include "switchd/slice.h"
#include "switchd/vswitch.h"

static bool expire(struct bridge *br, struct slice *slice)
{
    struct vswitch *vs = br->vs;
    int64_t now_ms = env_now_ms(vs->env);
    struct journal journal = JOURNAL_INIT;
    bool done = tables_expire(&br->tables, now_ms, vs->walk.credited_ms, slice, &journal);
    bridge_commit(br, &journal);
    return done && mac_table_expire(&br->macs, now_ms, slice);
}

void expiry_go_on(struct vswitch *vs)
{
    struct slice slice = slice_begin(vs->env);
    struct bridge *br;
    LIST_FOR_EACH (br, node, &vs->bridges) {
        if (br->number < vs->expiry.bridge)
            continue;
        vs->expiry.bridge = br->number;
        if (!expire(br, &slice)) {
            deferred_schedule(&vs->expiry.call);
            return;
        }
    }
    vs->expiry.bridge = 0;
}

static void go_on(void *vs)
{
    expiry_go_on(vs);
    heap_settle();
}

void expiry_init(struct vswitch *vs)
{
    deferred_init(&vs->expiry.call, vs->loop, LOOP_LATER, go_on, vs);
}

void expiry_fini(struct vswitch *vs)
{
    deferred_cancel(&vs->expiry.call);
}
