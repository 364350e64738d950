/* export.c - see export.h. */
#include "switchd/export/export.h"

#include <stdlib.h>

#include "openflow/ipfix.h"

struct export_set *exports_find(const struct exports *exports, uint32_t id)
{
    for (size_t i = 0; i < exports->sets.n; i++) {
        if (exports->sets.data[i]->id == id)
            return exports->sets.data[i];
    }
    return NULL;
}

struct export_set *exports_add(struct exports *exports, uint32_t id, struct env *env)
{
    struct export_set *set = NEW(struct export_set);
    set->id = id;
    ipfix_init(&set->ipfix, env);
    vec_push(&exports->sets, set);
    return set;
}

static void set_free(struct export_set *set)
{
    ipfix_fini(&set->ipfix);
    free(set);
}

void exports_sweep(struct exports *exports)
{
    size_t kept = 0;
    for (size_t i = 0; i < exports->sets.n; i++) {
        struct export_set *set = exports->sets.data[i];
        if (set->wanted)
            exports->sets.data[kept++] = set;
        else
            set_free(set);
    }
    exports->sets.n = kept;
}

void exports_tick(struct exports *exports)
{
    for (size_t i = 0; i < exports->sets.n; i++)
        ipfix_tick(&exports->sets.data[i]->ipfix);
}

void exports_fini(struct exports *exports)
{
    for (size_t i = 0; i < exports->sets.n; i++)
        set_free(exports->sets.data[i]);
    vec_fini(&exports->sets);
}

int exports_stats(const struct exports *exports, struct of_reply *reply)
{
    for (size_t i = 0; i < exports->sets.n; i++) {
        const struct export_set *set = exports->sets.data[i];
        const struct ipfix *ipfix = &set->ipfix;
        struct of_ipfix_stats is = {.total_flows = ipfix->n_records + ipfix->flows.n,
                                    .current_flows = ipfix->flows.n,
                                    .packets = ipfix->n_samples,
                                    .ip4_packets = ipfix->n_ip4,
                                    .ip6_packets = ipfix->n_ip6,
                                    .tx_messages = ipfix->collectors.n_sent,
                                    .tx_errors = ipfix->collectors.n_errors,
                                    .collector_set = set->id};
        of_ipfix_stats_put(reply, &is);
    }
    return exports->sets.n ? 0 : OF_ERR_NX_NOT_CONFIGURED;
}
