/* main.c - weft-dbctl: database files and OVSDB servers from the command line. See dbctl.h. */
#include "tools/dbctl/dbctl.h"

int main(int argc, char **argv)
{
    return dbctl_main(argc, argv);
}
