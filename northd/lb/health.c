/* health.c - health checks of backends: see health.h (rooms 1 to 3 of docs/architecture.md; ovn-northd(8), "ARP/ND responder",
 * "Destination Lookup"). The questions are made by the controller where the backend's port is, with the source address that the
 * mapping names, which nobody has: the switch answers for it with svc_monitor_mac.
 */
#include "northd/lb/health.h"

#include <stdlib.h>
#include <string.h>

#include "northd/declare.h"
#include "northd/fact_type.h"
#include "northd/lb/lb.h"
#include "rows/nb.h"

/* --- Facts */

#define COMPARE_CHECK(A, B)                                                                        \
    uuid_compare(&(A)->lb, &(B)->lb), address_compare(&(A)->vip, &(B)->vip),                       \
        fact_compare_u64((A)->port, (B)->port)
#define COMPARE_MAPPING(A, B)                                                                      \
    uuid_compare(&(A)->lb, &(B)->lb), address_compare(&(A)->backend, &(B)->backend)

FACT_COMPARE(lb_check, COMPARE_CHECK(&a->key, &b->key), uuid_compare(&a->row->uuid, &b->row->uuid),
             uuid_compare(&a->row->version, &b->row->version))
static void lb_check_ref(const void *fact)
{
    row_ref(((const struct fact_lb_check *)fact)->row);
}
static void lb_check_unref(const void *fact)
{
    row_unref(((const struct fact_lb_check *)fact)->row);
}

FACT_COMPARE(lb_mapping, COMPARE_MAPPING(&a->key, &b->key), fact_compare_text(a->port, b->port),
             address_compare(&a->source, &b->source))
FACT_TEXTS(lb_mapping, port)

FACT_COMPARE(lb_monitor, uuid_compare(&a->monitor, &b->monitor),
             address_compare(&a->source, &b->source),
             uuid_compare(&a->check->uuid, &b->check->uuid),
             uuid_compare(&a->check->version, &b->check->version),
             fact_compare_text(a->mac, b->mac))
static void lb_monitor_ref(const void *fact)
{
    const struct fact_lb_monitor *f = fact;
    rstr_ref(f->port);
    rstr_ref(f->protocol);
    rstr_ref(f->mac);
    row_ref(f->check);
}
static void lb_monitor_unref(const void *fact)
{
    const struct fact_lb_monitor *f = fact;
    rstr_unref(f->port);
    rstr_unref(f->protocol);
    rstr_unref(f->mac);
    row_unref(f->check);
}
static void lb_monitor_print(const void *fact, struct str *out)
{
    const struct fact_lb_monitor *f = fact;
    str_putf(out, "%s of ", f->port->s);
    address_put(out, &f->backend);
}

FACT_COMPARE(lb_offline, uuid_compare(&a->monitor, &b->monitor))
FACT_COMPARE(lb_asker, uuid_compare(&a->ls, &b->ls), address_compare(&a->ip, &b->ip),
             fact_compare_text(a->mac, b->mac))
FACT_TEXTS(lb_asker, mac)

FACT_TYPE(lb_check, NULL);
FACT_TYPE(lb_mapping, NULL);
FACT_TYPE(lb_monitor, lb_monitor_print);
FACT_TYPE_PLAIN(lb_offline, NULL);
FACT_TYPE(lb_asker, NULL);

static int key_lb_check_compare(const void *a_, const void *b_)
{
    const struct key_lb_check *a = a_, *b = b_;
    int c = uuid_compare(&a->lb, &b->lb);
    if (!c)
        c = address_compare(&a->vip, &b->vip);
    return c ? c : fact_compare_u64(a->port, b->port);
}
const struct inc_type northd_key_lb_check = {
    .name = "lb_check", .size = sizeof(struct key_lb_check), .compare = key_lb_check_compare};
static int key_lb_mapping_compare(const void *a_, const void *b_)
{
    const struct key_lb_mapping *a = a_, *b = b_;
    int c = uuid_compare(&a->lb, &b->lb);
    return c ? c : address_compare(&a->backend, &b->backend);
}
const struct inc_type northd_key_lb_mapping = {
    .name = "lb_mapping", .size = sizeof(struct key_lb_mapping), .compare = key_lb_mapping_compare};

/* --- What NB says */

/* The load balancer's reference to a check. */
static void lb_check(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_ref *ref = key;
    const struct feed_row *row = inc_read_one(ctx, p->lb.health.in_check_by_uuid, &ref->to);
    struct lb_endpoint vip;
    if (!row)
        return;
    const char *text =
        nb_load_balancer_health_check_vip(nb_load_balancer_health_check_cast(row->row));
    if (!lb_endpoint_parse(text, strlen(text), &vip)) {
        program_complain(ctx, p, &ref->to, "health check of \"%.64s\", which is no VIP: left out",
                         text);
        return;
    }
    struct fact_lb_check f;
    INC_CLEAR(f);
    f.key = (struct key_lb_check){.lb = ref->row, .vip = vip.ip, .port = vip.port};
    f.row = row->row;
    inc_emit(ctx, p->lb.health.check, &f);
}

static bool parse_ip(const char *text, size_t n, struct address *ret)
{
    struct lb_endpoint e;
    *ret = (struct address){.version = 0};
    if (!lb_endpoint_parse(text, n, &e) || e.port)
        return false;
    *ret = e.ip;
    return true;
}

/* "10.0.0.1" = "PORT:10.0.0.253", "[fd00::1]" = "PORT:[fd00::fd]"; what follows another colon is the zone of a port elsewhere. */
static void lb_mapping(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_pair *pair = key;
    const char *colon = strchr(pair->value->s, ':'), *source = colon ? colon + 1 : "";
    size_t n = *source == '[' ? strcspn(source, "]") + 1 : strcspn(source, ":");
    struct fact_lb_mapping f;
    INC_CLEAR(f);
    f.key.lb = pair->row;
    if (!colon || n > strlen(source) || !parse_ip(pair->key->s, pair->key->n, &f.key.backend) ||
        !parse_ip(source, n, &f.source) || f.source.version != f.key.backend.version) {
        program_complain(ctx, p, &pair->row,
                         "ip_port_mappings of a load balancer: \"%.64s\" is not the address of a "
                         "backend with \"PORT:ADDRESS\"",
                         pair->key->s);
        return;
    }
    char *name = xmemdup(pair->value->s, (size_t)(colon - pair->value->s) + 1);
    name[colon - pair->value->s] = '\0';
    f.port = program_intern(p, name);
    free(name);
    inc_emit_take(ctx, p->lb.health.mapping, &f);
}

/* --- What is wanted */

/* What SB knows a check by: one of a backend behind a port, whoever wants it. */
static struct uuid monitor_uuid(const struct rstr *port, const struct rstr *protocol,
                                const struct lb_endpoint *backend)
{
    struct str s = STR_INIT;
    str_putf(&s, "%s %s ", port->s, protocol->s);
    lb_endpoint_put(&s, backend);
    struct uuid uuid = fact_derive_uuid("Service_Monitor", str_c(&s), strlen(str_c(&s)));
    str_fini(&s);
    return uuid;
}

bool lb_health_check(struct inc_ctx *ctx, struct northd_program *p, const struct key_lb_check *vip,
                     const struct rstr *protocol, const struct lb_endpoint *backend)
{
    const struct lb_health_facts *h = &p->lb.health;
    const struct fact_lb_check *check = inc_read_one(ctx, h->check_by_vip, vip);
    const char *mac = check ? program_option(ctx, p, "svc_monitor_mac") : NULL;
    if (!mac || !strcmp(protocol->s, "sctp"))
        return true;
    struct key_lb_mapping key;
    INC_CLEAR(key);
    key.lb = vip->lb;
    key.backend = backend->ip;
    const struct fact_lb_mapping *mapping = inc_read_one(ctx, h->mapping_by_backend, &key);
    if (!mapping || !inc_read_one(ctx, p->lsp_by_name, &mapping->port))
        return true;
    struct fact_lb_monitor f;
    INC_CLEAR(f);
    f.monitor = monitor_uuid(mapping->port, protocol, backend);
    f.port = rstr_ref(mapping->port);
    f.protocol = rstr_ref(protocol);
    f.mac = program_intern(p, mac);
    f.backend = backend->ip;
    f.backend_port = backend->port;
    f.source = mapping->source;
    f.check = row_ref(check->row);
    inc_emit_take(ctx, h->want, &f);
    return !inc_read_one(ctx, h->offline_by_monitor, &f.monitor);
}

/* One of those that want it decides how it is done. */
static void lb_monitor(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lb_monitor *want = inc_read_one(ctx, p->lb.health.want_by_monitor, key);
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_name, &want->port);
    inc_emit(ctx, p->lb.health.monitor, want);
    struct fact_lb_asker asker;
    INC_CLEAR(asker);
    asker.ls = lsp->ls;
    asker.ip = want->source;
    asker.mac = want->mac;
    inc_emit(ctx, p->lb.health.asker, &asker);
}

static void lb_asker(struct inc_ctx *ctx, const void *key, void *aux)
{
    /* Answers go to the controller, past the tracking of connections. */
    static const struct lflow_text answers[] = {
        {STAGE_SW_IN_PRE_LB, 110, "eth.dst == $svc_monitor_mac", "next;"},
        {STAGE_SW_OUT_PRE_LB, 110, "eth.src == $svc_monitor_mac", "next;"},
        {STAGE_SW_IN_L2_LKUP, 110, "eth.dst == $svc_monitor_mac && (tcp || icmp || icmp6)",
         "handle_svc_check(inport);"},
    };
    const struct fact_lb_asker *f = key;
    struct lflow_out l = lflows_begin(ctx, aux, &f->ls, NULL);
    struct mac mac;
    if (mac_parse(f->mac->s, &mac))
        return;
    uint64_t own = mac_to_u64(mac);
    lflows_emit_texts(&l, answers, ARRAY_SIZE(answers));
    if (f->ip.version == 6)
        lflows_emit(&l, STAGE_SW_IN_ARP_RSP, 110, lflows_solicits(&l, &f->ip),
                    lflows_nd_reply(&l, ACTION_ND_NA, own, &f->ip));
    else
        lflows_emit(&l, STAGE_SW_IN_ARP_RSP, 110,
                    expr_and(l.e, expr_eq(l.e, SYM_ARP_TPA, address_value(&f->ip)),
                             expr_eq(l.e, SYM_ARP_OP, 1)),
                    lflows_arp_reply(&l, own, &f->ip));
}

/* --- Declaration */

void lb_health_declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct lb_health_facts *h = &p->lb.health;
    h->in_check = program_rows(p, "Load_Balancer_Health_Check");
    h->in_check_by_uuid = BY_UUID(h->in_check, feed_row, uuid);
    h->in_lb_check = program_elements(p, "Load_Balancer", "health_check", &feed_ref_type);
    h->in_lb_check_each = inc_index_field(g, h->in_lb_check, "each", &feed_ref_type, 0);
    h->in_mapping = program_elements(p, "Load_Balancer", "ip_port_mappings", &feed_pair_type);
    h->in_mapping_each = inc_index_field(g, h->in_mapping, "each", &feed_pair_type, 0);
    h->offline = inc_input(g, "lb_offline", &northd_type_lb_offline);
    h->offline_by_monitor = BY_UUID(h->offline, fact_lb_offline, monitor);
    h->check = inc_derived(g, "lb_check", &northd_type_lb_check);
    h->check_by_vip = inc_index_field(g, h->check, "vip", &northd_key_lb_check, 0);
    h->mapping = inc_derived(g, "lb_mapping", &northd_type_lb_mapping);
    h->mapping_by_backend = inc_index_field(g, h->mapping, "backend", &northd_key_lb_mapping, 0);
    h->want = inc_derived(g, "lb_monitor_want", &northd_type_lb_monitor);
    h->want_by_monitor = BY_UUID(h->want, fact_lb_monitor, monitor);
    h->monitor = inc_derived(g, "lb_monitor", &northd_type_lb_monitor);
    h->asker = inc_derived(g, "lb_asker", &northd_type_lb_asker);
    h->asker_each = inc_index_field(g, h->asker, "each", &northd_type_lb_asker, 0);
}

void lb_health_declare_checks(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct lb_health_facts *h = &p->lb.health;
    UNIT("lb: checks", h->in_lb_check_each, lb_check, READS(h->in_check), h->check, p->complaint);
    UNIT("lb: ports of backends", h->in_mapping_each, lb_mapping, READS(h->in_mapping), h->mapping,
         p->complaint);
}

void lb_health_declare_monitors(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct lb_health_facts *h = &p->lb.health;
    UNIT("lb: monitors", h->want_by_monitor, lb_monitor, READS(h->want, p->lsp), h->monitor,
         h->asker);
}

void lb_health_declare_flows(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct lb_health_facts *h = &p->lb.health;
    UNIT("lb: who asks", h->asker_each, lb_asker, READS(h->asker), p->lflow);
}
