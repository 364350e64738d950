/* uflow.c - the values of a packet's fields, and the expression that describes a packet. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "expr/lexer.h"
#include "tools/trace/trace.h"

static u128 ones(unsigned width)
{
    return width >= 128 ? ~(u128)0 : ((u128)1 << width) - 1;
}

u128 uflow_get(const struct uflow *uflow, struct sym_bits bits)
{
    struct sym_bits base = sym_bits_base(bits);
    return base.sym->field < 0 ? 0 : (uflow->value[base.sym->field] >> base.ofs) & ones(base.width);
}

void uflow_set(struct uflow *uflow, struct sym_bits bits, u128 value)
{
    struct sym_bits base = sym_bits_base(bits);
    if (base.sym->field < 0)
        return;
    u128 mask = ones(base.width) << base.ofs;
    u128 *slot = &uflow->value[base.sym->field];
    *slot = (*slot & ~mask) | ((value << base.ofs) & mask);
}

u128 uflow_field(const struct world *world, const struct uflow *uflow, enum symbol_id id)
{
    return uflow_get(uflow, sym_bits_whole(symtab_get(world->symtab, id)));
}

void uflow_set_field(const struct world *world, struct uflow *uflow, enum symbol_id id, u128 value)
{
    uflow_set(uflow, sym_bits_whole(symtab_get(world->symtab, id)), value);
}

void uflow_forget_registers(const struct world *world, struct uflow *uflow)
{
    (void)world;
    for (int i = 0; i < N_REGS; i++)
        uflow->value[FIELD_REG0 + i] = 0;
    for (int i = 0; i < N_XREGS; i++)
        uflow->value[FIELD_XREG0 + i] = 0;
    for (int i = 0; i < N_XXREGS; i++)
        uflow->value[FIELD_XXREG0 + i] = 0;
}

void uflow_forget_connection(const struct world *world, struct uflow *uflow)
{
    uflow_set_field(world, uflow, SYM_CT_STATE, 0);
    uflow_set_field(world, uflow, SYM_CT_MARK, 0);
    uflow_set_field(world, uflow, SYM_CT_LABEL, 0);
}

/* ---- matching ---- */

struct question {
    struct world *world;
    const struct uflow *uflow;
};

static u128 field_value(void *q_, const struct symbol *base)
{
    const struct question *q = q_;
    return base->field < 0 ? 0 : q->uflow->value[base->field];
}

static bool port_number(void *q_, const char *name, uint32_t *ret)
{
    const struct question *q = q_;
    *ret = world_number(q->world, name);
    return true;
}

static bool is_resident(void *q, const char *port)
{
    (void)q;
    (void)port;
    return true; /* the packet is wherever it needs to be */
}

static bool holds(struct world *world, const struct uflow *uflow, const struct expr *annotated)
{
    struct question q = {world, uflow};
    const struct expr_packet packet = {&q, field_value, port_number, is_resident};
    return expr_eval(annotated, &packet);
}

bool uflow_matches(struct world *world, const struct uflow *uflow, const struct expr *match)
{
    struct expr_world store;
    struct expr *annotated, *expanded = expr_expand(match, world_sets(world, &store));
    bool matches = false;
    if (!expr_annotate(expanded, &annotated, NULL)) {
        matches = holds(world, uflow, annotated);
        expr_unref(annotated);
    }
    expr_unref(expanded);
    return matches;
}

/* ---- the microflow ---- */

static void assign(struct world *world, const struct expr *leaf, struct uflow *uflow)
{
    struct sym_bits bits = sym_bits_whole(leaf->sym);
    if (leaf->kind == EXPR_STR) {
        uflow_set(uflow, bits, world_number(world, leaf->name->s));
        return;
    }
    u128 old = uflow_get(uflow, bits);
    uflow_set(uflow, bits, (old & ~leaf->mask) | leaf->value);
}

/* What E (simplified) demands without a choice; choices are left for the second round. */
static void assign_all(struct world *world, const struct expr *e, struct uflow *uflow)
{
    if (e->kind == EXPR_CMP || e->kind == EXPR_STR)
        assign(world, e, uflow);
    for (uint32_t i = 0; e->kind == EXPR_AND && i < e->n; i++)
        assign_all(world, e->sub[i], uflow);
}

/* Of each choice one alternative must hold already. */
static bool is_settled(struct world *world, const struct expr *e, const struct uflow *uflow)
{
    bool settled = true;
    for (uint32_t i = 0; e->kind == EXPR_AND && i < e->n; i++)
        settled = settled && is_settled(world, e->sub[i], uflow);
    return e->kind == EXPR_OR ? holds(world, uflow, e) : settled;
}

static int take(struct world *world, const struct expr *annotated, struct uflow *ret,
                struct diag *diag)
{
    struct expr *simple = expr_simplify(annotated);
    int err = 0;
    assign_all(world, simple, ret);
    if (simple->kind == EXPR_BOOL && !simple->b)
        err = diag_set(diag, ERR_INVALID, "Constraints are contradictory.");
    else if (!is_settled(world, simple, ret) || !holds(world, ret, annotated)) {
        char *text = expr_to_text(simple);
        err = diag_set(diag, ERR_INVALID, "Constraints are ambiguous or contradictory: %s.", text);
        free(text);
    }
    expr_unref(simple);
    return err;
}

int uflow_parse(struct world *world, const char *text, struct uflow *ret, struct diag *diag)
{
    struct expr *e, *annotated;
    struct expr_world store;
    *ret = (struct uflow){0};
    int err = expr_parse(world->exprs, text, NULL, &e, diag);
    if (err)
        return err;
    struct expr *expanded = expr_expand(e, world_sets(world, &store));
    err = expr_annotate(expanded, &annotated, diag);
    if (!err) {
        err = take(world, annotated, ret, diag);
        expr_unref(annotated);
    }
    expr_unref(expanded);
    expr_unref(e);
    return err;
}

void uflow_put_value(struct sym_bits bits, u128 value, struct str *out)
{
    struct sym_bits base = sym_bits_base(bits);
    bool is_register = FIELD_IS_ANY_REG(base.sym->field);
    bool whole = bits.ofs == 0 && bits.width == bits.sym->width;
    enum lex_format format = is_register || !whole               ? LEX_HEX
                             : bits.sym->width == 48             ? LEX_MAC
                             : bits.sym->width == 128            ? LEX_IP6
                             : bits.sym->width == 32             ? LEX_IP4
                             : base.sym->field == FIELD_ETH_TYPE ? LEX_HEX
                                                                 : LEX_DECIMAL;
    lex_value_print(out, format, value);
}

void uflow_print(const struct world *world, const struct uflow *uflow, struct str *out)
{
    static const enum symbol_id shown[] = {
        SYM_ETH_SRC, SYM_ETH_DST, SYM_ETH_TYPE,   SYM_VLAN_TCI,  SYM_IP_PROTO,
        SYM_IP_TTL,  SYM_IP4_SRC, SYM_IP4_DST,    SYM_IP6_SRC,   SYM_IP6_DST,
        SYM_ARP_OP,  SYM_ARP_SPA, SYM_ARP_TPA,    SYM_TCP_SRC,   SYM_TCP_DST,
        SYM_UDP_SRC, SYM_UDP_DST, SYM_ICMP4_TYPE, SYM_ICMP6_TYPE};
    str_putf(out, "# inport=\"%s\"",
             world_name(world, (uint32_t)uflow_field(world, uflow, SYM_INPORT)));
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        const struct symbol *sym = symtab_get(world->symtab, shown[i]);
        u128 value = uflow_get(uflow, sym_bits_whole(sym));
        if (!value)
            continue;
        str_putf(out, ",%s=", sym->name);
        uflow_put_value(sym_bits_whole(sym), value, out);
    }
    str_putc(out, '\n');
}

/* ---- addresses ---- */

enum { ETH_IP4 = 0x800, ETH_IP6 = 0x86dd };

static enum symbol_id ip_symbol(const struct world *world, const struct uflow *uflow, bool source)
{
    bool v6 = uflow_field(world, uflow, SYM_ETH_TYPE) == ETH_IP6;
    return v6 ? (source ? SYM_IP6_SRC : SYM_IP6_DST) : (source ? SYM_IP4_SRC : SYM_IP4_DST);
}

bool uflow_ip(const struct world *world, const struct uflow *uflow, bool source,
              struct ip_addr *ret)
{
    u128 type = uflow_field(world, uflow, SYM_ETH_TYPE);
    if (type != ETH_IP4 && type != ETH_IP6)
        return false;
    *ret = ip_addr_from_u128(type == ETH_IP6 ? 6 : 4,
                             uflow_field(world, uflow, ip_symbol(world, uflow, source)));
    return true;
}

void uflow_set_ip(const struct world *world, struct uflow *uflow, bool source,
                  const struct ip_addr *ip)
{
    uflow_set_field(world, uflow, ip_symbol(world, uflow, source), ip_addr_to_u128(ip));
}
