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

/* A value of the stack is its bits (16), and as many bytes as they take. */
enum { STACK_HEAD = 2 };

static void put_stack(struct of_buf *buf, const struct stack_entry *e)
{
    unsigned n = DIV_ROUND_UP(e->n_bits, 8u);
    of_buf_put16(buf, e->n_bits);
    of_buf_put(buf, e->value.b + TUN_OPT_MAX - n, n);
}

/* The entry at *P, which moves behind it; false: there is none. */
static bool take_stack(const uint8_t **p, const uint8_t *end, struct stack_entry *ret)
{
    if (end - *p < STACK_HEAD)
        return false;
    *ret = (struct stack_entry){.n_bits = get_be16(*p)};
    unsigned n = DIV_ROUND_UP(ret->n_bits, 8u);
    if (!n || ret->n_bits > TUN_OPT_BITS || (size_t)(end - *p) < STACK_HEAD + n)
        return false;
    tun_value_from(&ret->value, *p + STACK_HEAD, n);
    struct tun_value bits;
    tun_value_ones(&bits, ret->n_bits);
    tun_value_and(&ret->value, &bits);
    *p += STACK_HEAD + n;
    return true;
}

static bool check_stack(const struct of_prop *prop)
{
    const uint8_t *p = prop->value, *end = p + prop->len;
    struct stack_entry e;
    while (p < end) {
        if (!take_stack(&p, end, &e))
            return false;
    }
    return true;
}

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
    for (size_t i = 0; i < x->stack.n; i++)
        put_stack(&buf, &x->stack.data[i]);
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
        else if (prop.type == PROP_STACK && !check_stack(&prop))
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
    const uint8_t *p = prop->value, *end = p + prop->len;
    struct stack_entry entry;
    while (take_stack(&p, end, &entry)) {
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
