/* stats.c - what the engine has done and what it holds, for people and for the control socket (docs/architecture.md).
 */
#include "inc/internal.h"

size_t inc_n_kinds(const struct inc *inc)
{
    return inc->program->kinds.n;
}

struct inc_kind_stats inc_kind_stats(const struct inc *inc, size_t kind)
{
    INVARIANT(kind < inc->program->kinds.n);
    const struct kind_state *ks = &inc->kinds[kind];
    return (struct inc_kind_stats){
        .name = inc->program->kinds.data[kind]->def.name,
        .units = ks->units,
        .runs = ks->runs,
        .emits = ks->emits,
        .cutoffs = ks->cutoffs,
    };
}

size_t inc_memory(const struct inc *inc)
{
    const struct inc_program *p = inc->program;
    size_t bytes = sizeof *inc + inc->pool.bytes;
    for (size_t i = 0; i < p->colls.n; i++)
        bytes += sizeof *inc->colls + table_memory(&inc->colls[i].facts) +
                 inc->colls[i].log.cap * sizeof *inc->colls[i].log.data;
    for (size_t i = 0; i < p->indexes.n; i++)
        bytes += sizeof *inc->indexes + table_memory(&inc->indexes[i].buckets) +
                 lookup_memory(inc, p->indexes.data[i]);
    bytes += inc->units.n * UNIT_PAGE * sizeof **inc->units.data;
    for (size_t k = 0; k < p->kinds.n; k++) {
        bytes += sizeof *inc->kinds + inc->kinds[k].dirty.cap * sizeof *inc->kinds[k].dirty.data;
        if (inc->kinds[k].reach)
            bytes += reach_memory(inc->kinds[k].reach);
    }
    return bytes;
}

void inc_print_stats(const struct inc *inc, struct str *out)
{
    const struct inc_program *p = inc->program;
    size_t units = 0;
    str_putf(out, "%-32s %10s %12s %12s %12s\n", "kind", "units", "runs", "emits", "cut-offs");
    for (size_t k = 0; k < p->kinds.n; k++) {
        struct inc_kind_stats s = inc_kind_stats(inc, k);
        units += s.units;
        str_putf(out, "%-32s %10zu %12llu %12llu %12llu\n", s.name, s.units,
                 (unsigned long long)s.runs, (unsigned long long)s.emits,
                 (unsigned long long)s.cutoffs);
    }
    str_putf(out, "%-32s %10s\n", "collection", "facts");
    for (size_t i = 0; i < p->colls.n; i++)
        str_putf(out, "%-32s %10zu\n", p->colls.data[i]->name, inc->colls[i].n);
    size_t bytes = inc_memory(inc);
    str_putf(out, "memory %zu bytes, %zu units, %zu bytes a unit\n", bytes, units,
             units ? bytes / units : 0);
}
