/* groups.c - port groups: who is in them, and on which switches they have ports (rooms 1 and 2 of docs/architecture.md). */
#include "northd/acl/acl.h"
#include "rows/nb.h"

void acl_group(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *in = inc_read_one(ctx, p->acl.in_group_by_uuid, key);
    struct fact_port_group f;
    INC_CLEAR(f);
    f.uuid = in->uuid;
    f.name = program_intern(p, nb_port_group_name(nb_port_group_cast(in->row)));
    inc_emit_take(ctx, p->acl.port_group, &f);
}

void acl_group_port(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    const struct feed_ref *ref;
    if (!lsp)
        return;
    INC_FOR_EACH(ref, inc_read(ctx, p->acl.in_group_port_by_port, key))
    {
        struct fact_group_port f;
        INC_CLEAR(f);
        f.group = ref->row;
        f.ls = lsp->ls;
        f.port = lsp->uuid;
        inc_emit(ctx, p->acl.group_port, &f);
    }
}

/* The key is the fact: it is there while the group has a port on the switch. */
void acl_group_switch(struct inc_ctx *ctx, const void *key, void *aux)
{
    inc_emit(ctx, ((struct northd_program *)aux)->acl.group_switch, key);
}
