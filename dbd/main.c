/* main.c - weft-dbd. The work is in dbd.c, so that tests can hold it. */
#include "dbd/dbd.h"

int main(int argc, char **argv)
{
    return dbd_main(argc, argv);
}
