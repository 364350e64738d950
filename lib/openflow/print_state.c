/* print_state.c - texts of what a switch tells of its tables, and of who controls it: TABLE_MOD, TABLE_DESC, TABLE_STATUS, ROLE_*. */
#include "openflow/print_impl.h"
#include "openflow/switch.h"
#include "openflow/table.h"

static const char *on_off(uint32_t bit)
{
    return bit ? "on" : "off";
}

static int put_table_mod(struct str *s, const struct of_msg *msg)
{
    struct of_table_mod tm;
    int err = of_table_mod_decode(msg, &tm);
    if (err)
        return err;
    if (tm.id == OF_TABLE_ALL)
        str_put(s, " table_id: ALL_TABLES");
    else
        str_putf(s, " table_id=%u", tm.id);
    if (msg->version < OF13_VERSION) {
        static const char *const misses[] = {"controller", "continue", "drop", "unknown"};
        str_putf(s, ", flow_miss_config=%s", misses[tm.config & OF_TC_MISS]);
    } else if (msg->version >= OF14_VERSION) {
        str_putf(s, ", eviction=%s, vacancy=%s", on_off(tm.config & OF_TC_EVICTION),
                 on_off(tm.config & OF_TC_VACANCY_EVENTS));
        if (tm.config & OF_TC_VACANCY_EVENTS)
            str_putf(s, " vacancy:%u,%u", tm.vacancy_down, tm.vacancy_up);
    }
    str_putc(s, '\n');
    return 0;
}

static void put_desc(struct str *s, const struct of_table_mod *desc)
{
    static const char *const flags[] = {"OTHER", "IMPORTANCE", "LIFETIME"};
    str_putf(s, "\n  table %u:\n   eviction=%s eviction_flags=", desc->id,
             on_off(desc->config & OF_TC_EVICTION));
    print_bits(s, desc->eviction_flags, flags, ARRAY_SIZE(flags), '|');
    str_putf(s, "\n   vacancy=%s", on_off(desc->config & OF_TC_VACANCY_EVENTS));
    if (desc->config & OF_TC_VACANCY_EVENTS)
        str_putf(s, " vacancy_down=%u%% vacancy_up=%u%% vacancy=%u%%", desc->vacancy_down,
                 desc->vacancy_up, desc->vacancy);
    str_putc(s, '\n');
}

static int put_table_descs(struct str *s, const struct of_msg *msg)
{
    struct of_table_mod desc;
    size_t ofs = 0;
    int more;
    while ((more = of_table_desc_next(msg, &ofs, &desc)) > 0)
        put_desc(s, &desc);
    return -more;
}

static int put_table_status(struct str *s, const struct of_msg *msg)
{
    struct of_table_status ts;
    int err = of_table_status_decode(msg, &ts);
    if (err)
        return err;
    str_putf(s, " reason=VACANCY_%s\ntable_desc:-",
             ts.reason == OF_TABLE_VACANCY_DOWN ? "DOWN" : "UP");
    put_desc(s, &ts.desc);
    return 0;
}

static void put_role(struct str *s, const struct of_role_msg *r)
{
    static const char *const roles[] = {"nochange", "equal", "primary", "secondary"};
    str_putf(s, " role=%s", roles[r->role]);
    if (r->have_generation)
        str_putf(s, " generation_id=%llu", (unsigned long long)r->generation_id);
}

static int put_role_message(struct str *s, const struct of_msg *msg)
{
    struct of_role_msg r;
    int err = of_role_decode(msg, &r);
    if (err)
        return err;
    put_role(s, &r);
    str_putc(s, '\n');
    return 0;
}

static int put_role_status(struct str *s, const struct of_msg *msg)
{
    static const char *const reasons[] = {"primary_request", "configuration_changed",
                                          "experimenter_data_changed"};
    struct of_role_status rs;
    int err = of_role_status_decode(msg, &rs);
    if (err)
        return err;
    put_role(s, &rs.role);
    str_putf(s, " reason=%s\n", reasons[rs.reason]);
    return 0;
}

int print_state(struct str *s, const struct of_msg *msg)
{
    switch (msg->type) {
    case OF_TABLE_MOD:
        return put_table_mod(s, msg);
    case OF_TABLE_DESC_REPLY:
        return put_table_descs(s, msg);
    case OF_TABLE_STATUS:
        return put_table_status(s, msg);
    case OF_ROLE_REQUEST:
    case OF_ROLE_REPLY:
        return put_role_message(s, msg);
    case OF_ROLE_STATUS:
        return put_role_status(s, msg);
    default:
        return 0;
    }
}
