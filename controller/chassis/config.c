/* config.c - see config.h. Room 1 of docs/architecture.md, the switch's side. Reads; writes nothing. Unknown keys are left alone.
 */
#include "controller/chassis/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rows/ovs.h"

static const char *value_of(const struct ovs_open_vswitch *row, const char *system_id,
                            const char *key)
{
    if (system_id) {
        char *own = xasprintf("%s-%s", key, system_id);
        const char *value = ovs_open_vswitch_external_ids_value(row, own);
        free(own);
        if (value)
            return value;
    }
    return ovs_open_vswitch_external_ids_value(row, key);
}

/* A copy, or NULL for what is missing or empty. */
static char *copy(const char *value)
{
    return value && *value ? xstrdup(value) : NULL;
}

static char *copy_or(const char *value, const char *other)
{
    return xstrdup(value && *value ? value : other);
}

/* The texts of a set as a comma list. */
static char *joined(const struct datum *set)
{
    struct str s = STR_INIT;
    for (size_t i = 0; i < set->n; i++)
        str_putf(&s, "%s%s", i ? "," : "", set->atoms[i].string->s);
    return str_steal(&s);
}

void config_clear(struct config *c)
{
    free(c->system_id);
    free(c->hostname);
    free(c->remote);
    free(c->encap_types);
    free(c->encap_ip);
    free(c->encap_tos);
    free(c->encap_df);
    free(c->bridge);
    free(c->datapath_type);
    free(c->bridge_remote);
    free(c->mappings);
    free(c->cms_options);
    free(c->iface_types);
    memset(c, 0, sizeof *c);
}

bool config_read(struct config *c, const struct replica *ovs)
{
    config_clear(c);
    size_t pos = 0;
    const struct row *r = replica_next_row(ovs, replica_table(ovs, "Open_vSwitch"), &pos);
    if (!r)
        return false;
    const struct ovs_open_vswitch *row = ovs_open_vswitch_cast(r);
    c->row = r->uuid;
    c->system_id = copy(ovs_open_vswitch_external_ids_value(row, "system-id"));
    const char *id = c->system_id;
    char host[256] = "localhost";
    if (gethostname(host, sizeof host - 1))
        strcpy(host, "localhost");
    c->hostname = copy_or(value_of(row, id, "hostname"), host);
    c->remote = copy(value_of(row, id, "ovn-remote"));
    c->encap_types = copy_or(value_of(row, id, "ovn-encap-type"), "geneve");
    c->encap_ip = copy(value_of(row, id, "ovn-encap-ip"));
    const char *csum = value_of(row, id, "ovn-encap-csum");
    c->encap_csum = !csum || strcmp(csum, "false");
    c->encap_tos = copy(value_of(row, id, "ovn-encap-tos"));
    c->encap_df = copy(value_of(row, id, "ovn-encap-df_default"));
    c->bridge = copy_or(value_of(row, id, "ovn-bridge"), "br-int");
    c->datapath_type = copy(value_of(row, id, "ovn-bridge-datapath-type"));
    c->bridge_remote = copy(value_of(row, id, "ovn-bridge-remote"));
    c->mappings = copy(value_of(row, id, "ovn-bridge-mappings"));
    c->cms_options = copy(value_of(row, id, "ovn-cms-options"));
    c->iface_types = joined(ovs_open_vswitch_iface_types(row));
    const char *all = value_of(row, id, "ovn-monitor-all");
    c->monitor_all = all && !strcmp(all, "true");
    c->probe_ms = -1;
    const char *probe = value_of(row, id, "ovn-remote-probe-interval");
    if (probe &&
        (text_to_i64(probe, 10, &c->probe_ms) || c->probe_ms < 0 || c->probe_ms > INT32_MAX))
        c->probe_ms = -1;
    return true;
}

void config_for_each_mapping(const struct config *c,
                             void (*fn)(const char *network, const char *bridge, void *aux),
                             void *aux)
{
    char *text = xstrdup(c->mappings ? c->mappings : ""), *save = NULL;
    for (char *pair = strtok_r(text, ", ", &save); pair; pair = strtok_r(NULL, ", ", &save)) {
        char *colon = strchr(pair, ':');
        if (!colon || colon == pair || !colon[1])
            continue;
        *colon = '\0';
        fn(pair, colon + 1, aux);
    }
    free(text);
}
