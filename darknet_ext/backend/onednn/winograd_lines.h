/* The transforms of Winograd's F(4x4, 3x3), one line of a square at a time, whose elements are `step` vectors apart; included by
 * convolution_winograd.c alone. */
#ifndef DNX_BACKEND_ONEDNN_WINOGRAD_LINES_H
#define DNX_BACKEND_ONEDNN_WINOGRAD_LINES_H

#include "core/hot.h"
#include "core/real.h"

enum { LANES = 8 };

typedef real vector __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real)), may_alias));

#define P .625f /* the points p, -p, q, -q */
#define Q 1.5f
#define P2 (P * P)
#define Q2 (Q * Q)
#define NORM_0 (1 / (P2 * Q2)) /* 1 / product of the differences from the other points */
#define NORM_P (1 / (2 * P2 * (P2 - Q2)))
#define NORM_Q (1 / (2 * Q2 * (Q2 - P2)))

/* A polynomial at p, -p, q and -q, from its even and odd parts at p and q. */
DNX_ALWAYS_INLINE void put_points(vector *out, size_t step, vector even_p, vector odd_p, vector even_q, vector odd_q)
{
    out[step] = even_p + odd_p;
    out[2 * step] = even_p - odd_p;
    out[3 * step] = even_q + odd_q;
    out[4 * step] = even_q - odd_q;
}

/* B^T d: 6 to 6. */
DNX_ALWAYS_INLINE void input_line(const vector *d, size_t step, vector *v, size_t v_step)
{
    const vector d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    const vector even_p = d4 - Q2 * d2, odd_p = P * (d3 - Q2 * d1), even_q = d4 - P2 * d2, odd_q = Q * (d3 - P2 * d1);
    v[0] = P2 * Q2 * d0 - (P2 + Q2) * d2 + d4;
    put_points(v, v_step, even_p, odd_p, even_q, odd_q);
    v[5 * v_step] = P2 * Q2 * d1 - (P2 + Q2) * d3 + d5;
}

/* A^T m: 6 to 4. */
DNX_ALWAYS_INLINE void output_line(const vector *m, size_t step, vector *y, size_t y_step)
{
    const vector sum_p = m[step] + m[2 * step], sum_q = m[3 * step] + m[4 * step];
    const vector difference_p = P * (m[step] - m[2 * step]), difference_q = Q * (m[3 * step] - m[4 * step]);
    y[0] = m[0] + sum_p + sum_q;
    y[y_step] = difference_p + difference_q;
    y[2 * y_step] = P2 * sum_p + Q2 * sum_q;
    y[3 * y_step] = P2 * difference_p + Q2 * difference_q + m[5 * step];
}

/* A y: 4 to 6. */
DNX_ALWAYS_INLINE void output_adjoint_line(const vector *y, size_t step, vector *z, size_t z_step)
{
    const vector y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
    const vector even_p = y0 + P2 * y2, odd_p = P * (y1 + P2 * y3), even_q = y0 + Q2 * y2, odd_q = Q * (y1 + Q2 * y3);
    z[0] = y0;
    put_points(z, z_step, even_p, odd_p, even_q, odd_q);
    z[5 * z_step] = y3;
}

/* G g: 3 to 6. */
DNX_ALWAYS_INLINE void kernel_line(const vector *g, size_t step, vector *u, size_t u_step)
{
    const vector g0 = g[0], g1 = g[step], g2 = g[2 * step];
    const vector even_p = NORM_P * (g0 + P2 * g2), odd_p = NORM_P * P * g1, even_q = NORM_Q * (g0 + Q2 * g2), odd_q = NORM_Q * Q * g1;
    u[0] = NORM_0 * g0;
    put_points(u, u_step, even_p, odd_p, even_q, odd_q);
    u[5 * u_step] = g2;
}

/* G^T s: 6 to 3. */
DNX_ALWAYS_INLINE void kernel_adjoint_line(const vector *s, size_t step, vector *g, size_t g_step)
{
    const vector sum_p = NORM_P * (s[step] + s[2 * step]), sum_q = NORM_Q * (s[3 * step] + s[4 * step]);
    g[0] = NORM_0 * s[0] + sum_p + sum_q;
    g[g_step] = NORM_P * P * (s[step] - s[2 * step]) + NORM_Q * Q * (s[3 * step] - s[4 * step]);
    g[2 * g_step] = P2 * sum_p + Q2 * sum_q + s[5 * step];
}

#endif
