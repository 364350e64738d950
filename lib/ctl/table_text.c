/* table_text.c - see table_text.h. Cells are kept as values until the format is known. */
#include "ctl/table_text.h"

#include <stdlib.h>
#include <string.h>

#include "io/json.h"

struct cell {
    const struct column_type *type;
    const struct datum *value; /* NULL: text */
    char *text;
};

struct table_text {
    char *caption; /* NULL: none */
    VEC(char *) headings;
    VEC(struct cell) cells;
};

struct table_text *table_text_new(void)
{
    return NEW(struct table_text);
}

void table_text_free(struct table_text *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->headings.n; i++)
        free(table->headings.data[i]);
    for (size_t i = 0; i < table->cells.n; i++) {
        datum_unref(table->cells.data[i].value);
        free(table->cells.data[i].text);
    }
    vec_fini(&table->headings);
    vec_fini(&table->cells);
    free(table->caption);
    free(table);
}

void table_text_set_caption(struct table_text *table, const char *caption)
{
    free(table->caption);
    table->caption = xstrdup(caption);
}

void table_text_add_heading(struct table_text *table, const char *heading)
{
    vec_push(&table->headings, xstrdup(heading));
}

void table_text_add_value(struct table_text *table, const struct column_type *type,
                          const struct datum *value)
{
    struct cell cell = {type, datum_ref(value), NULL};
    vec_push(&table->cells, cell);
}

void table_text_add_text(struct table_text *table, const char *text)
{
    struct cell cell = {NULL, NULL, xstrdup(text)};
    vec_push(&table->cells, cell);
}

static size_t n_rows(const struct table_text *table)
{
    return table->headings.n ? table->cells.n / table->headings.n : 0;
}

static const struct cell *cell_at(const struct table_text *table, size_t row, size_t column)
{
    return &table->cells.data[row * table->headings.n + column];
}

/* Owned by the caller. */
static char *cell_text(const struct cell *cell, enum value_style style)
{
    struct str text = STR_INIT;
    if (cell->value)
        value_print(cell->type, cell->value, style, &text);
    else
        str_put(&text, cell->text);
    return str_steal(&text);
}

static void print_list(const struct table_text *table, const struct table_style *style,
                       struct str *out)
{
    for (size_t r = 0; r < n_rows(table); r++) {
        if (r)
            str_putc(out, '\n');
        for (size_t c = 0; c < table->headings.n; c++) {
            if (style->headings)
                str_putf(out, "%-20s: ", table->headings.data[c]);
            char *text = cell_text(cell_at(table, r, c), style->style);
            str_put(out, text);
            str_putc(out, '\n');
            free(text);
        }
    }
}

static void put_padded(struct str *out, const char *text, size_t width, bool last)
{
    if (last && *text)
        str_put(out, text);
    else if (last)
        while (str_chomp(out, " "))
            ;
    else
        str_putf(out, "%-*s ", (int)width, text);
}

static void print_table(const struct table_text *table, const struct table_style *style,
                        struct str *out)
{
    size_t n = table->headings.n;
    size_t *widths = xcalloc(n + 1, sizeof *widths);
    for (size_t c = 0; c < n; c++) {
        widths[c] = style->headings ? strlen(table->headings.data[c]) : 0;
        for (size_t r = 0; r < n_rows(table); r++) {
            char *text = cell_text(cell_at(table, r, c), style->style);
            widths[c] = MAX(widths[c], strlen(text));
            free(text);
        }
        if (style->max_width)
            widths[c] = MIN(widths[c], (size_t)style->max_width);
    }
    for (size_t c = 0; style->headings && c < n; c++)
        put_padded(out, table->headings.data[c], widths[c], c + 1 == n);
    for (size_t c = 0; style->headings && c < n; c++) {
        str_put(out, c ? " " : "\n");
        for (size_t i = 0; i < widths[c]; i++)
            str_putc(out, '-');
    }
    if (style->headings)
        str_putc(out, '\n');
    for (size_t r = 0; r < n_rows(table); r++) {
        for (size_t c = 0; c < n; c++) {
            char *text = cell_text(cell_at(table, r, c), style->style);
            if (style->max_width && strlen(text) > widths[c])
                text[widths[c]] = '\0';
            put_padded(out, text, widths[c], c + 1 == n);
            free(text);
        }
        str_putc(out, '\n');
    }
    free(widths);
}

static void put_csv(struct str *out, const char *text)
{
    if (!text[strcspn(text, "\n\",")]) {
        str_put(out, text);
        return;
    }
    str_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            str_putc(out, '"');
        str_putc(out, *text);
    }
    str_putc(out, '"');
}

static void print_csv(const struct table_text *table, const struct table_style *style,
                      struct str *out)
{
    size_t n = table->headings.n;
    for (size_t c = 0; style->headings && c < n; c++) {
        str_put(out, c ? "," : "");
        put_csv(out, table->headings.data[c]);
    }
    if (style->headings)
        str_putc(out, '\n');
    for (size_t r = 0; r < n_rows(table); r++) {
        for (size_t c = 0; c < n; c++) {
            str_put(out, c ? "," : "");
            char *text = cell_text(cell_at(table, r, c), style->style);
            put_csv(out, text);
            free(text);
        }
        str_putc(out, '\n');
    }
}

static void put_html_char(struct str *out, char c)
{
    if (c == '&')
        str_put(out, "&amp;");
    else if (c == '<')
        str_put(out, "&lt;");
    else if (c == '>')
        str_put(out, "&gt;");
    else if (c == '"')
        str_put(out, "&quot;");
    else
        str_putc(out, c);
}

static void put_html(struct str *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n && text[i]; i++)
        put_html_char(out, text[i]);
}

static bool begins_with_uuid(const char *text)
{
    char first[UUID_TEXT_LEN + 1];
    struct uuid uuid;
    size_t n = strnlen(text, UUID_TEXT_LEN);
    memcpy(first, text, n);
    first[n] = '\0';
    return uuid_parse(first, &uuid);
}

/* Uuids as short links to the anchors that the rows' own are. */
static void put_linked(struct str *out, const char *text)
{
    while (*text)
        if (begins_with_uuid(text)) {
            str_putf(out, "<a href=\"#%.*s\">%.8s</a>", UUID_TEXT_LEN, text, text);
            text += UUID_TEXT_LEN;
        } else {
            put_html_char(out, *text++);
        }
}

static void put_html_cell(struct str *out, const char *heading, const char *text)
{
    str_put(out, "    <td>");
    if (!strcmp(heading, "_uuid")) {
        str_put(out, "<a name=\"");
        put_html(out, text, SIZE_MAX);
        str_put(out, "\">");
        put_html(out, text, 8);
        str_put(out, "</a>");
    } else {
        put_linked(out, text);
    }
    str_put(out, "</td>\n");
}

static void print_html(const struct table_text *table, const struct table_style *style,
                       struct str *out)
{
    str_put(out, "<table border=1>\n");
    if (table->caption) {
        str_put(out, "    <caption>");
        put_html(out, table->caption, SIZE_MAX);
        str_put(out, "</caption>\n");
    }
    if (style->headings) {
        str_put(out, "  <tr>\n");
        for (size_t c = 0; c < table->headings.n; c++) {
            str_put(out, "    <th>");
            put_html(out, table->headings.data[c], SIZE_MAX);
            str_put(out, "</th>\n");
        }
        str_put(out, "  </tr>\n");
    }
    for (size_t r = 0; r < n_rows(table); r++) {
        str_put(out, "  <tr>\n");
        for (size_t c = 0; c < table->headings.n; c++) {
            char *text = cell_text(cell_at(table, r, c), style->style);
            put_html_cell(out, table->headings.data[c], text);
            free(text);
        }
        str_put(out, "  </tr>\n");
    }
    str_put(out, "</table>\n");
}

/* Closing brackets stand at the end of the line before, as the field's tools print them. A line
 * break within a string is escaped, so what looks like one is one. */
static void put_pretty(const char *text, struct str *out)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        str_put_n(out, text, n);
        text += n;
        size_t blank = strspn(text, "\n ");
        if (text[blank] != ']' && text[blank] != '}')
            str_put_n(out, text, blank);
        text += blank;
    }
}

static void print_json(const struct table_text *table, const struct table_style *style,
                       struct str *out)
{
    json_t *headings = json_array(), *data = json_array();
    for (size_t c = 0; c < table->headings.n; c++)
        json_array_append_new(headings, json_string(table->headings.data[c]));
    for (size_t r = 0; r < n_rows(table); r++) {
        json_t *row = json_array();
        for (size_t c = 0; c < table->headings.n; c++) {
            const struct cell *cell = cell_at(table, r, c);
            json_array_append_new(row, cell->value ? datum_to_json(cell->value)
                                                   : json_string(cell->text));
        }
        json_array_append_new(data, row);
    }
    json_t *json = json_pack("{s: o, s: o}", "data", data, "headings", headings);
    if (table->caption)
        json_object_set_new(json, "caption", json_string(table->caption));
    if (style->pretty) {
        char *text = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS);
        put_pretty(text, out);
        free(text);
    } else {
        json_put(json, true, out);
    }
    str_putc(out, '\n');
    json_decref(json);
}

void table_text_print(const struct table_text *table, const struct table_style *style,
                      struct str *out)
{
    if (table->caption && style->format != TABLE_JSON && style->format != TABLE_HTML)
        str_putf(out, "%s\n", table->caption);
    switch (style->format) {
    case TABLE_LIST:
        print_list(table, style, out);
        return;
    case TABLE_TABLE:
        print_table(table, style, out);
        return;
    case TABLE_HTML:
        print_html(table, style, out);
        return;
    case TABLE_CSV:
        print_csv(table, style, out);
        return;
    case TABLE_JSON:
        print_json(table, style, out);
        return;
    }
}

bool table_format_parse(const char *text, enum table_format *ret)
{
    static const char *const names[] = {"list", "table", "html", "csv", "json"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(text, names[i])) {
            *ret = (enum table_format)i;
            return true;
        }
    return false;
}

bool value_style_parse(const char *text, enum value_style *ret)
{
    static const char *const names[] = {"string", "bare", "json"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(text, names[i])) {
            *ret = (enum value_style)i;
            return true;
        }
    return false;
}
