/* encode_ct.c - connection tracking actions; see internal.h.
 *
 * Zones: a switch tracks per port (zone_port); a router has one zone for destination and one for source NAT.
 */
#include "encode/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/addr.h"

static struct subfield zone(enum field_id field)
{
    return subfield_make(field, 0, 16);
}

/* The zone of an action with an optional "dnat" or "snat". */
static struct subfield side_zone(const struct encoder *en, const struct action *a)
{
    if (!en->p->is_router)
        return zone(en->pf->zone_port);
    bool snat =
        a->n && a->operand[0].kind == OPERAND_WORD && !strcmp(a->operand[0].text->s, "snat");
    return zone(snat ? en->pf->zone_snat : en->pf->zone_dnat);
}

static void put_plain_nat(struct encoder *en)
{
    of_put_nat(en->out, 0, NULL, NULL, 0, 0);
}

/* ct_dnat, ct_snat: without an address undo NAT, with one commit it. */
static void encode_nat(struct encoder *en, const struct action *a, enum field_id zone_field,
                       bool src)
{
    struct subfield z = zone(zone_field);
    size_t ct = of_begin_ct(en->out, a->n ? OF_CT_COMMIT : 0, &z, 0, encode_next_table(en));
    if (!a->n) {
        put_plain_nat(en);
    } else {
        const struct operand *o = &a->operand[0];
        struct ip_addr ip = ip_addr_from_u128(o->format == CONST_IP6 ? 6 : 4, o->value);
        unsigned low = 0, high = 0;
        if (a->n > 1 && sscanf(a->operand[1].text->s, "%u-%u", &low, &high) == 1)
            high = low;
        of_put_nat(en->out, src ? OF_NAT_SRC : OF_NAT_DST, &ip, NULL, (uint16_t)low,
                   (uint16_t)high);
    }
    of_end_nested(en->out, ct);
}

static void encode_commit(struct encoder *en, const struct action *a)
{
    struct subfield z = zone(en->p->is_router ? en->pf->zone_dnat : en->pf->zone_port);
    size_t ct = of_begin_ct(en->out, OF_CT_COMMIT, &z, 0, OF_CT_NO_RECIRC);
    if (en->p->ct_zero_snat)
        of_put_nat(en->out, OF_NAT_SRC, NULL, NULL, 0, 0);
    if (a->n)
        encode_sequence(en, a->operand[0].actions);
    of_end_nested(en->out, ct);
}

void encode_ct(struct encoder *en, const struct action *a)
{
    struct subfield z = side_zone(en, a);
    size_t ct;
    switch (a->op) {
    case ACTION_CT_NEXT:
        ct = of_begin_ct(en->out, 0, &z, 0, encode_next_table(en));
        of_end_nested(en->out, ct);
        break;
    case ACTION_CT_COMMIT:
        encode_commit(en, a);
        break;
    case ACTION_CT_COMMIT_TO_ZONE:
        ct = of_begin_ct(en->out, OF_CT_COMMIT, &z, 0, OF_CT_NO_RECIRC);
        of_end_nested(en->out, ct);
        break;
    case ACTION_CT_COMMIT_NAT:
        ct = of_begin_ct(en->out, OF_CT_COMMIT, &z, 0, encode_next_table(en));
        put_plain_nat(en);
        of_end_nested(en->out, ct);
        break;
    case ACTION_CT_DNAT:
        encode_nat(en, a, en->pf->zone_dnat, false);
        break;
    case ACTION_CT_SNAT:
        encode_nat(en, a, en->pf->zone_snat, true);
        break;
    case ACTION_CT_DNAT_IN_CZONE:
        encode_nat(en, a, en->pf->zone_dnat, false);
        break;
    case ACTION_CT_SNAT_IN_CZONE:
        encode_nat(en, a, en->pf->zone_dnat, true);
        break;
    case ACTION_CT_SNAT_TO_VIP:
        encode_resubmit(en, en->pf->ct_snat_hairpin);
        break;
    case ACTION_CT_CLEAR:
        of_put_ct_clear(en->out);
        break;
    default:
        bug("no encoding of %s", action_op_name(a->op));
    }
}
