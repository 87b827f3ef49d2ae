extern "C" {
#include "core/file.h"
}
#include "data/image_files.h"
#include "data/jpeg.h"

#include <cstdio>
#include <cstring>
#include <exception>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

/* OpenCV keeps pixels as blue, green, red. */
static void swap_red_and_blue(const unsigned char *from, int pixels, unsigned char *to)
{
    for (int i = 0; i < pixels; ++i, from += 3, to += 3) {
        to[0] = from[2];
        to[1] = from[1];
        to[2] = from[0];
    }
}

static void copy_row(const unsigned char *from, int channels, int pixels, unsigned char *to)
{
    if (channels == 3)
        swap_red_and_blue(from, pixels, to);
    else
        std::memcpy(to, from, static_cast<size_t>(pixels));
}

static status take_pixels(const cv::Mat &m, picture *p)
{
    if (picture_allocate(p, m.channels(), m.rows, m.cols) != STATUS_OK)
        return STATUS_NO_MEMORY;
    for (int row = 0; row < m.rows; ++row)
        copy_row(m.ptr(row), p->channels, m.cols, p->pixels + static_cast<size_t>(row) * m.cols * p->channels);
    return STATUS_OK;
}

/* OpenCV neither writes to standard error nor starts threads: pictures are read by several at once. */
static void quiet_opencv()
{
    static const bool done = [] {
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
        cv::setNumThreads(1);
        return true;
    }();
    (void)done;
}

status picture_read(const char *path, int channels, picture *p)
{
    *p = {};
    if (file_check_regular(path) != STATUS_OK || jpeg_check_end(path) != STATUS_OK)
        return STATUS_BAD_FILE;
    try {
        quiet_opencv();
        const cv::Mat m = cv::imread(path, channels == 3 ? cv::IMREAD_COLOR : cv::IMREAD_GRAYSCALE);
        if (m.empty())
            return status_fail(STATUS_BAD_FILE, "%s: error: cannot be read as a picture", path);
        return take_pixels(m, p);
    } catch (const std::exception &e) {
        return status_fail(STATUS_BAD_FILE, "%s: error: cannot be read as a picture: %s", path, e.what());
    }
}

status picture_scale(const picture *p, picture_part part, int height, int width, picture *scaled)
{
    if (picture_allocate(scaled, p->channels, height, width) != STATUS_OK)
        return STATUS_NO_MEMORY;
    try {
        const size_t row = static_cast<size_t>(p->width) * p->channels, first = part.top * row + static_cast<size_t>(part.left) * p->channels;
        const cv::Mat from(part.height, part.width, CV_8UC(p->channels), p->pixels + first, row);
        cv::Mat to(height, width, CV_8UC(p->channels), scaled->pixels);
        const bool shrinks = height <= part.height && width <= part.width;
        cv::resize(from, to, to.size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
        return STATUS_OK;
    } catch (const std::exception &e) {
        picture_free(scaled);
        return status_fail(STATUS_FAILED, "OpenCV cannot scale a picture of %d x %d: %s", p->height, p->width, e.what());
    }
}

const picture_tools picture_tools_of_opencv = {picture_read, picture_scale};

static status encode(const char *path, const picture *p, std::vector<unsigned char> *bytes)
{
    try {
        cv::Mat m(p->height, p->width, CV_8UC(p->channels));
        for (int row = 0; row < m.rows; ++row)
            copy_row(p->pixels + static_cast<size_t>(row) * m.cols * p->channels, p->channels, m.cols, m.ptr(row));
        if (cv::imencode(".png", m, *bytes))
            return STATUS_OK;
        return status_fail(STATUS_FAILED, "%s: error: OpenCV cannot encode the picture", path);
    } catch (const std::exception &e) {
        return status_fail(STATUS_FAILED, "%s: error: OpenCV cannot encode the picture: %s", path, e.what());
    }
}

status picture_write(const char *path, const picture *p)
{
    std::vector<unsigned char> bytes;
    char temporary[4096];
    FILE *f;
    status s = encode(path, p, &bytes);
    if (s == STATUS_OK)
        s = file_begin(path, temporary, sizeof temporary, &f);
    if (s != STATUS_OK)
        return s;
    fwrite(bytes.data(), 1, bytes.size(), f);
    return file_commit(f, temporary, path);
}
