/* number.c - numbers of groups of next hops (room 2 of docs/architecture.md). A group's number is a hash of what it stands for, or the
 * next that is free, in the order of the groups: it depends on the groups that there are and on nothing else, and one
 * group more hardly ever changes another's.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "northd/ecmp/ecmp.h"

enum { N_NUMBERS = 65536 };

static void emit(struct inc_ctx *ctx, struct northd_program *p, const struct fact_ecmp_want *want,
                 unsigned number)
{
    struct fact_ecmp_number f;
    INC_CLEAR(f);
    f.lr = want->key.lr;
    f.id = want->id;
    f.number = number;
    inc_emit(ctx, p->ecmp.number, &f);
}

void ecmp_number(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    struct inc_facts wants = inc_read(ctx, p->ecmp.want_each, key);
    uint64_t *used = arena_alloc(inc_arena(ctx), N_NUMBERS / 8);
    memset(used, 0, N_NUMBERS / 8);
    size_t n = MIN(wants.n, (size_t)N_NUMBERS - 1);
    for (size_t i = 0; i < n; i++) {
        const struct fact_ecmp_want *want = wants.v[i];
        unsigned number = (unsigned)(uuid_hash(&want->id) % (N_NUMBERS - 1));
        while (used[number / 64] >> number % 64 & 1)
            number = (number + 1) % (N_NUMBERS - 1);
        used[number / 64] |= (uint64_t)1 << number % 64;
        emit(ctx, p, want, number + 1);
    }
}

void ecmp_want(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
               enum ecmp_space space, const struct uuid *id)
{
    struct fact_ecmp_want f;
    INC_CLEAR(f);
    f.key.lr = *lr;
    f.key.space = space;
    f.id = *id;
    inc_emit(ctx, p->ecmp.want, &f);
}

unsigned ecmp_number_of(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                        const struct uuid *id)
{
    struct key_ecmp_number key = {*lr, *id};
    const struct fact_ecmp_number *f = inc_read_one(ctx, p->ecmp.number_each, &key);
    return f ? (unsigned)f->number : 0;
}

struct actions *ecmp_select(const struct lflow_out *l, struct actions *head, unsigned number,
                            size_t n)
{
    struct str s = STR_INIT;
    str_putf(&s, "reg8[0..15] = %u; reg8[16..31] = select(1", number);
    for (size_t i = 2; i <= n; i++)
        str_putf(&s, ", %zu", i);
    str_put(&s, ");");
    struct actions *a = actions_join(head, lflows_actions(l, "%s", str_c(&s)));
    str_fini(&s);
    return a;
}

struct expr *ecmp_chosen(const struct lflow_out *l, unsigned number, size_t member)
{
    return expr_and(l->e, lflow_reg_eq(l->e, LREG_ROUTER_ECMP_GROUP, number),
                    lflow_reg_eq(l->e, LREG_ROUTER_ECMP_MEMBER, member));
}
