/* main.c - rowgen: generates typed row access and documentation from the schema files in schemas/.
 *
 *     rowgen rows PREFIX SCHEMA.json OUT.h OUT.c
 *     rowgen doc TITLE SCHEMA.json OUT.md
 *     rowgen wire SCHEMA.json OUT.ovsschema
 *
 * Runs during the build, before the libraries but base. Writes whole files or nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schemas/rowgen/model.h"

static bool is_same(const char *file, const struct str *text)
{
    FILE *stream = fopen(file, "r");
    char *old = xmalloc(text->n + 1);
    size_t n = stream ? fread(old, 1, text->n + 1, stream) : 0;
    bool same = stream && n == text->n && !memcmp(old, str_c(text), n);
    if (stream)
        fclose(stream);
    free(old);
    return same;
}

/* A file that has the text already is left alone, so that nothing is compiled again for it. */
static void write_file(const char *file, struct str *text)
{
    if (!is_same(file, text)) {
        FILE *stream = fopen(file, "w");
        if (!stream || fwrite(str_c(text), 1, text->n, stream) != text->n || fclose(stream)) {
            fprintf(stderr, "rowgen: cannot write %s\n", file);
            exit(1);
        }
    }
    str_fini(text);
}

static void generate_rows(char **args)
{
    struct model model;
    struct str out = STR_INIT;
    model_load(&model, args[1]);
    rows_write_header(&model, args[0], &out);
    write_file(args[2], &out);
    rows_write_source(&model, args[0], &out);
    write_file(args[3], &out);
    model_fini(&model);
}

static void generate_doc(char **args)
{
    struct model model;
    struct str out = STR_INIT;
    model_load(&model, args[1]);
    doc_write(&model, args[0], &out);
    write_file(args[2], &out);
    model_fini(&model);
}

static void generate_wire(char **args)
{
    struct model model;
    struct str out = STR_INIT;
    model_load(&model, args[0]);
    char *text = model_wire_text(&model);
    str_putf(&out, "%s\n", text);
    free(text);
    write_file(args[1], &out);
    model_fini(&model);
}

int main(int argc, char **argv)
{
    if (argc == 6 && !strcmp(argv[1], "rows")) {
        generate_rows(argv + 2);
    } else if (argc == 5 && !strcmp(argv[1], "doc")) {
        generate_doc(argv + 2);
    } else if (argc == 4 && !strcmp(argv[1], "wire")) {
        generate_wire(argv + 2);
    } else {
        fprintf(stderr, "usage: rowgen rows PREFIX SCHEMA.json OUT.h OUT.c\n"
                        "       rowgen doc TITLE SCHEMA.json OUT.md\n"
                        "       rowgen wire SCHEMA.json OUT.ovsschema\n");
        return 2;
    }
    return 0;
}
