/* Prices with a trained network: value, gradient and one Hessian-vector product of each point.
 *
 *     cc pricer.c -o pricer $(pkg-config --cflags --libs darknet_ext) -Wl,-rpath,$(pkg-config --variable=libdir darknet_ext)
 *     ./pricer network.cfg network.weights [x1 x2 ... xn]...      default: three points on the diagonal
 *
 * Each point prints the price of every output, its deltas dm/dx_j, and their change along the first input (gamma and the
 * cross gammas: row 1 of the Hessian). */
#include <darknet_ext.h>
#include <stdio.h>
#include <stdlib.h>

static void print_row(const char *name, const double *row, int n)
{
    printf("  %-6s", name);
    for (int i = 0; i < n; ++i)
        printf(" %12.6g", row[i]);
    printf("\n");
}

static void print_points(const dnx_model *model, int points, const double *x, const double *price, const double *delta, const double *gamma)
{
    int inputs = dnx_model_inputs(model), outputs = dnx_model_outputs(model);
    for (int point = 0; point < points; ++point) {
        print_row("x", x + point * inputs, inputs);
        for (int k = 0; k < outputs; ++k) {
            int row = point * outputs + k;
            print_row("price", price + row, 1);
            print_row("delta", delta + row * inputs, inputs);
            print_row("gamma", gamma + row * inputs, inputs);
        }
    }
}

/* x [points][inputs] in, the results out; v is the first unit vector at every point. */
static dnx_status price(dnx_model *model, int points, const double *x)
{
    size_t inputs = (size_t)dnx_model_inputs(model), outputs = (size_t)dnx_model_outputs(model), n = (size_t)points;
    double *y = calloc(n * outputs, sizeof *y), *delta = calloc(n * outputs * inputs, sizeof *delta);
    double *v = calloc(n * inputs, sizeof *v), *gamma = calloc(n * outputs * inputs, sizeof *gamma);
    dnx_status s = y && delta && v && gamma ? DNX_OK : DNX_NO_MEMORY;
    for (size_t i = 0; s == DNX_OK && i < n; ++i)
        v[i * inputs] = 1;
    if (s == DNX_OK)
        s = dnx_model_gradient(model, points, x, y, delta);
    if (s == DNX_OK)
        s = dnx_model_products(model, points, x, 1, v, NULL, gamma);
    if (s == DNX_OK)
        print_points(model, points, x, y, delta, gamma);
    free(y);
    free(delta);
    free(v);
    free(gamma);
    return s;
}

/* The points of the command line, or three on the diagonal; NULL: not whole points, or no memory. */
static double *read_points(int inputs, int words, char **word, int *points)
{
    int given = words / inputs;
    if (words % inputs != 0)
        return NULL;
    *points = given ? given : 3;
    double *x = calloc((size_t)*points * (size_t)inputs, sizeof *x);
    for (int i = 0; x && i < *points * inputs; ++i)
        x[i] = given ? strtod(word[i], NULL) : 0.5 * (i / inputs - 1);
    return x;
}

int main(int argc, char **argv)
{
    dnx_model *model = NULL;
    int points = 0, result = 1;
    if (argc < 3) {
        fprintf(stderr, "usage: %s CFG WEIGHTS [x1 x2 ... xn]...\n", argv[0]);
        return 2;
    }
    if (dnx_model_load(argv[1], argv[2], &model) != DNX_OK) {
        fprintf(stderr, "%s\n", dnx_error_text());
        return 1;
    }
    double *x = read_points(dnx_model_inputs(model), argc - 3, argv + 3, &points);
    if (!x)
        fprintf(stderr, "%s: each point has %d numbers\n", argv[0], dnx_model_inputs(model));
    else if (price(model, points, x) != DNX_OK)
        fprintf(stderr, "%s\n", dnx_error_text());
    else
        result = 0;
    free(x);
    dnx_model_free(model);
    return result;
}
