/* continuation.c - what a paused translation (controller(pause)) leaves to the RESUME that ends it, and one that has taken off
 * a header (pop_pbb, pop_vlan) to the one that reads the packet again (recirc.h).
 *
 * A continuation is a sequence of properties: the bridge's identity, the table, the stack, and for
 * each level of resubmit that was unwound, innermost first, the actions that were still to do, as
 * OpenFlow 1.5 instructions. A controller returns it as it came, but nothing here trusts that: it is
 * decoded like any message.
 */
#include <stdlib.h>
#include <string.h>

#include "switchd/xlate_ctx.h"

enum { PROP_BRIDGE = 1, PROP_TABLE, PROP_STACK, PROP_LEVEL };

struct wire_stack_entry {
    uint8_t n_bits;
    uint8_t value[16];
} __attribute__((packed));

void continuation_add_level(struct xctx *x, const void *actions, size_t n)
{
    size_t start = of_prop_begin(&x->resume, PROP_LEVEL);
    of_instructions_encode(actions, n, OF15_VERSION, &x->resume);
    of_prop_end(&x->resume, start);
}

void continuation_begin(struct xctx *x, struct dp_packet_in *pin)
{
    x->unwinds = true;
    x->unwinds_from = x->table_id;
    x->paused = pin;
}

/* Begins to write down the levels. */
static void seal(struct xctx *x, struct of_buf *ret)
{
    of_prop_put(ret, PROP_TABLE, &x->unwinds_from, 1);
    of_buf_put(ret, x->resume.data, x->resume.n);
    x->resume.n = 0;
    x->unwinds = false;
}

/* The packet goes on when its headers are read again, if anything is left to do. */
static void finish_pop(struct xctx *x)
{
    if (!x->resume.n && !x->action_set.n) {
        x->unwinds = false;
        return;
    }
    struct of_buf levels = OF_BUF_INIT;
    seal(x, &levels);
    dp_put_recirc(&x->out->actions, xlate_freeze(x, x->unwinds_from, &levels));
    x->out->delivered = true; /* what comes of it is decided over there */
    of_buf_fini(&levels);
}

void continuation_finish(struct xctx *x)
{
    struct dp_packet_in *pin = x->paused;
    if (!x->unwinds)
        return;
    if (!pin) {
        finish_pop(x);
        return;
    }
    x->paused = NULL;
    struct of_buf buf = OF_BUF_INIT;
    uint8_t id[8];
    put_be64(id, x->br->datapath_id);
    of_prop_put(&buf, PROP_BRIDGE, id, sizeof id);
    size_t start = of_prop_begin(&buf, PROP_STACK);
    for (size_t i = 0; i < x->stack.n; i++) {
        struct wire_stack_entry e = {.n_bits = x->stack.data[i].n_bits};
        put_be128(e.value, x->stack.data[i].value);
        of_buf_put(&buf, &e, sizeof e);
    }
    of_prop_end(&buf, start);
    seal(x, &buf);
    pin->continuation = buf.data;
    pin->continuation_len = buf.n;
}

bool continuation_check(const struct bridge *br, const uint8_t *data, size_t n)
{
    bool ours = false;
    size_t ofs = 0;
    struct of_prop prop;
    int rc;
    while ((rc = of_prop_next(data, n, &ofs, &prop)) > 0) {
        if (prop.type == PROP_BRIDGE)
            ours = prop.len == 8 && get_be64(prop.value) == br->datapath_id;
        else if (prop.type == PROP_STACK && prop.len % sizeof(struct wire_stack_entry))
            return false;
        else if (prop.type == PROP_LEVEL) {
            struct of_actions actions = OF_ACTIONS_INIT;
            int err = of_instructions_decode(prop.value, prop.len, OF15_VERSION, &actions);
            of_actions_fini(&actions);
            if (err)
                return false;
        }
    }
    return rc == 0 && ours;
}

static void read_stack(struct xctx *x, const struct of_prop *prop)
{
    const struct wire_stack_entry *e = (const void *)prop->value;
    size_t n = prop->len / sizeof *e;
    for (size_t i = 0; i < n; i++) {
        struct stack_entry entry = {get_be128(e[i].value), MIN(MAX(e[i].n_bits, 1), 128)};
        entry.value &= u128_ones(entry.n_bits);
        x->stack_bytes += DIV_ROUND_UP(entry.n_bits, 8u);
        vec_push(&x->stack, entry);
    }
}

void continuation_run(struct xctx *x, const uint8_t *data, size_t n)
{
    size_t ofs = 0;
    struct of_prop prop;
    while (of_prop_next(data, n, &ofs, &prop) > 0 && !x->exit && !x->stop) {
        if (prop.type == PROP_TABLE && prop.len == 1) {
            x->table_id = prop.value[0];
        } else if (prop.type == PROP_STACK) {
            read_stack(x, &prop);
        } else if (prop.type == PROP_LEVEL) {
            if (x->unwinds) { /* paused again further in: this level waits once more */
                size_t start = of_prop_begin(&x->resume, PROP_LEVEL);
                of_buf_put(&x->resume, prop.value, prop.len);
                of_prop_end(&x->resume, start);
                continue;
            }
            struct of_actions actions = OF_ACTIONS_INIT;
            if (!of_instructions_decode(prop.value, prop.len, OF15_VERSION, &actions))
                xlate_actions(x, actions.data, actions.n);
            of_actions_fini(&actions);
        }
    }
}
