/* tag.c - the VLAN tags that tell ports nested in one port apart (rooms 1 and 2 of docs/architecture.md; ovn-nb(5) "tag_request"): a
 * number is what was asked for; zero asks for any that no sibling has. What was chosen is written back into the column tag
 * (status.c), so that it sticks: who holds a tag that is free keeps it.
 */
#include "northd/topology/topology.h"
#include "rows/nb.h"

enum { MAX_TAG = 4095 };

static void emit(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lsp, int64_t tag)
{
    struct fact_tag f;
    INC_CLEAR(f);
    f.lsp = *lsp;
    f.tag = (uint64_t)tag;
    inc_emit(ctx, p->tag, &f);
}

void topology_tag_want(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *in = inc_read_one(ctx, p->in_lsp_by_uuid, key);
    const struct nb_logical_switch_port *row = nb_logical_switch_port_cast(in->row);
    const char *parent = nb_logical_switch_port_parent_name(row);
    int64_t request = nb_logical_switch_port_tag_request(row);
    if (!nb_logical_switch_port_tag_request_present(row))
        return;
    if (!parent || !*parent) {
        if (request)
            emit(ctx, p, key, request);
        return;
    }
    struct fact_tag_want f;
    INC_CLEAR(f);
    f.parent = program_intern(p, parent);
    f.lsp = in->uuid;
    f.request = (uint64_t)request;
    if (nb_logical_switch_port_tag_present(row))
        f.held = (uint64_t)nb_logical_switch_port_tag(row);
    inc_emit_take(ctx, p->tag_want, &f);
}

void topology_tags(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    struct inc_facts wants = inc_read(ctx, p->tag_want_by_parent, key);
    bool used[MAX_TAG + 2] = {[0] = true};
    bool *done = arena_zalloc(inc_arena(ctx), wants.n + 1);
    for (size_t i = 0; i < wants.n; i++) {
        const struct fact_tag_want *w = wants.v[i];
        if (w->request) {
            emit(ctx, p, &w->lsp, (int64_t)w->request);
            used[w->request] = done[i] = true;
        }
    }
    for (size_t i = 0; i < wants.n; i++) {
        const struct fact_tag_want *w = wants.v[i];
        if (!done[i] && w->held && !used[w->held]) {
            emit(ctx, p, &w->lsp, (int64_t)w->held);
            used[w->held] = done[i] = true;
        }
    }
    unsigned next = 1;
    for (size_t i = 0; i < wants.n; i++) {
        const struct fact_tag_want *w = wants.v[i];
        if (done[i])
            continue;
        while (used[next])
            next++;
        if (next > MAX_TAG) {
            program_complain(ctx, p, &w->lsp, "ports in %s: all %d tags are in use", w->parent->s,
                             MAX_TAG);
            return;
        }
        emit(ctx, p, &w->lsp, next++);
    }
}
