/* build.c - builders of single actions; see action.h. */
#include "action/action.h"

static const struct symbol *symbol_of(struct action_pool *p, enum symbol_id id)
{
    return symtab_get(expr_pool_symtab(action_pool_exprs(p)), id);
}

static struct operand field_operand(struct sym_bits bits)
{
    return (struct operand){.kind = OPERAND_FIELD, .field = bits};
}

static struct operand symbol_operand(struct action_pool *p, enum symbol_id id)
{
    return field_operand(sym_bits_whole(symbol_of(p, id)));
}

static struct operand value_operand(u128 value, enum const_format format)
{
    return (struct operand){.kind = OPERAND_VALUE, .format = format, .value = value};
}

static struct operand text_operand(struct action_pool *p, enum operand_kind kind, const char *text)
{
    return (struct operand){.kind = kind,
                            .text = rstr_pool_get(expr_pool_names(action_pool_exprs(p)), text)};
}

struct sym_bits action_bits(struct action_pool *p, enum symbol_id id, unsigned ofs, unsigned width)
{
    const struct symbol *sym = symbol_of(p, id);
    INVARIANT(width && ofs + width <= sym->width);
    return (struct sym_bits){sym, ofs, width};
}

struct action *action_word(struct action_pool *p, enum action_op op)
{
    return action_new(p, op, NULL, 0);
}

struct action *action_next(struct action_pool *p)
{
    return action_word(p, ACTION_NEXT);
}

struct action *action_next_table(struct action_pool *p, unsigned table)
{
    struct operand o = value_operand(table, CONST_DECIMAL);
    return action_new(p, ACTION_NEXT, &o, 1);
}

struct action *action_next_in(struct action_pool *p, enum pipeline pipeline, unsigned table)
{
    struct operand o[] = {
        value_operand(table, CONST_DECIMAL),
        text_operand(p, OPERAND_WORD, pipeline == PIPELINE_INGRESS ? "ingress" : "egress")};
    return action_new(p, ACTION_NEXT, o, 2);
}

struct action *action_output(struct action_pool *p)
{
    return action_word(p, ACTION_OUTPUT);
}

/* How constants of SYM are usually written. */
static enum const_format natural_format(const struct symbol *sym)
{
    const char *dot = strrchr(sym->name, '.');
    bool address = dot && strchr("sdt", dot[1]) &&
                   (!strcmp(dot, ".src") || !strcmp(dot, ".dst") || !strcmp(dot, ".spa") ||
                    !strcmp(dot, ".tpa") || !strcmp(dot, ".target"));
    if (sym->width == 48)
        return CONST_MAC;
    if (sym->width == 32 && address)
        return CONST_IP4;
    if (sym->width == 128)
        return address || !strncmp(sym->name, "xxreg", 5) ? CONST_IP6 : CONST_HEX;
    if (sym->width > 64)
        return CONST_HEX;
    return CONST_DECIMAL;
}

struct action *action_load_as(struct action_pool *p, enum symbol_id dst, u128 value,
                              enum const_format format)
{
    INVARIANT(!(value & ~u128_ones(symbol_of(p, dst)->width)));
    struct operand o[] = {symbol_operand(p, dst), value_operand(value, format)};
    return action_new(p, ACTION_LOAD, o, 2);
}

struct action *action_load(struct action_pool *p, enum symbol_id dst, u128 value)
{
    return action_load_as(p, dst, value, natural_format(symbol_of(p, dst)));
}

struct action *action_load_bits(struct action_pool *p, enum symbol_id dst, unsigned ofs,
                                unsigned width, u128 value)
{
    INVARIANT(!(value & ~u128_ones(width)));
    struct operand o[] = {field_operand(action_bits(p, dst, ofs, width)),
                          value_operand(value, value >> 64 ? CONST_HEX : CONST_DECIMAL)};
    return action_new(p, ACTION_LOAD, o, 2);
}

struct action *action_load_str(struct action_pool *p, enum symbol_id dst, const char *name)
{
    INVARIANT(symbol_of(p, dst)->is_string);
    struct operand o[] = {symbol_operand(p, dst), text_operand(p, OPERAND_STRING, name)};
    return action_new(p, ACTION_LOAD, o, 2);
}

struct action *action_load_name(struct action_pool *p, enum symbol_id dst, const struct rstr *name)
{
    INVARIANT(symbol_of(p, dst)->is_string);
    if (name->pool != expr_pool_names(action_pool_exprs(p)))
        return action_load_str(p, dst, name->s);
    struct operand o[] = {symbol_operand(p, dst), {.kind = OPERAND_STRING, .text = rstr_ref(name)}};
    return action_new(p, ACTION_LOAD, o, 2);
}

struct action *action_move_bits(struct action_pool *p, struct sym_bits dst, struct sym_bits src)
{
    INVARIANT(dst.width == src.width && dst.sym->is_string == src.sym->is_string);
    struct operand o[] = {field_operand(dst), field_operand(src)};
    return action_new(p, ACTION_MOVE, o, 2);
}

struct action *action_move(struct action_pool *p, enum symbol_id dst, enum symbol_id src)
{
    return action_move_bits(p, sym_bits_whole(symbol_of(p, dst)),
                            sym_bits_whole(symbol_of(p, src)));
}

struct action *action_exchange(struct action_pool *p, enum symbol_id a, enum symbol_id b)
{
    INVARIANT(symbol_of(p, a)->width == symbol_of(p, b)->width);
    struct operand o[] = {symbol_operand(p, a), symbol_operand(p, b)};
    return action_new(p, ACTION_EXCHANGE, o, 2);
}

struct action *action_dec_ttl(struct action_pool *p)
{
    return action_word(p, ACTION_DEC_TTL);
}

struct action *action_nest(struct action_pool *p, enum action_op op, struct actions *inner)
{
    struct operand o = {.kind = OPERAND_ACTIONS, .actions = inner};
    return action_new(p, op, &o, 1);
}

static struct action *with_fields(struct action_pool *p, enum action_op op, size_t n,
                                  const enum symbol_id *syms)
{
    struct operand o[4];
    INVARIANT(n <= ARRAY_SIZE(o));
    for (size_t i = 0; i < n; i++)
        o[i] = symbol_operand(p, syms[i]);
    return action_new(p, op, o, n);
}

struct action *action_get_arp(struct action_pool *p, enum symbol_id port, enum symbol_id ip)
{
    return with_fields(p, ACTION_GET_ARP, 2, (enum symbol_id[]){port, ip});
}

struct action *action_put_arp(struct action_pool *p, enum symbol_id port, enum symbol_id ip,
                              enum symbol_id mac)
{
    return with_fields(p, ACTION_PUT_ARP, 3, (enum symbol_id[]){port, ip, mac});
}

struct action *action_get_nd(struct action_pool *p, enum symbol_id port, enum symbol_id ip)
{
    return with_fields(p, ACTION_GET_ND, 2, (enum symbol_id[]){port, ip});
}

struct action *action_put_nd(struct action_pool *p, enum symbol_id port, enum symbol_id ip,
                             enum symbol_id mac)
{
    return with_fields(p, ACTION_PUT_ND, 3, (enum symbol_id[]){port, ip, mac});
}

struct action *action_put_fdb(struct action_pool *p, enum symbol_id port, enum symbol_id mac)
{
    return with_fields(p, ACTION_PUT_FDB, 2, (enum symbol_id[]){port, mac});
}

struct action *action_bind_vport(struct action_pool *p, const char *name, enum symbol_id port)
{
    struct operand o[] = {text_operand(p, OPERAND_STRING, name),
                          field_operand(sym_bits_whole(symbol_of(p, port)))};
    return action_new(p, ACTION_BIND_VPORT, o, ARRAY_SIZE(o));
}

struct action *action_result(struct action_pool *p, enum action_op op, struct sym_bits dst,
                             size_t n_args, const enum symbol_id *args)
{
    struct operand o[5];
    INVARIANT(n_args < ARRAY_SIZE(o));
    o[0] = field_operand(dst);
    for (size_t i = 0; i < n_args; i++)
        o[i + 1] = symbol_operand(p, args[i]);
    return action_new(p, op, o, n_args + 1);
}

struct action *action_ct_nat(struct action_pool *p, enum action_op op, u128 ip,
                             enum const_format format)
{
    struct operand o = value_operand(ip, format);
    return action_new(p, op, &o, 1);
}
