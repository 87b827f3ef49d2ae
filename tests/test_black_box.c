/* data/black_box.c, black_box_calls.c, finite_differences.c: values, derivatives against closed forms, their order and the estimates of
 * their errors, and every way in which a user's function can go wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <omp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "black_boxes.h"
#include "black_scholes_greeks.h"
#include "core/random.h"
#include "data/black_box.h"

enum { N = 3, M = 2, POINTS = 200 };

/* ---- what must be so after every test: no child, no shared memory ---- */

static int shared_areas(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    char line[512];
    int n = 0;
    while (fgets(line, sizeof line, maps))
        n += strstr(line, "/dev/zero") != NULL;
    fclose(maps);
    return n;
}

static int areas_before;

static int begin(void **state)
{
    areas_before = shared_areas();
    return 0;
}

static int end(void **state)
{
    const bool no_child = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, no_area = shared_areas() == areas_before;
    if (!no_child || !no_area)
        print_error("left over: %s%s\n", no_child ? "" : "a child process ", no_area ? "" : "shared memory");
    return no_child && no_area ? 0 : -1;
}

/* ---- boxes and points ---- */

static black_box *open_box(const char *symbol, int inputs, int outputs, int processes)
{
    char name[1024];
    snprintf(name, sizeof name, "%s:%s", BLACK_BOXES, symbol);
    black_box *b;
    if (black_box_open(&b, name, inputs, outputs, processes) != STATUS_OK)
        fail_msg("%s", status_text());
    return b;
}

static void expect_ok(status s)
{
    if (s != STATUS_OK)
        fail_msg("status %d: %s", (int)s, status_text());
}

static void draw_points(double *x, int points, int n, const double *low, const double *high)
{
    for (int i = 0; i < points * n; i++)
        x[i] = low[i % n] + (high[i % n] - low[i % n]) * random_one((random_stream){5, RANDOM_CHECK, 0}, (uint64_t)i);
}

/* Everything of POINTS points. */
typedef struct results {
    double x[POINTS * N], y[POINTS * M], jacobian[POINTS * M * N], hessian[POINTS * M * N * N];
} results;

static void evaluate_all(results *r, black_box *b, const double *low, const double *high, double relative)
{
    draw_points(r->x, POINTS, N, low, high);
    expect_ok(black_box_choose_steps(b, low, high, 2, relative, 1));
    expect_ok(black_box_evaluate(b, r->x, POINTS, r->y, r->jacobian, r->hessian));
}

/* NaN fails. */
static void expect_near(const char *what, double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s is %.17g, should be %.17g +- %.2g", what, got, want, tolerance);
}

static void expect_between(const char *what, double got, double low, double high)
{
    if (!(got >= low && got <= high))
        fail_msg("%s is %.6g, not between %g and %g", what, got, low, high);
}

/* ---- the closed form of smooth ---- */

static const double unit_low[N] = {-1, -1, -1}, unit_high[N] = {1, 1, 1};

static double phase(const double *x, int k)
{
    double sum = k;
    for (int j = 0; j < N; j++)
        sum += waves[k][j] * x[j];
    return sum;
}

static double smooth_first(const double *x, int k, int j)
{
    return waves[k][j] * cos(phase(x, k));
}

static double smooth_second(const double *x, int k, int i, int j)
{
    return -waves[k][i] * waves[k][j] * sin(phase(x, k));
}

/* Root mean square of the error of df/dx_j over points and outputs; for second derivatives of d2f/dx_i dx_j. */
static double first_error(const results *r, int j)
{
    double sum = 0;
    for (int row = 0; row < POINTS * M; row++)
        sum += pow(r->jacobian[row * N + j] - smooth_first(r->x + row / M * N, row % M, j), 2);
    return sqrt(sum / (POINTS * M));
}

static double second_error(const results *r, int i, int j)
{
    double sum = 0;
    for (int row = 0; row < POINTS * M; row++)
        sum += pow(r->hessian[(row * N + i) * N + j] - smooth_second(r->x + row / M * N, row % M, i, j), 2);
    return sqrt(sum / (POINTS * M));
}

/* ---- values and derivatives ---- */

static void test_values_are_exact(void **state)
{
    enum { MANY = 700001 }; /* more than are evaluated at once */
    black_box *b = open_box("smooth", N, M, 2);
    double *x = malloc(sizeof(double) * MANY * N), *y = malloc(sizeof(double) * MANY * M);
    assert_true(x && y);
    draw_points(x, MANY, N, unit_low, unit_high);
    expect_ok(black_box_evaluate(b, x, MANY, y, NULL, NULL));
    for (int row = 0; row < MANY * M; row++)
        expect_near("value", y[row], sin(phase(x + row / M * N, row % M)), 0);
    expect_ok(black_box_evaluate(b, x, 0, y, NULL, NULL));
    free(x);
    free(y);
    black_box_free(b);
}

/* The differences have no truncation error: what is left is rounding of values up to 10, over steps of 1/8 of 1/16 of the width. */
static void test_polynomials_to_rounding(void **state)
{
    static results r;
    black_box *b = open_box("polynomial", N, M, 2);
    evaluate_all(&r, b, unit_low, unit_high, 0);
    const double rounding = 10 * DBL_EPSILON / .125;
    for (int p = 0; p < POINTS; p++) {
        const double *x = r.x + p * N;
        const double first[M][N] = {{2 + x[1], x[0] - 1, 4 * x[2]}, {x[1] * x[2], x[0] * x[2], x[0] * x[1]}};
        const double second[M][N][N] = {{{0, 1, 0}, {1, 0, 0}, {0, 0, 4}}, {{0, x[2], x[1]}, {x[2], 0, x[0]}, {x[1], x[0], 0}}};
        for (int i = 0; i < M * N; i++)
            expect_near("gradient", r.jacobian[p * M * N + i], first[i / N][i % N], rounding);
        for (int i = 0; i < M * N * N; i++)
            expect_near("Hessian", r.hessian[p * M * N * N + i], (&second[0][0][0])[i], 4 * rounding / .125);
    }
    black_box_free(b);
}

/* The sizes of derivatives differ by inputs, so errors are measured by the largest greek of their kind in the domain. First derivatives with a step
 * near the optimum lose a third of the 16 digits of the price, second ones a half, and some more because one step serves a whole domain in which the
 * option can be far out of the money and short, or long and in it. */
static void test_greeks(void **state)
{
    const double low[N] = {50, .25, .1}, high[N] = {150, 2, .5}, first_tolerance = 1e-9, second_tolerance = 1e-6;
    black_box *b = open_box("price", N, 1, 2);
    double x[POINTS * N], y[POINTS], jacobian[POINTS * N], hessian[POINTS * N * N], gradients[POINTS][N], hessians[POINTS][N * N];
    double first_size[N] = {0}, second_size[N * N] = {0};
    draw_points(x, POINTS, N, low, high);
    expect_ok(black_box_choose_steps(b, low, high, 2, 0, 1));
    expect_ok(black_box_evaluate(b, x, POINTS, y, jacobian, hessian));
    for (int p = 0; p < POINTS; p++) {
        expect_near("price", y[p], black_scholes_greeks(x + p * N, gradients[p], hessians[p]), 1e-12);
        for (int i = 0; i < N; i++)
            first_size[i] = fmax(first_size[i], fabs(gradients[p][i]));
        for (int i = 0; i < N * N; i++)
            second_size[i] = fmax(second_size[i], fabs(hessians[p][i]));
    }
    for (int p = 0; p < POINTS; p++) {
        for (int i = 0; i < N; i++)
            expect_near("greek of order 1", jacobian[p * N + i], gradients[p][i], first_tolerance * first_size[i]);
        for (int i = 0; i < N * N; i++)
            expect_near("greek of order 2", hessian[p * N * N + i], hessians[p][i], second_tolerance * second_size[i]);
    }
    black_box_free(b);
}

static void test_jacobian_and_hessian_alone(void **state)
{
    static results both, alone;
    black_box *b = open_box("smooth", N, M, 2);
    evaluate_all(&both, b, unit_low, unit_high, 0);
    expect_ok(black_box_evaluate(b, both.x, POINTS, alone.y, alone.jacobian, NULL));
    expect_ok(black_box_evaluate(b, both.x, POINTS, alone.y, NULL, alone.hessian));
    assert_memory_equal(both.y, alone.y, sizeof both.y);
    assert_memory_equal(both.jacobian, alone.jacobian, sizeof both.jacobian);
    assert_memory_equal(both.hessian, alone.hessian, sizeof both.hessian);
    black_box_free(b);
}

static void test_one_input(void **state)
{
    const double low = -1, high = 3, x = .7;
    double y, gradient, hessian;
    black_box *b = open_box("smooth", 1, 1, 1);
    expect_ok(black_box_choose_steps(b, &low, &high, 2, 0, 1));
    expect_ok(black_box_evaluate(b, &x, 1, &y, &gradient, &hessian));
    expect_near("value", y, sin(x), 0);
    expect_near("gradient", gradient, cos(x), 1e-9);
    expect_near("Hessian", hessian, -sin(x), 1e-6);
    black_box_free(b);
}

/* ---- steps and errors ---- */

/* Error of order h^2: a quarter for half of the step. The steps are large enough for rounding not to matter. */
static void test_differences_are_of_order_2(void **state)
{
    static results r[3];
    black_box *b = open_box("smooth", N, M, 2);
    for (int i = 0; i < 3; i++)
        evaluate_all(&r[i], b, unit_low, unit_high, 1. / 64 / (1 << i));
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < N; j++) {
            expect_between("ratio of errors of order 1", first_error(&r[i], j) / first_error(&r[i + 1], j), 3.5, 4.5);
            for (int k = 0; k < N; k++)
                expect_between("ratio of errors of order 2", second_error(&r[i], j, k) / second_error(&r[i + 1], j, k), 3.5, 4.5);
        }
    black_box_free(b);
}

static void expect_honest(const black_box *b, const results *r)
{
    for (int j = 0; j < N; j++) {
        expect_between("estimated / true error of order 1", black_box_steps(b, 1)[j].error / first_error(r, j), .1, 10);
        expect_between("estimated / true error of order 2", black_box_steps(b, 2)[j].error / second_error(r, j, j), .1, 10);
    }
}

static void test_error_estimates(void **state)
{
    const char *const symbols[] = {"smooth", "noisy"};
    const double relatives[] = {0, .25, 1. / 16, 1. / 1024, 1e-6};
    static results r;
    for (int s = 0; s < 2; s++) {
        black_box *b = open_box(symbols[s], N, M, 2);
        for (size_t i = 0; i < sizeof relatives / sizeof *relatives; i++) {
            evaluate_all(&r, b, unit_low, unit_high, relatives[i]);
            expect_honest(b, &r);
        }
        black_box_free(b);
    }
}

static double size_of_derivative(const results *r, int order, int j)
{
    double sum = 0;
    for (int row = 0; row < POINTS * M; row++) {
        const double *x = r->x + row / M * N;
        sum += pow(order == 1 ? smooth_first(x, row % M, j) : smooth_second(x, row % M, j, j), 2);
    }
    return sqrt(sum / (POINTS * M));
}

/* RMS over 16 other points. */
static void test_sizes_of_derivatives(void **state)
{
    static results r;
    black_box *b = open_box("smooth", N, M, 1);
    evaluate_all(&r, b, unit_low, unit_high, 0);
    for (int order = 1; order <= 2; order++)
        for (int j = 0; j < N; j++)
            expect_between("size / true size", black_box_steps(b, order)[j].derivative / size_of_derivative(&r, order, j), .7, 1.4);
    black_box_free(b);
}

/* The step follows the function: at equal curvature in units of the width it is the same part of it, wherever the domain lies. */
static void test_chosen_steps(void **state)
{
    static results r;
    black_box *b = open_box("smooth", N, M, 2);
    evaluate_all(&r, b, unit_low, unit_high, 0);
    for (int j = 0; j < N; j++) {
        expect_between("step of order 1", black_box_steps(b, 1)[j].step, 1e-6, 1e-4); /* about epsilon^(1/3) */
        expect_between("step of order 2", black_box_steps(b, 2)[j].step, 2e-5, 2e-3); /* about epsilon^(1/4) */
        expect_between("error of order 1", first_error(&r, j), 0, 1e-10);
        expect_between("error of order 2", second_error(&r, j, j), 0, 1e-7);
    }
    black_box_free(b);
}

static void test_noisy_function(void **state)
{
    static results chosen, tiny;
    black_box *b = open_box("noisy", N, M, 2);
    evaluate_all(&tiny, b, unit_low, unit_high, 1e-8);
    evaluate_all(&chosen, b, unit_low, unit_high, 0);
    for (int j = 0; j < N; j++) {
        expect_between("error of a tiny step", first_error(&tiny, j), 10, INFINITY);
        expect_between("error of the chosen step, order 1", first_error(&chosen, j), 0, 1e-3);
        expect_between("error of the chosen step, order 2", second_error(&chosen, j, j), 0, 2e-2);
    }
    black_box_free(b);
}

/* Steps below its resolution see no change at all, and would seem perfect. */
static void test_function_that_rounds_its_inputs(void **state)
{
    static results r;
    black_box *b = open_box("rounded", N, M, 2);
    evaluate_all(&r, b, unit_low, unit_high, 0);
    for (int j = 0; j < N; j++) {
        expect_between("error of order 1", first_error(&r, j), 0, .01);
        expect_between("estimated / true error of order 1", black_box_steps(b, 1)[j].error / first_error(&r, j), .1, 10);
    }
    black_box_free(b);
}

static void test_linear_and_constant_functions(void **state)
{
    static results r;
    black_box *b = open_box("linear", N, M, 2);
    evaluate_all(&r, b, unit_low, unit_high, 0);
    for (int order = 1; order <= 2; order++)
        for (int j = 0; j < N; j++)
            expect_between("step", black_box_steps(b, order)[j].step, 1e-4, 2. / 16); /* all errors are rounding, small steps have more */
    const double slopes[M * N] = {3, .1, 0, 0, 0, 0};
    for (int i = 0; i < POINTS * M * N; i++)
        expect_near("slope", r.jacobian[i], slopes[i % (M * N)], 1e-11);
    for (int i = 0; i < POINTS * M * N * N; i++)
        expect_near("curvature", r.hessian[i], 0, 1e-9);
    black_box_free(b);
}

/* Far from zero small steps would vanish in the rounding of x. */
static void test_domain_far_from_zero(void **state)
{
    const double low[N] = {1e9, -1, -1}, high[N] = {1e9 + 1, 1, 1}, x[N] = {1e9 + .5, .1, .2};
    double y[M], jacobian[M * N], hessian[M * N * N];
    black_box *b = open_box("smooth", N, M, 1);
    expect_ok(black_box_choose_steps(b, low, high, 2, 0, 1));
    expect_ok(black_box_evaluate(b, x, 1, y, jacobian, hessian));
    for (int k = 0; k < M; k++)
        expect_near("slope", jacobian[k * N], smooth_first(x, k, 0), 1e-3);
    black_box_free(b);
}

static void test_domains_without_steps(void **state)
{
    const struct {
        double low, high, relative;
    } bad[] = {{1, 1, 0}, {2, 1, 0}, {1, 1 + 1e-14, 0}, {-DBL_MAX, DBL_MAX, 0}, {NAN, 1, 0}, {0, 1e-310, 0}, {1, 2, 1e-16}, {0, 1, .3}, {0, 1, NAN}};
    black_box *b = open_box("smooth", 1, 1, 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(black_box_choose_steps(b, &bad[i].low, &bad[i].high, 1, bad[i].relative, 1), STATUS_BAD_CONFIG);
    double x = 0, y, gradient;
    assert_int_equal(black_box_evaluate(b, &x, 1, &y, &gradient, NULL), STATUS_FAILED);
    black_box_free(b);
}

/* ---- processes ---- */

static void test_processes_do_not_change_a_bit(void **state)
{
    static results r[3];
    const int processes[] = {1, 2, 5};
    for (int i = 0; i < 3; i++) {
        black_box *b = open_box("noisy", N, M, processes[i]);
        evaluate_all(&r[i], b, unit_low, unit_high, 0);
        black_box_free(b);
        assert_memory_equal(&r[i], &r[0], sizeof r[i]);
    }
}

static void test_function_with_static_state(void **state)
{
    double x[POINTS * N], y[POINTS * M];
    black_box *b = open_box("not_reentrant", N, M, 4);
    draw_points(x, POINTS, N, unit_low, unit_high);
    expect_ok(black_box_evaluate(b, x, POINTS, y, NULL, NULL));
    for (int row = 0; row < POINTS * M; row++)
        expect_near("value", y[row], sin(phase(x + row / M * N, row % M)), 0);
    black_box_free(b);
}

/* Hangs without omp_set_max_active_levels: this process has a pool of threads, its children have not. */
static void test_function_with_openmp(void **state)
{
    int threads = 0;
#pragma omp parallel num_threads(3) reduction(+ : threads)
    threads++;
    assert_int_equal(threads, 3);
    double x[N] = {0}, y[M];
    black_box *b = open_box("parallel", N, M, 2);
    alarm(20);
    expect_ok(black_box_evaluate(b, x, 1, y, NULL, NULL));
    alarm(0);
    black_box_free(b);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* 16 calls of .05 s that sleep. */
static void test_calls_run_at_once(void **state)
{
    double x[16] = {0}, y[16];
    black_box *b = open_box("slow", 1, 1, 8);
    const double start = seconds();
    expect_ok(black_box_evaluate(b, x, 16, y, NULL, NULL));
    expect_between("time of 16 calls in 8 processes", seconds() - start, .1, .7);
    black_box_free(b);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal)
{
    alarms = alarms + 1;
}

/* Handlers of ours interrupt waitpid(), again and again; the children have none. */
static void test_signals_while_waiting(void **state)
{
    struct sigaction before;
    const struct itimerval often = {{0, 10000}, {0, 10000}}, never = {{0, 0}, {0, 0}};
    double x[4] = {1, 2, 3, 4}, y[4];
    black_box *b = open_box("slow", 1, 1, 1);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = count_alarm}, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    const status s = black_box_evaluate(b, x, 4, y, NULL, NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    expect_ok(s);
    assert_true(alarms > 3);
    expect_near("last value", y[3], 2, 0);
    black_box_free(b);
}

static void test_nobody_waits_for_children_here(void **state)
{
    struct sigaction before;
    double x = 20, y;
    black_box *good = open_box("half", 1, 1, 2), *bad = open_box("crashes", 1, 1, 2);
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_IGN}, &before);
    const status well = black_box_evaluate(good, &x, 1, &y, NULL, NULL), badly = black_box_evaluate(bad, &x, 1, &y, NULL, NULL);
    sigaction(SIGCHLD, &before, NULL);
    assert_int_equal(well, STATUS_OK);
    assert_int_equal(badly, STATUS_FAILED);
    assert_non_null(strstr(status_text(), "crashed"));
    black_box_free(good);
    black_box_free(bad);
}

/* The end of a pipe that they all hold is closed by the death of the last of them. */
static void test_children_die_with_us(void **state)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    black_box *b = open_box("endless", 1, 1, 3);
    const pid_t middle = fork();
    if (middle == 0) {
        double x[3] = {0}, y[3];
        close(ends[0]);
        black_box_evaluate(b, x, 3, y, NULL, NULL);
        _exit(0);
    }
    close(ends[1]);
    usleep(300000);
    kill(middle, SIGKILL);
    assert_int_equal(waitpid(middle, NULL, 0), middle);
    struct pollfd closed = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&closed, 1, 10000), 1);
    assert_true(closed.revents & POLLHUP);
    close(ends[0]);
    black_box_free(b);
}

static void test_processes_of_the_function(void **state)
{
    int ends[2];
    double x[3] = {1, 2, 3}, y[3];
    assert_int_equal(pipe(ends), 0);
    black_box *b = open_box("leaves_processes", 1, 1, 2);
    expect_ok(black_box_evaluate(b, x, 3, y, NULL, NULL));
    close(ends[1]);
    struct pollfd closed = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&closed, 1, 10000), 1);
    assert_true(closed.revents & POLLHUP);
    close(ends[0]);
    black_box_free(b);
}

static size_t count_words(const char *text, const char *word)
{
    size_t n = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        n++;
    return n;
}

static void test_output_of_the_function(void **state)
{
    char text[512] = "";
    double x[3] = {1, 2, 3}, y[3];
    black_box *b = open_box("prints", 1, 1, 2);
    FILE *file = tmpfile();
    fflush(stdout);
    const int out = dup(STDOUT_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    printf("ours\n");
    const status s = black_box_evaluate(b, x, 3, y, NULL, NULL);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
    rewind(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    expect_ok(s);
    assert_int_equal(count_words(text, "ours"), 1);
    assert_int_equal(count_words(text, "called with"), 3);
    assert_non_null(strstr(text, "called with 3\n"));
    black_box_free(b);
}

/* Also a function of this program, which is found first where a library does not ask for its own. */
double helper(void);
double helper(void)
{
    return 1;
}

static void test_own_names_come_first(void **state)
{
#ifdef DNX_SANITIZED
    skip(); /* the sanitizers refuse RTLD_DEEPBIND */
#endif
    double x = 0, y;
    black_box *b = open_box("own_helper", 1, 1, 1);
    expect_ok(black_box_evaluate(b, &x, 1, &y, NULL, NULL));
    expect_near("value", y, 2, 0);
    black_box_free(b);
}

/* The floating-point state of this process is not the function's: here the rounding, with libdarknet denormal numbers. */
static void test_floating_point_state(void **state)
{
    double x = nextafter(2, 3) * DBL_MIN, y;
    black_box *b = open_box("half", 1, 1, 1);
    expect_ok(black_box_evaluate(b, &(double){3 * 0x1p-1074}, 1, &y, NULL, NULL));
    expect_near("half of an odd denormal number", y, 2 * 0x1p-1074, 0);
    fesetround(FE_DOWNWARD);
    const status s = black_box_evaluate(b, &(double){3 * 0x1p-1074}, 1, &x, NULL, NULL);
    fesetround(FE_TONEAREST);
    expect_ok(s);
    expect_near("half of it under another rounding", x, y, 0);
    black_box_free(b);
}

/* ---- what goes wrong ---- */

typedef struct failure_case {
    const char *symbol, *did; /* the message is "the function NAME <did> at x = …" */
    status result;
} failure_case;

static const failure_case failure_cases[] = {
    {"returns_three", "returned 3", STATUS_FAILED},
    {"crashes", "crashed (signal 11, Segmentation fault)", STATUS_FAILED},
    {"aborts", "crashed (signal 6, Aborted)", STATUS_FAILED},
    {"exits", "ended its process with exit status 4", STATUS_FAILED},
    {"exits_well", "ended its process with exit status 0", STATUS_FAILED},
    {"exits_fast", "ended its process with exit status 0", STATUS_FAILED},
    {"gives_nan", "gave nan as output 2 of 2", STATUS_FAILED},
    {"gives_infinity", "gave -inf as output 1 of 2", STATUS_FAILED},
};

static void expect_message(const char *want)
{
    if (strcmp(status_text(), want) != 0)
        fail_msg("the message is\n  %s\nand should be\n  %s", status_text(), want);
}

/* Point 37 of 100 is the only bad one. */
static void expect_failure(const failure_case *c, int processes)
{
    double x[100 * N], y[100 * M];
    char want[1024];
    draw_points(x, 100, N, unit_low, unit_high);
    x[37 * N] = 12.3456789012;
    x[37 * N + 1] = -1;
    x[37 * N + 2] = 1e-20;
    black_box *b = open_box(c->symbol, N, M, processes);
    assert_int_equal(black_box_evaluate(b, x, 100, y, NULL, NULL), c->result);
    snprintf(want, sizeof want, "the function %s:%s %s at x = (12.3456789, -1, 1e-20)", BLACK_BOXES, c->symbol, c->did);
    expect_message(want);
    x[37 * N] = 0;
    expect_ok(black_box_evaluate(b, x, 100, y, NULL, NULL));
    black_box_free(b);
}

static void test_failures(void **state)
{
    for (size_t i = 0; i < sizeof failure_cases / sizeof *failure_cases; i++)
        for (int processes = 1; processes <= 3; processes += 2)
            expect_failure(&failure_cases[i], processes);
}

static void test_forgotten_output(void **state)
{
    double x = .5, y[2];
    black_box *b = open_box("forgets", 1, 2, 1);
    assert_int_equal(black_box_evaluate(b, &x, 1, y, NULL, NULL), STATUS_FAILED);
    expect_message("the function " BLACK_BOXES ":forgets gave nan as output 2 of 2 at x = (0.5)");
    black_box_free(b);
}

static void test_many_coordinates_are_cut(void **state)
{
    double x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, y[2];
    black_box *b = open_box("forgets", 9, 2, 1);
    assert_int_equal(black_box_evaluate(b, x, 1, y, NULL, NULL), STATUS_FAILED);
    expect_message("the function " BLACK_BOXES ":forgets gave nan as output 2 of 2 at x = (1, 2, 3, 4, 5, 6, 7, 8, …)");
    black_box_free(b);
}

/* The step leads out of where the function works: the message has the x that it was called with, and the steps are not used. */
static void test_failure_within_a_difference(void **state)
{
    const double low[N] = {9, 0, 0}, high[N] = {9.9, 1, 1}, x[N] = {9.9, 0, 0};
    double y[M], jacobian[M * N];
    black_box *b = open_box("returns_three", N, M, 2);
    expect_ok(black_box_choose_steps(b, low, high, 1, .25, 1));
    assert_int_equal(black_box_evaluate(b, x, 1, y, jacobian, NULL), STATUS_FAILED);
    expect_message("the function " BLACK_BOXES ":returns_three returned 3 at x = (10.125, 0, 0)");
    assert_int_equal(black_box_choose_steps(b, low, (double[N]){20, 1, 1}, 1, 0, 1), STATUS_FAILED);
    assert_null(black_box_steps(b, 1));
    black_box_free(b);
}

/* The others take endless time. */
static void test_one_failure_stops_all(void **state)
{
    double x[8] = {0, 0, 0, 0, 0, 0, 0, 20}, y[8];
    black_box *b = open_box("fails_or_waits", 1, 1, 8);
    alarm(20);
    assert_int_equal(black_box_evaluate(b, x, 8, y, NULL, NULL), STATUS_FAILED);
    alarm(0);
    expect_message("the function " BLACK_BOXES ":fails_or_waits returned 3 at x = (20)");
    black_box_free(b);
}

static void test_termination(void **state)
{
    double x[N] = {20, 0, 0}, y[M];
    black_box *b = open_box("is_terminated", N, M, 2);
    assert_int_equal(black_box_evaluate(b, x, 1, y, NULL, NULL), STATUS_FAILED);
    assert_non_null(strstr(status_text(), "is_terminated"));
    assert_non_null(strstr(status_text(), "signal 15"));
    black_box_free(b);
}

static int *handlers_run; /* shared with children */

static void count_handler(void)
{
    ++*handlers_run;
}

static void test_our_exit_handlers_are_ours(void **state)
{
    double x[N] = {20, 0, 0}, y[M];
    black_box *b = open_box("exits", N, M, 1);
    assert_int_equal(black_box_evaluate(b, x, 1, y, NULL, NULL), STATUS_FAILED);
    x[0] = 0;
    expect_ok(black_box_evaluate(b, x, 1, y, NULL, NULL));
    assert_int_equal(*handlers_run, 0);
    black_box_free(b);
}

/* ---- opening ---- */

static void test_names(void **state)
{
    assert_true(black_box_is_named("./libprice.so:price"));
    assert_false(black_box_is_named("styblinski_tang,booth"));
}

typedef struct name_case {
    const char *name, *part; /* of the message */
} name_case;

static const name_case bad_names[] = {
    {"price", "the function price is not LIBRARY:SYMBOL"},
    {":price", "is not LIBRARY:SYMBOL"},
    {"./a.so:", "is not LIBRARY:SYMBOL"},
    {"./no_such.so:price", "cannot use the function ./no_such.so:price: ./no_such.so: cannot open shared object file: No such file or directory"},
    {"a:b/no_such.so:price", "a:b/no_such.so: cannot open shared object file"},
    {BLACK_BOXES ":no_such", "undefined symbol: no_such"},
    {"./junk.so:price", "./junk.so: file too short"},
    {"./text.so:price", "./text.so: invalid ELF header"},
    {"text.so:price", "No such file or directory (the file in the working folder is ./text.so)"},
    {BLACK_BOXES ":a_number", "it is data, not a function"},
    {"./:price", "./ is not a file"},
    {BLACK_BOX_CRASHES ":price", "crashed (signal 6, Aborted) while it was loaded"},
};

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_bad_names(void **state)
{
    write_file("junk.so", "x");
    write_file("text.so", "This is a text that is long enough to be taken for the header of a shared object, which it is not.\n");
    for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++) {
        black_box *b = (black_box *)1;
        assert_int_equal(black_box_open(&b, bad_names[i].name, 1, 1, 2), STATUS_BAD_CONFIG);
        assert_null(b);
        if (!strstr(status_text(), bad_names[i].part) || strchr(status_text(), '\n'))
            fail_msg("\"%s\" does not hold \"%s\"", status_text(), bad_names[i].part);
    }
    remove("junk.so");
    remove("text.so");
}

#define BLACK_BOX_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        BLACK_BOX_TEST(test_values_are_exact),
        BLACK_BOX_TEST(test_polynomials_to_rounding),
        BLACK_BOX_TEST(test_greeks),
        BLACK_BOX_TEST(test_jacobian_and_hessian_alone),
        BLACK_BOX_TEST(test_one_input),
        BLACK_BOX_TEST(test_differences_are_of_order_2),
        BLACK_BOX_TEST(test_error_estimates),
        BLACK_BOX_TEST(test_sizes_of_derivatives),
        BLACK_BOX_TEST(test_chosen_steps),
        BLACK_BOX_TEST(test_noisy_function),
        BLACK_BOX_TEST(test_function_that_rounds_its_inputs),
        BLACK_BOX_TEST(test_linear_and_constant_functions),
        BLACK_BOX_TEST(test_domain_far_from_zero),
        BLACK_BOX_TEST(test_domains_without_steps),
        BLACK_BOX_TEST(test_processes_do_not_change_a_bit),
        BLACK_BOX_TEST(test_function_with_static_state),
        BLACK_BOX_TEST(test_function_with_openmp),
        BLACK_BOX_TEST(test_calls_run_at_once),
        BLACK_BOX_TEST(test_signals_while_waiting),
        BLACK_BOX_TEST(test_nobody_waits_for_children_here),
        BLACK_BOX_TEST(test_children_die_with_us),
        BLACK_BOX_TEST(test_processes_of_the_function),
        BLACK_BOX_TEST(test_output_of_the_function),
        BLACK_BOX_TEST(test_own_names_come_first),
        BLACK_BOX_TEST(test_floating_point_state),
        BLACK_BOX_TEST(test_failures),
        BLACK_BOX_TEST(test_forgotten_output),
        BLACK_BOX_TEST(test_many_coordinates_are_cut),
        BLACK_BOX_TEST(test_failure_within_a_difference),
        BLACK_BOX_TEST(test_one_failure_stops_all),
        BLACK_BOX_TEST(test_termination),
        BLACK_BOX_TEST(test_our_exit_handlers_are_ours),
        BLACK_BOX_TEST(test_names),
        BLACK_BOX_TEST(test_bad_names),
    };
    handlers_run = mmap(NULL, sizeof *handlers_run, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (handlers_run == MAP_FAILED || atexit(count_handler) != 0)
        return 1;
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("black_box", tests, NULL, NULL);
}
