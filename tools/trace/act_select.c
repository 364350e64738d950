/* act_select.c - select: one of several numbers into a field, as equal routes do, and on to the next table. Which one is up to the
 * packet's hash, so it is the one that --select-id names, else any.
 */
#include <stdlib.h>

#include "base/env.h"
#include "tools/trace/trace.h"

/* The numbers stand in front of their weights, after the field. */
static size_t members(const struct action *a, uint32_t *ret, size_t max)
{
    size_t n = 0;
    for (uint32_t i = 1; i < a->n && a->operand[i].kind == OPERAND_VALUE; i += 2)
        if (n < max)
            ret[n++] = (uint32_t)a->operand[i].value;
    return n;
}

void act_select(struct at *at, const struct action *a)
{
    enum { MAX_MEMBERS = 256 };
    uint32_t id[MAX_MEMBERS], random;
    size_t n = members(a, id, MAX_MEMBERS), chosen = n;
    for (size_t i = 0; i < n; i++)
        if (id[i] == at->trace->select_id)
            chosen = i;
    bool asked = chosen < n;
    env_random(env_real(), &random, sizeof random);
    if (!asked)
        chosen = n ? random % n : 0;
    struct uflow copy = *at->packet;
    struct str title = STR_INIT;
    struct sym_bits dst = a->operand[0].field;
    uflow_set(&copy, dst, n ? id[chosen] : 0);
    str_putf(&title, "select: %s", dst.sym->name);
    if (dst.width < dst.sym->width)
        str_putf(&title, "[%u..%u]", dst.ofs, dst.ofs + dst.width - 1);
    str_putf(&title, " = %u%s", n ? id[chosen] : 0,
             asked ? "" : " /* Randomly selected. Use --select-id to specify. */");
    act_go_on(at, str_steal(&title), &copy);
}
