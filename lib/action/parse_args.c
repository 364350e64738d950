/* parse_args.c - arguments of actions that have a syntax of their own; see parser.h. */
#include "action/parser.h"

#include "base/err.h"

static int invalid_parameter(struct action_parser *ap)
{
    return lexer_error(&ap->lx, ap->diag, "invalid parameter");
}

/* The comma between options; true if another one follows. */
static bool more(struct action_parser *ap)
{
    return lexer_match(&ap->lx, LEX_COMMA) && ap->lx.token.type != LEX_RPAREN;
}

static bool match_word(struct action_parser *ap, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (lexer_match_id(&ap->lx, words[i])) {
            arg_text(ap, OPERAND_WORD, words[i], strlen(words[i]));
            return true;
        }
    return false;
}

static int parse_log(struct action_parser *ap)
{
    static const char *const verdicts[] = {"allow", "drop", "reject", "pass"};
    static const char *const severities[] = {"alert", "warning", "notice", "info", "debug"};
    struct lexer *lx = &ap->lx;
    bool has_verdict = false;
    int rc = 0;
    while (!rc && lx->token.type == LEX_ID) {
        bool is_text = lexer_is_id(lx, "name") || lexer_is_id(lx, "meter");
        bool is_verdict = lexer_is_id(lx, "verdict");
        if (!is_text && !is_verdict && !lexer_is_id(lx, "severity"))
            return lexer_error(lx, ap->diag, NULL);
        arg_text(ap, OPERAND_OPTION, lx->token.text, lx->token.n);
        lexer_get(lx);
        rc = lexer_force(lx, LEX_EQUALS, ap->diag);
        if (rc)
            break;
        if (is_text)
            rc = parse_string_arg(ap, "string");
        else if (!(is_verdict ? match_word(ap, verdicts, ARRAY_SIZE(verdicts))
                              : match_word(ap, severities, ARRAY_SIZE(severities))))
            return lexer_error(lx, ap->diag,
                               is_verdict ? "expecting verdict" : "expecting severity");
        has_verdict |= is_verdict;
        if (!more(ap))
            break;
    }
    if (rc || has_verdict)
        return rc;
    if (lx->token.type == LEX_RPAREN)
        lexer_get(lx);
    return lexer_error(lx, ap->diag, "expecting verdict");
}

static int parse_set_meter(struct action_parser *ap)
{
    for (int i = 0; i < 2; i++) {
        const struct lex_token *t = &ap->lx.token;
        if (t->type != LEX_INTEGER || t->format != LEX_DECIMAL || t->value > UINT32_MAX)
            return lexer_error(&ap->lx, ap->diag, i ? "expecting burst" : "expecting rate");
        arg_token(ap, t);
        lexer_get(&ap->lx);
        if (i || !lexer_match(&ap->lx, LEX_COMMA))
            break;
    }
    return 0;
}

static int parse_bind_vport(struct action_parser *ap)
{
    int rc = parse_string_arg(ap, "port name string");
    if (!rc)
        rc = lexer_force(&ap->lx, LEX_COMMA, ap->diag);
    return rc ? rc : parse_field_arg(ap, 0);
}

static int parse_fwd_group(struct action_parser *ap)
{
    struct lexer *lx = &ap->lx;
    int rc = 0;
    if (lx->token.type == LEX_RPAREN)
        return lexer_error(lx, ap->diag, "expecting `;'");
    if (lexer_match_id(lx, "liveness")) {
        rc = lexer_force(lx, LEX_EQUALS, ap->diag);
        if (rc)
            return rc;
        bool is_true = lexer_is_id(lx, "true");
        if ((!is_true && !lexer_is_id(lx, "false")) && lx->token.type != LEX_STRING)
            return lexer_error(lx, ap->diag, "expecting true or false");
        if (lx->token.type == LEX_STRING)
            is_true = !strcmp(lx->token.text, "true");
        lexer_get(lx);
        rc = lexer_force(lx, LEX_COMMA, ap->diag);
        if (rc)
            return rc;
        if (is_true) {
            arg_option(ap, "liveness");
            arg_text(ap, OPERAND_STRING, "true", 4);
        }
    }
    if (!lexer_match_id(lx, "childports"))
        return lexer_error(lx, ap->diag, "expecting childports");
    rc = lexer_force(lx, LEX_EQUALS, ap->diag);
    arg_option(ap, "childports");
    do {
        if (!rc)
            rc = parse_string_arg(ap, "logical switch port");
    } while (!rc && more(ap));
    return rc;
}

/* ID[=WEIGHT], ...: each an operand whose value is the id and whose mask is the weight. */
static int parse_members(struct action_parser *ap)
{
    struct lexer *lx = &ap->lx;
    for (;;) {
        if (lx->token.type != LEX_INTEGER || lx->token.width > 16 ||
            lx->token.format != LEX_DECIMAL)
            return lexer_error(lx, ap->diag, "expecting id");
        struct operand o = {
            .kind = OPERAND_VALUE, .format = CONST_DECIMAL, .value = lx->token.value, .mask = 100};
        lexer_get(lx);
        if (lexer_match(lx, LEX_EQUALS)) {
            if (lx->token.type != LEX_INTEGER || lx->token.width > 16 || !lx->token.value)
                return lexer_error(lx, ap->diag, "expecting weight");
            o.mask = lx->token.value;
            lexer_get(lx);
        }
        vec_push(&ap->args, o);
        if (!more(ap))
            return 0;
    }
}

static int parse_select(struct action_parser *ap)
{
    struct lexer *lx = &ap->lx;
    if (!lexer_match_id(lx, "values"))
        return parse_members(ap);
    int rc = lexer_force(lx, LEX_EQUALS, ap->diag);
    if (!rc)
        rc = lexer_force(lx, LEX_LPAREN, ap->diag);
    if (!rc)
        rc = parse_members(ap);
    if (!rc)
        rc = lexer_force(lx, LEX_RPAREN, ap->diag);
    if (!rc)
        rc = lexer_force(lx, LEX_SEMICOLON, ap->diag);
    if (rc)
        return rc;
    if (!lexer_match_id(lx, "hash_fields"))
        return lexer_error(lx, ap->diag, "expecting hash_fields");
    if (!lexer_match(lx, LEX_EQUALS) || lx->token.type != LEX_STRING)
        return lexer_error(lx, ap->diag, "invalid hash_fields");
    arg_option(ap, "hash_fields");
    arg_text(ap, OPERAND_STRING, lx->token.text, lx->token.n);
    lexer_get(lx);
    return 0;
}

static int parse_check_pkt_larger(struct action_parser *ap)
{
    const struct lex_token *t = &ap->lx.token;
    if (t->type == LEX_INTEGER && t->width <= 16) {
        arg_token(ap, t);
        lexer_get(&ap->lx);
        return 0;
    }
    return lexer_error(&ap->lx, ap->diag, "expecting `;'");
}

static int parse_ip_pair(struct action_parser *ap)
{
    for (int i = 0; i < 2; i++) {
        const struct lex_token *t = &ap->lx.token;
        if (i) {
            int rc = lexer_force(&ap->lx, LEX_COMMA, ap->diag);
            if (rc)
                return rc;
        }
        if (t->type != LEX_INTEGER || t->format != LEX_IP4)
            return lexer_error(&ap->lx, ap->diag, "expecting IPv4 address");
        arg_token(ap, t);
        lexer_get(&ap->lx);
    }
    return 0;
}

/* "name = " of an option that is in NAMES; *RET is its index. */
static int parse_option_name(struct action_parser *ap, const char *const *names, size_t n,
                             size_t *ret)
{
    for (size_t i = 0; i < n; i++)
        if (lexer_match_id(&ap->lx, names[i])) {
            arg_option(ap, names[i]);
            *ret = i;
            return lexer_force(&ap->lx, LEX_EQUALS, ap->diag);
        }
    return invalid_parameter(ap);
}

static int parse_trigger_event(struct action_parser *ap)
{
    static const char *const names[] = {"event", "meter", "vip", "protocol", "load_balancer"};
    struct lexer *lx = &ap->lx;
    unsigned seen = 0;
    do {
        size_t i;
        int rc = parse_option_name(ap, names, ARRAY_SIZE(names), &i);
        if (rc)
            return rc;
        if (lx->token.type != LEX_STRING)
            return lexer_error(lx, ap->diag, "expecting string");
        const char *v = lx->token.text;
        if (i == 0 && strcmp(v, "empty_lb_backends"))
            return lexer_error(lx, ap->diag, "Unknown event '%s'", v);
        if (i == 3 && strcmp(v, "tcp") && strcmp(v, "udp") && strcmp(v, "sctp"))
            return diag_set(ap->diag, ERR_SYNTAX,
                            "Load balancer protocol '%s' is not 'tcp', 'udp', or 'sctp'", v);
        seen |= 1u << i;
        rc = parse_string_arg(ap, "string");
        if (rc)
            return rc;
    } while (more(ap));
    return seen & 1 ? 0 : lexer_error(lx, ap->diag, "expecting event");
}

static int parse_commit_ecmp_nh(struct action_parser *ap)
{
    static const char *const names[] = {"ipv6", "proto"}, *const truths[] = {"true", "false"};
    static const char *const protos[] = {"tcp", "udp", "sctp"};
    struct lexer *lx = &ap->lx;
    if (!lexer_is_id(lx, "ipv6"))
        return invalid_parameter(ap);
    do {
        size_t i;
        int rc = parse_option_name(ap, names, ARRAY_SIZE(names), &i);
        if (rc)
            return rc;
        if (i == 0) {
            /* As a word in what northd writes, in quotes in what later versions print. */
            if (match_word(ap, truths, ARRAY_SIZE(truths)))
                continue;
            if (lx->token.type != LEX_STRING ||
                (strcmp(lx->token.text, "true") && strcmp(lx->token.text, "false")))
                return lexer_error(lx, ap->diag, "expecting true or false");
            rc = parse_string_arg(ap, "true or false");
            if (rc)
                return rc;
        } else if (!match_word(ap, protos, ARRAY_SIZE(protos))) {
            return lexer_error(lx, ap->diag, "expecting tcp, udp or sctp");
        }
    } while (more(ap));
    return 0;
}

static int parse_commit_lb_aff(struct action_parser *ap)
{
    static const char *const names[] = {"vip", "backend", "proto", "timeout"};
    static const char *const protos[] = {"tcp", "udp", "sctp"};
    struct lexer *lx = &ap->lx;
    unsigned seen = 0;
    do {
        size_t i;
        int rc = parse_option_name(ap, names, ARRAY_SIZE(names), &i);
        if (rc)
            return rc;
        seen |= 1u << i;
        if (i < 2)
            rc = parse_string_arg(ap, "string");
        else if (i == 2)
            rc = match_word(ap, protos, ARRAY_SIZE(protos))
                     ? 0
                     : lexer_error(lx, ap->diag, "expecting tcp, udp or sctp");
        else
            rc = parse_int_arg(ap);
        if (rc)
            return rc;
    } while (more(ap));
    return (seen & 11) == 11 ? 0 : lexer_error(lx, ap->diag, "expecting vip, backend, timeout");
}

/* All four options are printed, in this order, with 0 for those not given. */
static int parse_sample(struct action_parser *ap)
{
    static const char *const names[] = {"probability", "collector_set", "obs_domain", "obs_point"};
    struct lexer *lx = &ap->lx;
    struct operand v[4];
    for (int i = 0; i < 4; i++)
        v[i] = (struct operand){.kind = OPERAND_VALUE};
    do {
        size_t i = 0;
        while (i < 4 && !lexer_is_id(lx, names[i]))
            i++;
        if (i == 4)
            return lexer_error(lx, ap->diag, "unknown argument");
        lexer_get(lx);
        int rc = lexer_force(lx, LEX_EQUALS, ap->diag);
        if (rc)
            return rc;
        const struct lex_token *t = &lx->token;
        if (t->type == LEX_INTEGER && t->value <= UINT32_MAX) {
            v[i].value = t->value;
            if (i == 0 && t->value > 65535)
                return diag_set(ap->diag, ERR_RANGE, "probability must be less than 65536");
            lexer_get(lx);
        } else if (i == 3 && t->type == LEX_MACRO && t->n == 6 && !memcmp(t->text, "cookie", 6)) {
            v[i].kind = OPERAND_WORD;
            lexer_get(lx);
        } else if (i == 3 && t->type == LEX_ID) {
            rc = parse_sym_bits(ap->symtab, lx, false, &v[i].field, ap->diag);
            if (!rc)
                rc = action_check_field(ap, v[i].field, 32);
            if (rc)
                return rc;
            v[i].kind = OPERAND_FIELD;
        } else {
            return lexer_error(lx, ap->diag, "malformed %s", names[i]);
        }
    } while (more(ap));
    if (!v[0].value)
        return diag_set(ap->diag, ERR_RANGE, "probability must be greater than zero");
    for (int i = 0; i < 4; i++) {
        arg_option(ap, names[i]);
        if (v[i].kind == OPERAND_WORD)
            arg_text(ap, OPERAND_WORD, "$cookie", 7);
        else if (v[i].kind == OPERAND_FIELD)
            arg_field(ap, v[i].field);
        else
            arg_value(ap, CONST_DECIMAL, v[i].value);
    }
    return 0;
}

static int parse_stack_field(struct action_parser *ap, bool is_assigned)
{
    struct sym_bits bits;
    int rc = parse_sym_bits(ap->symtab, &ap->lx, false, &bits, ap->diag);
    if (!rc && is_assigned)
        rc = action_check_assignable(ap, bits.sym);
    if (!rc)
        arg_field(ap, bits);
    return rc;
}

int parse_own_args(struct action_parser *ap, enum action_op op)
{
    switch (op) {
    case ACTION_LOG:
        return parse_log(ap);
    case ACTION_SET_QUEUE:
        return parse_int_arg(ap);
    case ACTION_SET_METER:
        return parse_set_meter(ap);
    case ACTION_BIND_VPORT:
        return parse_bind_vport(ap);
    case ACTION_FWD_GROUP:
        return parse_fwd_group(ap);
    case ACTION_SELECT:
        return parse_select(ap);
    case ACTION_CHECK_PKT_LARGER:
        return parse_check_pkt_larger(ap);
    case ACTION_DHCP_RELAY_REQ_CHK:
    case ACTION_DHCP_RELAY_RESP_CHK:
        return parse_ip_pair(ap);
    case ACTION_TRIGGER_EVENT:
        return parse_trigger_event(ap);
    case ACTION_COMMIT_ECMP_NH:
        return parse_commit_ecmp_nh(ap);
    case ACTION_COMMIT_LB_AFF:
        return parse_commit_lb_aff(ap);
    case ACTION_SAMPLE:
        return parse_sample(ap);
    case ACTION_MIRROR:
        return parse_string_arg(ap, "port name string");
    case ACTION_PUSH:
    case ACTION_POP:
        return parse_stack_field(ap, op == ACTION_POP);
    default:
        return parse_dhcp_args(ap, op);
    }
}
