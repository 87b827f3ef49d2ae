/* A black box to learn from: the price of a European call (Black and Scholes 1973), by spot, time to maturity and volatility.
 *
 *     cc -O2 -shared -fPIC -o black_scholes.so black_scholes.c -lm
 *
 * and in the cfg, below [net] with inputs=3 (a pair low,high for each input: one step outside of it the time is still positive):
 *
 *     [data]
 *     function=./black_scholes.so:price
 *     domain=50,150, .25,2, .1,.5
 *
 *     C = S N(d1) - K exp(-r T) N(d2)      d1 = (log(S / K) + (r + sigma^2 / 2) T) / (sigma sqrt(T))      d2 = d1 - sigma sqrt(T)
 *
 * Spot and price are in one currency, time in years, the volatility per square root of a year. Derivatives (the greeks) are left to
 * whoever calls. */
#include <math.h>

static const double strike = 100, rate = .03;

/* The standard normal distribution function N. */
static double normal_below(double d)
{
    return erfc(-d / sqrt(2)) / 2;
}

/* x: spot, time to maturity, volatility. y: price of the call. 0: done, 1: the arguments are outside of the model. */
int price(const double *x, int n, double *y, int m)
{
    if (n != 3 || m != 1)
        return 1;
    const double spot = x[0], maturity = x[1], volatility = x[2];
    if (!(spot > 0 && maturity > 0 && volatility > 0))
        return 1;
    const double deviation = volatility * sqrt(maturity);
    const double d1 = (log(spot / strike) + (rate + volatility * volatility / 2) * maturity) / deviation, d2 = d1 - deviation;
    y[0] = spot * normal_below(d1) - strike * exp(-rate * maturity) * normal_below(d2);
    return 0;
}
