/* expr_flows.c - matches say the same of every packet as expressions, simplified, as cubes, and as flows in the switch's classifier, conjunctions included.
 *
 * Tried are all expressions of AND and OR with up to N terminals, of the first T of a list, up to the order of operands: "a", "a && b", "a || (b && c)", ... The terminals are of
 * ports, bits and sets of fields, with prerequisites (ip, tcp); the packets are all that differ in what a terminal can see. So the whole way is walked
 * that a controller's logical flow takes, from text to a look-up.
 *
 *     oracle_expr_flows [N T]      4 7 when not given
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "classifier/classifier.h"
#include "expr/norm.h"

static const char *const terminals[] = {
    "reg0[0..1] == {1, 2}",
    "eth.src[0..1] != 2",
    "inport == {\"p1\", \"p2\"}",
    "tcp.dst[0]",
    "ip4",
    "reg0[0..1] > 1",
    "eth.src[0..1] == {0, 3}",
    "ip.proto == 17",
    "eth.src[1] == 0",
    "inport == \"none\"",
    "ip6 && reg0[0]",
    "udp || eth.src[0..1] < 2",
};

enum { MAX_TERMINALS = 5, N_VARIANTS = 3 };
static const unsigned variants[N_VARIANTS] = {0, NORM_MERGE, NORM_MERGE | NORM_NO_CONJ};

typedef VEC(struct expr *) expr_vec;

struct oracle {
    struct symtab *st;
    struct expr_pool *pool;
    expr_vec trees
        [MAX_TERMINALS + 1]
        [2]; /* by terminals and by the operator at the top (0: or, 1: and); terminals are in both */
    VEC(struct flow_key) packets;
    const struct flow_key *packet; /* being tried */
    unsigned long n_tried, n_conj, n_bad;
};

/* --- The world */

static bool port_number(void *aux UNUSED, const char *name, uint32_t *ret)
{
    *ret = name[0] == 'p' ? (uint32_t)(name[1] - '0') : 0;
    return true;
}

static bool match_port(void *aux, const struct symbol *sym UNUSED, const char *name, uint32_t *ret)
{
    return port_number(aux, name, ret);
}

static u128 field(void *aux, const struct symbol *base)
{
    const struct oracle *o = aux;
    return key_get(o->packet, (enum field_id)base->field);
}

static void add_packets(struct oracle *o)
{
    static const struct {
        unsigned type, proto, dst;
    } kinds[] = {{0x800, 6, 0},  {0x800, 6, 1},   {0x800, 17, 1},
                 {0x86dd, 6, 1}, {0x86dd, 17, 0}, {0x806, 0, 0}};
    for (unsigned i = 0; i < 4 * 4 * 4 * ARRAY_SIZE(kinds); i++) {
        struct flow_key key;
        memset(&key, 0, sizeof key);
        key_set(&key, FIELD_XXREG0, (u128)(i % 4) << 96);
        key_set(&key, FIELD_ETH_SRC, i / 4 % 4);
        key_set(&key, FIELD_REG14, i / 16 % 4);
        key_set(&key, FIELD_ETH_TYPE, kinds[i / 64].type);
        key_set(&key, FIELD_IP_PROTO, kinds[i / 64].proto);
        key_set(&key, kinds[i / 64].proto == 6 ? FIELD_TCP_DST : FIELD_UDP_DST, kinds[i / 64].dst);
        vec_push(&o->packets, key);
    }
}

/* --- A normal form as flows of a switch */

struct flow {
    struct cls_rule rule;
    struct cls_conj *conjs;
};

struct table {
    struct classifier cls;
    struct flow *flows;
    size_t n;
};

static void table_fill(struct table *t, const struct norm *norm)
{
    classifier_init(&t->cls);
    t->n = norm->n;
    t->flows = xcalloc(norm->n + 1, sizeof *t->flows);
    for (size_t i = 0; i < norm->n; i++) {
        const struct norm_flow *from = &norm->flows[i];
        struct flow *to = &t->flows[i];
        struct match match;
        match_init(&match);
        norm_flow_to_match(from, 100, &match);
        to->conjs = xcalloc(from->n_clauses + 1, sizeof *to->conjs);
        for (uint32_t k = 0; k < from->n_clauses; k++)
            to->conjs[k] = (struct cls_conj){100 + from->clauses[k].conj, from->clauses[k].clause,
                                             from->clauses[k].n_clauses};
        INVARIANT(!classifier_find(&t->cls, &match, 10));
        classifier_insert(&t->cls, &to->rule, &match, 10, to->conjs, from->n_clauses);
    }
}

static void table_empty(struct table *t)
{
    for (size_t i = 0; i < t->n; i++) {
        classifier_remove(&t->cls, &t->flows[i].rule);
        free(t->flows[i].conjs);
    }
    free(t->flows);
    classifier_fini(&t->cls);
}

/* --- One expression */

static void complain(struct oracle *o, const struct expr *e, const char *what, bool truth)
{
    char *text = expr_to_text(e);
    printf("FAIL  %s: %s; eth.src %u, reg0 %u, inport %u, eth.type %#x, ip.proto %u: it is %d\n",
           what, text, (unsigned)key_get(o->packet, FIELD_ETH_SRC),
           (unsigned)(key_get(o->packet, FIELD_XXREG0) >> 96),
           (unsigned)key_get(o->packet, FIELD_REG14), (unsigned)key_get(o->packet, FIELD_ETH_TYPE),
           (unsigned)key_get(o->packet, FIELD_IP_PROTO), truth);
    free(text);
    if (++o->n_bad > 20)
        exit(1);
}

static void try_packets(struct oracle *o, const struct expr *e, const struct expr *annotated,
                        const struct expr *simple, struct table *tables)
{
    const struct expr_packet packet = {.aux = o, .field = field, .port = port_number};
    for (size_t i = 0; i < o->packets.n; i++) {
        o->packet = &o->packets.data[i];
        bool truth = expr_eval(annotated, &packet);
        if (expr_eval(simple, &packet) != truth)
            complain(o, e, "simplified", truth);
        for (size_t v = 0; v < N_VARIANTS; v++)
            if ((classifier_lookup(&tables[v].cls, o->packet, NULL) != NULL) != truth)
                complain(o, e, v == 2 ? "flows without conjunctions" : "flows", truth);
    }
}

static void try_expr(struct oracle *o, const struct expr *e)
{
    const struct expr_world no_names = {0};
    const struct norm_ports ports = {.number = match_port};
    struct table tables[N_VARIANTS];
    struct expr *annotated;
    int rc = expr_annotate(e, &annotated, NULL);
    INVARIANT(!rc);
    struct expr *simple = expr_simplify(annotated);
    for (size_t v = 0; v < N_VARIANTS; v++) {
        struct norm norm;
        rc = norm_from_expr(e, &no_names, &ports, variants[v], 0, &norm, NULL);
        INVARIANT(!rc);
        o->n_conj += norm.n_conj > 0;
        table_fill(&tables[v], &norm);
        norm_fini(&norm);
    }
    try_packets(o, e, annotated, simple, tables);
    for (size_t v = 0; v < N_VARIANTS; v++)
        table_empty(&tables[v]);
    expr_unref(simple);
    expr_unref(annotated);
    o->n_tried++;
}

/* --- All expressions */

/* Adds to the trees of N terminals with IS_AND at the top those that have the operands V and more, of LEFT terminals, none before the one at (SIZE, AT). */
static void compose(struct oracle *o, unsigned n, bool is_and, expr_vec *v, unsigned left,
                    unsigned size, size_t at)
{
    if (!left) {
        VEC(struct expr *) operands = VEC_INIT; /* the builder takes them */
        struct expr *const *e;
        VEC_FOR_EACH (e, v)
            vec_push(&operands, expr_ref(*e));
        vec_push(&o->trees[n][is_and], is_and ? expr_and_n(o->pool, operands.data, operands.n)
                                              : expr_or_n(o->pool, operands.data, operands.n));
        vec_fini(&operands);
        return;
    }
    for (unsigned k = size; k <= left && k < n; k++, at = 0)
        for (size_t i = at; i < o->trees[k][!is_and].n; i++) {
            vec_push(v, o->trees[k][!is_and].data[i]);
            compose(o, n, is_and, v, left - k, k, i);
            v->n--;
        }
}

static void make_all(struct oracle *o, unsigned n_max, unsigned n_terminals)
{
    for (unsigned i = 0; i < n_terminals; i++) {
        struct expr *e;
        int rc = expr_parse(o->pool, terminals[i], NULL, &e, NULL);
        INVARIANT(!rc);
        vec_push(&o->trees[1][0], e);
        vec_push(&o->trees[1][1], expr_ref(e));
    }
    expr_vec v = VEC_INIT;
    for (unsigned n = 2; n <= n_max; n++)
        for (int is_and = 0; is_and < 2; is_and++)
            compose(o, n, is_and, &v, n, 1, 0);
    vec_fini(&v);
}

int main(int argc, char *argv[])
{
    unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 4, t = argc > 2 ? (unsigned)atoi(argv[2]) : 7;
    if (n < 1 || n > MAX_TERMINALS || t < 1 || t > ARRAY_SIZE(terminals)) {
        fprintf(stderr,
                "usage: %s [TERMINALS-IN-AN-EXPRESSION (1 to %d) TERMINALS-TO-CHOOSE-FROM (1 to "
                "%zu)]\n",
                argv[0], MAX_TERMINALS, ARRAY_SIZE(terminals));
        return 2;
    }
    struct oracle o = {.st = symtab_new()};
    o.pool = expr_pool_new(o.st);
    add_packets(&o);
    make_all(&o, n, t);
    for (unsigned k = 1; k <= n; k++)
        for (int is_and = 0; is_and < 2; is_and++)
            for (size_t i = 0; i < o.trees[k][is_and].n; i++) {
                if (k > 1 || is_and)
                    try_expr(&o, o.trees[k][is_and].data[i]);
                expr_unref(o.trees[k][is_and].data[i]);
            }
    for (unsigned k = 1; k <= n; k++)
        for (int is_and = 0; is_and < 2; is_and++)
            vec_fini(&o.trees[k][is_and]);
    printf("%s  %lu expressions of up to %u of %u terminals on %zu packets, %lu normal forms with "
           "conjunctions\n",
           o.n_bad || (n > 2 && !o.n_conj) ? "FAIL" : "ok  ", o.n_tried, n, t, o.packets.n,
           o.n_conj);
    vec_fini(&o.packets);
    expr_pool_free(o.pool);
    symtab_free(o.st);
    return o.n_bad || (n > 2 && !o.n_conj);
}
