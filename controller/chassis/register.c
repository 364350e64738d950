/* register.c - see register.h. What flows back up from a hypervisor (docs/architecture.md). Other chassis' rows are never touched.
 */
#include "controller/chassis/register.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "controller/chassis/hypervisor.h"
#include "rows/sb.h"

LOG_MODULE(chassis);

/* What our parser and switch can do: northd uses a feature when all chassis announce it. */
static const char *const features[] = {"port-up-notif", "mac-binding-timestamp", "fdb-timestamp",
                                       "ls-dpg-column", "ct-no-masked-label"};

struct encap {
    char *type, *ip;
};
typedef VEC(struct encap) encaps;

/* Every type on every address. */
static void wanted_encaps(const struct config *config, encaps *ret)
{
    if (!config->encap_ip)
        return;
    char *types = xstrdup(config->encap_types), *type, *save_type = NULL;
    for (type = strtok_r(types, ", ", &save_type); type; type = strtok_r(NULL, ", ", &save_type)) {
        if (strcmp(type, "geneve") && strcmp(type, "vxlan"))
            continue;
        char *ips = xstrdup(config->encap_ip), *ip, *save_ip = NULL;
        for (ip = strtok_r(ips, ", ", &save_ip); ip; ip = strtok_r(NULL, ", ", &save_ip)) {
            struct encap e = {xstrdup(type), xstrdup(ip)};
            vec_push(ret, e);
        }
        free(ips);
    }
    free(types);
}

static void encaps_fini(encaps *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->data[i].type);
        free(list->data[i].ip);
    }
    vec_fini(list);
}

static bool encap_is(const struct sb_encap *row, const struct config *config,
                     const struct encap *want)
{
    const char *csum = sb_encap_options_value(row, "csum");
    return !strcmp(sb_encap_type(row), want->type) && !strcmp(sb_encap_ip(row), want->ip) &&
           !strcmp(sb_encap_chassis_name(row), config->system_id) && csum &&
           !strcmp(csum, config->encap_csum ? "true" : "false");
}

static bool encaps_match(const struct sb_chassis *chassis, const struct replica *sb,
                         const struct config *config, const encaps *want)
{
    const struct datum *have = sb_chassis_encaps(chassis);
    if (have->n != want->n)
        return false;
    for (size_t i = 0; i < want->n; i++) {
        bool found = false;
        for (size_t j = 0; j < have->n && !found; j++) {
            const struct row *row =
                replica_row_find(sb, replica_table(sb, "Encap"), &have->atoms[j].uuid);
            found = row && encap_is(sb_encap_cast(row), config, &want->data[i]);
        }
        if (!found)
            return false;
    }
    return true;
}

static void write_encaps(const struct config *config, struct writer *w, const struct uuid *chassis,
                         const encaps *want)
{
    const struct schema_table *table = replica_table(w->replica, "Chassis");
    union atom *ids = xcalloc(want->n, sizeof *ids);
    for (size_t i = 0; i < want->n; i++) {
        struct uuid id = writer_insert(w, "Encap");
        writer_text(w, "Encap", &id, "type", want->data[i].type);
        writer_text(w, "Encap", &id, "ip", want->data[i].ip);
        writer_text(w, "Encap", &id, "chassis_name", config->system_id);
        writer_pair(w, "Encap", &id, "options", "csum", config->encap_csum ? "true" : "false");
        ids[i].uuid = id;
    }
    replica_txn_set(writer_txn(w), table, chassis, schema_column_find(table, "encaps"),
                    datum_new_set(ATOM_UUID, ids, want->n));
    free(ids);
}

static void write_details(const struct config *config, struct writer *w, const struct uuid *chassis,
                          const struct sb_chassis *old)
{
    if (!old || strcmp(sb_chassis_hostname(old), config->hostname))
        writer_text(w, "Chassis", chassis, "hostname", config->hostname);
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        const char *have = old ? sb_chassis_other_config_value(old, features[i]) : NULL;
        if (!have || strcmp(have, "true"))
            writer_pair(w, "Chassis", chassis, "other_config", features[i], "true");
    }
    const struct detail { /* what a CMS chooses hypervisors by; "" and "false" need no key */
        const char *key, *value, *absent;
    } details[] = {{"datapath-type", config->datapath_type, NULL},
                   {"iface-types", config->iface_types, ""},
                   {"ovn-bridge-mappings", config->mappings, ""},
                   {"ovn-cms-options", config->cms_options, ""},
                   {"ovn-monitor-all", config->monitor_all ? "true" : "false", "false"}};
    for (const struct detail *d = details; d < details + ARRAY_SIZE(details); d++) {
        const char *value = d->value ? d->value : "";
        const char *have = old ? sb_chassis_other_config_value(old, d->key) : NULL;
        have = have ? have : d->absent;
        if (!have || strcmp(have, value))
            writer_pair(w, "Chassis", chassis, "other_config", d->key, value);
    }
}

const struct row *register_private_row(const struct config *config, const struct replica *sb)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, sb, replica_table(sb, "Chassis_Private"))
    if (!strcmp(sb_chassis_private_name(sb_chassis_private_cast(row)), config->system_id))
        return row;
    return NULL;
}

void registration_fini(struct registration *r)
{
    free(r->name);
    free(r->written);
    memset(r, 0, sizeof *r);
}

/* Somebody else has one of our end points: two chassis cannot be reached at one address. */
static bool is_taken(const struct config *config, const struct replica *sb, const encaps *want)
{
    static struct log_rate rate = LOG_RATE(6, 1);
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, sb, replica_table(sb, "Encap"))
    {
        const struct sb_encap *e = sb_encap_cast(row);
        if (!strcmp(sb_encap_chassis_name(e), config->system_id))
            continue;
        for (size_t i = 0; i < want->n; i++) {
            if (strcmp(sb_encap_type(e), want->data[i].type) ||
                strcmp(sb_encap_ip(e), want->data[i].ip))
                continue;
            log_warn_limited(&rate,
                             "chassis '%s' is not registered: chassis '%s' already has the end "
                             "point %s %s; if that one is gone for good, delete it "
                             "(weft-sbctl chassis-del %s)",
                             config->system_id, sb_encap_chassis_name(e), want->data[i].type,
                             want->data[i].ip, sb_encap_chassis_name(e));
            return true;
        }
    }
    return false;
}

static char *encaps_text(const struct config *config, const encaps *want)
{
    struct str s = STR_INIT;
    for (size_t i = 0; i < want->n; i++)
        str_putf(&s, "%s %s %d,", want->data[i].type, want->data[i].ip, config->encap_csum);
    return str_steal(&s);
}

/* The end points are not ours although they were: another controller calls itself by our name. */
static bool is_disputed(const struct registration *r, const struct config *config,
                        const encaps *want)
{
    static struct log_rate rate = LOG_RATE(6, 1);
    char *text = encaps_text(config, want);
    bool is_disputed = r->written && !strcmp(r->written, text);
    free(text);
    if (is_disputed)
        log_warn_limited(&rate,
                         "another controller has registered itself as chassis '%s': give each "
                         "hypervisor its own external_ids:system-id",
                         config->system_id);
    return is_disputed;
}

/* The row of our name was made by another host, at other addresses: a system-id that is there twice. A host that is renamed keeps its
 * addresses or, at new ones, its name; and what we have had is ours. */
static bool is_anothers(const struct registration *r, const struct config *config,
                        const struct replica *sb, const struct sb_chassis *row, const encaps *want)
{
    static struct log_rate rate = LOG_RATE(6, 1);
    const char *host = sb_chassis_hostname(row);
    const struct datum *have = sb_chassis_encaps(row);
    if ((r->name && !strcmp(r->name, config->system_id)) || !*host ||
        !strcmp(host, config->hostname) || !have->n)
        return false;
    for (size_t i = 0; i < have->n; i++) {
        const struct row *e =
            replica_row_find(sb, replica_table(sb, "Encap"), &have->atoms[i].uuid);
        for (size_t j = 0; e && j < want->n; j++)
            if (!strcmp(sb_encap_ip(sb_encap_cast(e)), want->data[j].ip))
                return false;
    }
    log_warn_limited(&rate,
                     "chassis '%s' is not registered: host '%s' already has this name; give each "
                     "hypervisor its own external_ids:system-id or, if that one is gone for good, "
                     "delete it (weft-sbctl chassis-del %s)",
                     config->system_id, host, config->system_id);
    return true;
}

/* The rows of our old name get the new one. */
static void rename_rows(const struct registration *r, const struct config *config,
                        const struct replica *sb, struct writer *w)
{
    const struct row *row, *chassis = NULL;
    REPLICA_FOR_EACH(row, pos, sb, replica_table(sb, "Chassis"))
    if (!strcmp(sb_chassis_name(sb_chassis_cast(row)), r->name))
        chassis = row;
    if (!chassis)
        return;
    writer_text(w, "Chassis", &chassis->uuid, "name", config->system_id);
    REPLICA_FOR_EACH(row, pos, sb, replica_table(sb, "Encap"))
    if (!strcmp(sb_encap_chassis_name(sb_encap_cast(row)), r->name))
        writer_text(w, "Encap", &row->uuid, "chassis_name", config->system_id);
    REPLICA_FOR_EACH(row, pos, sb, replica_table(sb, "Chassis_Private"))
    if (!strcmp(sb_chassis_private_name(sb_chassis_private_cast(row)), r->name))
        writer_text(w, "Chassis_Private", &row->uuid, "name", config->system_id);
    writer_comment(w, "chassis '%s' is now called '%s'", r->name, config->system_id);
}

/* Chassis and Chassis_Private, as they should be. ROW: the Chassis as it is, or NULL. */
static void write_rows(struct registration *r, const struct config *config,
                       const struct replica *sb, const struct row *row, const encaps *want,
                       struct writer *w);

void register_run(struct registration *r, const struct config *config, const struct replica *sb,
                  struct writer *w)
{
    encaps want = VEC_INIT;
    wanted_encaps(config, &want);
    const struct row *row = hypervisor_chassis_row(config, sb);
    r->is_refused = row && want.n && is_anothers(r, config, sb, sb_chassis_cast(row), &want);
    if (r->is_refused) {
        encaps_fini(&want);
        return;
    }
    if (!want.n) /* a chassis without an address can serve nobody: wait for the configuration */
        return;
    if (!row && r->name && strcmp(r->name, config->system_id))
        rename_rows(r, config, sb, w);
    else if (!is_taken(config, sb, &want))
        write_rows(r, config, sb, row, &want, w);
    if (row && (!r->name || strcmp(r->name, config->system_id))) {
        registration_fini(r);
        r->name = xstrdup(config->system_id);
    }
    encaps_fini(&want);
}

static void write_rows(struct registration *r, const struct config *config,
                       const struct replica *sb, const struct row *row, const encaps *want,
                       struct writer *w)
{
    struct uuid id;
    if (row) {
        id = row->uuid;
    } else {
        id = writer_insert(w, "Chassis");
        writer_text(w, "Chassis", &id, "name", config->system_id);
        writer_comment(w, "registering chassis '%s'", config->system_id);
    }
    const struct sb_chassis *old = row ? sb_chassis_cast(row) : NULL;
    if (old && encaps_match(old, sb, config, want)) {
        free(r->written);
        r->written = encaps_text(config, want);
    } else if (old && is_disputed(r, config, want)) {
        return;
    } else {
        write_encaps(config, w, &id, want);
    }
    write_details(config, w, &id, old);
    const struct row *private_row = register_private_row(config, sb);
    if (!private_row) {
        struct uuid private_id = writer_insert(w, "Chassis_Private");
        writer_text(w, "Chassis_Private", &private_id, "name", config->system_id);
        writer_uuid(w, "Chassis_Private", &private_id, "chassis", &id);
    } else {
        const struct uuid *at = sb_chassis_private_chassis(sb_chassis_private_cast(private_row));
        if (!at || !uuid_equal(at, &id))
            writer_uuid(w, "Chassis_Private", &private_row->uuid, "chassis", &id);
    }
}

bool register_remove(const struct config *config, const struct replica *sb, struct writer *w)
{
    const struct row *chassis = hypervisor_chassis_row(config, sb), *row;
    const struct row *private_row = register_private_row(config, sb);
    if (!chassis && !private_row)
        return false;
    if (chassis) {
        REPLICA_FOR_EACH(row, pos, sb, replica_table(sb, "Port_Binding"))
        {
            const struct uuid *at = sb_port_binding_chassis(sb_port_binding_cast(row));
            if (!at || !uuid_equal(at, &chassis->uuid))
                continue;
            writer_uuid(w, "Port_Binding", &row->uuid, "chassis", NULL);
            writer_boolean(w, "Port_Binding", &row->uuid, "up", false);
        }
        writer_delete(w, chassis);
    }
    if (private_row)
        writer_delete(w, private_row);
    writer_comment(w, "unregistering chassis '%s'", config->system_id);
    return true;
}
