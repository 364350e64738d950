/* main.c - weft-lflow: the language of logical flows from the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/lflow/kinds.h"
#include "tools/lflow/pipeline.h"

static void usage(FILE *to)
{
    fputs("weft-lflow: the match and action language of logical flows\n"
          "usage: weft-lflow KIND            answer lines of standard input\n"
          "       weft-lflow explain MATCH   show the steps from a match to flows\n"
          "       weft-lflow pipeline        print the logical pipelines, registers and tables\n"
          "       weft-lflow --help | --version\n\n"
          "For every line of input, KIND prints lines \"key: value\" and an empty line:\n",
          to);
    for (const struct kind *k = kinds; k->name; k++)
        fprintf(to, "  %-12s %s\n", k->name, k->help);
    fputs("\nNames known in this world: ports eth0 eth1 lsp1 lsp2 lsp3 LOCAL,\n"
          "address sets $set1 $set2 $set3 $set4, port groups @pg1 @pg_empty.\n",
          to);
}

static int run_kind(const struct kind *k)
{
    struct session s;
    session_init(&s);
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    struct str out = STR_INIT;
    while ((n = getline(&line, &cap, stdin)) >= 0) {
        if (n && line[n - 1] == '\n')
            line[n - 1] = '\0';
        str_clear(&out);
        k->run(&s, line, &out);
        printf("%s\n", str_c(&out));
    }
    free(line);
    str_fini(&out);
    session_fini(&s);
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}

static int run_explain(const char *match)
{
    struct session s;
    session_init(&s);
    struct str out = STR_INIT;
    int rc = explain(&s, match, &out);
    fputs(str_c(&out), rc ? stderr : stdout);
    str_fini(&out);
    session_fini(&s);
    return rc ? 1 : 0;
}

int main(int argc, char *argv[])
{
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        usage(stdout);
        return 0;
    }
    if (argc == 2 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))) {
        printf("weft-lflow %s\n", WEFT_VERSION);
        return 0;
    }
    if (argc == 2 && !strcmp(argv[1], "pipeline")) {
        struct str out = STR_INIT;
        pipeline_print(&out);
        fputs(str_c(&out), stdout);
        str_fini(&out);
        return fflush(stdout) ? 1 : 0;
    }
    if (argc == 3 && !strcmp(argv[1], "explain"))
        return run_explain(argv[2]);
    for (const struct kind *k = kinds; argc == 2 && k->name; k++)
        if (!strcmp(argv[1], k->name))
            return run_kind(k);
    if (argc == 1)
        usage(stderr);
    else if (!strcmp(argv[1], "explain"))
        fputs("weft-lflow: explain needs one argument, the match (in quotes)\n", stderr);
    else if (argc > 2)
        fprintf(stderr, "weft-lflow: unexpected argument \"%s\" (see --help)\n", argv[2]);
    else
        fprintf(stderr, "weft-lflow: unknown kind \"%s\" (see --help)\n", argv[1]);
    return 2;
}
