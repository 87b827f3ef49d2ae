#include "data/hdf5_library.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

hdf5_session hdf5_begin(void)
{
    hdf5_session session = {0};
    pthread_mutex_lock(&library);
    H5dont_atexit(); /* what a damaged file left open cannot be closed: the library would try, and say so, at exit */
    H5Eget_auto2(H5E_DEFAULT, &session.print, &session.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return session;
}

void hdf5_end(hdf5_session session)
{
    H5Eset_auto2(H5E_DEFAULT, session.print, session.data);
    pthread_mutex_unlock(&library);
}

/* Keeps the innermost description, up to what cannot be shown. */
static herr_t keep_first(unsigned depth, const H5E_error2_t *error, void *data)
{
    hdf5_text *reason = data;
    const char *text = error->desc ? error->desc : "";
    size_t length = 0, available = strlen(text);
    while (depth == 0 && length + 4 < sizeof reason->text) {
        int bytes = printable_length(text + length, available - length);
        if (!bytes)
            break;
        length += (size_t)bytes;
    }
    if (depth == 0)
        snprintf(reason->text, sizeof reason->text, "%.*s", (int)length, text);
    return 0;
}

hdf5_text hdf5_reason(void)
{
    hdf5_text reason = {"unknown reason"};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
    return reason;
}

/* The first of the set's filters that the library does not have. */
static bool find_missing_filter(hid_t set, int *filter, char *name, size_t size)
{
    hid_t properties = H5Dget_create_plist(set);
    const int n = properties < 0 ? 0 : H5Pget_nfilters(properties);
    bool missing = false;
    for (int i = 0; i < n && !missing; ++i) {
        unsigned flags, able;
        size_t values = 0;
        *name = '\0';
        *filter = H5Pget_filter2(properties, (unsigned)i, &flags, &values, NULL, size, name, &able);
        missing = *filter >= 0 && H5Zfilter_avail(*filter) == 0;
    }
    if (properties >= 0)
        H5Pclose(properties);
    return missing;
}

hdf5_text hdf5_read_reason(hid_t set)
{
    hdf5_text reason = hdf5_reason();
    char name[32];
    int filter;
    if (find_missing_filter(set, &filter, name, sizeof name))
        snprintf(reason.text, sizeof reason.text,
                 "it was compressed with filter %d, '%.40s', which this HDF5 library does not have: gzip is one it has; for others HDF5_PLUGIN_PATH names a "
                 "folder of plugins",
                 filter, shown(name).text);
    return reason;
}

const char *const hdf5_part_axes[PART_COUNT] = {"Nn", "Nm", "Nmn", "Nmnn", "Nrn", "Nr", "Nrm", "Nrmn"};

int hdf5_axis_size(const dataset *d, char axis)
{
    switch (axis) {
    case 'N':
        return d->points;
    case 'n':
        return d->inputs;
    case 'm':
        return d->outputs;
    default:
        return d->directions;
    }
}

bool hdf5_shape_fits(const hsize_t *sizes, int rank, const hsize_t *full, int full_rank)
{
    int matched = 1;
    if (sizes[0] != full[0])
        return false;
    for (int i = 1; i < full_rank; ++i) {
        if (matched < rank && sizes[matched] == full[i])
            ++matched;
        else if (full[i] != 1)
            return false;
    }
    return matched == rank;
}

shown_text hdf5_shape(const hsize_t *sizes, int rank)
{
    shown_text result = {"["};
    size_t used = 1;
    for (int i = 0; i < rank && used + 32 < sizeof result.text; ++i)
        used += (size_t)snprintf(result.text + used, sizeof result.text - used, "%s%llu", i ? ", " : "", (unsigned long long)sizes[i]);
    snprintf(result.text + used, sizeof result.text - used, "]");
    return result;
}

bool hdf5_is_never_written(hid_t set)
{
    H5D_space_status_t allocated;
    hid_t properties = H5Dget_create_plist(set);
    H5D_layout_t layout = properties < 0 ? H5D_LAYOUT_ERROR : H5Pget_layout(properties);
    bool external = properties >= 0 && H5Pget_external_count(properties) > 0;
    if (properties >= 0)
        H5Pclose(properties);
    return (layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED) && !external && H5Dget_space_status(set, &allocated) >= 0 &&
           allocated == H5D_SPACE_STATUS_NOT_ALLOCATED;
}

status hdf5_open(const char *path, hid_t *file)
{
    *file = H5I_INVALID_HID;
    if (H5Fis_hdf5(path) == 0)
        return status_fail(STATUS_BAD_FILE, "%s: error: not an HDF5 file", path);
    *file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    return *file >= 0 ? STATUS_OK : status_fail(STATUS_BAD_FILE, "%s: error: cannot be opened: %s", path, hdf5_reason().text);
}

const char *hdf5_type_problem(hid_t set)
{
    enum { LARGEST_NUMBER = 16 };
    hid_t type = H5Dget_type(set);
    H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    size_t bytes = type < 0 ? 0 : H5Tget_size(type);
    if (type >= 0)
        H5Tclose(type);
    switch (class) {
    case H5T_INTEGER:
    case H5T_FLOAT: /* a damaged file can claim numbers of gigabytes, which the library would allocate */
        return bytes <= LARGEST_NUMBER ? NULL : "holds numbers of more than 16 bytes each";
    case H5T_STRING:
        return "holds text, not numbers";
    case H5T_COMPOUND:
        return "holds compounds (complex numbers or records), not plain numbers";
    case H5T_ENUM:
        return "holds an enumeration (true and false?), not numbers";
    default:
        return "holds something else than numbers";
    }
}
