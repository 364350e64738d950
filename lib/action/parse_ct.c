/* parse_ct.c - the arguments of connection tracking actions; see parser.h. */
#include "action/parser.h"

#include <stdio.h>

#include "base/err.h"

static bool at_ip(const struct lexer *lx)
{
    return lx->token.type == LEX_INTEGER &&
           (lx->token.format == LEX_IP4 || lx->token.format == LEX_IP6);
}

/* [(dnat)] or [(snat)]; FORCED: the parentheses must be there. */
static int parse_side(struct action_parser *ap, enum action_op op, bool forced)
{
    struct lexer *lx = &ap->lx;
    if (!lexer_match(lx, LEX_LPAREN))
        return forced ? lexer_error(lx, ap->diag, "expecting `('") : 0;
    if (!lexer_is_id(lx, "dnat") && !lexer_is_id(lx, "snat"))
        return diag_set_at(ap->diag, ERR_SYNTAX, (long)lx->token.start,
                           "\"%s\" action accepts only \"dnat\" or \"snat\" parameter.",
                           action_op_name(op));
    arg_text(ap, OPERAND_WORD, lx->token.text, lx->token.n);
    lexer_get(lx);
    return lexer_force(lx, LEX_RPAREN, ap->diag);
}

static int parse_port(struct action_parser *ap, unsigned *ret)
{
    const struct lex_token *t = &ap->lx.token;
    if (t->type != LEX_INTEGER || t->format != LEX_DECIMAL || t->value > 65535)
        return lexer_error(&ap->lx, ap->diag, "expecting Integer for port range");
    *ret = (unsigned)t->value;
    lexer_get(&ap->lx);
    return 0;
}

/* LOW[-HIGH] */
static int parse_port_range(struct action_parser *ap)
{
    struct lexer *lx = &ap->lx;
    unsigned low, high;
    char text[32];
    int rc = parse_port(ap, &low);
    if (rc)
        return rc;
    int n = snprintf(text, sizeof text, "%u", low);
    if (lexer_match(lx, LEX_HYPHEN)) {
        struct lex_token at = lx->token;
        rc = parse_port(ap, &high);
        if (rc)
            return rc;
        if (high <= low)
            return diag_set_at(ap->diag, ERR_SYNTAX, (long)at.start,
                               "Syntax error at `%u' range high should be greater than range low.",
                               high);
        n = snprintf(text, sizeof text, "%u-%u", low, high);
    }
    arg_text(ap, OPERAND_WORD, text, (size_t)n);
    return 0;
}

/* [(IP[, PORTS])] */
static int parse_nat(struct action_parser *ap)
{
    struct lexer *lx = &ap->lx;
    int rc = 0;
    if (!lexer_match(lx, LEX_LPAREN))
        return 0;
    if (!at_ip(lx))
        return lexer_error(lx, ap->diag, "expecting IPv4 or IPv6 address");
    arg_token(ap, &lx->token);
    lexer_get(lx);
    if (lexer_match(lx, LEX_COMMA))
        rc = parse_port_range(ap);
    return rc ? rc : lexer_force(lx, LEX_RPAREN, ap->diag);
}

/* ["PORT":]IP[:PORT] or [IP6]:PORT, kept as one word in canonical spelling. */
static int parse_backend(struct action_parser *ap, bool with_port_name)
{
    struct lexer *lx = &ap->lx;
    struct str s = STR_INIT;
    int rc = 0;
    if (with_port_name) {
        if (lx->token.type != LEX_STRING)
            rc = lexer_error(lx, ap->diag, "expecting logical port name");
        else
            lex_string_print(&s, lx->token.text, lx->token.n);
        if (!rc) {
            lexer_get(lx);
            rc = lexer_force(lx, LEX_COLON, ap->diag);
        }
        str_putc(&s, ':');
    }
    bool bracket = !rc && lexer_match(lx, LEX_LSQUARE);
    if (!rc && bracket && !(at_ip(lx) && lx->token.format == LEX_IP6))
        rc = lexer_error(lx, ap->diag, "expecting IPv6 address");
    if (!rc && !at_ip(lx))
        rc = lexer_error(lx, ap->diag, "expecting IP address");
    if (!rc) {
        str_put(&s, bracket ? "[" : "");
        lex_value_print(&s, lx->token.format, lx->token.value);
        str_put(&s, bracket ? "]" : "");
        lexer_get(lx);
        if (bracket)
            rc = lexer_force(lx, LEX_RSQUARE, ap->diag);
    }
    if (!rc && lexer_match(lx, LEX_COLON)) {
        const struct lex_token *t = &lx->token;
        if (t->type != LEX_INTEGER || t->format != LEX_DECIMAL || t->value > 65535)
            rc = lexer_error(lx, ap->diag, "expecting port number");
        else
            str_putf(&s, ":%u", (unsigned)t->value);
        if (!rc)
            lexer_get(lx);
    }
    if (!rc)
        arg_text(ap, OPERAND_WORD, str_c(&s), s.n);
    str_fini(&s);
    return rc;
}

/* "; hash_fields=..." and "; skip_snat" and so on, in any order; printed with the fields first. */
static int parse_lb_options(struct action_parser *ap)
{
    struct lexer *lx = &ap->lx;
    const char *flag = NULL;
    while (lexer_match(lx, LEX_SEMICOLON)) {
        if (lexer_match_id(lx, "hash_fields")) {
            if (!lexer_match(lx, LEX_EQUALS) || lx->token.type != LEX_STRING)
                return lexer_error(lx, ap->diag, "invalid hash_fields");
            arg_option(ap, "hash_fields");
            arg_text(ap, OPERAND_STRING, lx->token.text, lx->token.n);
            lexer_get(lx);
        } else if (lexer_match_id(lx, "skip_snat")) {
            flag = "skip_snat";
        } else if (lexer_match_id(lx, "force_snat")) {
            flag = "force_snat";
        } else {
            return lexer_error(lx, ap->diag, "expecting hash_fields, skip_snat or force_snat");
        }
    }
    if (flag)
        arg_option(ap, flag);
    return 0;
}

static int parse_lb(struct action_parser *ap, enum action_op op)
{
    struct lexer *lx = &ap->lx;
    if (!lexer_match(lx, LEX_LPAREN))
        return 0;
    if (!lexer_match_id(lx, "backends"))
        return lexer_error(lx, ap->diag, "expecting backends");
    int rc = lexer_force(lx, LEX_EQUALS, ap->diag);
    size_t from = ap->args.n;
    arg_option(ap, "backends");
    while (!rc && lx->token.type != LEX_RPAREN && lx->token.type != LEX_SEMICOLON) {
        rc = parse_backend(ap, op == ACTION_CT_LB_MARK_LOCAL);
        if (!rc && !lexer_match(lx, LEX_COMMA))
            break;
    }
    bool is_empty = ap->args.n == from + 1;
    if (!rc)
        rc = parse_lb_options(ap);
    if (is_empty) /* options say nothing without backends: the plain form */
        action_release_args(ap, from);
    return rc ? rc : lexer_force(lx, LEX_RPAREN, ap->diag);
}

int parse_ct(struct action_parser *ap, enum action_op op)
{
    switch (op) {
    case ACTION_CT_NEXT:
    case ACTION_CT_COMMIT_NAT:
        return parse_side(ap, op, false);
    case ACTION_CT_COMMIT_TO_ZONE:
        return parse_side(ap, op, true);
    case ACTION_CT_LB:
    case ACTION_CT_LB_MARK:
    case ACTION_CT_LB_MARK_LOCAL:
        return parse_lb(ap, op);
    default:
        return parse_nat(ap);
    }
}
