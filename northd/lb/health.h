/* health.h - whether backends of load balancers live (rooms 2 to 5 of docs/architecture.md; ovn-nb(5), Load_Balancer_Health_Check).
 *
 *     Load_Balancer.health_check --> check      which VIP of which load balancer is checked, and how
 *     ip_port_mappings ------------> mapping    behind which port a backend is, and who asks it
 *     vip.c: a backend with both --> want       a check; several VIPs may want the same one
 *     one of those ----------------> monitor    a row Service_Monitor, which has a uuid made of what is checked
 *     Service_Monitor.status ------> offline    an input: controllers write it; vip.c leaves such backends out
 */
#pragma once

#include "northd/address.h"
#include "northd/facts.h"

struct key_lb_check {
    struct uuid lb;
    struct address vip;
    uint64_t port;
};
struct fact_lb_check {
    struct key_lb_check key;
    const struct row *row; /* NB: Load_Balancer_Health_Check */
};

struct key_lb_mapping {
    struct uuid lb;
    struct address backend;
};
struct fact_lb_mapping {
    struct key_lb_mapping key;
    const struct rstr *port;
    struct address source; /* that the questions come from */
};

struct fact_lb_monitor {
    struct uuid monitor; /* SB */
    const struct rstr *port, *protocol, *mac;
    struct address backend, source;
    uint64_t backend_port;
    const struct row *check; /* NB */
};

/* A Service_Monitor that says that nobody answers. */
struct fact_lb_offline {
    struct uuid monitor;
};

/* An address on a switch that checks come from: the switch answers for it. */
struct fact_lb_asker {
    struct uuid ls;
    struct address ip;
    const struct rstr *mac;
};

extern const struct inc_type northd_type_lb_check, northd_type_lb_mapping, northd_type_lb_monitor,
    northd_type_lb_offline, northd_type_lb_asker, northd_key_lb_check, northd_key_lb_mapping;

struct lb_health_facts {
    struct inc_coll *in_check, *in_lb_check, *in_mapping;
    struct inc_index *in_check_by_uuid, *in_lb_check_each, *in_mapping_each;
    struct inc_coll *check, *mapping, *want, *monitor, *offline, *asker;
    struct inc_index *check_by_vip, *mapping_by_backend, *want_by_monitor, *monitor_by_uuid,
        *offline_by_monitor, *asker_each;
};

struct northd_program;
struct inc_ctx;
struct lb_endpoint;
void lb_health_declare_facts(struct northd_program *p);
/* Before and after the VIPs; flows. */
void lb_health_declare_checks(struct northd_program *p);
void lb_health_declare_monitors(struct northd_program *p);
void lb_health_declare_flows(struct northd_program *p);

/* For the VIP of a load balancer: wants a backend checked if it is to be. False: nobody is there, it is to be left out. The unit reads
 * lb.health.check, mapping and offline, in_option and lsp, and emits want. */
bool lb_health_check(struct inc_ctx *ctx, struct northd_program *p, const struct key_lb_check *vip,
                     const struct rstr *protocol, const struct lb_endpoint *backend);
