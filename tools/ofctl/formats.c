/* formats.c - in which formats a flow can be sent: OpenFlow 1.0's own message, Nicira's extended match in 1.0, or OXM from 1.3 on; which
 * of them a person allows with -O and -F; and the one that is taken. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/err.h"
#include "net/headers.h"
#include "openflow/action_check.h"
#include "openflow/oxm.h"
#include "tools/ofctl/ofctl.h"

/* Bits as ovs-ofctl orders them; 1.1 and 1.2 are only ever named, since nobody speaks them here. */
enum {
    F_OF10 = 1 << 0,
    F_OF10_TABLES = 1 << 1,
    F_NXM = 1 << 2,
    F_NXM_TABLES = 1 << 3,
    F_OF11 = 1 << 4,
    F_OXM12 = 1 << 5,
    F_OXM13 = 1 << 6,
    F_OXM14 = 1 << 7,
    F_OXM15 = 1 << 8,
    F_TABLES = F_OF10_TABLES | F_NXM_TABLES,
    F_OF10_ANY = F_OF10 | F_OF10_TABLES,
    F_NXM_ANY = F_NXM | F_NXM_TABLES,
    F_OXM13_UP = F_OXM13 | F_OXM14 | F_OXM15,
    F_OXM = F_OXM12 | F_OXM13_UP,
    F_ANY = F_OF10_ANY | F_NXM_ANY | F_OF11 | F_OXM,
};

static const struct {
    const char *name;
    unsigned formats;
} names[] = {
    /* Those of several first. */
    {"any", F_ANY},
    {"OpenFlow10", F_OF10_ANY},
    {"NXM", F_NXM_ANY},
    {"OXM", F_OXM},
    {"OpenFlow10-table_id", F_OF10},
    {"OpenFlow10+table_id", F_OF10_TABLES},
    {"NXM-table_id", F_NXM},
    {"NXM+table_id", F_NXM_TABLES},
    {"OpenFlow11", F_OF11},
    {"OXM-OpenFlow12", F_OXM12},
    {"OXM-OpenFlow13", F_OXM13},
    {"OXM-OpenFlow14", F_OXM14},
    {"OXM-OpenFlow15", F_OXM15},
};

static void put_names(struct str *s, unsigned formats)
{
    if (!formats)
        str_put(s, "none");
    for (size_t i = 0; i < ARRAY_SIZE(names) && formats; i++) {
        if (names[i].formats & ~formats)
            continue;
        str_put(s, names[i].name);
        formats &= ~names[i].formats;
        if (formats)
            str_putc(s, ',');
    }
}

static uint32_t versions_of(unsigned formats)
{
    return (formats & (F_OF10_ANY | F_NXM_ANY) ? 1u << OF10_VERSION : 0) |
           (formats & F_OXM13 ? 1u << OF13_VERSION : 0) |
           (formats & F_OXM14 ? 1u << OF14_VERSION : 0) |
           (formats & F_OXM15 ? 1u << OF15_VERSION : 0);
}

static unsigned formats_of(uint32_t versions)
{
    return (versions & 1u << OF10_VERSION ? F_OF10_ANY | F_NXM_ANY : 0) |
           (versions & 1u << OF13_VERSION ? F_OXM13 : 0) |
           (versions & 1u << OF14_VERSION ? F_OXM14 : 0) |
           (versions & 1u << OF15_VERSION ? F_OXM15 : 0);
}

int ofctl_formats_parse(const char *text, struct ofctl *o, struct diag *diag)
{
    char *copy = xstrdup(text), *save = NULL;
    int err = 0;
    o->formats = text;
    o->allowed_formats = 0;
    for (char *word = strtok_r(copy, ",", &save); word && !err; word = strtok_r(NULL, ",", &save)) {
        size_t i = 0;
        while (i < ARRAY_SIZE(names) && strcasecmp(word, names[i].name) != 0)
            i++;
        if (i == ARRAY_SIZE(names))
            err = diag_set(diag, ERR_SYNTAX, "%s: unknown flow protocol", word);
        else
            o->allowed_formats |= names[i].formats;
    }
    free(copy);
    return err;
}

uint32_t ofctl_allowed_versions(const struct ofctl *o)
{
    if (!o->formats)
        return o->versions;
    uint32_t versions = o->versions & versions_of(o->allowed_formats);
    if (!versions) {
        struct str s = STR_INIT;
        for (unsigned v = OF10_VERSION; v <= OF15_VERSION; v++)
            if (o->versions >> v & 1)
                str_putf(&s, "%sOpenFlow1%u", s.n ? ", " : "", v - 1);
        ofctl_fatal(
            "None of the enabled OpenFlow versions (%s) supports any of the enabled flow formats "
            "(%s).  (Use -O to enable additional OpenFlow versions or -F to enable "
            "additional flow formats.)",
            str_c(&s), o->formats);
    }
    return versions;
}

/* ---- What can say a flow ---- */

static bool same_in_10(const struct match *match)
{
    struct of_buf b = OF_BUF_INIT;
    struct match back;
    of_match10_encode(match, &b);
    bool same = !of_match10_decode(b.data, b.n, &back) && match_equal(&back, match);
    of_buf_fini(&b);
    return same;
}

static void whole(struct match *m, enum field_id id)
{
    if (mask_get(&m->mask, id))
        match_set(m, id, key_get(&m->key, id));
}

static void without(struct match *m, enum field_id id)
{
    match_set_masked(m, id, 0, 0);
}

/* 1.1 has masks of addresses and a few fields more than 1.0. */
static bool same_in_11(const struct match *match)
{
    static const uint8_t wholes[] = {FIELD_ETH_SRC, FIELD_ETH_DST, FIELD_IP_SRC,
                                     FIELD_IP_DST,  FIELD_ARP_SPA, FIELD_ARP_TPA};
    static const uint8_t more[] = {FIELD_METADATA, FIELD_IP_ECN,   FIELD_MPLS_LABEL,
                                   FIELD_MPLS_TC,  FIELD_SCTP_SRC, FIELD_SCTP_DST};
    struct match m = *match;
    bool sctp = key_has_prereq(&m.key, PREREQ_SCTP);
    for (size_t i = 0; i < ARRAY_SIZE(wholes); i++)
        whole(&m, wholes[i]);
    for (size_t i = 0; i < ARRAY_SIZE(more) - (sctp ? 0 : 2); i++)
        without(&m, more[i]);
    return same_in_10(&m);
}

static bool matches_sctp_port(const struct match *m)
{
    return key_has_prereq(&m->key, PREREQ_SCTP) &&
           (mask_get(&m->mask, FIELD_SCTP_SRC) || mask_get(&m->mask, FIELD_SCTP_DST));
}

static unsigned match_formats(const struct match *match)
{
    return !matches_sctp_port(match) && same_in_10(match) ? F_ANY
           : same_in_11(match)                            ? F_ANY & ~F_OF10_ANY
                                                          : F_NXM_ANY | F_OXM;
}

static unsigned set_field_formats(const struct of_set_field *s)
{
    static const uint8_t in_11[] = {FIELD_METADATA, FIELD_IP_ECN,     FIELD_SCTP_SRC,
                                    FIELD_SCTP_DST, FIELD_MPLS_LABEL, FIELD_MPLS_TC};
    static const uint8_t in_10[] = {FIELD_IN_PORT,  FIELD_ETH_SRC,   FIELD_ETH_DST,  FIELD_VLAN_TCI,
                                    FIELD_VLAN_VID, FIELD_VLAN_PCP,  FIELD_IP_SRC,   FIELD_IP_DST,
                                    FIELD_IP_DSCP,  FIELD_IP_TOS,    FIELD_ARP_OP,   FIELD_ARP_SPA,
                                    FIELD_ARP_TPA,  FIELD_TCP_SRC,   FIELD_TCP_DST,  FIELD_UDP_SRC,
                                    FIELD_UDP_DST,  FIELD_ICMP_TYPE, FIELD_ICMP_CODE};
    if (s->form == OF_FORM_LOAD || s->form == OF_FORM_MOD || memchr(in_10, s->field, sizeof in_10))
        return F_ANY;
    return memchr(in_11, s->field, sizeof in_11) ? F_ANY & ~F_OF10_ANY : F_NXM_ANY | F_OXM;
}

static unsigned list_formats(const void *data, size_t n)
{
    const struct of_action *a;
    unsigned formats = F_ANY;
    OF_ACTION_FOR_EACH(a, data, n)
    {
        size_t m;
        const void *nested = of_action_nested(a, &m);
        if (nested)
            formats &= list_formats(nested, m);
        switch (a->type) {
        case OF_SET_FIELD:
            formats &= set_field_formats((const void *)a);
            break;
        case OF_WRITE_METADATA:
            formats &= F_ANY & ~F_OF10_ANY;
            break;
        case OF_METER:
            formats &= F_OXM13_UP;
            break;
        case OF_CLEAR_ACTIONS:
        case OF_WRITE_ACTIONS: /* peers send the rest without them */
        case OF_PUSH_VLAN:
            formats &= F_OXM | F_OF11;
            break;
        default:
            break;
        }
    }
    return formats;
}

/* 1.0's own message has no masks of cookies nor out_group, and takes a match of everything for the highest priority. */
static bool is_plain(const struct of_flow_mod *fm)
{
    struct of_buf b = OF_BUF_INIT;
    of_match10_encode(&fm->match, &b);
    bool exact = !get_be32(b.data);
    of_buf_fini(&b);
    return !fm->cookie_mask && fm->out_group == OF_GROUP_ANY &&
           (!exact || fm->priority == UINT16_MAX);
}

static unsigned flow_formats(const struct of_flow_mod *fm)
{
    unsigned formats = match_formats(&fm->match) & list_formats(fm->actions.data, fm->actions.n);
    if (of_actions_check_present(&fm->actions, &fm->match))
        formats &= F_OF10_ANY | F_NXM_ANY;
    if (!is_plain(fm))
        formats &= ~(unsigned)F_OF10_ANY;
    if (fm->flags & OF_FLOW_RESET_COUNTS)
        formats &= F_OXM;
    if (fm->flags & (OF_FLOW_NO_PKT_COUNTS | OF_FLOW_NO_BYT_COUNTS))
        formats &= F_OXM13_UP;
    return formats;
}

static bool names_table(const struct of_flow_mod *fm)
{
    return fm->table_id != (fm->command == OF_FLOW_ADD ? 0 : OF_TABLE_ALL);
}

/* ---- Choosing ---- */

static unsigned allowed(const struct ofctl *o)
{
    return formats_of(o->client.conn ? 1u << o->client.version : o->versions) &
           (o->formats ? o->allowed_formats : F_ANY);
}

static void refuse(unsigned usable, unsigned allowed, const char *place)
{
    struct str s = STR_INIT, t = STR_INIT;
    put_names(&s, usable);
    put_names(&t, allowed);
    fflush(stdout);
    ofctl_fatal("%snone of the usable flow formats (%s) is among the allowed flow formats (%s)",
                place, str_c(&s), str_c(&t));
}

static unsigned with_tables(unsigned formats, bool tables)
{
    return formats & (tables ? ~(unsigned)(F_OF10 | F_NXM) : F_ANY);
}

void ofctl_check_flow(struct ofctl *o, struct of_flow_mod *fm, const char *place)
{
    int err = of_actions_check(&fm->actions, &fm->match, fm->table_id, OF_TABLE_ALL);
    /* Where tables end is the switch's to say. */
    if (err && err != OF_ERR_INSTRUCTION_BAD_TABLE_ID)
        ofctl_fatal("%sactions are invalid with specified match (%s)", place, of_error_name(err));
    unsigned formats = flow_formats(fm);
    o->usable_formats &= formats;
    o->with_tables |= names_table(fm);
    formats = with_tables(formats, names_table(fm));
    if (o->client.conn && !(formats & allowed(o)))
        refuse(formats, allowed(o), place);
}

static unsigned usable(const struct ofctl *o)
{
    return with_tables(o->usable_formats, o->with_tables);
}

static unsigned chosen(const struct ofctl *o)
{
    unsigned both = usable(o) & allowed(o);
    if (!both)
        refuse(usable(o), allowed(o), "");
    return both & -both;
}

bool ofctl_goes_plain(const struct ofctl *o)
{
    return chosen(o) & F_OF10_ANY;
}

bool ofctl_goes_with_tables(const struct ofctl *o)
{
    return chosen(o) & F_TABLES;
}

uint8_t ofctl_print_formats(const struct ofctl *o)
{
    struct str s = STR_INIT, t = STR_INIT;
    put_names(&s, usable(o));
    printf("usable protocols: %s\n", str_c(&s));
    unsigned format = chosen(o);
    put_names(&t, format);
    printf("chosen protocol: %s\n", str_c(&t));
    str_fini(&s);
    str_fini(&t);
    return format & F_OXM13   ? OF13_VERSION
           : format & F_OXM14 ? OF14_VERSION
           : format & F_OXM15 ? OF15_VERSION
                              : OF10_VERSION;
}
