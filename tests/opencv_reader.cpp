#include "opencv_reader.h"

#include <algorithm>
#include <cstdio>
#include <exception>

#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>

long opencv_predict(const char *cfg, const char *weights, int channels, int height, int width, const float *x, float *y, size_t capacity, char *error,
                    size_t error_size)
{
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    cv::redirectError([](int, const char *, const char *, const char *, int, void *) { return 0; });
    try {
        cv::dnn::Net net = cv::dnn::readNetFromDarknet(cfg, weights);
        net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        const int sizes[] = {1, channels, height, width};
        cv::Mat input(4, sizes, CV_32F);
        std::copy(x, x + input.total(), input.ptr<float>());
        net.setInput(input);
        const cv::Mat output = net.forward().clone();
        std::copy_n(output.ptr<float>(), std::min(capacity, output.total()), y);
        return static_cast<long>(output.total());
    } catch (const std::exception &e) {
        snprintf(error, error_size, "%s", e.what());
        return -1;
    }
}
