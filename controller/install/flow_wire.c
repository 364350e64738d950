/* flow_wire.c - flows of the installer as OpenFlow messages (room 8 of docs/architecture.md).
 *
 * Matches are the bytes of a struct minimatch, actions those of an of_actions list; both are interned blobs whose text is
 * aligned as memory from malloc is.
 */
#include "controller/install/flows.h"

#include <string.h>

#include "controller/oflow_key.h"
#include "openflow/flow_mod.h"

struct rstr *flow_actions_blob(struct rstr_pool *blobs, const struct of_actions *actions)
{
    return rstr_pool_get_n(blobs, actions->n ? (const char *)actions->data : "", actions->n);
}

void flow_entry_encode(const struct flow_entry *entry, uint8_t version, uint32_t xid,
                       struct of_buf *out)
{
    struct of_flow_mod fm;
    struct flow_value desired = flow_entry_desired(entry);
    const struct rstr *actions = desired.actions;
    struct oflow_key key = flow_entry_key(entry);
    of_flow_mod_init(&fm, actions ? OF_FLOW_ADD : OF_FLOW_DELETE_STRICT);
    fm.table_id = key.table;
    fm.priority = key.priority;
    fm.cookie = desired.cookie;
    oflow_key_match(&key, &fm.match);
    if (actions) /* borrowed: not finished with of_flow_mod_fini */
        fm.actions = (struct of_actions){(uint8_t *)(uintptr_t)actions->s, actions->n, actions->n};
    of_flow_mod_encode(&fm, version, xid, out);
}

bool flow_actions_fit(const struct rstr *actions)
{
    enum { ALWAYS_FITS = 4096, OTHERS = 4096 }; /* OTHERS: the match and all headers */
    if (actions->n <= ALWAYS_FITS)
        return true;
    struct of_buf wire = OF_BUF_INIT;
    size_t n = 0;
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, actions->s, actions->n)
    {
        of_actions_encode(a, a->len, OF15_VERSION, &wire);
        n += wire.n;
        wire.n = 0;
    }
    of_buf_fini(&wire);
    return n <= OF_MAX_LEN - OTHERS;
}

/* What a switch would say that A is. */
static bool over_the_wire(const struct rstr *a, struct of_actions *ret)
{
    struct of_buf wire = OF_BUF_INIT;
    of_instructions_encode(a->s, a->n, OF15_VERSION, &wire);
    *ret = (struct of_actions)OF_ACTIONS_INIT;
    bool ok = !of_instructions_decode(wire.data, wire.n, OF15_VERSION, ret);
    of_buf_fini(&wire);
    return ok;
}

bool flow_actions_same(struct rstr_pool *blobs, struct rstr *a, struct rstr *b)
{
    if (a == b)
        return true;
    struct of_actions decoded;
    struct rstr *normal = NULL;
    if (over_the_wire(a, &decoded))
        normal = flow_actions_blob(blobs, &decoded);
    of_actions_fini(&decoded);
    bool same = normal == b;
    rstr_unref(normal);
    return same;
}

static bool is_clause(const struct fact_oflow *flow)
{
    const struct of_action *first = (const void *)flow->actions->s;
    return flow->actions->n && first->type == OF_CONJUNCTION;
}

/* Several logical flows whose conjunctions have a clause in common: one flow is in all of them. */
static struct rstr *merge_clauses(struct rstr_pool *blobs, struct inc_facts facts)
{
    struct of_actions all = OF_ACTIONS_INIT;
    for (size_t i = 0; i < facts.n; i++) {
        const struct fact_oflow *flow = facts.v[i];
        of_actions_append(&all, flow->actions->s, flow->actions->n);
    }
    struct rstr *ret = flow_actions_blob(blobs, &all);
    of_actions_fini(&all);
    return ret;
}

struct rstr *flow_actions_of(struct rstr_pool *blobs, struct inc_facts facts, uint64_t *cookie)
{
    const struct fact_oflow *flow = facts.n ? facts.v[0] : NULL;
    for (size_t i = 0; i < facts.n && is_clause(flow); i++)
        flow = facts.v[i];
    *cookie = flow ? flow->cookie : 0;
    if (!flow)
        return NULL;
    return facts.n > 1 && is_clause(flow) ? merge_clauses(blobs, facts) : rstr_ref(flow->actions);
}
