/* main.c - weft-northd. See host.h. */
#include "daemon/huge_pages.h"
#include "northd/host.h"

int main(int argc, char **argv)
{
    huge_pages_ask(argv);
    struct host *host = host_new();
    int status = daemon_main(argc, argv, &host_spec, host);
    host_free(host);
    return status;
}
