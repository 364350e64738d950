/* main.c - weft-appctl. The work is in appctl.c, so that tests can hold it. */
#include "tools/appctl/appctl.h"

int main(int argc, char **argv)
{
    return appctl_main(argc, argv);
}
