/* store_model.c - random transactions against a store and against a model that is too simple to be
 * wrong: fixed arrays, every rule of the commit checked by looking at everything.
 *
 * After each flush the store must hold what the model holds, its counts and indexes must equal a
 * recount, and a copy kept from the change sets alone must equal it too. Now and then the disk "fills
 * up" (everything pending has to be undone) or the file is closed and opened again.
 *
 *     oracle_store_model [TRANSACTIONS [SEED]]
 */
#include "oracle/store_model.h"

/* ---- random operations, as JSON and on the model ---- */

struct builder {
    struct run *run;
    struct str json;
    struct state *state;
    bool gone[N_TABLES][N_IDS]; /* there before and deleted in this transaction */
    const char *error;          /* of the operation being built */
    int count;
};

static const char *uuid_text(int table, int id, char buf[UUID_TEXT_LEN + 1])
{
    if (id == NOWHERE)
        snprintf(buf, UUID_TEXT_LEN + 1, "00000000-0000-0000-0000-000000000000");
    else
        snprintf(buf, UUID_TEXT_LEN + 1, "0000000%x-0000-4000-8000-0000000000%02x", table & 15u,
                 id & 255u);
    return buf;
}

static void put_uuid(struct str *out, int table, int id)
{
    char buf[UUID_TEXT_LEN + 1];
    str_putf(out, "[\"uuid\",\"%s\"]", uuid_text(table, id, buf));
}

/* Mostly a row that is there. */
static int pick_id(struct builder *b, int table)
{
    for (int i = 0; i < 12; i++) {
        int id = (int)pick(b->run, N_IDS);
        if (b->state->rows[table][id].alive)
            return id;
    }
    return (int)pick(b->run, N_IDS);
}

static struct value random_value(struct builder *b, const struct column *c)
{
    struct value value = default_value(c->kind);
    unsigned n = pick(b->run, 4);
    switch (c->kind) {
    case K_TEXT:
        value.v[0] = (int8_t)pick(b->run, 12);
        break;
    case K_INTEGER:
        value.v[0] = (int8_t)((int)pick(b->run, 43) - 21);
        break;
    case K_SET13:
        memset(value.v, 0, sizeof value.v);
        n = pick(b->run, 20) ? 1 + pick(b->run, 3) : 0;
        /* fall through */
    case K_SET:
        while (n--)
            value.v[pick(b->run, N_IDS)] = 1;
        break;
    case K_REFS:
    case K_WEAK_SET:
        while (n--)
            value.v[pick_id(b, c->target)] = 1;
        break;
    case K_REF:
    case K_WEAK:
        value.v[0] = (int8_t)(n ? pick_id(b, c->target) : NONE);
        break;
    case K_NEED:
        value.v[0] = (int8_t)pick_id(b, c->target);
        break;
    case K_WEAK_MAP:
        while (n--)
            value.v[pick(b->run, 4)] = (int8_t)pick_id(b, c->target);
        break;
    case K_MIX:
        while (n--)
            value.v[pick_id(b, c->target)] = (int8_t)pick_id(b, c->target);
        break;
    }
    return value;
}

static void put_element(struct str *out, const struct column *c, int slot,
                        const struct value *value)
{
    switch (c->kind) {
    case K_REFS:
    case K_WEAK_SET:
        put_uuid(out, c->target, slot);
        break;
    case K_WEAK_MAP:
        str_putf(out, "[\"k%d\",", slot);
        put_uuid(out, c->target, value->v[slot]);
        str_putc(out, ']');
        break;
    case K_MIX:
        str_putc(out, '[');
        put_uuid(out, c->target, slot);
        str_putc(out, ',');
        put_uuid(out, c->target, value->v[slot]);
        str_putc(out, ']');
        break;
    default:
        str_putf(out, "%d", slot);
    }
}

static void put_value(struct str *out, const struct column *c, const struct value *value)
{
    int absent = is_map(c->kind) ? NONE : 0, n = 0;
    if (c->kind == K_TEXT) {
        str_putf(out, "\"n%d\"", value->v[0]);
    } else if (c->kind == K_INTEGER) {
        str_putf(out, "%d", value->v[0]);
    } else if (!is_set(c->kind) && !is_map(c->kind)) {
        if (value->v[0] == NONE)
            str_put(out, "[\"set\",[]]");
        else
            put_uuid(out, c->target, value->v[0]);
    } else {
        str_put(out, is_map(c->kind) ? "[\"map\",[" : "[\"set\",[");
        for (int s = 0; s < N_IDS; s++) {
            if (value->v[s] == absent)
                continue;
            str_put(out, n++ ? "," : "");
            put_element(out, c, s, value);
        }
        str_put(out, "]]");
    }
}

static const char *value_error(const struct column *c, const struct value *value)
{
    if (c->kind == K_INTEGER && (value->v[0] < -20 || value->v[0] > 20))
        return "constraint violation";
    if (c->kind == K_SET13 && (count(value) < 1 || count(value) > 3))
        return "syntax error";
    return NULL;
}

/* A random choice of columns: the JSON row, and which columns have which value. */
static void random_row(struct builder *b, int table, struct mrow *row, unsigned *ret_mask)
{
    *ret_mask = 0;
    str_put(&b->json, "{");
    for (int i = 0; i < MAX_COLUMNS && columns[table][i].name; i++) {
        const struct column *c = &columns[table][i];
        if (pick(b->run, 3) == 0 && c->kind != K_NEED)
            continue;
        row->values[i] = random_value(b, c);
        str_putf(&b->json, "%s\"%s\":", *ret_mask ? "," : "", c->name);
        put_value(&b->json, c, &row->values[i]);
        *ret_mask |= 1u << i;
        if (!b->error)
            b->error = value_error(c, &row->values[i]);
    }
    str_put(&b->json, "}");
}

/* A random condition; fills MATCHES. */
static void random_where(struct builder *b, int table, bool matches[N_IDS])
{
    struct str *out = &b->json;
    unsigned how = pick(b->run, 8);
    int id = pick_id(b, table), k = (int)pick(b->run, 21) - 10;
    const struct column *first = &columns[table][0];
    b->count = 0;
    str_put(out, "\"where\":[");
    if (how == 0) {
        str_put(out, "true");
    } else if (how == 1 && first->kind == K_TEXT) {
        k = (int)pick(b->run, 12);
        str_putf(out, "[\"name\",\"==\",\"n%d\"]", k);
    } else if (how == 2) {
        str_putf(out, "[\"%s\",\"<\",%d]",
                 table == T_R   ? "i"
                 : table == T_P ? "a"
                                : first->name,
                 k);
    } else if (how == 3 && table == T_R) {
        str_put(out, "[\"leaf\",\"includes\",");
        id = pick_id(b, T_N);
        put_uuid(out, T_N, id);
        str_putc(out, ']');
    } else if (how == 4 && table == T_R) {
        k = (int)pick(b->run, N_IDS);
        str_putf(out, "[\"si\",\"excludes\",[\"set\",[%d]]]", k);
    } else {
        how = 7;
        str_put(out, "[\"_uuid\",\"==\",");
        put_uuid(out, table, id);
        str_putc(out, ']');
    }
    str_putc(out, ']');
    for (int i = 0; i < N_IDS; i++) {
        const struct mrow *row = &b->state->rows[table][i];
        const struct value *v = row->values;
        int number = table == T_R || table == T_P ? v[1].v[0] : v[0].v[0];
        matches[i] = row->alive && (how == 0   ? true
                                    : how == 1 ? v[0].v[0] == k
                                    : how == 2 ? number < k
                                    : how == 3 ? v[4].v[id] != 0
                                    : how == 4 ? v[2].v[k] == 0
                                               : i == id);
        b->count += matches[i];
    }
}

static void build_insert(struct builder *b)
{
    int table = (int)pick(b->run, N_TABLES), id = (int)pick(b->run, N_IDS);
    char buf[UUID_TEXT_LEN + 1];
    struct mrow row = {.alive = true};
    unsigned mask;
    for (int i = 0; i < 4 && b->state->rows[table][id].alive; i++)
        id = (int)pick(b->run, N_IDS);
    for (int i = 0; i < MAX_COLUMNS; i++)
        row.values[i] = default_value(columns[table][i].kind);
    str_putf(&b->json,
             "{\"op\":\"insert\",\"table\":\"%c\",\"uuid\":\"%s\",\"row\":", "NOPR"[table],
             uuid_text(table, id, buf));
    random_row(b, table, &row, &mask);
    str_putc(&b->json, '}');
    if (!b->error && (b->state->rows[table][id].alive || b->gone[table][id]))
        b->error = "duplicate uuid";
    if (!b->error)
        b->state->rows[table][id] = row;
    b->count = -1;
}

static void build_update(struct builder *b)
{
    int table = (int)pick(b->run, N_TABLES);
    bool matches[N_IDS];
    struct mrow row;
    unsigned mask;
    str_putf(&b->json, "{\"op\":\"update\",\"table\":\"%c\",", "NOPR"[table]);
    random_where(b, table, matches);
    str_put(&b->json, ",\"row\":");
    random_row(b, table, &row, &mask);
    str_putc(&b->json, '}');
    for (int i = 0; !b->error && i < N_IDS; i++) {
        for (int c = 0; matches[i] && c < MAX_COLUMNS; c++) {
            if (mask >> c & 1)
                b->state->rows[table][i].values[c] = row.values[c];
        }
    }
}

static void build_delete(struct builder *b)
{
    int table = (int)pick(b->run, N_TABLES);
    bool matches[N_IDS];
    str_putf(&b->json, "{\"op\":\"delete\",\"table\":\"%c\",", "NOPR"[table]);
    random_where(b, table, matches);
    str_putc(&b->json, '}');
    for (int i = 0; i < N_IDS; i++) {
        if (matches[i]) {
            b->state->rows[table][i].alive = false;
            b->gone[table][i] |= b->run->now.rows[table][i].alive;
        }
    }
}

static void mutate_set(struct builder *b, const struct column *c, struct value *value,
                       const struct value *arg, bool is_insert)
{
    int absent = is_map(c->kind) ? NONE : 0;
    for (int s = 0; s < N_IDS; s++) {
        if (arg->v[s] == absent)
            continue;
        if (is_insert && value->v[s] == absent)
            value->v[s] = arg->v[s];
        else if (!is_insert && value->v[s] == arg->v[s])
            value->v[s] = (int8_t)absent;
    }
    if (c->kind == K_SET13 && (count(value) < 1 || count(value) > 3) && !b->error)
        b->error = "constraint violation";
}

static void build_mutate(struct builder *b)
{
    int table = pick(b->run, 4) ? T_R : T_N;
    int column;
    bool matches[N_IDS], is_insert = pick(b->run, 2);
    do
        column = (int)pick(b->run, MAX_COLUMNS);
    while (!columns[table][column].name);
    const struct column *c = &columns[table][column];
    str_putf(&b->json, "{\"op\":\"mutate\",\"table\":\"%c\",", "NOPR"[table]);
    random_where(b, table, matches);
    str_put(&b->json, ",\"mutations\":[");
    if (c->kind == K_INTEGER) {
        int k = (int)pick(b->run, 9) - 4;
        str_putf(&b->json, "[\"%s\",\"+=\",%d]", c->name, k);
        for (int i = 0; !b->error && i < N_IDS; i++) {
            struct value *value = &b->state->rows[table][i].values[column];
            if (matches[i])
                value->v[0] = (int8_t)(value->v[0] + k);
            if (matches[i])
                b->error = value_error(c, value);
        }
    } else if (is_set(c->kind) || is_map(c->kind)) {
        struct value arg = random_value(b, c);
        str_putf(&b->json, "[\"%s\",\"%s\",", c->name, is_insert ? "insert" : "delete");
        put_value(&b->json, c, &arg);
        str_putc(&b->json, ']');
        for (int i = 0; !b->error && i < N_IDS; i++) {
            if (matches[i])
                mutate_set(b, c, &b->state->rows[table][i].values[column], &arg, is_insert);
        }
    }
    str_put(&b->json, "]}");
}

/* ---- running ---- */

struct pending {
    struct run *run;
    struct ops *ops;
    char *text;
    VEC(int) counts; /* -1: not compared */
    const char *error;
    size_t error_at; /* operation, or the number of operations for the commit */
    bool is_done, disk_failed;
};

static void check_done(void *aux, const struct store_result *result)
{
    struct pending *p = aux;
    const struct op_error *last = result->commit_error.error ? &result->commit_error
                                  : result->n                ? &result->results[result->n - 1].error
                                                             : &result->commit_error;
    p->is_done = true;
    p->disk_failed = last->error && !strcmp(last->error, "I/O error");
    if (p->disk_failed)
        return;
    size_t at = result->commit_error.error ? result->n : result->n - 1;
    if (!last->error != !p->error ||
        (p->error && (strcmp(last->error, p->error) || at != p->error_at)))
        bug("%s\nstore: %s (%s) at %zu\nmodel: %s at %zu", p->text,
            last->error ? last->error : "ok", last->details ? last->details : "", at,
            p->error ? p->error : "ok", p->error_at);
    for (size_t i = 0; i < result->n; i++) {
        if (!result->results[i].error.error && p->counts.data[i] >= 0 &&
            (int)result->results[i].count != p->counts.data[i])
            bug("%s\noperation %zu: count %llu, model %d", p->text, i,
                (unsigned long long)result->results[i].count, p->counts.data[i]);
    }
    p->run->n_done++;
    p->run->n_ok += result->committed;
}

static struct pending *build(struct run *run)
{
    static void (*const builders[])(struct builder *) = {build_insert, build_insert, build_insert,
                                                         build_update, build_mutate, build_mutate,
                                                         build_delete};
    struct pending *p = NEW(struct pending);
    struct state next = run->now;
    struct builder b = {.run = run, .state = &next};
    unsigned n = 1 + pick(run, 6);
    p->run = run;
    str_put(&b.json, "[\"M\"");
    for (unsigned i = 0; i < n && !b.error; i++) {
        str_put(&b.json, ",");
        builders[pick(run, ARRAY_SIZE(builders))](&b);
        vec_push(&p->counts, b.count);
        p->error_at = i;
    }
    str_put(&b.json, "]");
    p->error = b.error;
    if (!p->error) {
        p->error = model_commit(&next);
        p->error_at = n;
    }
    if (!p->error)
        run->now = next;
    p->text = str_steal(&b.json);
    return p;
}

static void submit(struct run *run, struct pending *p)
{
    json_t *params = json_loads(p->text, 0, NULL);
    INVARIANT(params);
    p->ops = ops_from_json(store_schema(run->store), params, &run->env.env);
    json_decref(params);
    struct store_request request = {.ops = p->ops, .done = check_done, .aux = p};
    store_submit(run->store, &request);
}

/* ---- comparing ---- */

static int id_of(const struct uuid *uuid)
{
    return uuid_is_zero(uuid) ? NOWHERE : uuid->bytes[15];
}

static struct value value_of(const struct column *c, const struct datum *d)
{
    struct value value = default_value(c->kind);
    if (c->kind == K_TEXT)
        value.v[0] = (int8_t)(d->atoms[0].string->n ? atoi(d->atoms[0].string->s + 1) : NOWHERE);
    else if (c->kind == K_INTEGER)
        value.v[0] = (int8_t)d->atoms[0].integer;
    else if (!is_set(c->kind) && !is_map(c->kind))
        value.v[0] = (int8_t)(d->n ? id_of(&d->atoms[0].uuid) : NONE);
    else if (c->kind == K_SET13)
        value.v[0] = 0;
    for (size_t i = 0; (is_set(c->kind) || is_map(c->kind)) && i < d->n; i++) {
        const union atom *key = &d->atoms[i];
        int slot = d->key_type == ATOM_UUID      ? id_of(&key->uuid)
                   : d->key_type == ATOM_INTEGER ? (int)key->integer
                                                 : key->string->s[1] - '0';
        value.v[slot] = (int8_t)(is_map(c->kind) ? id_of(&datum_values(d)[i].uuid) : 1);
    }
    return value;
}

static void row_to_model(const struct row *row, struct mrow *ret)
{
    *ret = (struct mrow){.alive = true};
    for (int i = 0; i < MAX_COLUMNS && columns[row->table->index][i].name; i++) {
        const struct column *c = &columns[row->table->index][i];
        ret->values[i] = value_of(c, row_get(row, schema_column_find(row->table, c->name)));
    }
}

static void check_equal(const struct state *a, const struct state *b, const char *what)
{
    for (int t = 0; t < N_TABLES; t++) {
        for (int id = 0; id < N_IDS; id++) {
            const struct mrow *x = &a->rows[t][id], *y = &b->rows[t][id];
            if (x->alive != y->alive)
                bug("%s: row %d of table %c: store %d, model %d", what, id, "NOPR"[t], x -> alive,
                    y -> alive);
            for (int c = 0; x->alive && c < MAX_COLUMNS && columns[t][c].name; c++) {
                if (memcmp(&x->values[c], &y->values[c], sizeof x->values[c]))
                    bug("%s: row %d of table %c: column %s differs", what, id, "NOPR"[t],
                        columns[t][c].name);
            }
        }
    }
}

static void check_state(struct run *run)
{
    struct state state = {0};
    for (int t = 0; t < N_TABLES; t++) {
        const struct row *row;
        const struct schema_table *table = &store_schema(run->store)->tables[t];
        for (size_t pos = 0; (row = store_next_row(run->store, table, &pos)) != NULL;)
            row_to_model(row, &state.rows[t][id_of(&row->uuid)]);
    }
    check_equal(&state, &run->now, "store");
    check_equal(&run->copy, &run->now, "copy from change sets");
    store_check_invariants(run->store);
}

static void follow(void *aux, const struct changeset *cs)
{
    struct run *run = aux;
    INVARIANT(cs->n);
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        const struct row *row = c->after ? c->after : c->before;
        struct mrow *mine = &run->copy.rows[row->table->index][id_of(&row->uuid)], before;
        INVARIANT(mine->alive == (c->before != NULL));
        if (c->before) {
            row_to_model(c->before, &before);
            INVARIANT(!memcmp(&before, mine, sizeof before));
        }
        INVARIANT(!c->before || !c->after || !row_equal(c->before, c->after));
        *mine = (struct mrow){.alive = false};
        if (c->after)
            row_to_model(c->after, mine);
    }
}

static void open_run(struct run *run)
{
    struct store_options options = {.env = &run->env.env,
                                    .path = run->path,
                                    .schema_text = schema_text,
                                    .create = true,
                                    .relaxed = true};
    struct diag diag = DIAG_INIT;
    if (store_open(&options, &run->store, &diag))
        bug("%s", diag_text(&diag));
    store_subscribe(run->store, follow, run);
}

/* Flushes; when FAIL, onto a disk that is full. */
static void flush(struct run *run, struct pending **pending, size_t n, bool fail)
{
    struct rlimit limit, none;
    bool failed = false;
    getrlimit(RLIMIT_FSIZE, &limit);
    none = limit;
    none.rlim_cur = 1;
    if (fail)
        setrlimit(RLIMIT_FSIZE, &none);
    store_flush(run->store);
    setrlimit(RLIMIT_FSIZE, &limit);
    for (size_t i = 0; i < n; i++) {
        INVARIANT(pending[i]->is_done);
        failed |= pending[i]->disk_failed;
        ops_free(pending[i]->ops);
        vec_fini(&pending[i]->counts);
        free(pending[i]->text);
        free(pending[i]);
    }
    if (failed) {
        run->n_failed_disk++;
        run->now = run->durable;
    }
    run->durable = run->now;
}

static void run_one_batch(struct run *run)
{
    struct pending *pending[4];
    size_t n = 1 + (pick(run, 3) ? 0 : pick(run, 4));
    for (size_t i = 0; i < n; i++) {
        pending[i] = build(run);
        submit(run, pending[i]);
    }
    flush(run, pending, n, pick(run, 50) == 0);
    check_state(run);
    if (pick(run, 400) == 0) {
        store_close(run->store);
        open_run(run);
        check_state(run);
    }
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    struct run run = {.path = "/tmp/weft-model-XXXXXX"};
    char command[128];
    signal(SIGXFSZ, SIG_IGN);
    env_seeded_init(&run.env, argc > 2 ? strtoul(argv[2], NULL, 10) : 1);
    INVARIANT(mkdtemp(run.path));
    snprintf(command, sizeof command, "rm -rf %s", run.path);
    strcat(run.path, "/db");
    open_run(&run);
    while (run.n_done < n)
        run_one_batch(&run);
    store_close(run.store);
    INVARIANT(system(command) == 0);
    printf("%zu transactions, %zu committed, %zu times the disk was full: store and model agree\n",
           run.n_done, run.n_ok, run.n_failed_disk);
    return run.n_ok > n / 10 ? 0 : 1;
}
