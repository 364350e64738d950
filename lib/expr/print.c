/* print.c - expressions to text: the only place where a match becomes text; see expr.h.
 *
 * Two styles. The canonical one is for comparing: shortest hexadecimal, runs of bits as subfields. The text one is what the
 * databases and people see: addresses as addresses, and consecutive comparisons of one field as a set in braces. Parsing
 * either gives the same expression back.
 */
#include "base/str.h"
#include "expr/expr.h"
#include "expr/lexer.h"
#include "expr/parse.h"

struct printer {
    enum expr_style style;
    struct str *out;
};

static const char *relop_text(enum expr_relop relop)
{
    static const char *const table[] = {"==", "!=", "<", "<=", ">", ">="};
    return table[relop];
}

/* How people write constants of SYM: by what it is called. */
static enum lex_format natural_format(const struct symbol *sym)
{
    const char *dot = strrchr(sym->name, '.');
    bool address = dot && (!strcmp(dot, ".src") || !strcmp(dot, ".dst"));
    if (sym->width == 48)
        return LEX_MAC;
    if (sym->width == 128 && (address || !strcmp(sym->name, "nd.target")))
        return LEX_IP6;
    if (sym->width == 32 && (address || (dot && (!strcmp(dot, ".spa") || !strcmp(dot, ".tpa")))))
        return LEX_IP4;
    if (sym->width <= 16 && strcmp(sym->name, "eth.type"))
        return LEX_DECIMAL;
    return LEX_HEX;
}

/* SYM with the bits of MASK, if they are a run that can be written so: true, and *SF. Subfields of nominal fields are shown
 * in the canonical style although the parser does not take them. */
static bool as_bits(const struct printer *pr, const struct expr *e, struct sym_bits *sf)
{
    *sf = sym_bits_whole(e->sym);
    if (e->mask == u128_ones(e->sym->width))
        return true;
    if (!u128_is_run(e->mask) || (e->sym->level == LEVEL_NOMINAL && pr->style == EXPR_STYLE_TEXT))
        return false;
    sf->ofs = u128_ctz(e->mask);
    sf->width = u128_popcount(e->mask);
    return true;
}

static bool is_prefix(const struct expr *e)
{
    unsigned n = u128_popcount(e->mask), w = e->sym->width;
    return n && e->mask == (u128_ones(w) & ~u128_ones(w - n));
}

static void print_value(struct printer *pr, const struct symbol *sym, u128 value)
{
    if (pr->style == EXPR_STYLE_CANONICAL)
        lex_hex_print(pr->out, value);
    else
        lex_value_print(pr->out, natural_format(sym), value);
}

/* The constant of E when E's field is written whole. */
static void print_masked(struct printer *pr, const struct expr *e)
{
    enum lex_format f = natural_format(e->sym);
    if (pr->style == EXPR_STYLE_CANONICAL)
        f = LEX_HEX;
    if (e->mask == u128_ones(e->sym->width))
        lex_value_print(pr->out, f, e->value);
    else if (f == LEX_HEX || f == LEX_DECIMAL) {
        if (!e->value && e->mask && pr->style == EXPR_STYLE_TEXT)
            str_put(pr->out, "0x0"); /* peers want value and mask in one format */
        else
            lex_hex_print(pr->out, e->value);
        str_putc(pr->out, '/');
        lex_hex_print(pr->out, e->mask);
    } else {
        lex_masked_print(pr->out, f, e->value, e->mask);
    }
}

/* In text style, networks are written as such, not as subfields. */
static bool whole_in_text(const struct printer *pr, const struct expr *e)
{
    enum lex_format f = natural_format(e->sym);
    return pr->style == EXPR_STYLE_TEXT && e->relop <= EXPR_NE && (f == LEX_IP4 || f == LEX_IP6) &&
           is_prefix(e);
}

static void put_relop(struct printer *pr, const struct expr *e)
{
    str_putc(pr->out, ' ');
    str_put(pr->out, relop_text(e->relop));
    str_putc(pr->out, ' ');
}

static void print_cmp(struct printer *pr, const struct expr *e)
{
    struct sym_bits sf;
    bool bits = as_bits(pr, e, &sf) && !whole_in_text(pr, e);
    if (bits && sf.width == 1 && e->relop <= EXPR_NE) {
        if (e->relop == EXPR_NE)
            str_putc(pr->out, '!');
        sym_bits_print(sf, pr->out);
        return;
    }
    if (bits)
        sym_bits_print(sf, pr->out);
    else
        str_put(pr->out, e->sym->name);
    if (!bits && e->relop == EXPR_NE && e->sym->level == LEVEL_NOMINAL &&
        u128_popcount(e->mask) == 1) {
        /* Kept as "not set", but a nominal field may only be said to be equal. */
        str_put(pr->out, " == 0x0/");
        lex_hex_print(pr->out, e->mask);
        return;
    }
    put_relop(pr, e);
    if (!bits)
        print_masked(pr, e);
    else if (sf.width == e->sym->width)
        print_value(pr, e->sym, e->value);
    else
        lex_hex_print(pr->out, e->value >> sf.ofs);
}

/* What stands right of the operator; only for nodes that may be in a set. */
static void print_element(struct printer *pr, const struct expr *e)
{
    switch (e->kind) {
    case EXPR_CMP:
        print_masked(pr, e);
        break;
    case EXPR_STR:
        lex_string_print(pr->out, e->name->s, e->name->n);
        break;
    case EXPR_SET:
    case EXPR_PORT_GROUP:
        str_putc(pr->out, e->kind == EXPR_SET ? '$' : '@');
        str_put_n(pr->out, e->name->s, e->name->n);
        break;
    default:
        INVARIANT(false);
    }
}

static bool may_be_element(const struct printer *pr, const struct expr *e)
{
    if (e->kind == EXPR_STR || e->kind == EXPR_SET || e->kind == EXPR_PORT_GROUP)
        return e->relop <= EXPR_NE;
    struct sym_bits sf;
    return e->kind == EXPR_CMP && e->relop <= EXPR_NE && e->sym->width > 1 &&
           (e->mask == u128_ones(e->sym->width) || whole_in_text(pr, e) || !as_bits(pr, e, &sf));
}

/* How many children from I on can be written as one set. */
static uint32_t set_length(const struct printer *pr, const struct expr *e, uint32_t i)
{
    const struct expr *first = e->sub[i];
    if (pr->style != EXPR_STYLE_TEXT || !may_be_element(pr, first) ||
        first->relop != (e->kind == EXPR_OR ? EXPR_EQ : EXPR_NE))
        return 1;
    uint32_t n = 1;
    while (i + n < e->n && e->sub[i + n]->sym == first->sym &&
           e->sub[i + n]->relop == first->relop && may_be_element(pr, e->sub[i + n]))
        n++;
    return n;
}

static void print_set(struct printer *pr, const struct expr *e, uint32_t i, uint32_t n)
{
    str_put(pr->out, e->sub[i]->sym->name);
    put_relop(pr, e->sub[i]);
    str_putc(pr->out, '{');
    for (uint32_t j = 0; j < n; j++) {
        if (j)
            str_put(pr->out, ", ");
        print_element(pr, e->sub[i + j]);
    }
    str_putc(pr->out, '}');
}

static void print_node(struct printer *pr, const struct expr *e);

static void print_child(struct printer *pr, const struct expr *e)
{
    bool paren = (e->kind == EXPR_AND || e->kind == EXPR_OR) && set_length(pr, e, 0) != e->n;
    if (paren)
        str_putc(pr->out, '(');
    print_node(pr, e);
    if (paren)
        str_putc(pr->out, ')');
}

static void print_node(struct printer *pr, const struct expr *e)
{
    switch (e->kind) {
    case EXPR_BOOL:
        str_putc(pr->out, e->b ? '1' : '0');
        break;
    case EXPR_CMP:
        print_cmp(pr, e);
        break;
    case EXPR_STR:
    case EXPR_SET:
    case EXPR_PORT_GROUP:
        str_put(pr->out, e->sym->name);
        put_relop(pr, e);
        print_element(pr, e);
        break;
    case EXPR_RESIDENT:
        str_put(pr->out, e->relop == EXPR_NE ? "!is_chassis_resident(" : "is_chassis_resident(");
        lex_string_print(pr->out, e->name->s, e->name->n);
        str_putc(pr->out, ')');
        break;
    case EXPR_AND:
    case EXPR_OR:
        for (uint32_t i = 0; i < e->n;) {
            if (i)
                str_put(pr->out, e->kind == EXPR_AND ? " && " : " || ");
            uint32_t n = set_length(pr, e, i);
            if (n > 1)
                print_set(pr, e, i, n);
            else
                print_child(pr, e->sub[i]);
            i += n;
        }
        break;
    }
}

void expr_print(const struct expr *e, enum expr_style style, struct str *out)
{
    struct printer pr = {style, out};
    print_node(&pr, e);
}

char *expr_to_text(const struct expr *e)
{
    struct str s = STR_INIT;
    expr_print(e, EXPR_STYLE_TEXT, &s);
    return str_steal(&s);
}
