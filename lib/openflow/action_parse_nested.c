/* action_parse_nested.c - actions with arguments of their own: learn, ct, nat, clone, multipath, bundle, sample. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "net/headers.h"
#include "openflow/parse.h"

/* ---- learn ---- */

static int parse_learn_option(struct parser *p, const struct keyvalue *kv, struct of_learn *l)
{
    static const struct {
        const char *name;
        uint16_t flag;
    } flags[] = {{"send_flow_rem", OF_LEARN_SEND_FLOW_REM},
                 {"delete_learned", OF_LEARN_DELETE_LEARNED}};
    struct {
        const char *name;
        uint16_t *value;
    } numbers[] = {{"idle_timeout", &l->idle_timeout},
                   {"hard_timeout", &l->hard_timeout},
                   {"fin_idle_timeout", &l->fin_idle_timeout},
                   {"fin_hard_timeout", &l->fin_hard_timeout},
                   {"priority", &l->priority}};
    uint64_t x;
    int err;
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (!strcmp(kv->key, flags[i].name) && !*kv->value) {
            l->flags |= flags[i].flag;
            return 0;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (!strcmp(kv->key, numbers[i].name)) {
            err = parse_u(p, kv->key, kv->value, UINT16_MAX, &x);
            *numbers[i].value = (uint16_t)(err ? 0 : x);
            return err;
        }
    }
    if (!strcmp(kv->key, "table")) {
        return parse_table_text(p, kv->value, 254, &l->table);
    }
    if (!strcmp(kv->key, "cookie"))
        return parse_u(p, kv->key, kv->value, UINT64_MAX, &l->cookie);
    if (!strcmp(kv->key, "limit")) {
        err = parse_u(p, kv->key, kv->value, UINT32_MAX, &x);
        l->limit = (uint32_t)(err ? 0 : x);
        return err;
    }
    if (!strcmp(kv->key, "result_dst")) {
        l->flags |= OF_LEARN_WRITE_RESULT;
        err = parse_sub(p, kv->value, &l->result_dst);
        return !err && l->result_dst.n_bits != 1 ? parse_error(p, "result_dst must be 1 bit wide")
                                                 : err;
    }
    return 1;
}

/* A number, or a value in the whole field's form, of SUB's width. */
static int parse_immediate(struct parser *p, const char *text, const struct subfield *sub,
                           struct tun_value *ret)
{
    const struct field *f = field_get(sub->id);
    u128 value = 0, mask;
    if (FIELD_IS_TUN_METADATA(f->id)) {
        struct tun_value bits;
        bool masked;
        if (tun_value_parse(text, ret, &bits, &masked) || masked)
            return parse_error(p, "%s: bad value", text);
        tun_value_ones(&bits, sub->n_bits);
        struct tun_value kept = *ret;
        tun_value_and(&kept, &bits);
        return memcmp(&kept, ret, sizeof kept) ? parse_error(p, "%s: value does not fit", text) : 0;
    }
    if ((sub->n_bits != f->n_bits || field_parse(f, text, p->names, &value, &mask)) &&
        field_parse(field_get(FIELD_XXREG0), text, NULL, &value, &mask))
        return parse_error(p, "%s: bad value", text);
    tun_value_of(ret, value);
    return value & ~u128_ones(sub->n_bits) ? parse_error(p, "%s: value does not fit", text) : 0;
}

static int parse_learn_load(struct parser *p, char *text, struct of_learn_spec *s,
                            struct tun_value *value)
{
    char *left, *right;
    const char *q;
    int err = parse_arrow(p, text, &left, &right);
    if (!err)
        err = parse_sub(p, right, &s->dst);
    if (err)
        return err;
    s->dst_type = OF_LEARN_LOAD;
    s->n_bits = s->dst.n_bits;
    if (!field_get(s->dst.id)->writable)
        return parse_error(p, "%s is read-only", right);
    q = left;
    if (!subfield_parse(&q, &s->src) && !*q)
        return s->src.n_bits == s->dst.n_bits
                   ? 0
                   : parse_error(p, "%s->%s: widths differ", left, right);
    memset(&s->src, 0, sizeof s->src);
    s->src_imm = 1;
    return parse_immediate(p, left, &s->dst, value);
}

/* VALUE: of what is no field (s->src_imm). */
static int parse_learn_spec(struct parser *p, const struct keyvalue *kv, struct of_learn_spec *s,
                            struct tun_value *value)
{
    memset(s, 0, sizeof *s);
    if (!strcmp(kv->key, "load"))
        return parse_learn_load(p, kv->value, s, value);
    if (!strcmp(kv->key, "output")) {
        s->dst_type = OF_LEARN_OUTPUT;
        int err = parse_sub(p, kv->value, &s->src);
        s->n_bits = s->src.n_bits;
        return err;
    }
    s->dst_type = OF_LEARN_MATCH;
    int err = parse_sub(p, kv->key, &s->dst);
    s->n_bits = s->dst.n_bits;
    if (err)
        return err;
    const char *q = kv->value;
    if (!*q) {
        s->src = s->dst;
        return 0;
    }
    if (!subfield_parse(&q, &s->src) && !*q)
        return s->src.n_bits == s->dst.n_bits
                   ? 0
                   : parse_error(p, "%s=%s: widths differ", kv->key, kv->value);
    memset(&s->src, 0, sizeof s->src);
    s->src_imm = 1;
    return parse_immediate(p, kv->value, &s->dst, value);
}

int parse_learn(struct parser *p, char *text)
{
    struct of_learn head;
    struct keyvalue kv;
    int more, err = 0;
    memset(&head, 0, sizeof head);
    head.table = 1;
    head.priority = OF_PRIORITY_DEFAULT;
    size_t at = of_put_learn(p->out, &head);
    while ((more = keyvalue_next(&text, &kv)) > 0) {
        err = parse_learn_option(p, &kv, &head);
        if (err == 1) {
            struct of_learn_spec spec;
            struct tun_value value;
            err = parse_learn_spec(p, &kv, &spec, &value);
            if (!err && p->out->n - at > UINT16_MAX / 2)
                err = parse_error(p, "learn: too many specifications");
            if (!err && spec.src_imm)
                of_put_learn_imm(p->out, at, &spec, &value);
            else if (!err)
                of_put_learn_spec(p->out, at, &spec);
        }
        if (err)
            return err;
    }
    if (more < 0)
        return parse_error(p, "learn: unbalanced parentheses");
    struct of_learn *l = (void *)(p->out->data + at);
    head.type = l->type;
    head.form = l->form;
    head.len = l->len;
    head.n_specs = l->n_specs;
    *l = head;
    return 0;
}

/* ---- ct and nat ---- */

/* "ADDR", "[ADDR]" at *TEXT. */
static int parse_nat_addr(struct parser *p, char **text, struct ip_addr *ret)
{
    char *s = *text, *end, saved;
    if (*s == '[') {
        s++;
        end = strchr(s, ']');
        if (!end)
            return parse_error(p, "nat: missing \"]\"");
        *text = end + 1;
    } else {
        end = s + strcspn(s, "-");
        char *colon = memchr(s, ':', (size_t)(end - s));
        if (colon && memchr(s, '.', (size_t)(colon - s))) /* IPv4 with ports */
            end = colon;
        *text = end;
    }
    saved = *end;
    *end = '\0';
    int err = ip_addr_parse(s, ret);
    if (err)
        return parse_error(p, "nat: bad address \"%s\"", s);
    *end = saved;
    return 0;
}

static int parse_nat_range(struct parser *p, char *text, struct ip_addr *min, struct ip_addr *max,
                           uint16_t *port_min, uint16_t *port_max)
{
    int err = 0;
    if (*text != ':' || text[1] == ':') { /* "::1" is an address, ":1" a port */
        err = parse_nat_addr(p, &text, min);
        if (!err && *text == '-') {
            text++;
            err = parse_nat_addr(p, &text, max);
            if (!err && (max->version != min->version || ip_addr_compare(min, max) > 0))
                err = parse_error(p, "nat: bad range of addresses");
        }
    }
    if (err || !*text)
        return err;
    unsigned a, b;
    char rest;
    int n = sscanf(text, ":%u-%u%c", &a, &b, &rest);
    if (n == 1 && sscanf(text, ":%u%c", &a, &rest) == 1)
        b = a;
    else if (n != 2)
        return parse_error(p, "nat: bad ports \"%s\"", text);
    if (!a || a > UINT16_MAX || b > UINT16_MAX || b < a)
        return parse_error(p, "nat: bad ports \"%s\"", text);
    *port_min = (uint16_t)a;
    *port_max = (uint16_t)b;
    return 0;
}

int parse_nat(struct parser *p, struct keyvalue *args)
{
    struct ip_addr min, max;
    uint16_t flags = 0, port_min = 0, port_max = 0;
    struct keyvalue kv;
    char *text = args->value;
    int more;
    memset(&min, 0, sizeof min);
    memset(&max, 0, sizeof max);
    while ((more = keyvalue_next(&text, &kv)) > 0) {
        bool src = !strcmp(kv.key, "src"), dst = !strcmp(kv.key, "dst");
        if (src || dst) {
            if (flags & (OF_NAT_SRC | OF_NAT_DST))
                return parse_error(p, "nat: may only specify one of \"src\" or \"dst\"");
            flags |= src ? OF_NAT_SRC : OF_NAT_DST;
            if (*kv.value && parse_nat_range(p, kv.value, &min, &max, &port_min, &port_max))
                return ERR_SYNTAX;
        } else if (!strcmp(kv.key, "persistent")) {
            flags |= OF_NAT_PERSISTENT;
        } else if (!strcmp(kv.key, "hash")) {
            flags |= OF_NAT_HASH;
        } else if (!strcmp(kv.key, "random")) {
            flags |= OF_NAT_RANDOM;
        } else {
            return parse_error(p, "invalid key \"%s\" in \"nat\" argument", kv.key);
        }
    }
    if (more < 0)
        return parse_error(p, "nat: unbalanced parentheses");
    if (flags && !(flags & (OF_NAT_SRC | OF_NAT_DST)))
        return parse_error(p, "nat: must specify \"src\" or \"dst\"");
    if (flags & OF_NAT_HASH && flags & OF_NAT_RANDOM)
        return parse_error(p, "nat: both \"hash\" and \"random\" are not allowed");
    of_put_nat(p->out, flags, min.version ? &min : NULL, max.version ? &max : NULL, port_min,
               port_max);
    return 0;
}

static int parse_zone(struct parser *p, const char *text, struct subfield *src, uint16_t *imm)
{
    uint64_t zone;
    const char *q = text;
    if (!subfield_parse(&q, src) && !*q)
        return src->n_bits == 16 ? 0 : parse_error(p, "%s: zone must be 16 bits wide", text);
    memset(src, 0, sizeof *src);
    int err = parse_u(p, "zone", text, UINT16_MAX, &zone);
    *imm = (uint16_t)(err ? 0 : zone);
    return err;
}

static int parse_alg(struct parser *p, const char *text, uint16_t *alg)
{
    uint64_t x = 0;
    int err = 0;
    if (!strcmp(text, "ftp"))
        x = 21;
    else if (!strcmp(text, "tftp"))
        x = 69;
    else
        err = parse_u(p, "alg", text, UINT16_MAX, &x);
    *alg = (uint16_t)x;
    return err;
}

static int parse_ct_arg(struct parser *p, struct keyvalue *kv, struct of_ct *head)
{
    int err = 0;
    if (!strcmp(kv->key, "commit")) {
        head->flags |= OF_CT_COMMIT;
    } else if (!strcmp(kv->key, "force")) {
        head->flags |= OF_CT_FORCE;
    } else if (!strcmp(kv->key, "table")) {
        err = parse_table_text(p, kv->value, 254, &head->table);
        if (err && isalpha((unsigned char)*kv->value))
            err = parse_error(p, "unknown table %s", kv->value);
    } else if (!strcmp(kv->key, "zone")) {
        err = parse_zone(p, kv->value, &head->zone_src, &head->zone_imm);
    } else if (!strcmp(kv->key, "alg")) {
        err = parse_alg(p, kv->value, &head->alg);
    } else if (!strcmp(kv->key, "nat")) {
        err = parse_nat(p, kv);
    } else if (!strcmp(kv->key, "exec")) {
        err = parse_list(p, kv->value);
    } else {
        err = parse_error(p, "invalid argument to \"ct\" action: `%s'", kv->key);
    }
    return err;
}

int parse_of_ct(struct parser *p, char *text)
{
    struct keyvalue kv;
    struct of_ct head;
    int more;
    memset(&head, 0, sizeof head);
    head.table = OF_CT_NO_RECIRC;
    size_t start = of_begin_ct(p->out, 0, NULL, 0, 0);
    while ((more = keyvalue_next(&text, &kv)) > 0) {
        int err = parse_ct_arg(p, &kv, &head);
        if (err)
            return err;
    }
    if (more < 0)
        return parse_error(p, "ct: unbalanced parentheses");
    if (head.flags & OF_CT_FORCE && !(head.flags & OF_CT_COMMIT))
        return parse_error(p, "\"force\" flag requires \"commit\" flag.");
    if (p->out->n - start > UINT16_MAX)
        return parse_error(p, "ct: too many actions");
    of_end_nested(p->out, start);
    struct of_ct *ct = (void *)(p->out->data + start);
    head.type = ct->type;
    head.len = ct->len;
    *ct = head;
    return 0;
}

/* ---- Lists ---- */

static int parse_inside(struct parser *p, char *text, size_t start)
{
    int err = parse_list(p, text);
    if (err)
        return err;
    if (p->out->n - start > UINT16_MAX)
        return parse_error(p, "too many actions");
    of_end_nested(p->out, start);
    return 0;
}

int parse_clone(struct parser *p, char *text)
{
    return parse_inside(p, text, of_begin_clone(p->out));
}

int parse_write_actions(struct parser *p, char *text)
{
    return parse_inside(p, text, of_begin_write_actions(p->out));
}

int parse_apply_actions(struct parser *p, char *text)
{
    return parse_list(p, text);
}

/* ---- multipath, bundle, sample ---- */

static const char *const hash_fields[] = {
    "eth_src", "symmetric_l4", "symmetric_l3l4", "symmetric_l3l4+udp",
    "nw_src",  "nw_dst",       "symmetric_l3"};
static const char *const mp_algorithms[] = {"modulo_n", "hash_threshold", "hrw", "iter_hash"};
static const char *const bd_algorithms[] = {"active_backup", "hrw"};

static int parse_choice(struct parser *p, const char *text, const char *const *names, size_t n,
                        uint16_t *ret)
{
    for (size_t i = 0; text && i < n; i++) {
        if (!strcasecmp(text, names[i])) {
            *ret = (uint16_t)i;
            return 0;
        }
    }
    return parse_error(p, "%s: unknown word", text ? text : "");
}

static char *next_word(char **text)
{
    char *word = strsep(text, ",");
    return word ? word + strspn(word, " ") : NULL;
}

int parse_multipath(struct parser *p, char *text)
{
    struct of_multipath m;
    uint64_t basis, links, arg;
    memset(&m, 0, sizeof m);
    if (parse_choice(p, next_word(&text), hash_fields, ARRAY_SIZE(hash_fields), &m.fields))
        return ERR_SYNTAX;
    const char *basis_text = next_word(&text), *algorithm = next_word(&text);
    const char *links_text = next_word(&text), *arg_text = next_word(&text),
               *dst = next_word(&text);
    if (!dst)
        return parse_error(p, "multipath: not enough arguments");
    if (parse_u(p, "basis", basis_text, UINT16_MAX, &basis) ||
        parse_choice(p, algorithm, mp_algorithms, ARRAY_SIZE(mp_algorithms), &m.algorithm) ||
        parse_u(p, "number of links", links_text, 65536, &links) ||
        parse_u(p, "argument", arg_text, UINT32_MAX, &arg) || parse_sub(p, dst, &m.dst))
        return ERR_SYNTAX;
    if (!links || (m.dst.n_bits < 16 && (links - 1) >> m.dst.n_bits))
        return parse_error(p, "multipath: the field cannot hold that many links");
    struct of_multipath *out = of_put(p->out, OF_MULTIPATH, sizeof *out);
    m.type = out->type;
    m.len = out->len;
    m.basis = (uint16_t)basis;
    m.max_link = (uint16_t)(links - 1);
    m.arg = (uint32_t)arg;
    *out = m;
    return 0;
}

static int parse_members(struct parser *p, char *text, struct of_bundle_action *head)
{
    static const char *const prefixes[] = {"members:", "slaves:"};
    uint32_t ports[2048];
    size_t n = 0, skip = 0;
    text = text ? text + strspn(text, " ") : NULL;
    for (size_t i = 0; text && i < ARRAY_SIZE(prefixes); i++)
        if (text_starts_with(text, prefixes[i]))
            skip = strlen(prefixes[i]);
    if (!skip)
        return parse_error(p, "bundle: missing \"members:\"");
    text += skip;
    char *word;
    while ((word = next_word(&text)) != NULL) {
        if (!*word)
            continue;
        if (n >= ARRAY_SIZE(ports) || parse_port_text(p, word, &ports[n++]))
            return parse_error(p, "%s: bad port number", word);
    }
    struct of_bundle_action *out = of_put(p->out, OF_BUNDLE, sizeof *out + n * sizeof ports[0]);
    head->type = out->type;
    head->len = out->len;
    head->n_members = (uint16_t)n;
    memcpy(out, head, sizeof *head);
    memcpy(out->members, ports, n * sizeof ports[0]);
    return 0;
}

static int parse_bundle_kind(struct parser *p, char *text, bool load)
{
    struct of_bundle_action head;
    uint64_t basis;
    memset(&head, 0, sizeof head);
    if (parse_choice(p, next_word(&text), hash_fields, ARRAY_SIZE(hash_fields), &head.fields))
        return ERR_SYNTAX;
    const char *basis_text = next_word(&text), *algorithm = next_word(&text),
               *kind = next_word(&text);
    if (!kind)
        return parse_error(p, "bundle: not enough arguments");
    if (parse_u(p, "basis", basis_text, UINT16_MAX, &basis) ||
        parse_choice(p, algorithm, bd_algorithms, ARRAY_SIZE(bd_algorithms), &head.algorithm))
        return ERR_SYNTAX;
    if (strcasecmp(kind, "ofport"))
        return parse_error(p, "%s: unknown member type", kind);
    if (load) {
        const char *dst = next_word(&text);
        if (!dst || parse_sub(p, dst, &head.dst))
            return parse_error(p, "bundle_load: bad destination");
    }
    head.basis = (uint16_t)basis;
    return parse_members(p, text, &head);
}

int parse_bundle(struct parser *p, char *text)
{
    return parse_bundle_kind(p, text, false);
}

int parse_bundle_load(struct parser *p, char *text)
{
    return parse_bundle_kind(p, text, true);
}

static int parse_sample_source(struct parser *p, const char *text, struct subfield *src,
                               uint32_t *imm)
{
    uint64_t x;
    const char *q = text;
    if (!subfield_parse(&q, src) && !*q)
        return src->n_bits <= 32 ? 0 : parse_error(p, "%s: wider than 32 bits", text);
    memset(src, 0, sizeof *src);
    int err = parse_u(p, "observation id", text, UINT32_MAX, &x);
    *imm = (uint32_t)(err ? 0 : x);
    return err;
}

int parse_sample(struct parser *p, char *text)
{
    struct of_sample s;
    struct keyvalue kv;
    uint64_t x;
    int more, err = 0;
    memset(&s, 0, sizeof s);
    s.sampling_port = PORT_ANY;
    while (!err && (more = keyvalue_next(&text, &kv)) > 0) {
        if (!strcmp(kv.key, "probability")) {
            err = parse_u(p, kv.key, kv.value, UINT16_MAX, &x);
            s.probability = (uint16_t)(err ? 0 : x);
        } else if (!strcmp(kv.key, "collector_set_id")) {
            err = parse_u(p, kv.key, kv.value, UINT32_MAX, &x);
            s.collector_set_id = (uint32_t)(err ? 0 : x);
        } else if (!strcmp(kv.key, "obs_domain_id")) {
            err = parse_sample_source(p, kv.value, &s.obs_domain_src, &s.obs_domain_imm);
        } else if (!strcmp(kv.key, "obs_point_id")) {
            err = parse_sample_source(p, kv.value, &s.obs_point_src, &s.obs_point_imm);
        } else if (!strcmp(kv.key, "sampling_port")) {
            err = parse_port_text(p, kv.value, &s.sampling_port);
        } else if (!strcmp(kv.key, "ingress")) {
            s.direction = 1;
        } else if (!strcmp(kv.key, "egress")) {
            s.direction = 2;
        } else {
            err = parse_error(p, "invalid key \"%s\" in \"sample\" argument", kv.key);
        }
    }
    if (err)
        return err;
    if (!s.probability)
        return parse_error(p, "non-zero \"probability\" must be specified on sample");
    struct of_sample *out = of_put(p->out, OF_SAMPLE, sizeof *out);
    s.type = out->type;
    s.len = out->len;
    s.version = s.obs_domain_src.id || s.obs_point_src.id ? 4
                : s.direction                             ? 3
                : s.sampling_port != PORT_ANY             ? 2
                                                          : 1;
    *out = s;
    return 0;
}
