/* parse_cmp.c - fields, constants and what may be compared with what; see parse_cmp.h. */
#include "expr/parse_cmp.h"

#include "base/err.h"

void sym_bits_print(struct sym_bits sf, struct str *out)
{
    str_put(out, sf.sym->name);
    if (sf.width == sf.sym->width)
        return;
    if (sf.width == 1)
        str_putf(out, "[%u]", sf.ofs);
    else
        str_putf(out, "[%u..%u]", sf.ofs, sf.ofs + sf.width - 1);
}

static int parse_bits(struct lexer *lx, struct sym_bits *sf, struct diag *diag)
{
    int64_t lo, hi;
    int rc = lexer_force_int(lx, diag, &lo);
    if (rc)
        return rc;
    hi = lo;
    if (lexer_match(lx, LEX_ELLIPSIS)) {
        rc = lexer_force_int(lx, diag, &hi);
        if (rc)
            return rc;
    }
    rc = lexer_force(lx, LEX_RSQUARE, diag);
    if (rc)
        return rc;
    const struct symbol *sym = sf->sym;
    if (lo > hi)
        return diag_set(diag, ERR_SYNTAX, "Invalid bit range %lld to %lld.", (long long)lo,
                        (long long)hi);
    if (hi >= (int64_t)sym->width)
        return diag_set(diag, ERR_TYPE, "Cannot select bits %lld to %lld of %u-bit field %s.",
                        (long long)lo, (long long)hi, sym->width, sym->name);
    if (sym->level == LEVEL_NOMINAL && (lo != 0 || hi != (int64_t)sym->width - 1))
        return diag_set(diag, ERR_TYPE, "Cannot select subfield of nominal field %s.", sym->name);
    sf->ofs = (unsigned)lo;
    sf->width = (unsigned)(hi - lo + 1);
    return 0;
}

int parse_sym_bits(const struct symtab *st, struct lexer *lx, bool allow_predicate,
                   struct sym_bits *ret, struct diag *diag)
{
    const struct symbol *sym = NULL;
    if (lx->token.type == LEX_ID)
        sym = symtab_find(st, lx->token.text, lx->token.n);
    if (!sym)
        return lexer_error(lx, diag, "expecting field name");
    lexer_get(lx);
    *ret = sym_bits_whole(sym);
    if (lexer_match(lx, LEX_LSQUARE)) {
        if (sym->is_string)
            return diag_set(diag, ERR_TYPE, "Cannot select subfield of string field %s.",
                            sym->name);
        int rc = parse_bits(lx, ret, diag);
        if (rc)
            return rc;
    }
    if (sym->kind == SYMBOL_PREDICATE && !allow_predicate)
        return diag_set(diag, ERR_TYPE, "Predicate symbol %s used where lvalue required.",
                        sym->name);
    return 0;
}

/* -- Constants. -- */

static int parse_constant(struct parser *ps, struct constants *cs)
{
    struct lexer *lx = &ps->lx;
    struct lex_token *t = &lx->token;
    if (cs->list.n) {
        bool had_string =
            cs->list.data[0].type == LEX_STRING || cs->list.data[0].type == LEX_PORT_GROUP;
        bool is_string = t->type == LEX_STRING || t->type == LEX_PORT_GROUP;
        bool is_number =
            t->type == LEX_INTEGER || t->type == LEX_MASKED_INTEGER || t->type == LEX_MACRO;
        if (had_string && is_number)
            return lexer_error(lx, ps->diag, "expecting string");
        if (!had_string && is_string)
            return lexer_error(lx, ps->diag, "expecting integer");
    }
    const struct expr_names *names = ps->names;
    char *name;
    bool known = true;
    switch (t->type) {
    case LEX_INTEGER:
    case LEX_MASKED_INTEGER:
    case LEX_STRING:
        break;
    case LEX_MACRO:
        name = xstrndup(t->text, t->n);
        known = !names || !names->has_set || names->has_set(names->aux, name);
        free(name);
        if (!known)
            return lexer_error(lx, ps->diag, "expecting address set name");
        break;
    case LEX_PORT_GROUP:
        name = xstrndup(t->text, t->n);
        known = !names || !names->has_group || names->has_group(names->aux, name);
        free(name);
        if (!known)
            return lexer_error(lx, ps->diag, "expecting port group name");
        break;
    default:
        return lexer_error(lx, ps->diag, "expecting constant");
    }
    vec_push(&cs->list, *t);
    lexer_get(lx);
    return 0;
}

int parse_constants(struct parser *ps, struct constants *cs)
{
    if (!lexer_match(&ps->lx, LEX_LCURLY))
        return parse_constant(ps, cs);
    cs->in_braces = true;
    while (!lexer_match(&ps->lx, LEX_RCURLY)) {
        int rc = parse_constant(ps, cs);
        if (rc)
            return rc;
        lexer_match(&ps->lx, LEX_COMMA); /* which need not be there */
    }
    return 0;
}

bool parse_is_constant(enum lex_type type)
{
    return type == LEX_INTEGER || type == LEX_MASKED_INTEGER || type == LEX_STRING ||
           type == LEX_LCURLY || type == LEX_MACRO || type == LEX_PORT_GROUP;
}

/* -- Types. -- */

int parse_check_width(const struct lex_token *t, struct sym_bits sf, struct diag *diag)
{
    if (t->width <= sf.width)
        return 0;
    /* An address that is written in a longer form than needed has the width that its digits need. */
    struct str name = STR_INIT;
    sym_bits_print(sf, &name);
    int rc = diag_set_at(diag, ERR_TYPE, (long)t->start,
                         "%u-bit constant is not compatible with %u-bit field %s.", t->width,
                         sf.width, str_c(&name));
    str_fini(&name);
    return rc;
}

static const char *relop_text(enum expr_relop relop)
{
    static const char *const table[] = {"==", "!=", "<", "<=", ">", ">="};
    return table[relop];
}

static int masked_error(struct parser *ps, struct sym_bits sf, enum expr_relop relop,
                        const struct lex_token *t)
{
    struct str s = STR_INIT;
    str_put(&s, "Only == and != operators may be used with masked constants.");
    if (u128_is_run(t->mask) && t->mask <= u128_ones(sf.width)) {
        unsigned lo = u128_ctz(t->mask);
        str_putf(&s, "  Consider using subfields instead (e.g. %s[%u..%u] %s ", sf.sym->name,
                 sf.ofs + lo, sf.ofs + u128_width(t->mask) - 1, relop_text(relop));
        lex_hex_print(&s, t->value >> lo);
        str_put(&s, " in place of ");
        sym_bits_print(sf, &s);
        str_putf(&s, " %s ", relop_text(relop));
        lex_masked_print(&s, t->format, t->value, t->mask);
        str_put(&s, ").");
    }
    int rc = diag_set_at(ps->diag, ERR_TYPE, (long)t->start, "%s", str_c(&s));
    str_fini(&s);
    return rc;
}

static int check_nominal(struct parser *ps, const struct symbol *sym, enum expr_relop relop,
                         const struct constants *cs, bool negate)
{
    if (sym->level == LEVEL_NOMINAL && sym->kind == SYMBOL_PREDICATE) {
        bool ok = cs->list.n || (relop == EXPR_EQ) == negate;
        for (size_t i = 0; i < cs->list.n; i++) /* each becomes a test of its own */
            ok &= (relop == EXPR_EQ) == ((cs->list.data[i].value != 0) != negate);
        if (!ok)
            return diag_set(ps->diag, ERR_TYPE,
                            "Nominal predicate %s may only be tested positively, e.g. `%s' or "
                            "`%s == 1' but not `!%s' or `%s == 0'.",
                            sym->name, sym->name, sym->name, sym->name, sym->name);
    } else if (sym->level == LEVEL_NOMINAL && (relop == EXPR_EQ) == negate) {
        return diag_set(ps->diag, ERR_TYPE,
                        "Nominal field %s may only be tested for equality (taking enclosing "
                        "`!' operators into account).",
                        sym->name);
    }
    return 0;
}

/* Ports are compared with names, everything else with numbers that it has room for. */
static int check_constants(struct parser *ps, struct sym_bits sf, const struct constants *cs)
{
    const struct symbol *sym = sf.sym;
    for (size_t i = 0; i < cs->list.n; i++) {
        const struct lex_token *t = &cs->list.data[i];
        bool is_string = t->type == LEX_STRING || t->type == LEX_PORT_GROUP;
        if (is_string != sym->is_string)
            return diag_set_at(ps->diag, ERR_TYPE, (long)t->start,
                               "%s field %s is not compatible with %s constant.",
                               sym->is_string ? "String" : "Integer", sym->name,
                               is_string ? "string" : "integer");
        bool is_number = t->type == LEX_INTEGER || t->type == LEX_MASKED_INTEGER;
        int rc = is_number ? parse_check_width(t, sf, ps->diag) : 0;
        if (rc)
            return rc;
    }
    return 0;
}

/* Everything that may be wrong with SF RELOP CS inside NEGATE. */
static int check_types(struct parser *ps, struct sym_bits sf, enum expr_relop relop,
                       const struct constants *cs, bool negate)
{
    const struct symbol *sym = sf.sym;
    int rc = check_constants(ps, sf, cs);
    if (rc)
        return rc;
    if (relop > EXPR_NE) {
        if (cs->in_braces)
            return diag_set(ps->diag, ERR_TYPE,
                            "Only == and != operators may be used with value sets.");
        if (sym->level == LEVEL_NOMINAL || sym->kind == SYMBOL_PREDICATE)
            return diag_set(ps->diag, ERR_TYPE,
                            "Only == and != operators may be used with %s field %s.",
                            sym->level == LEVEL_NOMINAL ? "nominal" : "Boolean", sym->name);
    }
    for (size_t i = 0; i < cs->list.n; i++) {
        const struct lex_token *t = &cs->list.data[i];
        if (relop > EXPR_NE && t->type == LEX_MASKED_INTEGER)
            return masked_error(ps, sf, relop, t);
        if (relop > EXPR_NE && t->type == LEX_MACRO)
            return diag_set(ps->diag, ERR_TYPE,
                            "Only == and != operators may be used with value sets.");
    }
    return check_nominal(ps, sym, relop, cs, negate);
}

static enum expr_relop negate_relop(enum expr_relop relop)
{
    static const enum expr_relop table[] = {
        [EXPR_EQ] = EXPR_NE, [EXPR_NE] = EXPR_EQ, [EXPR_LT] = EXPR_GE,
        [EXPR_LE] = EXPR_GT, [EXPR_GT] = EXPR_LE, [EXPR_GE] = EXPR_LT,
    };
    return table[relop];
}

static struct expr *make_one(struct parser *ps, struct sym_bits sf, enum expr_relop relop,
                             const struct lex_token *t)
{
    if (t->type == LEX_STRING)
        return expr_str_sym(ps->pool, sf.sym, relop, t->text, t->n);
    if (t->type == LEX_MACRO)
        return expr_set_sym(ps->pool, EXPR_SET, sf.sym, relop, t->text, t->n);
    if (t->type == LEX_PORT_GROUP)
        return expr_set_sym(ps->pool, EXPR_PORT_GROUP, sf.sym, relop, t->text, t->n);
    u128 mask = t->type == LEX_MASKED_INTEGER ? t->mask : u128_ones(sf.width);
    return expr_cmp_sym(ps->pool, sf.sym, relop, t->value << sf.ofs, mask << sf.ofs);
}

/* SF RELOP {CS}, of which the negation if NEGATE. */
int parse_make_cmp(struct parser *ps, struct sym_bits sf, enum expr_relop relop,
                   const struct constants *cs, bool negate, struct expr **ret)
{
    int rc = check_types(ps, sf, relop, cs, negate);
    if (rc)
        return rc;
    bool is_or = (relop != EXPR_NE) != negate;
    if (negate)
        relop = negate_relop(relop);
    if (cs->list.n == 1) {
        *ret = make_one(ps, sf, relop, &cs->list.data[0]);
        return 0;
    }
    VEC(struct expr *) v = VEC_INIT;
    for (size_t i = 0; i < cs->list.n; i++)
        vec_push(&v, make_one(ps, sf, relop, &cs->list.data[i]));
    *ret = is_or ? expr_or_n(ps->pool, v.data, v.n) : expr_and_n(ps->pool, v.data, v.n);
    vec_fini(&v);
    return 0;
}
