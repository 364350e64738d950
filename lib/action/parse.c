/* parse.c - text of actions to values; see action.h. Arguments with a syntax of their own are in parse_args.c, parse_ct.c
 * and parse_dhcp.c. */
#include "action/parser.h"

#include "base/err.h"

static int parse_sequence(struct action_parser *ap, enum lex_type end,
                          struct actions **ret) MUST_CHECK;

static struct expr_pool *exprs(struct action_parser *ap)
{
    return action_pool_exprs(ap->pool);
}

void arg_field(struct action_parser *ap, struct sym_bits bits)
{
    vec_push(&ap->args, ((struct operand){.kind = OPERAND_FIELD, .field = bits}));
}

void arg_value(struct action_parser *ap, enum const_format format, u128 value)
{
    vec_push(&ap->args,
             ((struct operand){.kind = OPERAND_VALUE, .format = format, .value = value}));
}

void arg_token(struct action_parser *ap, const struct lex_token *t)
{
    static const enum const_format formats[] = {
        [LEX_DECIMAL] = CONST_DECIMAL, [LEX_HEX] = CONST_HEX, [LEX_IP4] = CONST_IP4,
        [LEX_IP6] = CONST_IP6,         [LEX_MAC] = CONST_MAC,
    };
    struct operand o = {.kind = OPERAND_VALUE, .format = formats[t->format], .value = t->value};
    if (t->type == LEX_MASKED_INTEGER) {
        o.is_masked = true;
        o.mask = t->mask;
    } else if (!o.value && o.format == CONST_HEX) {
        o.format = CONST_DECIMAL; /* both print as 0 */
    }
    vec_push(&ap->args, o);
}

void arg_text(struct action_parser *ap, enum operand_kind kind, const char *text, size_t n)
{
    struct operand o = {.kind = kind, .text = rstr_pool_get_n(expr_pool_names(exprs(ap)), text, n)};
    vec_push(&ap->args, o);
}

void arg_option(struct action_parser *ap, const char *name)
{
    arg_text(ap, OPERAND_OPTION, name, strlen(name));
}

void action_release_args(struct action_parser *ap, size_t from)
{
    for (size_t i = from; i < ap->args.n; i++) {
        rstr_unref(ap->args.data[i].text);
        actions_unref(ap->args.data[i].actions);
    }
    ap->args.n = from;
}

static void require(struct action_parser *ap, struct expr *e)
{
    ap->prereq = ap->prereq ? expr_and(exprs(ap), ap->prereq, e) : e;
}

int action_require_symbol(struct action_parser *ap, const struct symbol *sym)
{
    struct expr *e;
    int rc = expr_prereq(exprs(ap), sym, &e, ap->diag);
    if (!rc)
        require(ap, e);
    return rc;
}

int action_require_text(struct action_parser *ap, const char *text)
{
    struct expr *e;
    int rc = expr_parse(exprs(ap), text, NULL, &e, ap->diag);
    if (!rc)
        require(ap, e);
    return rc;
}

/* -- Arguments. -- */

int action_check_field(struct action_parser *ap, struct sym_bits bits, unsigned width)
{
    const struct symbol *sym = bits.sym;
    if (sym->is_string != !width)
        return diag_set(ap->diag, ERR_TYPE, "Cannot use %s field %s where %s field is required.",
                        sym->is_string ? "string" : "numeric", sym->name,
                        width ? "numeric" : "string");
    if (!width || bits.width == width)
        return 0;
    return diag_set(ap->diag, ERR_TYPE,
                    "Cannot use %u-bit field %s[%u..%u] where %u-bit field is required.",
                    bits.width, sym->name, bits.ofs, bits.ofs + bits.width - 1, width);
}

int parse_field_arg(struct action_parser *ap, unsigned width)
{
    struct sym_bits bits;
    int rc = parse_sym_bits(ap->symtab, &ap->lx, false, &bits, ap->diag);
    if (!rc)
        rc = action_check_field(ap, bits, width);
    if (!rc)
        rc = action_require_symbol(ap, bits.sym);
    if (!rc)
        arg_field(ap, bits);
    return rc;
}

int parse_string_arg(struct action_parser *ap, const char *expecting)
{
    if (ap->lx.token.type != LEX_STRING)
        return lexer_error(&ap->lx, ap->diag, "expecting %s", expecting);
    arg_text(ap, OPERAND_STRING, ap->lx.token.text, ap->lx.token.n);
    lexer_get(&ap->lx);
    return 0;
}

int parse_int_arg(struct action_parser *ap)
{
    int64_t v;
    int rc = lexer_force_int(&ap->lx, ap->diag, &v);
    if (!rc)
        arg_value(ap, CONST_DECIMAL, (u128)v);
    return rc;
}

static unsigned width_of_code(char c)
{
    return c == 'P' ? 0 : c == '4' ? 32 : c == '6' ? 128 : 48;
}

/* The parenthesised arguments of OP. */
static int parse_args(struct action_parser *ap, enum action_op op)
{
    const struct op_detail *d = op_detail(op);
    int rc = lexer_force(&ap->lx, LEX_LPAREN, ap->diag);
    if (rc)
        return rc;
    if (!d->args) {
        rc = parse_own_args(ap, op);
    } else if (!*d->args && ap->lx.token.type != LEX_RPAREN) {
        return diag_set_at(ap->diag, ERR_SYNTAX, (long)ap->lx.token.start,
                           "%s doesn't take any parameters", action_op_name(op));
    } else {
        for (const char *c = d->args; *c && !rc; c++) {
            if (c > d->args)
                rc = lexer_force(&ap->lx, LEX_COMMA, ap->diag);
            if (!rc)
                rc = parse_field_arg(ap, width_of_code(*c));
        }
    }
    return rc ? rc : lexer_force(&ap->lx, LEX_RPAREN, ap->diag);
}

/* -- Actions that begin with a field. -- */

int action_check_assignable(struct action_parser *ap, const struct symbol *sym)
{
    bool is_of_ct = sym->flags & SF_RO_CT;
    if (sym->flags & SF_RO || is_of_ct != ap->in_ct_commit)
        return diag_set(ap->diag, ERR_TYPE, "Field %s is not modifiable.", sym->name);
    return 0;
}

static int require_assignable(struct action_parser *ap, struct sym_bits bits)
{
    int rc = action_check_assignable(ap, bits.sym);
    return rc ? rc : action_require_symbol(ap, bits.sym);
}

/* "dst = 5;", after the sign. */
static int parse_load(struct action_parser *ap, struct sym_bits dst)
{
    struct lex_token *t = &ap->lx.token;
    bool is_string = t->type == LEX_STRING;
    if (is_string != dst.sym->is_string)
        return diag_set_at(ap->diag, ERR_TYPE, (long)t->start,
                           "%s field %s is not compatible with %s constant.",
                           dst.sym->is_string ? "String" : "Integer", dst.sym->name,
                           is_string ? "string" : "integer");
    if (!is_string) {
        struct lex_token plain = *t;
        if (t->type == LEX_INTEGER && t->width <= 128)
            plain.width = u128_width(t->value);
        int rc = parse_check_width(&plain, dst, ap->diag);
        if (rc)
            return rc;
    }
    arg_field(ap, dst);
    if (is_string)
        arg_text(ap, OPERAND_STRING, t->text, t->n);
    else
        arg_token(ap, t);
    lexer_get(&ap->lx);
    return 0;
}

/* "a = b;" and "a <-> b;", after the sign. */
static int parse_two_fields(struct action_parser *ap, struct sym_bits a, bool exchange)
{
    struct sym_bits b;
    int rc = parse_sym_bits(ap->symtab, &ap->lx, false, &b, ap->diag);
    if (rc)
        return rc;
    if (a.sym->is_string != b.sym->is_string)
        return diag_set(ap->diag, ERR_TYPE,
                        exchange ? "Can't exchange %s field (%s) with %s field (%s)."
                                 : "Can't assign to %s field (%s) from %s field (%s).",
                        a.sym->is_string ? "string" : "integer", a.sym->name,
                        b.sym->is_string ? "string" : "integer", b.sym->name);
    if (a.width != b.width)
        return exchange
                   ? diag_set(ap->diag, ERR_TYPE, "Can't exchange %u-bit field with %u-bit field.",
                              a.width, b.width)
                   : diag_set(ap->diag, ERR_TYPE,
                              "Can't assign %u-bit value to %u-bit destination.", b.width, a.width);
    rc = require_assignable(ap, a);
    if (!rc)
        rc = exchange ? require_assignable(ap, b) : action_require_symbol(ap, b.sym);
    arg_field(ap, a);
    arg_field(ap, b);
    return rc;
}

/* The action called T, with a result or without; N_ACTION_OPS if there is none. */
static enum action_op find_op(const struct action_parser *ap, const struct lex_token *t,
                              bool result)
{
    enum action_op op = action_pool_op(ap->pool, t->text, t->n);
    return op != N_ACTION_OPS && action_has_result(op) == result ? op : N_ACTION_OPS;
}

/* Where the number of the bucket goes. */
static int check_select(struct action_parser *ap, struct sym_bits dst)
{
    if (dst.sym->is_string)
        return action_check_field(ap, dst, 16);
    if (dst.width >= 16)
        return 0;
    return diag_set(ap->diag, ERR_TYPE,
                    "cannot use %u-bit field %s[%u..%u] for \"select\", which requires at least 16 "
                    "bits.",
                    dst.width, dst.sym->name, dst.ofs, dst.ofs + dst.width - 1);
}

static int parse_result(struct action_parser *ap, enum action_op op, struct sym_bits dst)
{
    unsigned width = op_detail(op)->dst_width;
    bool any = op == ACTION_SELECT || (width == 32 && dst.sym->is_string);
    lexer_get(&ap->lx);
    arg_field(ap, dst);
    int rc = parse_args(ap, op);
    if (!rc && !any)
        rc = action_check_field(ap, dst, width);
    if (!rc)
        rc = require_assignable(ap, dst);
    if (!rc && op == ACTION_SELECT)
        rc = check_select(ap, dst);
    if (!rc && op_info(op)->prereq)
        rc = action_require_text(ap, op_info(op)->prereq);
    return rc;
}

static int parse_field_action(struct action_parser *ap, enum action_op *op)
{
    struct lexer *lx = &ap->lx;
    struct sym_bits dst;
    int rc = parse_sym_bits(ap->symtab, lx, false, &dst, ap->diag);
    if (rc)
        return rc;
    if (lexer_match(lx, LEX_EXCHANGE)) {
        *op = ACTION_EXCHANGE;
        return parse_two_fields(ap, dst, true);
    }
    if (dst.sym->index == SYM_IP_TTL && lx->token.type != LEX_EQUALS) {
        *op = ACTION_DEC_TTL;
        rc = lexer_force(lx, LEX_DECREMENT, ap->diag);
        return rc ? rc : action_require_symbol(ap, dst.sym);
    }
    if (!lexer_match(lx, LEX_EQUALS))
        return lexer_error(lx, ap->diag, "expecting `=' or `<->'");
    if (lx->token.type == LEX_ID && lexer_lookahead(lx) == LEX_LPAREN &&
        (*op = find_op(ap, &lx->token, true)) != N_ACTION_OPS)
        return parse_result(ap, *op, dst);
    if (lx->token.type == LEX_ID) {
        *op = ACTION_MOVE;
        return parse_two_fields(ap, dst, false);
    }
    rc = require_assignable(ap, dst);
    if (rc)
        return rc;
    if (lx->token.type != LEX_INTEGER && lx->token.type != LEX_MASKED_INTEGER &&
        lx->token.type != LEX_STRING)
        return lexer_error(lx, ap->diag, "expecting constant");
    *op = ACTION_LOAD;
    return parse_load(ap, dst);
}

/* -- Actions that begin with their name. -- */

static int parse_next(struct action_parser *ap)
{
    struct lexer *lx = &ap->lx;
    const struct action_context *c = ap->context;
    enum pipeline pipeline = c ? c->pipeline : PIPELINE_INGRESS;
    int64_t table = -1;
    bool has_pipeline = false;
    int rc = 0;
    if (!lexer_match(lx, LEX_LPAREN))
        return 0;
    if (lx->token.type == LEX_INTEGER) {
        rc = lexer_force_int(lx, ap->diag, &table);
    } else {
        do {
            bool is_pipeline = lexer_is_id(lx, "pipeline");
            if (!is_pipeline && !lexer_is_id(lx, "table"))
                return lexer_error(lx, ap->diag, "expecting \"pipeline\" or \"table\"");
            lexer_get(lx);
            rc = lexer_force(lx, LEX_EQUALS, ap->diag);
            if (!rc && is_pipeline) {
                has_pipeline = true;
                pipeline = lexer_is_id(lx, "ingress") ? PIPELINE_INGRESS : PIPELINE_EGRESS;
                if (!lexer_match_id(lx, "ingress") && !lexer_match_id(lx, "egress"))
                    return lexer_error(lx, ap->diag, "expecting \"ingress\" or \"egress\"");
            } else if (!rc) {
                rc = lexer_force_int(lx, ap->diag, &table);
            }
        } while (!rc && lexer_match(lx, LEX_COMMA));
    }
    if (!rc)
        rc = lexer_force(lx, LEX_RPAREN, ap->diag);
    if (rc)
        return rc;
    unsigned n_tables = !c ? 0 : pipeline == c->pipeline ? c->n_tables : c->n_other;
    if (n_tables && table >= (int64_t)n_tables)
        return diag_set(ap->diag, ERR_RANGE, "\"next\" action cannot advance beyond table %u.",
                        n_tables - 1);
    if (table < 0 && !c)
        return has_pipeline ? diag_set(ap->diag, ERR_SYNTAX, "\"next\" needs a table here.") : 0;
    bool same = !has_pipeline || (c && pipeline == c->pipeline);
    if (same && c && (table < 0 || table == (int64_t)c->table + 1))
        return 0;
    arg_value(ap, CONST_DECIMAL, table < 0 ? c->table + 1 : (u128)table);
    if (!same) {
        const char *name = pipeline == PIPELINE_INGRESS ? "ingress" : "egress";
        arg_text(ap, OPERAND_WORD, name, strlen(name));
    }
    return 0;
}

/* { actions }; the prerequisites of the inner actions count only for clone and ct_commit, which work on the packet that
 * the flow matched. */
static int parse_nest(struct action_parser *ap, enum action_op op)
{
    int rc = lexer_force(&ap->lx, LEX_LCURLY, ap->diag);
    if (rc)
        return rc;
    if (ap->depth >= 20)
        return diag_set_at(ap->diag, ERR_TOO_BIG, (long)ap->lx.token.start,
                           "Actions nested too deeply.");
    struct expr *outer = ap->prereq ? expr_ref(ap->prereq) : NULL;
    struct actions *inner;
    bool in_ct = ap->in_ct_commit;
    ap->in_ct_commit = op == ACTION_CT_COMMIT;
    ap->depth++;
    rc = parse_sequence(ap, LEX_RCURLY, &inner);
    ap->depth--;
    ap->in_ct_commit = in_ct;
    if (op != ACTION_CLONE && op != ACTION_CT_COMMIT) {
        expr_unref(ap->prereq);
        ap->prereq = outer;
    } else {
        expr_unref(outer);
    }
    if (rc)
        return rc;
    if (op == ACTION_CT_COMMIT && !inner->n) {
        actions_unref(inner); /* "ct_commit { };" is "ct_commit;" */
        return 0;
    }
    vec_push(&ap->args, ((struct operand){.kind = OPERAND_ACTIONS, .actions = inner}));
    return 0;
}

static int parse_named_action(struct action_parser *ap, enum action_op op)
{
    const struct op_info *info = op_info(op);
    lexer_get(&ap->lx);
    int rc = 0;
    if (op == ACTION_NEXT)
        rc = parse_next(ap);
    else if (op == ACTION_CT_COMMIT)
        rc = ap->lx.token.type == LEX_LCURLY ? parse_nest(ap, op) : 0;
    else if (info->shape == SHAPE_NEST)
        rc = parse_nest(ap, op);
    else if (op == ACTION_FWD_GROUP || info->shape == SHAPE_FUNC)
        rc = parse_args(ap, op);
    else if (info->shape == SHAPE_SPECIAL)
        rc = parse_ct(ap, op);
    if (!rc && info->prereq)
        rc = action_require_text(ap, info->prereq);
    return rc;
}

/* One action with its semicolon. */
static int parse_action(struct action_parser *ap, struct action **ret)
{
    struct lexer *lx = &ap->lx;
    enum action_op op;
    int rc;
    if (lx->token.type != LEX_ID)
        return lexer_error(lx, ap->diag, NULL);
    size_t from = ap->args.n;
    enum lex_type after = lexer_lookahead(lx);
    if (after == LEX_EQUALS || after == LEX_EXCHANGE || after == LEX_LSQUARE ||
        lexer_is_id(lx, "ip.ttl")) {
        rc = parse_field_action(ap, &op);
    } else {
        op = find_op(ap, &lx->token, false);
        if (op == N_ACTION_OPS || op == ACTION_DROP)
            return lexer_error(lx, ap->diag, "expecting action");
        rc = parse_named_action(ap, op);
    }
    if (!rc)
        rc = lexer_force(lx, LEX_SEMICOLON, ap->diag);
    if (rc) {
        action_release_args(ap, from);
        return rc;
    }
    *ret = action_new(ap->pool, op, ap->args.data ? ap->args.data + from : NULL, ap->args.n - from);
    ap->args.n = from;
    return 0;
}

/* Actions up to END, which is read. */
static int parse_sequence(struct action_parser *ap, enum lex_type end, struct actions **ret)
{
    struct lexer *lx = &ap->lx;
    VEC(struct action *) v = VEC_INIT;
    int rc = 0;
    if (lexer_match_id(lx, "drop")) {
        rc = lexer_force(lx, LEX_SEMICOLON, ap->diag);
        if (!rc && lx->token.type != end)
            rc = end == LEX_END ? lexer_force_end(lx, ap->diag) : lexer_force(lx, end, ap->diag);
    }
    while (!rc && lx->token.type != end) {
        struct action *a;
        rc = parse_action(ap, &a);
        if (!rc)
            vec_push(&v, a);
    }
    if (!rc && end != LEX_END)
        lexer_get(lx);
    if (rc) {
        for (size_t i = 0; i < v.n; i++)
            action_unref(v.data[i]);
    } else {
        *ret = actions_of_n(ap->pool, v.data, v.n);
    }
    vec_fini(&v);
    return rc;
}

/* What the meaning of a text depends on beside the text. */
static uint64_t context_key(const struct action_context *c)
{
    return c ? 1 | (uint64_t)c->pipeline << 1 | (uint64_t)c->table << 8 |
                   (uint64_t)c->n_tables << 32 | (uint64_t)c->n_other << 48
             : 0;
}

static int parse_whole(struct action_pool *p, const char *text,
                       const struct action_context *context, struct actions **ret,
                       struct expr **prereq, struct diag *diag)
{
    struct action_parser ap = {.pool = p,
                               .symtab = expr_pool_symtab(action_pool_exprs(p)),
                               .context = context,
                               .diag = diag,
                               .args = VEC_INIT};
    lexer_init(&ap.lx, text);
    int rc = parse_sequence(&ap, LEX_END, ret);
    if (!rc)
        *prereq = ap.prereq ? expr_ref(ap.prereq) : expr_true(action_pool_exprs(p));
    expr_unref(ap.prereq);
    action_release_args(&ap, 0);
    vec_fini(&ap.args);
    lexer_fini(&ap.lx);
    return rc;
}

int actions_parse(struct action_pool *p, const char *text, const struct action_context *context,
                  struct actions **ret, struct expr **prereq, struct diag *diag)
{
    struct text_cache *cache = action_pool_texts(p);
    const struct text_key key = text_key(text, context_key(context));
    struct actions *as = NULL;
    struct expr *need = NULL;
    *ret = NULL;
    if (prereq)
        *prereq = NULL;
    const struct text_cached *known = text_cache_find(cache, &key);
    if (known) {
        as = known->value;
        need = known->more;
    } else {
        int rc = parse_whole(p, text, context, &as, &need, diag);
        if (rc)
            return rc;
        text_cache_add(cache, &key, as, need);
    }
    *ret = actions_ref(as);
    if (prereq)
        *prereq = expr_ref(need);
    return 0;
}
