/* acl.h - the firewall of logical switches: compile units for ACLs, port groups and address sets (rooms 2 and 3 of
 * docs/architecture.md; ovn-nb(5) "ACL", ovn-northd(8) "ACLs").
 *
 *     ACL row -> acl (its match parsed)  \
 *     switches' and groups' references   -> acl_on (this ACL on this switch) -> flows
 *                                        -> acl_at (of this group alone) -> flows of classes
 *     groups' ports -> group_switch      -> group_class                  /
 *
 * One more ACL, port or address touches its own facts only. What a switch's other flows depend on (it has an ACL, a stateful
 * one, tiers) are facts of their own (switch_has), which come and go with the first and the last.
 */
#pragma once

#include "northd/lflows.h"

/* declare.c: inputs and facts; facts' units, after the topology; flows' units, after all that emits switch_has. */
void acl_declare(struct northd_program *p);
void acl_declare_facts(struct northd_program *p);
void acl_declare_flows(struct northd_program *p);

/* row.c: each ACL row */
void acl_row(struct inc_ctx *ctx, const void *key, void *aux);
/* where.c: each ACL; each key of what a switch has through them, or a group; each group and switch: what the switch has by it, its class there */
void acl_where(struct inc_ctx *ctx, const void *key, void *aux);
void acl_has(struct inc_ctx *ctx, const void *key, void *aux);
void acl_group_has(struct inc_ctx *ctx, const void *key, void *aux);
void acl_switch_of_group(struct inc_ctx *ctx, const void *key, void *aux);
void acl_class(struct inc_ctx *ctx, const void *key, void *aux);
void acl_has_key(const void *fact, struct inc_keys *keys, void *aux);
/* groups.c: each Port_Group row; each port that groups name; each group and switch */
void acl_group(struct inc_ctx *ctx, const void *key, void *aux);
void acl_group_port(struct inc_ctx *ctx, const void *key, void *aux);
void acl_group_switch(struct inc_ctx *ctx, const void *key, void *aux);
/* sets.c: each Address_Set row; each with its name; each group; each group and switch; each port of a group; the service
 * monitor's address */
void acl_set_name(struct inc_ctx *ctx, const void *key, void *aux);
void acl_set(struct inc_ctx *ctx, const void *key, void *aux);
void acl_set_group(struct inc_ctx *ctx, const void *key, void *aux);
void acl_set_ports(struct inc_ctx *ctx, const void *key, void *aux);
void acl_set_port(struct inc_ctx *ctx, const void *key, void *aux);
void acl_set_monitor(struct inc_ctx *ctx, const void *key, void *aux);
/* meters.c: each Meter row; each ACL. The name of an ACL's meter in SB, a new reference, NULL: it has none; a meter's bands. */
void acl_meter(struct inc_ctx *ctx, const void *key, void *aux);
void acl_meter_fair(struct inc_ctx *ctx, const void *key, void *aux);
const struct rstr *acl_meter_name(struct inc_ctx *ctx, struct northd_program *p,
                                  const struct fact_acl *acl);
const struct datum *acl_meter_bands(const struct fact_meter *meter);
/* common.c, each class of switches; untracked.c, each switch port; flows.c, each ACL on a switch, each of a group */
void acl_common(struct inc_ctx *ctx, const void *key, void *aux);
void acl_port(struct inc_ctx *ctx, const void *key, void *aux);
void acl_flows(struct inc_ctx *ctx, const void *key, void *aux);
void acl_group_flows(struct inc_ctx *ctx, const void *key, void *aux);

/* tier.c: the register of the present tier; what leads from a tier to the next. */
enum stage acl_stage(enum acl_place place);
/* Of a switch, those that say whether a place of its ACLs has tiers. */
uint64_t acl_tier_traits(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *ls,
                         enum acl_place place);
bool acl_uses_tiers(uint64_t traits, enum acl_place place);
extern const uint64_t acl_traits; /* all that the flows of an ACL depend on */
struct expr *acl_in_tier(const struct lflow_out *l, enum acl_place place, unsigned tier);
struct actions *acl_next_tier(const struct lflow_out *l, enum acl_place place, unsigned tier);
void acl_tiers(const struct lflow_out *l, uint64_t traits); /* of a class of switches */
