/* A library that does not survive being loaded, for test_black_box.c. */
#include <stdlib.h>

__attribute__((constructor)) static void begin(void)
{
    abort();
}

int price(const double *x, int n, double *y, int m)
{
    return 0;
}
