/* question.c - asking the world on behalf of a translation; see question.h. */
#include "encode/question.h"

#include <string.h>

#include "base/hash.h"

struct digest {
    const struct encode_params *params;
    bool (*port)(void *aux, const char *name, uint32_t *ret); /* of PARAMS */
    const struct question_sink *sink;
    uint64_t hash;
};

static void digest_element(void *aux, u128 value, u128 mask)
{
    struct digest *d = aux;
    u128 both[] = {value, mask};
    d->hash = hash_bytes(both, sizeof both, d->hash);
    if (d->sink && d->sink->value)
        d->sink->value(d->sink->aux, value, mask);
}

static void digest_port(void *aux, const char *port)
{
    struct digest *d = aux;
    uint32_t number;
    if (!d->port || !d->port(d->params->aux, port, &number))
        return;
    d->hash += hash_u64(number, UINT64_C(1) << 63); /* a sum: order is nothing */
    if (d->sink && d->sink->number)
        d->sink->number(d->sink->aux, number);
}

struct question question_ask(const struct translate_world *w, struct question q, const char *names,
                             const struct question_sink *sink)
{
    const struct expr_world *e = w->names;
    const struct encode_params *p = w->params;
    const char *name = names + q.name;
    struct digest d = {.params = p, .port = p->port, .sink = sink};
    uint32_t number = 0;
    q.found = false;
    switch ((enum question_kind)q.kind) {
    case ASK_PORT:
        q.found = p->port && p->port(p->aux, name, &number);
        break;
    case ASK_PORT_AT:
        q.found = p->port_at(p->aux, name, &number);
        break;
    case ASK_SET:
        q.found = e->set && e->set(e->aux, name, digest_element, &d);
        q.answer = d.hash;
        return q;
    case ASK_PORT_GROUP_AT:
        d.port = p->port_at;
        /* fall through */
    case ASK_PORT_GROUP:
        q.found = e->group && e->group(e->aux, name, digest_port, &d);
        q.answer = d.hash;
        return q;
    case ASK_RESIDENT:
        q.found = e->resident && e->resident(e->aux, name);
        break;
    case ASK_RESIDENT_LB:
        q.found = !p->resident || p->resident(p->aux, name);
        break;
    case ASK_GROUP:
        number = p->group ? p->group(p->aux, name) : 0;
        break;
    case ASK_METER:
        number = p->meter_id ? p->meter_id(p->aux, name) : 0;
        break;
    case ASK_COLLECTOR:
        q.found = !p->collector || p->collector(p->aux, q.name);
        break;
    case ASK_TUNNEL_PORT:
        q.found = p->tunnel_port && p->tunnel_port(p->aux, name, &number);
        break;
    case ASK_SELF:
        q.answer = (uint64_t)p->datapath_key << 32 | p->flow_id;
        return q;
    }
    q.answer = number;
    return q;
}
