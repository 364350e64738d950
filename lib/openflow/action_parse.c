/* action_parse.c - actions from ovs-ofctl's words. learn(), ct() and the like are in action_parse_nested.c. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/headers.h"
#include "openflow/parse.h"

/* ---- Small values ---- */

int parse_error(struct parser *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    diag_set(p->diag, ERR_SYNTAX, "%s", text);
    free(text);
    return ERR_SYNTAX;
}

int parse_u(struct parser *p, const char *what, const char *text, uint64_t max, uint64_t *ret)
{
    uint64_t x;
    if (!isdigit((unsigned char)*text) || text_to_u64(text, 0, &x) || x > max)
        return parse_error(p, "invalid %s \"%s\"", what, text);
    *ret = x;
    return 0;
}

int parse_sub(struct parser *p, const char *text, struct subfield *ret)
{
    const char *q = text;
    if (subfield_parse(&q, ret) || *q)
        return parse_error(p, "%s: not a field or part of a field", text);
    return 0;
}

int parse_port_text(struct parser *p, const char *text, uint32_t *ret)
{
    if (port_parse(text, p->names, ret))
        return parse_error(p, "%s: unknown port", text);
    return 0;
}

int parse_table_text(struct parser *p, const char *text, uint8_t max, uint8_t *ret)
{
    const struct table_names *tables = p->names ? p->names->tables : NULL;
    int named = tables ? tables->by_name(tables, text) : -1;
    uint64_t x = 0;
    if (named < 0 && isalpha((unsigned char)*text))
        return parse_error(p, "unknown table \"%s\"", text);
    int err = named < 0 ? parse_u(p, "table", text, max, &x) : 0;
    *ret = (uint8_t)(named < 0 ? x : (uint64_t)named);
    return err;
}

static void *put(struct parser *p, enum of_action_type type, size_t n)
{
    return of_put(p->out, type, n);
}

/* Splits "A->B". */
int parse_arrow(struct parser *p, char *text, char **left, char **right)
{
    char *arrow = strstr(text, "->");
    if (!arrow)
        return parse_error(p, "%s: missing \"->\"", text);
    *arrow = '\0';
    *left = text;
    *right = arrow + 2;
    return 0;
}

/* ---- Others ---- */

static int parse_tag(struct parser *p, const char *text, enum of_action_type type)
{
    uint64_t eth_type;
    int err = parse_u(p, "ethertype", text, UINT16_MAX, &eth_type);
    if (err)
        return err;
    if (type == OF_PUSH_VLAN && eth_type != ETH_TYPE_VLAN && eth_type != ETH_TYPE_QINQ)
        return parse_error(p, "%s: not a valid VLAN ethertype", text);
    if (type == OF_PUSH_PBB && eth_type != ETH_TYPE_PBB)
        return parse_error(p, "%s: the ethertype of PBB is 0x88e7", text);
    ((struct of_push_vlan *)put(p, type, sizeof(struct of_push_vlan)))->eth_type =
        (uint16_t)eth_type;
    return 0;
}

static int parse_dec_ttl(struct parser *p, struct keyvalue *kv)
{
    if (!kv->parens) {
        of_put_dec_ttl(p->out);
        return 0;
    }
    uint16_t ids[64];
    uint64_t id;
    unsigned n = 0;
    char *save = NULL;
    for (char *t = strtok_r(kv->value, ", ", &save); t; t = strtok_r(NULL, ", ", &save)) {
        if (n >= ARRAY_SIZE(ids) || parse_u(p, "controller id", t, UINT16_MAX, &id))
            return parse_error(p, "dec_ttl: bad controller ids");
        ids[n++] = (uint16_t)id;
    }
    struct of_dec_ttl *d = put(p, OF_DEC_TTL, sizeof *d + n * sizeof d->ids[0]);
    d->form = OF_FORM_2;
    d->n_ids = (uint16_t)n;
    memcpy(d->ids, ids, n * sizeof ids[0]);
    return 0;
}

static int parse_resubmit(struct parser *p, struct keyvalue *kv)
{
    char *text = kv->value;
    uint32_t port = PORT_IN_PORT;
    uint8_t table = 255;
    char *port_text = strsep(&text, ",");
    char *table_text = text ? strsep(&text, ",") : NULL;
    const char *ct = text;
    int err = 0;
    if (port_text)
        port_text += strspn(port_text, " ");
    if (port_text && *port_text)
        err = parse_port_text(p, port_text, &port);
    if (table_text)
        table_text += strspn(table_text, " ");
    if (!err && table_text && *table_text)
        err = parse_table_text(p, table_text, 255, &table);
    if (err)
        return table_text && isalpha((unsigned char)*table_text)
                   ? parse_error(p, "%s: resubmit to unknown table", table_text)
                   : err;
    if (ct && strcasecmp(ct + strspn(ct, " "), "ct"))
        return parse_error(p, "%s: unknown parameter", ct);
    if (ct && table == 255)
        return parse_error(p, "ct: missing table");
    if (port == PORT_IN_PORT && table == 255)
        return parse_error(p,
                           "at least one \"in_port\" or \"table\" must be specified  on resubmit");
    struct of_resubmit *r = put(p, OF_RESUBMIT, sizeof *r);
    r->in_port = port;
    r->table = table;
    r->with_ct = ct != NULL;
    r->form = table == 255 ? OF_FORM_PLAIN : OF_FORM_2;
    return 0;
}

static int parse_conjunction(struct parser *p, const char *text)
{
    unsigned id, clause, n;
    char rest;
    if (sscanf(text, "%u , %u / %u%c", &id, &clause, &n, &rest) != 3)
        return parse_error(p, "%s: conjunction syntax is \"conjunction(ID,K/N)\"", text);
    if (n < 2 || n > 64)
        return parse_error(p, "conjunction must have at least 2 and at most 64 clauses");
    if (!clause || clause > n)
        return parse_error(p, "conjunction clause must be between 1 and %u", n);
    of_put_conjunction(p->out, id, (uint8_t)(clause - 1), (uint8_t)n);
    return 0;
}

static int parse_note(struct parser *p, const char *text)
{
    /* The bytes fill up the action: 6, 14, 22, ... of them. */
    size_t n, max = strlen(text) / 2 + 16;
    uint8_t *bytes = xcalloc(1, max);
    int err = parse_hex_bytes(p, text, bytes, MIN(max, (size_t)60000), &n);
    if (!err)
        of_put_note(p->out, bytes, ROUND_UP(n + 10, 8) - 10);
    free(bytes);
    return err;
}

static int parse_check_pkt_larger(struct parser *p, struct keyvalue *kv)
{
    uint64_t len;
    struct subfield sub;
    if (!kv->target)
        return parse_error(p, "check_pkt_larger: missing destination");
    int err = parse_u(p, "packet length", kv->value, UINT16_MAX, &len);
    if (!err)
        err = parse_sub(p, kv->target, &sub);
    if (err)
        return err;
    if (sub.n_bits != 1)
        return parse_error(p, "Only 1-bit destination field is allowed");
    of_put_check_pkt_larger(p->out, (uint16_t)len, &sub);
    return 0;
}

static int parse_id(struct parser *p, const char *what, const char *text, enum of_action_type type)
{
    uint64_t id;
    int err = parse_u(p, what, text, UINT32_MAX, &id);
    if (!err)
        ((struct of_id *)put(p, type, sizeof(struct of_id)))->id = (uint32_t)id;
    return err;
}

static int parse_write_metadata(struct parser *p, const char *text)
{
    u128 value, mask;
    if (field_parse(field_get(FIELD_METADATA), text, NULL, &value, &mask))
        return parse_error(p, "%s: bad metadata", text);
    of_put_write_metadata(p->out, (uint64_t)value, (uint64_t)mask);
    return 0;
}

static int parse_goto_table(struct parser *p, const char *text)
{
    uint8_t table;
    int err = parse_table_text(p, text, 254, &table);
    if (!err)
        of_put_goto_table(p->out, table);
    return err;
}

static int parse_fin_timeout(struct parser *p, char *text)
{
    struct of_fin_timeout *f = put(p, OF_FIN_TIMEOUT, sizeof *f);
    struct keyvalue kv;
    uint64_t x;
    while (keyvalue_next(&text, &kv) > 0) {
        if (parse_u(p, kv.key, kv.value, UINT16_MAX, &x))
            return ERR_SYNTAX;
        if (!strcmp(kv.key, "idle_timeout"))
            f->idle = (uint16_t)x;
        else if (!strcmp(kv.key, "hard_timeout"))
            f->hard = (uint16_t)x;
        else
            return parse_error(p, "invalid key '%s' in 'fin_timeout' argument", kv.key);
    }
    return 0;
}

static int parse_delete_field(struct parser *p, const char *text)
{
    const struct field *f = field_find(text);
    if (!f)
        return parse_error(p, "%s: unknown field", text);
    ((struct of_delete_field *)put(p, OF_DELETE_FIELD, sizeof(struct of_delete_field)))->field =
        f->id;
    return 0;
}

/* Words without arguments: 1 when KEY is none. */
static int parse_word(struct parser *p, const char *key)
{
    static const struct {
        const char *name;
        enum of_action_type type;
        enum of_action_form form;
    } words[] = {
        {"pop_vlan", OF_POP_VLAN, OF_FORM_PLAIN},
        {"strip_vlan", OF_POP_VLAN, OF_FORM_MOD},
        {"pop_pbb", OF_POP_PBB, 0},
        {"dec_mpls_ttl", OF_DEC_MPLS_TTL, 0},
        {"ct_clear", OF_CT_CLEAR, 0},
        {"exit", OF_EXIT, 0},
        {"pop_queue", OF_POP_QUEUE, 0},
        {"clear_actions", OF_CLEAR_ACTIONS, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!strcasecmp(key, words[i].name)) {
            struct of_plain *x = put(p, words[i].type, sizeof *x);
            x->form = (uint8_t)words[i].form;
            return 0;
        }
    }
    return 1;
}

static int parse_with_text(struct parser *p, struct keyvalue *kv)
{
    static const struct {
        const char *name;
        int (*fn)(struct parser *p, const char *text);
    } simple[] = {
        {"conjunction", parse_conjunction},       {"note", parse_note},
        {"write_metadata", parse_write_metadata}, {"goto_table", parse_goto_table},
        {"delete_field", parse_delete_field},
    };
    static const struct {
        const char *name;
        int (*fn)(struct parser *p, char *text);
    } writing[] = {
        {"set_field", parse_set_field},
        {"load", parse_load},
        {"move", parse_move},
        {"fin_timeout", parse_fin_timeout},
        {"learn", parse_learn},
        {"ct", parse_of_ct},
        {"multipath", parse_multipath},
        {"sample", parse_sample},
        {"bundle", parse_bundle},
        {"bundle_load", parse_bundle_load},
        {"clone", parse_clone},
        {"write_actions", parse_write_actions},
        {"apply_actions", parse_apply_actions},
    };
    static const struct {
        const char *name;
        int (*fn)(struct parser *p, struct keyvalue *kv);
    } whole[] = {
        {"output", parse_output},     {"controller", parse_controller},
        {"enqueue", parse_enqueue},   {"dec_ttl", parse_dec_ttl},
        {"resubmit", parse_resubmit}, {"check_pkt_larger", parse_check_pkt_larger},
        {"nat", parse_nat},
    };
    for (size_t i = 0; i < ARRAY_SIZE(simple); i++)
        if (!strcasecmp(kv->key, simple[i].name))
            return simple[i].fn(p, kv->value);
    for (size_t i = 0; i < ARRAY_SIZE(writing); i++)
        if (!strcasecmp(kv->key, writing[i].name))
            return writing[i].fn(p, kv->value);
    for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
        if (!strcasecmp(kv->key, whole[i].name))
            return whole[i].fn(p, kv);
    return 1;
}

static int parse_typed(struct parser *p, struct keyvalue *kv)
{
    static const struct {
        const char *name;
        enum of_action_type type;
    } ids[] = {{"set_queue", OF_SET_QUEUE}, {"group", OF_GROUP}, {"meter", OF_METER}};
    static const struct {
        const char *name;
        enum of_action_type type;
    } tags[] = {{"push_vlan", OF_PUSH_VLAN},
                {"push_mpls", OF_PUSH_MPLS},
                {"pop_mpls", OF_POP_MPLS},
                {"push_pbb", OF_PUSH_PBB}};
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        if (!strcasecmp(kv->key, ids[i].name))
            return parse_id(p, ids[i].name, kv->value, ids[i].type);
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
        if (!strcasecmp(kv->key, tags[i].name))
            return parse_tag(p, kv->value, tags[i].type);
    if (!strcasecmp(kv->key, "push") || !strcasecmp(kv->key, "pop"))
        return parse_stack(p, kv->value,
                           kv->key[1] == 'u' || kv->key[1] == 'U' ? OF_STACK_PUSH : OF_STACK_POP);
    return 1;
}

static int parse_one(struct parser *p, struct keyvalue *kv)
{
    int r = parse_with_text(p, kv);
    if (r == 1)
        r = parse_typed(p, kv);
    if (r == 1)
        r = parse_mod(p, kv->key, kv->value);
    if (r == 1)
        r = parse_word(p, kv->key);
    if (r != 1)
        return r;
    uint32_t port;
    if (!*kv->value && !port_parse(kv->key, p->names, &port))
        return parse_output_port(p, port);
    return parse_error(p, "unknown action %s", kv->key);
}

int parse_list(struct parser *p, char *text)
{
    struct keyvalue kv;
    int more;
    bool drop = false;
    size_t start = p->out->n;
    if (p->depth >= PARSE_MAX_DEPTH)
        return parse_error(p, "actions are nested too deeply");
    p->depth++;
    while ((more = keyvalue_next(&text, &kv)) > 0) {
        if (!strcasecmp(kv.key, "drop") && !*kv.value) {
            drop = true;
            continue;
        }
        int err = parse_one(p, &kv);
        if (err)
            return err;
        if (p->out->n - start > UINT16_MAX - 64)
            return parse_error(p, "too many actions");
    }
    p->depth--;
    if (more < 0)
        return parse_error(p, "unbalanced parentheses");
    if (drop && p->out->n > start)
        return parse_error(p,
                           "\"drop\" must not be accompanied by any other action or instruction");
    return 0;
}

/* Lists are sent as instructions, which a switch carries out in an order of their own (OpenFlow 1.3 5.9): a list that is written
 * in another one would not do what it says. */
static int check_order(struct parser *p, size_t start)
{
    static const struct {
        enum of_action_type type;
        const char *name;
    } instructions[] = {{OF_ACTION_NONE, "apply_actions"},
                        {OF_CLEAR_ACTIONS, "clear_actions"},
                        {OF_WRITE_ACTIONS, "write_actions"},
                        {OF_WRITE_METADATA, "write_metadata"},
                        {OF_GOTO_TABLE, "goto_table"}};
    size_t before = 0;
    const struct of_action *a;
    if (p->out->n == start) /* there may be no buffer yet */
        return 0;
    OF_ACTION_FOR_EACH(a, p->out->data + start, p->out->n - start)
    {
        size_t i = ARRAY_SIZE(instructions) - 1;
        while (i && instructions[i].type != a->type)
            i--;
        if (i < before)
            return parse_error(p,
                               "invalid instruction ordering: %s must appear before %s, for "
                               "OpenFlow 1.1+ compatibility",
                               instructions[i].name, instructions[before].name);
        if (i && i == before)
            return parse_error(p,
                               "duplicate %s instruction not allowed, for OpenFlow 1.1+ "
                               "compatibility",
                               instructions[i].name);
        before = i;
    }
    return 0;
}

int of_actions_parse(const char *text, const struct match *match, const struct port_names *names,
                     struct of_actions *ret, struct diag *diag)
{
    struct parser p = {.out = ret, .match = match, .names = names, .diag = diag};
    char *copy = xstrdup(text);
    size_t start = ret->n;
    int err = parse_list(&p, copy);
    free(copy);
    return err ? err : check_order(&p, start);
}
