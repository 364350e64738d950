/* row.c - ACL rows into facts (rooms 1 and 2 of docs/architecture.md): the match parsed, the words as numbers. A row whose match is
 * none is left out and complained of; the others go on.
 */
#include "northd/acl/acl.h"
#include "rows/nb.h"

enum { ACL_PRIORITY_OFFSET = 1000 }; /* room for flows of northd's own below and above */

static enum acl_action parse_action(const char *text)
{
    static const char *const words[] = {[ACL_ALLOW] = "allow",
                                        [ACL_ALLOW_RELATED] = "allow-related",
                                        [ACL_ALLOW_STATELESS] = "allow-stateless",
                                        [ACL_DROP] = "drop",
                                        [ACL_REJECT] = "reject",
                                        [ACL_PASS] = "pass"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (!strcmp(text, words[i]))
            return (enum acl_action)i;
    return ACL_DROP; /* the schema has no other word */
}

static bool is_true(const struct nb_acl *row, const char *option)
{
    const char *value = nb_acl_options_value(row, option);
    return value && !strcmp(value, "true");
}

static enum acl_place parse_place(const struct nb_acl *row)
{
    if (!strcmp(nb_acl_direction(row), "to-lport"))
        return ACL_OUT;
    return is_true(row, "apply-after-lb") ? ACL_IN_AFTER_LB : ACL_IN;
}

static void complain(struct inc_ctx *ctx, struct northd_program *p, const struct nb_acl *row,
                     const char *problem)
{
    char uuid[UUID_TEXT_LEN + 1];
    const char *name = nb_acl_name(row);
    program_complain(ctx, p, nb_acl_uuid(row), "ACL %s%s%s%s, match \"%s\": %s",
                     uuid_print(nb_acl_uuid(row), uuid), name ? " (" : "", name ? name : "",
                     name ? ")" : "", nb_acl_match(row), problem);
}

static struct expr *parse_match(struct inc_ctx *ctx, struct northd_program *p,
                                const struct nb_acl *row)
{
    struct diag diag = DIAG_INIT;
    struct expr *match = NULL;
    if (lflows_judge_match(p->exprs, nb_acl_match(row), &match, &diag)) {
        if (diag.offset >= 0)
            diag_prefix(&diag, "left out, wrong at position %ld: ", diag.offset + 1);
        complain(ctx, p, row, diag_text(&diag));
        diag_fini(&diag);
        return NULL;
    }
    return match;
}

static void put_log(struct northd_program *p, const struct nb_acl *row, struct fact_acl *f)
{
    if (!nb_acl_log(row))
        return;
    f->flags |= ACL_LOG | (f->label && is_true(row, "log-related") ? ACL_LOG_RELATED : 0u);
    f->name = program_intern(p, nb_acl_name(row));
    f->severity = program_intern(p, nb_acl_severity(row) ? nb_acl_severity(row) : "info");
    f->meter = program_intern(p, nb_acl_meter(row));
}

void acl_row(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *in = inc_read_one(ctx, p->acl.in_acl_by_uuid, key);
    const struct nb_acl *row = nb_acl_cast(in->row);
    struct fact_acl f;
    INC_CLEAR(f);
    f.match = parse_match(ctx, p, row);
    if (!f.match)
        return;
    f.uuid = in->uuid;
    f.priority = (uint16_t)(nb_acl_priority(row) + ACL_PRIORITY_OFFSET);
    f.place = (uint8_t)parse_place(row);
    f.action = (uint8_t)parse_action(nb_acl_action(row));
    f.tier = (uint32_t)nb_acl_tier(row);
    if (f.action == ACL_ALLOW || f.action == ACL_ALLOW_RELATED)
        f.label = (uint32_t)nb_acl_label(row);
    put_log(p, row, &f);
    if (nb_acl_sample_new(row) || nb_acl_sample_est(row))
        complain(ctx, p, row, "this version of weft-northd does not sample");
    inc_emit_take(ctx, p->acl.acl, &f);
}
