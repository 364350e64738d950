/* parse.c - text of matches to expressions; see expr.h.
 *
 * A recursive descent with the nesting counted. `!` is not applied after the fact: every comparison is told whether an odd
 * number of `!` stands around it, because nominal fields may be tested for equality only, and then builds the negated
 * relation (or De Morgan's dual) itself.
 */
#include "expr/parse_cmp.h"

#include "base/err.h"
#include "expr/text_cache.h"

static int parse_or_and(struct parser *ps, bool negate, struct expr **ret) MUST_CHECK;

static bool to_relop(enum lex_type type, enum expr_relop *ret)
{
    switch (type) {
    case LEX_EQ:
        *ret = EXPR_EQ;
        return true;
    case LEX_NE:
        *ret = EXPR_NE;
        return true;
    case LEX_LT:
        *ret = EXPR_LT;
        return true;
    case LEX_LE:
        *ret = EXPR_LE;
        return true;
    case LEX_GT:
        *ret = EXPR_GT;
        return true;
    case LEX_GE:
        *ret = EXPR_GE;
        return true;
    default:
        return false;
    }
}

static enum expr_relop mirrored(enum expr_relop relop)
{
    static const enum expr_relop table[] = {
        [EXPR_EQ] = EXPR_EQ, [EXPR_NE] = EXPR_NE, [EXPR_LT] = EXPR_GT,
        [EXPR_LE] = EXPR_GE, [EXPR_GT] = EXPR_LT, [EXPR_GE] = EXPR_LE,
    };
    return table[relop];
}

static int parse_resident(struct parser *ps, bool negate, struct expr **ret)
{
    struct lexer *lx = &ps->lx;
    int rc = lexer_force(lx, LEX_LPAREN, ps->diag);
    if (rc)
        return rc;
    if (lx->token.type != LEX_STRING)
        return lexer_error(lx, ps->diag, "expecting string");
    *ret = expr_resident(ps->pool, lx->token.text, negate);
    lexer_get(lx);
    rc = lexer_force(lx, LEX_RPAREN, ps->diag);
    if (rc) {
        expr_unref(*ret);
        *ret = NULL;
    }
    return rc;
}

/* CS RELOP field [RELOP CS2] */
static int parse_constant_first(struct parser *ps, struct constants *cs, bool negate,
                                struct expr **ret)
{
    struct lexer *lx = &ps->lx;
    enum expr_relop relop, relop2;
    struct sym_bits sf;
    if (!to_relop(lx->token.type, &relop))
        return lexer_error(lx, ps->diag, "expecting relational operator");
    lexer_get(lx);
    int rc = parse_sym_bits(expr_pool_symtab(ps->pool), lx, true, &sf, ps->diag);
    if (rc)
        return rc;
    ps->is_comparison = true;
    if (!to_relop(lx->token.type, &relop2))
        return parse_make_cmp(ps, sf, mirrored(relop), cs, negate, ret);

    lexer_get(lx);
    struct constants *cs2 = &ps->constants[1];
    rc = parse_constants(ps, cs2);
    bool up = (relop == EXPR_LT || relop == EXPR_LE) && (relop2 == EXPR_LT || relop2 == EXPR_LE);
    bool down = (relop == EXPR_GT || relop == EXPR_GE) && (relop2 == EXPR_GT || relop2 == EXPR_GE);
    if (!rc && !up && !down)
        rc = diag_set(ps->diag, ERR_SYNTAX,
                      "Range expressions must have the form `x < field < y' or `x > field > y', "
                      "with each `<' optionally replaced by `<=' or `>' by `>=').");
    struct expr *a = NULL, *b = NULL;
    if (!rc)
        rc = parse_make_cmp(ps, sf, mirrored(relop), cs, negate, &a);
    if (!rc)
        rc = parse_make_cmp(ps, sf, relop2, cs2, negate, &b);
    if (!rc)
        *ret = negate ? expr_or(ps->pool, a, b) : expr_and(ps->pool, a, b);
    else
        expr_unref(a);
    return rc;
}

/* field [RELOP CS] */
static int parse_field_first(struct parser *ps, struct constants *cs, bool negate,
                             struct expr **ret)
{
    struct lexer *lx = &ps->lx;
    enum expr_relop relop;
    struct sym_bits sf;
    int rc = parse_sym_bits(expr_pool_symtab(ps->pool), lx, true, &sf, ps->diag);
    if (rc)
        return rc;
    if (to_relop(lx->token.type, &relop)) {
        ps->is_comparison = true;
        lexer_get(lx);
        rc = parse_constants(ps, cs);
        return rc ? rc : parse_make_cmp(ps, sf, relop, cs, negate, ret);
    }
    if (sf.sym->is_string || lx->token.type == LEX_EQUALS)
        return lexer_error(lx, ps->diag, "expecting relational operator");
    if (sf.width > 1 && !negate)
        return diag_set(ps->diag, ERR_TYPE,
                        "Explicit `!= 0' is required for inequality test of multibit field "
                        "against 0.");
    bool is_bit = sf.width == 1; /* else it is "!field", which is "field == 0" */
    vec_push(&cs->list, ((struct lex_token){.type = LEX_INTEGER, .value = is_bit, .width = 1}));
    return parse_make_cmp(ps, sf, is_bit ? EXPR_EQ : EXPR_NE, cs, negate, ret);
}

static int parse_primary(struct parser *ps, bool negate, struct expr **ret)
{
    struct lexer *lx = &ps->lx;
    if (lexer_match(lx, LEX_LPAREN)) {
        if (ps->depth >= PARSE_MAX_DEPTH)
            return diag_set_at(ps->diag, ERR_TOO_BIG, (long)lx->token.start,
                               "Parentheses nested too deeply.");
        ps->depth++;
        int rc = parse_or_and(ps, negate, ret);
        ps->depth--;
        ps->is_comparison = false;
        if (rc)
            return rc;
        rc = lexer_force(lx, LEX_RPAREN, ps->diag);
        if (rc) {
            expr_unref(*ret);
            *ret = NULL;
        }
        return rc;
    }
    ps->is_comparison = false;
    struct constants *cs = ps->constants;
    for (size_t i = 0; i < ARRAY_SIZE(ps->constants); i++) {
        vec_clear(&cs[i].list);
        cs[i].in_braces = false;
    }
    int rc;
    if (lx->token.type == LEX_ID && lexer_is_id(lx, "is_chassis_resident")) {
        lexer_get(lx);
        return parse_resident(ps, negate, ret);
    }
    if (lx->token.type == LEX_ID) {
        rc = parse_field_first(ps, cs, negate, ret);
    } else if (parse_is_constant(lx->token.type)) {
        struct lex_token first = lx->token;
        rc = parse_constants(ps, cs);
        enum expr_relop relop;
        if (!rc && !to_relop(lx->token.type, &relop) && first.type == LEX_INTEGER &&
            first.format == LEX_DECIMAL && first.value <= 1)
            *ret = expr_bool(ps->pool, (first.value == 1) != negate);
        else if (!rc)
            rc = parse_constant_first(ps, cs, negate, ret);
    } else {
        rc = lexer_error(lx, ps->diag, "expecting constant");
    }
    return rc;
}

static int parse_not(struct parser *ps, bool negate, struct expr **ret)
{
    bool after_not = false;
    /* A chain of `!' needs no recursion: "!!!x". */
    while (lexer_match(&ps->lx, LEX_LOG_NOT)) {
        negate = !negate;
        after_not = true;
    }
    size_t start = ps->lx.token.start;
    int rc = parse_primary(ps, negate, ret);
    if (!rc && after_not && ps->is_comparison) { /* "!x == 1" could be understood in two ways */
        expr_unref(*ret);
        *ret = NULL;
        rc = diag_set_at(ps->diag, ERR_SYNTAX, (long)start,
                         "Missing parentheses around operand of !.");
    }
    return rc;
}

static int parse_or_and(struct parser *ps, bool negate, struct expr **ret)
{
    struct expr *first;
    int rc = parse_not(ps, negate, &first);
    if (rc)
        return rc;
    enum lex_type op = ps->lx.token.type;
    if (op != LEX_LOG_AND && op != LEX_LOG_OR) {
        *ret = first;
        return 0;
    }
    size_t from = ps->operands.n;
    vec_push(&ps->operands, first);
    while (!rc && lexer_match(&ps->lx, op)) {
        struct expr *e;
        rc = parse_not(ps, negate, &e);
        if (!rc)
            vec_push(&ps->operands, e);
    }
    if (!rc && (ps->lx.token.type == LEX_LOG_AND || ps->lx.token.type == LEX_LOG_OR))
        rc = diag_set_at(ps->diag, ERR_SYNTAX, (long)ps->lx.token.start,
                         "&& and || must be parenthesized when used together.");
    struct expr **v = ps->operands.data + from;
    size_t n = ps->operands.n - from;
    if (rc) {
        for (size_t i = 0; i < n; i++)
            expr_unref(v[i]);
    } else {
        *ret =
            (op == LEX_LOG_AND) != negate ? expr_and_n(ps->pool, v, n) : expr_or_n(ps->pool, v, n);
    }
    ps->operands.n = from;
    return rc;
}

static int parse_whole(struct expr_pool *p, const char *text, const struct expr_names *names,
                       struct expr **ret, struct diag *diag)
{
    struct parser ps = {.pool = p, .names = names, .diag = diag};
    lexer_init(&ps.lx, text);
    int rc = parse_or_and(&ps, false, ret);
    if (!rc) {
        rc = lexer_force_end(&ps.lx, diag);
        if (rc) {
            expr_unref(*ret);
            *ret = NULL;
        }
    }
    lexer_fini(&ps.lx);
    vec_fini(&ps.constants[0].list);
    vec_fini(&ps.constants[1].list);
    vec_fini(&ps.operands);
    return rc;
}

int expr_parse(struct expr_pool *p, const char *text, const struct expr_names *names,
               struct expr **ret, struct diag *diag)
{
    *ret = NULL;
    if (names) /* what is accepted then depends on which sets and groups exist */
        return parse_whole(p, text, names, ret, diag);
    struct text_cache *cache = expr_pool_texts(p);
    const struct text_key key = text_key(text, 0);
    const struct text_cached *known = text_cache_find(cache, &key);
    if (!known) {
        int rc = parse_whole(p, text, NULL, ret, diag);
        if (!rc)
            text_cache_add(cache, &key, expr_ref(*ret), NULL);
        return rc;
    }
    *ret = expr_ref(known->value);
    return 0;
}
