/* data/file*.c: data sets in HDF5 and CSV. Round trips; every shape, type and name that is allowed; each bad file gives one sentence and
 * an empty data set; a file appears whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <hdf5.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "folder_fixture.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* ---------------------------------------------------------------- files */

/* All bytes of a file, freed by the caller. */
static char *file_get(const char *path, size_t *count)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *bytes = malloc(1 << 20);
    *count = fread(bytes, 1, 1 << 20, f);
    assert_true(*count < 1 << 20);
    fclose(f);
    return bytes;
}

static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

/* ---------------------------------------------------------------- data sets */

static const dataset no_data;

static void assert_empty(const char *name, const dataset *d)
{
    if (memcmp(d, &no_data, sizeof no_data) != 0)
        fail_msg("%s: the data set is not empty", name);
}

/* Refused with one line that begins with the path and says so. */
static void assert_refused(const char *name, const char *path, int inputs, int outputs, unsigned wanted, const char *says)
{
    dataset d;
    memset(&d, 7, sizeof d);
    status s = dataset_read(path, inputs, outputs, wanted, &d);
    const char *text = status_text();
    if (s != STATUS_BAD_FILE)
        fail_msg("%s: status %d", name, s);
    if (strncmp(text, path, strlen(path)) != 0 || !strstr(text, "error: ") || strchr(text, '\n'))
        fail_msg("%s: the message is '%s'", name, text);
    if (!strstr(text, says))
        fail_msg("%s: '%s' does not say '%s'", name, text, says);
    assert_empty(name, &d);
}

static dataset read_good(const char *name, const char *path, int inputs, int outputs, unsigned wanted)
{
    dataset d;
    if (dataset_read(path, inputs, outputs, wanted, &d) != STATUS_OK)
        fail_msg("%s: %s", name, status_text());
    return d;
}

/* Numbers that need 17 digits, of many sizes; in labels some NaN. */
static dataset make_data(int points, int inputs, int outputs, int directions, unsigned parts)
{
    dataset d = {.points = points, .inputs = inputs, .outputs = outputs, .directions = directions};
    assert_int_equal(dataset_allocate(&d, parts), STATUS_OK);
    uint64_t state = 1;
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        for (size_t i = 0; d.parts[part] && i < (size_t)points * dataset_part_size(&d, part); ++i) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            d.parts[part][i] = ldexp((double)(int64_t)state, (int)(state % 60) - 90);
            if (part != PART_X && part != PART_V && part != PART_V_WEIGHT && state >> 60 == 3)
                d.parts[part][i] = NAN;
        }
    d.parts[PART_X][0] = -0.;
    d.parts[PART_X][(size_t)points * (size_t)inputs - 1] = 4.9406564584124654e-324;
    return d;
}

static void assert_same_number(const char *name, double a, double b)
{
    if (!(isnan(a) && isnan(b)) && memcmp(&a, &b, sizeof a) != 0)
        fail_msg("%s: %.17g became %.17g", name, a, b);
}

static void assert_same(const char *name, const dataset *a, const dataset *b)
{
    if (a->points != b->points || a->inputs != b->inputs || a->outputs != b->outputs || a->directions != b->directions)
        fail_msg("%s: sizes %d %d %d %d became %d %d %d %d", name, a->points, a->inputs, a->outputs, a->directions, b->points, b->inputs, b->outputs,
                 b->directions);
    for (dataset_part part = 0; part < PART_COUNT; ++part) {
        if (!a->parts[part] != !b->parts[part])
            fail_msg("%s: %s is there only once", name, dataset_part_names[part]);
        for (size_t i = 0; a->parts[part] && i < (size_t)a->points * dataset_part_size(a, part); ++i)
            assert_same_number(name, a->parts[part][i], b->parts[part][i]);
    }
}

static void assert_ranges(const char *name, const dataset *d)
{
    for (int j = 0; j < d->inputs; ++j) {
        double low = INFINITY, high = -INFINITY;
        for (int i = 0; i < d->points; ++i) {
            low = fmin(low, dataset_at(d, PART_X, (size_t)i)[j]);
            high = fmax(high, dataset_at(d, PART_X, (size_t)i)[j]);
        }
        if (!(d->low[j] == low && d->high[j] == high))
            fail_msg("%s: range %d is %g to %g", name, j, d->low[j], d->high[j]);
    }
}

/* ---------------------------------------------------------------- round trips */

enum { VALUES_ONLY = 1 << PART_X | 1 << PART_Y, WITHOUT_V = VALUES_ONLY | 1 << PART_JACOBIAN | 1 << PART_HESSIAN };

static const struct {
    int points, inputs, outputs, directions;
    unsigned parts;
} trips[] = {
    {1, 1, 1, 1, ALL_PARTS},  {7, 3, 2, 1, ALL_PARTS},   {5, 2, 1, 1, ALL_PARTS},   {5, 1, 3, 1, ALL_PARTS},    {600, 2, 2, 1, ALL_PARTS},
    {3, 2, 2, 0, WITHOUT_V},  {4, 3, 2, 0, VALUES_ONLY}, {4, 3, 0, 0, PART_X_BIT},  {4, 3, 0, 1, PART_X_BIT | 1 << PART_V},
    {4, 3, 3, 1, PART_X_BIT | 1 << PART_V | 1 << PART_JVP},  {4, 12, 11, 1, ALL_PARTS},
    {6, 3, 2, 4, ALL_PARTS},  {6, 1, 1, 4, ALL_PARTS},   {6, 2, 2, 2, ALL_PARTS},   {6, 2, 1, 2, ALL_PARTS},
    {6, 2, 3, 2, PART_X_BIT | 1 << PART_V | 1 << PART_HVP},
};

static void round_trip(const char *path, const dataset *d, const char *name)
{
    if (dataset_write(path, d) != STATUS_OK)
        fail_msg("%s: %s", name, status_text());
    bool known = d->outputs > 0;
    for (int sizes = 0; sizes < 1 + known; ++sizes) {
        dataset again = read_good(name, path, sizes ? d->inputs : 0, sizes ? d->outputs : 0, ALL_PARTS);
        assert_same(name, d, &again);
        assert_ranges(name, &again);
        dataset_free(&again);
    }
    dataset x = read_good(name, path, 0, 0, 0);
    assert_true(x.parts[PART_X] && !x.parts[PART_Y] && !x.parts[PART_V] && x.outputs == 0 && x.directions == 0);
    dataset_free(&x);
}

static void test_round_trips(void **state)
{
    static const char *const paths[] = {"trip.h5", "trip.hdf5", "trip.HDF5", "trip.csv"};
    for (size_t i = 0; i < COUNT_OF(trips); ++i) {
        dataset d = make_data(trips[i].points, trips[i].inputs, trips[i].outputs, trips[i].directions, trips[i].parts);
        for (size_t k = 0; k < COUNT_OF(paths); ++k) {
            char name[64];
            snprintf(name, sizeof name, "trip %zu, %s", i, paths[k]);
            if (d.directions > 1 && strstr(paths[k], ".csv"))
                assert_int_equal(dataset_write(paths[k], &d), STATUS_BAD_FILE);
            else
                round_trip(paths[k], &d, name);
        }
        dataset_free(&d);
    }
    assert_false(exists("trip.csv.part"));
}

/* ---------------------------------------------------------------- HDF5: shapes and types */

/* One data set to put into a file: up to 4 sizes, 0 ends them; the numbers are 0, 1, 2, … */
typedef struct set_case {
    const char *name;
    hsize_t sizes[5];
} set_case;

typedef struct shape_case {
    const char *name;
    set_case sets[5];
    int network_inputs, network_outputs;
    const char *refused;               /* what the message says; NULL: good, with */
    int inputs, outputs, directions;
} shape_case;

static const shape_case shape_cases[] = {
    {"x alone", {{"x", {5, 3}}}, .inputs = 3},
    {"x of one input", {{"x", {5}}}, .inputs = 1},
    {"y without its dimension", {{"x", {5, 3}}, {"y", {5}}}, .inputs = 3, .outputs = 1},
    {"y", {{"x", {5, 3}}, {"y", {5, 4}}}, .inputs = 3, .outputs = 4},
    {"y of the network", {{"x", {5, 3}}, {"y", {5, 4}}}, 3, 4, .inputs = 3, .outputs = 4},
    {"outputs of the network", {{"x", {5, 3}}}, 3, 4, .inputs = 3, .outputs = 4},
    {"short Jacobian", {{"x", {5, 3}}, {"y", {5}}, {"dydx", {5, 3}}}, .inputs = 3, .outputs = 1},
    {"short Jacobian, no y", {{"x", {5, 3}}, {"dydx", {5, 3}}}, .inputs = 3, .outputs = 1},
    {"Jacobian, no y", {{"x", {5, 3}}, {"dydx", {5, 4, 3}}}, .inputs = 3, .outputs = 4},
    {"short Hessian", {{"x", {5, 3}}, {"d2ydx2", {5, 3, 3}}}, .inputs = 3, .outputs = 1},
    {"Hessian of three outputs", {{"x", {5, 3}}, {"d2ydx2", {5, 3, 3, 3}}}, .inputs = 3, .outputs = 3},
    {"one direction", {{"x", {5, 3}}, {"v", {5, 3}}}, .inputs = 3, .directions = 1},
    {"three directions", {{"x", {5, 3}}, {"v", {5, 3, 3}}, {"v_weight", {5, 3}}}, .inputs = 3, .directions = 3},
    {"weight of one direction", {{"x", {5, 3}}, {"v", {5, 3}}, {"v_weight", {5}}}, .inputs = 3, .directions = 1},
    {"jvp, all left out", {{"x", {5, 3}}, {"v", {5, 3}}, {"jvp", {5}}}, .inputs = 3, .outputs = 1, .directions = 1},
    {"jvp, direction left out", {{"x", {5, 3}}, {"v", {5, 3}}, {"jvp", {5, 2}}}, .inputs = 3, .outputs = 2, .directions = 1},
    {"jvp, output left out", {{"x", {5, 3}}, {"v", {5, 2, 3}}, {"jvp", {5, 2}}}, .inputs = 3, .outputs = 1, .directions = 2},
    {"hvp, all left out", {{"x", {5, 3}}, {"v", {5, 3}}, {"hvp", {5, 3}}}, .inputs = 3, .outputs = 1, .directions = 1},
    {"hvp, direction left out", {{"x", {5, 3}}, {"v", {5, 3}}, {"hvp", {5, 2, 3}}}, .inputs = 3, .outputs = 2, .directions = 1},
    {"hvp, output left out", {{"x", {5, 3}}, {"v", {5, 2, 3}}, {"hvp", {5, 2, 3}}}, .inputs = 3, .outputs = 1, .directions = 2},
    {"hvp in full", {{"x", {5, 3}}, {"v", {5, 2, 3}}, {"hvp", {5, 2, 4, 3}}}, .inputs = 3, .outputs = 4, .directions = 2},
    {"one input, all left out", {{"x", {5}}, {"y", {5, 2}}, {"dydx", {5, 2}}, {"v", {5}}}, .inputs = 1, .outputs = 2, .directions = 1},
    {"one point", {{"x", {1, 1}}, {"dydx", {1, 1}}}, .inputs = 1, .outputs = 1},

    {"nothing", {{"z", {5, 3}}}, .refused = "no data set x"},
    {"no points", {{"x", {0}}}, .refused = "empty"},
    {"too deep an x", {{"x", {5, 3, 1}}}, .refused = "expected [5, 3]"},
    {"other inputs", {{"x", {5, 3}}}, 2, 0, .refused = "x has 3 inputs, the network has 2"},
    {"other outputs", {{"x", {5, 3}}, {"y", {5}}}, 3, 2, .refused = "y has 1 output, the network has 2"},
    {"other points in y", {{"x", {5, 3}}, {"y", {4, 1}}}, .refused = "y has the shape [4, 1], expected [5, 1]: points, outputs"},
    {"other points in v", {{"x", {5, 3}}, {"v", {6, 3}}}, .refused = "v has the shape [6, 3]"},
    {"transposed x", {{"x", {3, 5}}, {"y", {5}}}, .refused = "y has the shape [5]"},
    {"Jacobian with other inputs", {{"x", {5, 3}}, {"dydx", {5, 2}}}, .refused = "dydx has the shape [5, 2], expected [5, 1, 3]"},
    {"Jacobian turned", {{"x", {5, 3}}, {"y", {5, 2}}, {"dydx", {5, 3, 2}}}, .refused = "expected [5, 2, 3]: points, outputs, inputs"},
    {"short Jacobian of two outputs", {{"x", {5, 3}}, {"y", {5, 2}}, {"dydx", {5, 3}}}, .refused = "dydx has the shape [5, 3]"},
    {"Jacobian of another network", {{"x", {5, 3}}, {"dydx", {5, 2, 3}}}, 3, 4, .refused = "expected [5, 4, 3]"},
    {"Hessian turned", {{"x", {5, 3}}, {"y", {5, 2}}, {"d2ydx2", {5, 3, 3, 2}}}, .refused = "expected [5, 2, 3, 3]"},
    {"v of other inputs", {{"x", {5, 3}}, {"v", {5, 2}}}, .refused = "v has the shape [5, 2]"},
    {"jvp without v", {{"x", {5, 3}}, {"jvp", {5}}}, .refused = "jvp needs the directions v"},
    {"weights of other directions", {{"x", {5, 3}}, {"v", {5, 2, 3}}, {"v_weight", {5, 3}}}, .refused = "v_weight has the shape"},
};

static void put_set(hid_t file, const set_case *set, hid_t type)
{
    static double numbers[1000];
    int rank = 0;
    for (int i = 0; i < 1000; ++i)
        numbers[i] = i;
    while (set->sizes[rank])
        ++rank;
    hsize_t none = 0;
    hid_t space = rank ? H5Screate_simple(rank, set->sizes, NULL) : H5Screate_simple(1, &none, NULL);
    hid_t id = H5Dcreate2(file, set->name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(id >= 0);
    assert_true(H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
    H5Dclose(id);
    H5Sclose(space);
}

static hid_t create(const char *path)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    return file;
}

static void test_shapes(void **state)
{
    for (size_t i = 0; i < COUNT_OF(shape_cases); ++i) {
        const shape_case *c = &shape_cases[i];
        hid_t file = create("shape.h5");
        for (size_t k = 0; k < COUNT_OF(c->sets) && c->sets[k].name; ++k)
            put_set(file, &c->sets[k], H5T_NATIVE_DOUBLE);
        H5Fclose(file);
        if (c->refused) {
            assert_refused(c->name, "shape.h5", c->network_inputs, c->network_outputs, ALL_PARTS, c->refused);
            continue;
        }
        dataset d = read_good(c->name, "shape.h5", c->network_inputs, c->network_outputs, ALL_PARTS);
        if (d.inputs != c->inputs || d.outputs != c->outputs || d.directions != c->directions)
            fail_msg("%s: sizes %d %d %d", c->name, d.inputs, d.outputs, d.directions);
        for (size_t k = 0; k < COUNT_OF(c->sets) && c->sets[k].name; ++k)
            for (dataset_part part = 0; part < PART_COUNT; ++part)
                for (size_t at = 0; !strcmp(dataset_part_names[part], c->sets[k].name) && at < (size_t)d.points * dataset_part_size(&d, part); ++at)
                    assert_true(d.parts[part][at] == (double)at);
        dataset_free(&d);
    }
}

static void test_parts_that_are_not_wanted_are_left_alone(void **state)
{
    static const set_case x = {"x", {5, 3}}, y = {"y", {4, 4, 4}}, v = {"v", {5, 3}}, jvp = {"jvp", {5}};
    hid_t file = create("more.h5");
    put_set(file, &x, H5T_NATIVE_DOUBLE);
    put_set(file, &y, H5T_NATIVE_DOUBLE);
    put_set(file, &v, H5T_NATIVE_DOUBLE);
    put_set(file, &jvp, H5T_NATIVE_DOUBLE);
    H5Fclose(file);
    dataset d = read_good("without y", "more.h5", 0, 0, 1 << PART_JVP);
    assert_true(d.parts[PART_V] && d.parts[PART_JVP] && !d.parts[PART_Y] && d.outputs == 1 && d.directions == 1);
    dataset_free(&d);
    assert_refused("with y", "more.h5", 0, 0, ALL_PARTS, "y has the shape [4, 4, 4]");
}

static void test_numeric_types(void **state)
{
    const hid_t types[] = {H5T_STD_I8LE,  H5T_STD_U8BE,   H5T_STD_I16BE,  H5T_STD_U32LE,     H5T_STD_I64LE,      H5T_STD_I64BE,
                           H5T_IEEE_F32BE, H5T_IEEE_F32LE, H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, H5T_NATIVE_LDOUBLE};
    static const set_case x = {"x", {5, 3}}, y = {"y", {5}};
    for (size_t i = 0; i < COUNT_OF(types); ++i) {
        hid_t file = create("type.h5");
        put_set(file, &x, types[i]);
        put_set(file, &y, types[i]);
        H5Fclose(file);
        dataset d = read_good("type", "type.h5", 3, 1, VALUES_ONLY);
        for (int k = 0; k < 15; ++k)
            assert_true(d.parts[PART_X][k] == k);
        assert_true(d.parts[PART_Y][4] == 4 && d.low[1] == 1 && d.high[1] == 13);
        dataset_free(&d);
    }
}

static void test_other_types_are_refused(void **state)
{
    hid_t text = H5Tcopy(H5T_C_S1), wide = H5Tcopy(H5T_STD_I64LE), compound = H5Tcreate(H5T_COMPOUND, 16), boolean = H5Tenum_create(H5T_STD_I8LE);
    const signed char yes = 1;
    H5Tset_size(text, 4);
    H5Tset_size(wide, 17);
    H5Tinsert(compound, "r", 0, H5T_NATIVE_DOUBLE);
    H5Tinsert(compound, "i", 8, H5T_NATIVE_DOUBLE);
    H5Tenum_insert(boolean, "TRUE", &yes);
    const struct {
        hid_t type;
        const char *says;
    } cases[] = {{text, "y holds text"},
                 {compound, "y holds compounds"},
                 {wide, "y holds numbers of more than 16 bytes"},
                 {boolean, "y holds an enumeration"},
                 {H5T_STD_B8LE, "y holds something else"}};
    static const set_case x = {"x", {5, 3}};
    const hsize_t five = 5;
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        hid_t file = create("type.h5"), space = H5Screate_simple(1, &five, NULL);
        put_set(file, &x, H5T_NATIVE_DOUBLE);
        H5Dclose(H5Dcreate2(file, "y", cases[i].type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        H5Sclose(space);
        H5Fclose(file);
        assert_refused(cases[i].says, "type.h5", 0, 0, ALL_PARTS, cases[i].says);
    }
    H5Tclose(text);
    H5Tclose(wide);
    H5Tclose(compound);
    H5Tclose(boolean);
}

static void put_x_as(const char *path, const hsize_t *sizes, int rank)
{
    hid_t file = create(path), space = rank ? H5Screate_simple(rank, sizes, NULL) : H5Screate(H5S_SCALAR);
    H5Dclose(H5Dcreate2(file, "x", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    H5Fclose(file);
}

static void test_odd_hdf5_files_are_refused(void **state)
{
    const hsize_t many[] = {INT_MAX, 1}, huge[] = {1 << 30, 1 << 20}, wide[] = {3, 2};
    put_x_as("scalar.h5", NULL, 0);
    put_x_as("many.h5", many, 2);
    put_x_as("unwritten.h5", wide, 2);
    assert_refused("scalar", "scalar.h5", 0, 0, ALL_PARTS, "x is a single number");
    assert_refused("many points", "many.h5", 0, 0, ALL_PARTS, "larger than this program can handle");
    assert_refused("never written", "unwritten.h5", 0, 0, ALL_PARTS, "never written");

    hid_t file = create("huge.h5"), space = H5Screate_simple(2, huge, NULL), properties = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[] = {1, 4}, first[] = {0, 0};
    const double numbers[4] = {0};
    H5Pset_chunk(properties, 2, chunk);
    hid_t x = H5Dcreate2(file, "x", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, properties, H5P_DEFAULT), memory = H5Screate_simple(2, chunk, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, first, NULL, chunk, NULL);
    assert_true(H5Dwrite(x, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, numbers) >= 0);
    H5Sclose(memory);
    H5Dclose(x);
    H5Pclose(properties);
    H5Sclose(space);
    H5Fclose(file);
    assert_refused("more than memory", "huge.h5", 0, 0, ALL_PARTS, "GB of memory");

    file = create("group.h5");
    H5Gclose(H5Gcreate2(file, "x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    assert_refused("a group", "group.h5", 0, 0, ALL_PARTS, "x cannot be opened: not a dataset");
    file = create("link.h5");
    H5Lcreate_soft("/nowhere", file, "x", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    assert_refused("a link to nothing", "link.h5", 0, 0, ALL_PARTS, "x cannot be opened: ");
    file_put("text.h5", "x1,y1\n1,2\n", 10);
    assert_refused("text", "text.h5", 0, 0, ALL_PARTS, "not an HDF5 file");
}

/* The printing of errors that a client has set is as before. */
static void test_the_library_stays_as_it_was(void **state)
{
    H5E_auto2_t print, print_after;
    void *data, *data_after;
    H5Eget_auto2(H5E_DEFAULT, &print, &data);
    assert_non_null(print);
    test_odd_hdf5_files_are_refused(state);
    H5Eget_auto2(H5E_DEFAULT, &print_after, &data_after);
    assert_true(print == print_after && data == data_after);
    assert_int_equal(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}

/* ---------------------------------------------------------------- values */

static void test_what_is_not_finite(void **state)
{
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        for (int infinite = 0; infinite < 2; ++infinite) {
            dataset d = make_data(4, 2, 2, 1, ALL_PARTS);
            const char *name = dataset_part_names[part];
            bool allowed = !infinite && part != PART_X && part != PART_V && part != PART_V_WEIGHT;
            d.parts[part][dataset_part_size(&d, part) + 0] = infinite ? -INFINITY : NAN;
            assert_int_equal(dataset_write("value.h5", &d), STATUS_OK);
            assert_int_equal(dataset_write("value.csv", &d), STATUS_OK);
            if (allowed) {
                dataset again = read_good(name, "value.csv", 0, 0, ALL_PARTS);
                assert_same(name, &d, &again);
                dataset_free(&again);
            } else {
                char at[32];
                snprintf(at, sizeof at, "%s[1, 0", name);
                assert_refused(name, "value.h5", 0, 0, ALL_PARTS, part == PART_V_WEIGHT ? "v_weight[1" : at);
                assert_refused(name, "value.h5", 0, 0, ALL_PARTS, infinite ? "is infinite" : "is not a number");
                assert_refused(name, "value.csv", 0, 0, ALL_PARTS, infinite ? "is infinite" : "is not a number");
                assert_non_null(strstr(status_text(), "value.csv:3: error: "));
            }
            dataset_free(&d);
        }
}

/* ---------------------------------------------------------------- CSV */

typedef struct csv_case {
    const char *text;
    const char *expected; /* the message behind the path, or the parts: "x 1 2 y 3", and so on */
    int inputs, outputs;
} csv_case;

/* The parts of a data set as text. */
static void describe(const dataset *d, char *text, size_t size)
{
    size_t used = 0;
    for (dataset_part part = 0; part < PART_COUNT; ++part) {
        if (!d->parts[part])
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "", dataset_part_names[part]);
        for (size_t i = 0; i < (size_t)d->points * dataset_part_size(d, part); ++i)
            used += (size_t)snprintf(text + used, size - used, " %g", d->parts[part][i]);
    }
}

static const csv_case csv_good[] = {
    {"x1,x2,y1\n1,2,3\n4,5,6\n", .expected = "x 1 2 4 5 y 3 6"},
    {"x,y\n1,2", .expected = "x 1 y 2"},
    {"x,y\r\n1,2\r\n\r\n", .expected = "x 1 y 2"},
    {"x,y\n1,2\n\n \t\n", .expected = "x 1 y 2"},
    {"\xEF\xBB\xBFx1,y\n1,2\n", .expected = "x 1 y 2"},
    {"\"x1\" , \"y\"\n \"1\" , \" 2\"\n", .expected = NULL},
    {"\"x1\" , \"y\"\n \"1\" , \"2\"\t\n", .expected = "x 1 y 2"},
    {"\ty1 , x2,x1\n3,2, 1 \n", .expected = "x 1 2 y 3"},
    {"x1,y1,y2\n1,,NaN\n", .expected = "x 1 y nan nan"},
    {"x1,y1,y2\n1,-nan,\n", .expected = "x 1 y nan nan"},
    {"x,y\n+1.5e2,-.5E-1\n", .expected = "x 150 y -0.05"},
    {"id,x1,name,y\n7,1,\"a, \"\"b\"\"\",2\n,3,NULL,4\n", .expected = "x 1 3 y 2 4"},
    {",x1,y\n0,1,2\n", .expected = "x 1 y 2"},
    {"id,date,t,z,label,price,weight_kg2,x1\n1,2,3,4,5,6,7,8\n", .expected = "x 8"},
    {"x1,x2,y,dy_dx1,dy_dx2\n1,2,3,4,5\n", .expected = "x 1 2 y 3 dydx 4 5"},
    {"x,dy1_dx,dy2_dx\n1,2,3\n", .expected = "x 1 dydx 2 3"},
    {"x,dy_dx,d2y_dx_dx\n1,2,3\n", .expected = "x 1 dydx 2 d2ydx2 3"},
    {"x1,x2,d2y_dx1_dx1,d2y_dx1_dx2,d2y_dx2_dx2\n1,2,3,4,5\n", .expected = "x 1 2 d2ydx2 3 4 4 5"},
    {"x1,x2,d2y_dx1_dx1,d2y_dx2_dx1,d2y_dx2_dx2\n1,2,3,4,5\n", .expected = "x 1 2 d2ydx2 3 4 4 5"},
    {"x1,x2,d2y1_dx1_dx1,d2y1_dx1_dx2,d2y1_dx2_dx1,d2y1_dx2_dx2\n1,2,3,4,6,5\n", .expected = "x 1 2 d2ydx2 3 4 6 5"},
    {"x1,x2,v1,v2,v_weight,jvp,hvp1,hvp2\n1,2,3,4,5,6,7,8\n", .expected = "x 1 2 v 3 4 v_weight 5 jvp 6 hvp 7 8"},
    {"x1,x2,y1,y2,v1,v2,hvp1_1,hvp1_2,hvp2_1,hvp2_2\n1,2,3,4,5,6,7,8,9,10\n", .expected = "x 1 2 y 3 4 v 5 6 hvp 7 8 9 10"},
    {"x,y1,y2,v,hvp1,hvp2,jvp1,jvp2\n1,2,3,4,5,6,7,8\n", .expected = "x 1 y 2 3 v 4 jvp 7 8 hvp 5 6"},
    {"x,v,hvp1,hvp2\n1,4,5,6\n", .expected = "x 1 v 4 hvp 5 6"},
    {"x,v,hvp\n1,4,5\n", .expected = "x 1 v 4 hvp 5"},
    {"x01,x2\n1,2\n", "x 1 2", 2, 3},
};

static const csv_case csv_bad[] = {
    {"", .expected = " error: the file is empty"},
    {"\n", .expected = "1: error: no column x1"},
    {"x1,y1\n", .expected = " error: a header, and no samples"},
    {"x1,y1\n\n\n", .expected = " error: a header, and no samples"},
    {"1,2\n3,4\n", .expected = "1: error: no column x1: the first line must name the columns"},
    {"y1\n1\n", .expected = "1: error: no column x1"},
    {"x1;y1\n1;2\n", .expected = "1: error: the fields are separated by semicolons"},
    {"x1\ty1\n1\t2\n", .expected = "1: error: the fields are separated by"},
    {"x1 y1\n1 2\n", .expected = "1: error: the fields are separated by"},
    {"x1,y1\n1;2\n", .expected = "2: error: x1: '1;2' has a semicolon"},
    {"x1,y1\n1,2\n\n3,4\n", .expected = "3: error: the line is empty"},
    {"x1,y1\n1,2\n3\n", .expected = "3: error: 1 field, the header has 2: y1 is missing"},
    {"x1,y1\n1,2,3\n", .expected = "2: error: more than the 2 fields of the header"},
    {"x1,y1\n1,2,\n", .expected = "2: error: more than the 2 fields"},
    {"x1,y1\n1,\"2,5\"\n", .expected = "2: error: y1: '2,5' has a comma"},
    {"x1,y1\n1,\"1,234.5\"\n", .expected = "2: error: y1: '1,234.5' has a comma"},
    {"x1,y1\n1,0x10\n", .expected = "2: error: y1: '0x10' is hexadecimal"},
    {"x1,y1\n1,-0X1p3\n", .expected = "2: error: y1: '-0X1p3' is hexadecimal"},
    {"x1,y1\n1,two\n", .expected = "2: error: y1: 'two' is not a number"},
    {"x1,y1\n1,2e\n", .expected = "2: error: y1: '2e' is not a number"},
    {"x1,y1\n1,1.2.3\n", .expected = "2: error: y1: '1.2.3' is not a number"},
    {"x1,y1\n1,--1\n", .expected = "2: error: y1: '--1' is not a number"},
    {"x1,y1\n1,-\n", .expected = "2: error: y1: '-' is not a number"},
    {"x1,y1\n1,.\n", .expected = "2: error: y1: '.' is not a number"},
    {"x1,y1\n1,1 2\n", .expected = "2: error: y1: '1 2' is not a number"},
    {"x1,y1\n1,1e999\n", .expected = "2: error: y1: '1e999' is infinite"},
    {"x1,y1\n1,-inf\n", .expected = "2: error: y1: '-inf' is infinite"},
    {"x1,y1\nnan,1\n", .expected = "2: error: x1: 'nan' is not a number"},
    {"x1,y1\n,1\n", .expected = "2: error: x1: '' is not a number"},
    {"x1,y1\n1,\"2\n", .expected = "2: error: a quote is not closed"},
    {"x1,y1\n1,\"2\"3\n", .expected = "2: error: a quote is not closed, or something follows it"},
    {"x1,\"y1\n1,2\n", .expected = "1: error: a quote is not closed"},
    {"x1,y1\n1,\x1b[31m\n", .expected = "2: error: y1: '\\x1B[31m' is not a number"},
    {"x1,x1,y1\n1,2,3\n", .expected = "1: error: columns 1 and 2 are the same: x1"},
    {"x,x1\n1,2\n", .expected = "1: error: columns 1 and 2 are the same: x1"},
    {"x1,y,y1\n1,2,3\n", .expected = "1: error: columns 2 and 3 are the same: y1"},
    {"x1,x3\n1,2\n", .expected = "1: error: column x3: the file has not"},
    {"x1,x3,z\n1,2,3\n", .expected = "1: error: column x2 is missing"},
    {"x1,y1,y3\n1,2,3\n", .expected = "1: error: column y2 is missing"},
    {"x1,y2000000000,y1\n1,2,3\n", .expected = "1: error: column y2000000000: the file has not as many outputs"},
    {"x1,y99999999999999999999\n1,2\n", .expected = "1: error: column y99999999999999999999: the file has not as many outputs"},
    {"x1,x2,dy1_dx1\n1,2,3\n", .expected = "1: error: column dy1_dx2 is missing"},
    {"x1,x2,y1,y2,dy1_dx1,dy1_dx2\n1,2,3,4,5,6\n", .expected = "1: error: column dy2_dx1 is missing"},
    {"x1,x2,d2y_dx1_dx1,d2y_dx2_dx2\n1,2,3,4\n", .expected = "1: error: column d2y1_dx1_dx2 is missing"},
    {"x1,x2,v1\n1,2,3\n", .expected = "1: error: column v2 is missing"},
    {"x1,x2\n1,2\n", "1: error: column x2: the network has 1 input", .inputs = 1},
    {"x1,x2\n1,2\n", "1: error: column x3 is missing: the network has 3 inputs", .inputs = 3},
    {"x1,y1\n1,2\n", "1: error: column y2 is missing: the network has 2 outputs", 1, 2},
    {"x1,y1,y2\n1,2,3\n", "1: error: column y2: the network has 1 output", 1, 1},
    {"x1,y,dy2_dx1\n1,2,3\n", .expected = "1: error: column dy2_dx1: the file has not as many outputs"},
    {"x1,x2,dy_dx\n1,2,3\n", .expected = "1: error: column dy_dx does not say which of the 2 inputs"},
    {"x1,y1,y2,dy_dx1\n1,2,3,4\n", .expected = "1: error: column dy_dx1 does not say which of the 2 outputs"},
    {"x1,jvp\n1,2\n", .expected = "1: error: jvp needs the direction v1"},
    {"x0,x1,y0\n1,2,3\n", .expected = "1: error: column x0: indices count from 1"},
    {"X1,X2\n1,2\n", .expected = "1: error: unknown column 'X1', did you mean 'x1'?"},
    {"x_1,x_2\n1,2\n", .expected = "1: error: unknown column 'x_1', did you mean 'x1'?"},
    {"x1,x[2]\n1,2\n", .expected = "1: error: unknown column 'x[2]', did you mean 'x2'?"},
    {"x1,Y\n1,2\n", .expected = "1: error: unknown column 'Y', did you mean 'y'?"},
    {"x1,x2,dydx1,dydx2\n1,2,3,4\n", .expected = "1: error: unknown column 'dydx1', did you mean 'dy_dx1'?"},
    {"x1,dx_dy1\n1,2\n", .expected = "1: error: unknown column 'dx_dy1', did you mean 'dy_dx1'?"},
    {"x1,v1,v_wieght\n1,2,3\n", .expected = "1: error: unknown column 'v_wieght', did you mean 'v_weight'?"},
    {"x1,x2,d2y_dx1dx2\n1,2,3\n", .expected = "1: error: unknown column 'd2y_dx1dx2', did you mean 'd2y_dx1_dx2'?"},
};

static void test_csv_that_is_read(void **state)
{
    for (size_t i = 0; i < COUNT_OF(csv_good); ++i) {
        const csv_case *c = &csv_good[i];
        char text[512];
        file_put("good.csv", c->text, strlen(c->text));
        if (!c->expected) {
            assert_refused(c->text, "good.csv", 0, 0, ALL_PARTS, "' 2' is not a number");
            continue;
        }
        dataset d = read_good(c->text, "good.csv", c->inputs, c->outputs, ALL_PARTS);
        describe(&d, text, sizeof text);
        if (strcmp(text, c->expected) != 0)
            fail_msg("%s: '%s', not '%s'", c->text, text, c->expected);
        dataset_free(&d);
    }
}

static void test_csv_that_is_refused(void **state)
{
    for (size_t i = 0; i < COUNT_OF(csv_bad); ++i) {
        const csv_case *c = &csv_bad[i];
        char says[256];
        snprintf(says, sizeof says, "bad.csv:%s", c->expected);
        file_put("bad.csv", c->text, strlen(c->text));
        assert_refused(c->text, "bad.csv", c->inputs, c->outputs, ALL_PARTS, says);
    }
    static const char nul[] = "x1,y1\n1,2\n3,4\0\n", wide[] = "\xFF\xFEx\0,\0y\0\n\0";
    file_put("bad.csv", nul, sizeof nul - 1);
    assert_refused("NUL", "bad.csv", 0, 0, ALL_PARTS, "bad.csv:3: error: a NUL byte");
    file_put("bad.csv", wide, sizeof wide - 1);
    assert_refused("UTF-16", "bad.csv", 0, 0, ALL_PARTS, "bad.csv:1: error: a NUL byte");
}

/* Columns that nobody wants may hold anything. */
static void test_csv_columns_that_are_not_wanted(void **state)
{
    static const char text[] = "x1,y2,v9\n1,none,1e999\n";
    file_put("more.csv", text, strlen(text));
    dataset d = read_good("x alone", "more.csv", 1, 5, 0);
    assert_true(d.points == 1 && d.inputs == 1 && d.outputs == 5 && !d.parts[PART_Y] && d.parts[PART_X][0] == 1);
    dataset_free(&d);
}

/* Lines longer than the reader's buffer, and the end of the buffer at every place of a line. */
static void test_csv_longer_than_the_buffer(void **state)
{
    enum { COLUMNS = 30000, POINTS = 11 };
    FILE *f = fopen("wide.csv", "w");
    assert_non_null(f);
    for (int i = -1; i < POINTS; ++i)
        for (int k = 1; k <= COLUMNS; ++k)
            fprintf(f, i < 0 ? "x%d%s" : "%.9d%s", i < 0 ? k : k * (i + 1), k < COLUMNS ? "," : i < POINTS - 1 ? "\r\n" : "");
    fclose(f);
    dataset d = read_good("wide", "wide.csv", 0, 0, ALL_PARTS);
    assert_true(d.points == POINTS && d.inputs == COLUMNS);
    for (int i = 0; i < POINTS; ++i)
        for (int k = 1; k <= COLUMNS; ++k)
            assert_true(dataset_at(&d, PART_X, (size_t)i)[k - 1] == k * (i + 1));
    dataset_free(&d);
}

/* Decimal texts become the nearest double, whatever way they are parsed. */
static void test_csv_numbers_are_exact(void **state)
{
    static const char *const texts[] = {"0.1", "-0", "9007199254740993", "9007199254740992", "0.3", "123456789012345.6", "1234567890123456.7",
                                        "2.2250738585072011e-308", "4.9e-324", "1e-400", "1.7976931348623157e308", "0.00000000000000001",
                                        "00000000000000000000012.5", "72057594037927945", "1e23", "8.5", "5.", ".5", "12345678901234567.25"};
    for (size_t i = 0; i < COUNT_OF(texts); ++i) {
        char text[64];
        snprintf(text, sizeof text, "x\n%s\n", texts[i]);
        file_put("number.csv", text, strlen(text));
        dataset d = read_good(texts[i], "number.csv", 0, 0, 0);
        assert_same_number(texts[i], strtod(texts[i], NULL), d.parts[PART_X][0]);
        dataset_free(&d);
    }
}

static bool set_german_locale(void)
{
    return setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}

/* Installed, or made in the folder of the test. */
static bool make_german_locale(void)
{
    char here[PATH_MAX];
    if (set_german_locale())
        return true;
    bool made = system("localedef -i de_DE -f UTF-8 ./de_DE.UTF-8 >log 2>&1") == 0 && getcwd(here, sizeof here);
    setenv("LOCPATH", here, 1);
    made = made && set_german_locale();
    unsetenv("LOCPATH");
    return made;
}

static void test_the_locale_does_not_matter(void **state)
{
    if (!make_german_locale()) {
        print_message("SKIPPED: no locale de_DE.UTF-8, and localedef cannot make it\n");
        skip();
    }
    char comma[8];
    snprintf(comma, sizeof comma, "%.1f", .5);
    assert_string_equal(comma, "0,5");
    dataset d = make_data(7, 3, 2, 1, ALL_PARTS);
    round_trip("german.csv", &d, "german.csv");
    round_trip("german.h5", &d, "german.h5");
    snprintf(comma, sizeof comma, "%.1f", .5);
    assert_string_equal(comma, "0,5");
    setlocale(LC_ALL, "C");
    dataset again = read_good("in C", "german.csv", 0, 0, ALL_PARTS);
    assert_same("in C", &d, &again);
    dataset_free(&again);
    dataset_free(&d);
}

/* ---------------------------------------------------------------- truncated files */

static void test_truncated_hdf5(void **state)
{
    dataset d = make_data(5, 2, 2, 2, ALL_PARTS);
    assert_int_equal(dataset_write("whole.h5", &d), STATUS_OK);
    size_t count;
    char *bytes = file_get("whole.h5", &count);
    for (size_t length = 0; length < count; length += length < 200 || length > count - 200 ? 1 : 37) {
        char name[32];
        snprintf(name, sizeof name, "%zu bytes", length);
        file_put("cut.h5", bytes, length);
        assert_refused(name, "cut.h5", 0, 0, ALL_PARTS, length < 8 ? "" : "cannot be opened: ");
    }
    free(bytes);
    dataset_free(&d);
}

/* At any length the file is refused or a legal shorter one. */
static void test_truncated_csv(void **state)
{
    dataset d = make_data(4, 2, 2, 1, ALL_PARTS);
    assert_int_equal(dataset_write("whole.csv", &d), STATUS_OK);
    size_t count;
    char *bytes = file_get("whole.csv", &count);
    int most = 0;
    for (size_t length = 0; length < count; ++length) {
        dataset cut;
        file_put("cut.csv", bytes, length);
        status s = dataset_read("cut.csv", 0, 0, ALL_PARTS, &cut);
        if (s == STATUS_OK && (cut.points > d.points || cut.points < most))
            fail_msg("%zu bytes: %d points", length, cut.points);
        if (s == STATUS_OK)
            most = cut.points;
        if (s != STATUS_OK && s != STATUS_BAD_FILE)
            fail_msg("%zu bytes: status %d", length, s);
        dataset_free(&cut);
    }
    assert_int_equal(most, d.points);
    free(bytes);
    dataset_free(&d);
}

/* ---------------------------------------------------------------- no files */

static void test_what_is_no_file_is_refused(void **state)
{
    static const char *const endings[] = {".h5", ".csv"};
    for (size_t i = 0; i < COUNT_OF(endings); ++i) {
        char path[64];
        snprintf(path, sizeof path, "missing%s", endings[i]);
        assert_refused("missing", path, 0, 0, ALL_PARTS, strerror(ENOENT));
        snprintf(path, sizeof path, "folder%s", endings[i]);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_refused("folder", path, 0, 0, ALL_PARTS, "not a file");
        snprintf(path, sizeof path, "fifo%s", endings[i]);
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_refused("FIFO", path, 0, 0, ALL_PARTS, "not a file");
        snprintf(path, sizeof path, "empty%s", endings[i]);
        file_put(path, "", 0);
        assert_refused("empty", path, 0, 0, ALL_PARTS, "empty");
        if (geteuid() != 0) {
            assert_int_equal(chmod(path, 0), 0);
            assert_refused("unreadable", path, 0, 0, ALL_PARTS, strerror(EACCES));
        }
    }
    assert_refused("unknown ending", "data.txt", 0, 0, ALL_PARTS, "must end in .h5, .hdf5 or .csv");
    assert_refused("nothing but an ending", ".h5", 0, 0, ALL_PARTS, "must end in");
    assert_refused("no name", "", 0, 0, ALL_PARTS, "must end in");
}

/* ---------------------------------------------------------------- writing */

static void assert_not_written(const char *path, const char *says)
{
    char temporary[64];
    dataset d = make_data(4, 2, 2, 1, ALL_PARTS);
    if (dataset_write(path, &d) != STATUS_BAD_FILE)
        fail_msg("%s: was written", path);
    if (strncmp(status_text(), path, strlen(path)) != 0 || !strstr(status_text(), says))
        fail_msg("%s: '%s'", path, status_text());
    snprintf(temporary, sizeof temporary, "%s.part", path);
    assert_false(exists(temporary));
    dataset_free(&d);
}

static void test_where_nothing_can_be_written(void **state)
{
    assert_int_equal(mkdir("folder.h5", 0700), 0);
    assert_int_equal(mkdir("folder.csv", 0700), 0);
    assert_not_written("nowhere/out.h5", strerror(ENOENT));
    assert_not_written("nowhere/out.csv", strerror(ENOENT));
    assert_not_written("folder.h5", "cannot be written");
    assert_not_written("folder.csv", "cannot be written");
    assert_not_written("out.txt", "must end in");
    if (geteuid() != 0) {
        assert_int_equal(mkdir("read_only", 0500), 0);
        assert_not_written("read_only/out.h5", strerror(EACCES));
        assert_not_written("read_only/out.csv", strerror(EACCES));
    }
}

static void test_full_disk_leaves_the_old_file(void **state)
{
    static const char *const paths[] = {"out.h5", "out.csv"};
    dataset old = make_data(3, 2, 1, 0, VALUES_ONLY), d = make_data(900, 2, 2, 1, ALL_PARTS);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < COUNT_OF(paths); ++i) {
        char temporary[16];
        struct stat info;
        snprintf(temporary, sizeof temporary, "%s.part", paths[i]);
        assert_int_equal(dataset_write(paths[i], &d), STATUS_OK);
        assert_int_equal(stat(paths[i], &info), 0);
        const rlim_t whole = (rlim_t)info.st_size, limits[] = {0, 10, 1000, 5000, whole / 2, whole - 1};
        assert_int_equal(dataset_write(paths[i], &old), STATUS_OK);
        for (size_t k = 0; k < COUNT_OF(limits); ++k) {
            limit_file_size(limits[k]);
            status s = dataset_write(paths[i], &d);
            limit_file_size(RLIM_INFINITY);
            if (s != STATUS_BAD_FILE || !strstr(status_text(), strerror(EFBIG)))
                fail_msg("%s, room for %lu bytes: status %d, '%s'", paths[i], (unsigned long)limits[k], s, status_text());
            assert_false(exists(temporary));
            dataset again = read_good(paths[i], paths[i], 0, 0, ALL_PARTS);
            assert_same(paths[i], &old, &again);
            dataset_free(&again);
        }
        limit_file_size(whole);
        assert_int_equal(dataset_write(paths[i], &d), STATUS_OK);
        limit_file_size(RLIM_INFINITY);
    }
    dataset_free(&old);
    dataset_free(&d);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_enter, folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_round_trips),
        IN_FOLDER(test_shapes),
        IN_FOLDER(test_parts_that_are_not_wanted_are_left_alone),
        IN_FOLDER(test_numeric_types),
        IN_FOLDER(test_other_types_are_refused),
        IN_FOLDER(test_odd_hdf5_files_are_refused),
        IN_FOLDER(test_the_library_stays_as_it_was),
        IN_FOLDER(test_what_is_not_finite),
        IN_FOLDER(test_csv_that_is_read),
        IN_FOLDER(test_csv_that_is_refused),
        IN_FOLDER(test_csv_columns_that_are_not_wanted),
        IN_FOLDER(test_csv_longer_than_the_buffer),
        IN_FOLDER(test_csv_numbers_are_exact),
        IN_FOLDER(test_the_locale_does_not_matter),
        IN_FOLDER(test_truncated_hdf5),
        IN_FOLDER(test_truncated_csv),
        IN_FOLDER(test_what_is_no_file_is_refused),
        IN_FOLDER(test_where_nothing_can_be_written),
        IN_FOLDER(test_full_disk_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
