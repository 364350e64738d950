/* parse_dhcp.c - arguments of put_dhcp_opts, put_dhcpv6_opts and put_nd_ra_opts; see parser.h. */
#include "action/dhcp.h"
#include "action/parser.h"
#include "base/err.h"

static const char *const family_names[] = {"DHCPv4 option", "DHCPv6 option", "IPv6 ND RA option"};

static bool is_text_type(enum dhcp_type t)
{
    return t == DHCP_STR || t == DHCP_DOMAINS || t == DHCP_DOMAIN || t == DHCP_MODE ||
           t == DHCP_PREFERENCE;
}

static bool one_of(const char *text, const char *const *list)
{
    while (*list && strcmp(*list, text))
        list++;
    return *list;
}

static int invalid(struct action_parser *ap, const char *name)
{
    return diag_set(ap->diag, ERR_TYPE, "Invalid value for \"%s\" option", name);
}

/* What is particular to an option, for a token whose kind is right. */
static int check_value(struct action_parser *ap, const struct dhcp_option *o,
                       const struct lex_token *t)
{
    static const char *const modes[] = {"slaac", "dhcpv6_stateful", "dhcpv6_stateless", NULL};
    static const char *const preferences[] = {"LOW", "MEDIUM", "HIGH", NULL};
    bool okay = true;
    switch (o->type) {
    case DHCP_MODE:
        okay = one_of(t->text, modes);
        break;
    case DHCP_PREFERENCE:
        okay = one_of(t->text, preferences);
        break;
    case DHCP_PREFIX:
        okay = t->type == LEX_MASKED_INTEGER && t->format == LEX_IP6;
        break;
    case DHCP_MAC:
        okay = t->type == LEX_INTEGER && t->format == LEX_MAC;
        break;
    case DHCP_IPV6:
        okay = t->type == LEX_INTEGER && t->format == LEX_IP6;
        break;
    case DHCP_IPV4:
    case DHCP_HOST_ID:
        okay = t->type == LEX_STRING || t->format == LEX_IP4;
        break;
    case DHCP_BOOL:
        okay = t->type == LEX_INTEGER && t->value <= 1;
        break;
    case DHCP_UINT8:
        okay = t->type == LEX_INTEGER && t->width <= 8;
        break;
    case DHCP_UINT16:
        okay = t->type == LEX_INTEGER && t->width <= 16;
        break;
    case DHCP_UINT32:
        okay = t->type == LEX_INTEGER && t->width <= 32;
        break;
    default:
        break;
    }
    return okay ? 0 : invalid(ap, o->name);
}

static int parse_value(struct action_parser *ap, enum dhcp_family family,
                       const struct dhcp_option *o)
{
    struct lexer *lx = &ap->lx;
    const struct lex_token *t = &lx->token;
    bool is_text = t->type == LEX_STRING;
    if (!is_text && t->type != LEX_INTEGER && t->type != LEX_MASKED_INTEGER)
        return lexer_error(lx, ap->diag, "expecting constant");
    if (o->type != DHCP_HOST_ID && is_text != is_text_type(o->type))
        return diag_set_at(ap->diag, ERR_TYPE, (long)t->start, "%s %s requires %s value.",
                           family_names[family], o->name,
                           is_text_type(o->type) ? "string" : "numeric");
    int rc = check_value(ap, o, t);
    if (rc)
        return rc;
    if (is_text)
        arg_text(ap, OPERAND_STRING, t->text, t->n);
    else
        arg_token(ap, t);
    lexer_get(lx);
    return 0;
}

static int parse_option(struct action_parser *ap, enum dhcp_family family,
                        const struct dhcp_option **ret)
{
    struct lexer *lx = &ap->lx;
    const struct dhcp_option *o = NULL;
    if (lx->token.type == LEX_ID)
        o = dhcp_option_find(family, lx->token.text, lx->token.n);
    if (!o)
        return lexer_error(lx, ap->diag, "expecting %s name", family_names[family]);
    *ret = o;
    lexer_get(lx);
    arg_option(ap, o->name);
    int rc = lexer_force(lx, LEX_EQUALS, ap->diag);
    if (rc)
        return rc;
    if (!lexer_match(lx, LEX_LCURLY))
        return parse_value(ap, family, o);
    do {
        rc = parse_value(ap, family, o);
    } while (!rc && lexer_match(lx, LEX_COMMA) && lx->token.type != LEX_RCURLY);
    return rc ? rc : lexer_force(lx, LEX_RCURLY, ap->diag);
}

int parse_dhcp_args(struct action_parser *ap, enum action_op op)
{
    enum dhcp_family family = op == ACTION_PUT_DHCP_OPTS     ? DHCP_FAMILY_4
                              : op == ACTION_PUT_DHCPV6_OPTS ? DHCP_FAMILY_6
                                                             : DHCP_FAMILY_RA;
    bool has_offerip = false, has_slla = false;
    while (ap->lx.token.type != LEX_RPAREN) {
        const struct dhcp_option *o;
        int rc = parse_option(ap, family, &o);
        if (rc)
            return rc;
        has_offerip |= !strcmp(o->name, "offerip");
        has_slla |= !strcmp(o->name, "slla");
        if (!lexer_match(&ap->lx, LEX_COMMA))
            break;
    }
    if (family == DHCP_FAMILY_4 && !has_offerip)
        return diag_set(ap->diag, ERR_SYNTAX, "put_dhcp_opts requires offerip to be specified.");
    if (family == DHCP_FAMILY_RA && !has_slla)
        return diag_set(ap->diag, ERR_SYNTAX, "slla option not present");
    return 0;
}
