/* Numbers that may not be given: NaN. */
#ifndef DNX_CORE_MISSING_H
#define DNX_CORE_MISSING_H

/* a b, where a zero factor a needs no other: what is not given may stand beside it. */
static inline double product_given(double a, double b)
{
    return a == 0 ? 0 : a * b;
}

#endif
