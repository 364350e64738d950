/* has.c - what a switch has by its ports (room 2 of docs/architecture.md): facts that come with the first such port and go with
 * the last.
 */
#include "northd/switch/switch.h"

void switch_has_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    const struct fact_lsp *lsp = fact;
    struct fact_switch_has has;
    INC_CLEAR(has);
    has.ls = lsp->ls;
    if (lsp->flags & PORT_SECURED) {
        has.what = SWITCH_HAS_PORT_SECURITY;
        inc_key_add(keys, &has);
    }
    if (lsp->type == LSP_VTEP) {
        has.what = SWITCH_HAS_VTEP;
        inc_key_add(keys, &has);
    }
}

/* The key is the fact. */
void switch_has(struct inc_ctx *ctx, const void *key, void *aux)
{
    inc_emit(ctx, ((struct northd_program *)aux)->switch_has, key);
}
