/* tls_db.c - keys and certificates that rows of a served database name: db:DB,TABLE,COLUMN.
 *
 * ovn-nbctl set-ssl and ovs-vsctl set-ssl write such rows. They are read at the start and after each
 * transaction that touches their table; remotes keep listening meanwhile, and a connection that
 * comes while nothing usable is named is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "ovsdb/server/server_impl.h"

/* The first text in the column, NULL when there is none. Owned by the caller. */
static char *text_in_column(const struct store *store, const struct schema_column *column)
{
    const struct row *row;
    if (!column || column->index < 0 || column->type.key.type != ATOM_STRING || column->type.is_map)
        return NULL;
    for (size_t pos = 0; (row = store_next_row(store, column->table, &pos)) != NULL;) {
        const struct datum *value = row_get(row, column);
        for (size_t i = 0; i < value->n; i++) {
            if (value->atoms[i].string->n)
                return xstrdup(value->atoms[i].string->s);
        }
    }
    return NULL;
}

static char *text_in_db(const struct ovsdb_server *server, const char *spec)
{
    char *copy = xstrdup(spec + strlen("db:")), *save = NULL;
    const char *db = strtok_r(copy, ",", &save), *table_name = strtok_r(NULL, ",", &save);
    const char *column = strtok_r(NULL, ",", &save);
    const struct store *store = column ? ovsdb_server_find_db(server, db) : NULL;
    const struct schema_table *table =
        store ? schema_table_find(store_schema(store), table_name) : NULL;
    char *ret = table ? text_in_column(store, schema_column_find(table, column)) : NULL;
    free(copy);
    return ret;
}

static char *value_of(const struct ovsdb_server *server, const char *text)
{
    if (!text)
        return NULL;
    return text_starts_with(text, "db:") ? text_in_db(server, text) : xstrdup(text);
}

static bool set_value(char **value, char *next)
{
    bool is_new = strcmp(*value ? *value : "", next ? next : "") != 0;
    free(*value);
    *value = next;
    return is_new;
}

void tls_db_refresh(struct ovsdb_server *server)
{
    const struct ovsdb_server_options *options = &server->options;
    struct diag diag = DIAG_INIT;
    bool is_new = false;
    if (!server->tls)
        return;
    for (size_t i = 0; i < TLS_N; i++)
        is_new |= set_value(&server->tls_values[i], value_of(server, server->tls_texts[i]));
    if (!is_new)
        return;
    int err = tls_config_set(server->tls, (const char *const *)server->tls_values, &diag);
    if (options->tls_changed)
        options->tls_changed(options->aux, err ? diag_text(&diag) : NULL);
    diag_fini(&diag);
}

void ovsdb_server_follow_tls(struct ovsdb_server *server, const char *const texts[TLS_N])
{
    INVARIANT(!server->tls);
    if (!texts[TLS_KEY] || !texts[TLS_CERTIFICATE])
        return;
    for (size_t i = 0; i < TLS_N; i++)
        server->tls_texts[i] = texts[i] ? xstrdup(texts[i]) : NULL;
    server->tls = tls_config_new();
    ovsdb_server_set_tls(server, server->tls);
    tls_db_refresh(server);
}

void ovsdb_server_follow_ssl_table(struct ovsdb_server *server, const char *db)
{
    static const char *const columns[TLS_N] = {
        [TLS_KEY] = "private_key",     [TLS_CERTIFICATE] = "certificate",
        [TLS_CA] = "ca_cert",          [TLS_PROTOCOLS] = "ssl_protocols",
        [TLS_CIPHERS] = "ssl_ciphers", [TLS_CIPHERSUITES] = "ssl_ciphersuites",
    };
    char *texts[TLS_N] = {0};
    for (size_t i = 0; i < TLS_N; i++)
        texts[i] = columns[i] ? xasprintf("db:%s,SSL,%s", db, columns[i]) : NULL;
    ovsdb_server_follow_tls(server, (const char *const *)texts);
    for (size_t i = 0; i < TLS_N; i++)
        free(texts[i]);
}

static bool is_read(const struct server_db *db, const char *table)
{
    bool is_read = false;
    char *prefix = xasprintf("db:%s,%s,", store_schema(db->store)->name, table);
    for (size_t i = 0; i < TLS_N; i++)
        is_read |= db->server->tls_texts[i] && text_starts_with(db->server->tls_texts[i], prefix);
    free(prefix);
    return is_read;
}

void tls_db_tell(const struct server_db *db, const struct changeset *cs)
{
    const struct schema_table *last = NULL;
    for (size_t i = 0; i < cs->n; i++) {
        const struct row *row = cs->changes[i].after ? cs->changes[i].after : cs->changes[i].before;
        if (row->table != last && is_read(db, row->table->name)) {
            deferred_schedule(&db->server->refresh);
            return;
        }
        last = row->table;
    }
}

void tls_db_fini(struct ovsdb_server *server)
{
    for (size_t i = 0; i < TLS_N; i++) {
        free(server->tls_texts[i]);
        free(server->tls_values[i]);
    }
    tls_config_free(server->tls);
}
