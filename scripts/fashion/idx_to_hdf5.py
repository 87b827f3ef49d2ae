"""Images and labels of MNIST's IDX files as a file for [data]: idx_to_hdf5.py IMAGES LABELS OUT.h5, the first two compressed by gzip or not."""

import gzip
import os
import sys

import h5py
import numpy


def read_idx(path):
    """An IDX file: two zero bytes, the type (8: bytes), the number of dimensions, each of them as big-endian int32, then the numbers."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        content = file.read()
    if len(content) < 4 or content[:3] != b"\0\0\10":
        sys.exit(f"{path}: error: not an IDX file of bytes")
    begin = 4 + 4 * content[3]
    shape = numpy.frombuffer(content[4:begin], ">i4")
    if len(content) - begin != numpy.prod(shape, dtype=int):
        sys.exit(f"{path}: error: truncated, or something stands behind its numbers")
    return numpy.frombuffer(content[begin:], numpy.uint8).reshape(shape)


def main(images, labels, out):
    x, label = read_idx(images), read_idx(labels)
    if x.ndim != 3 or label.shape != x.shape[:1]:
        sys.exit(f"{images} and {labels}: error: not images and one label for each")
    with h5py.File(out + ".new", "w") as file:
        file["x"] = x[:, None]
        file["label"] = label
    os.rename(out + ".new", out)


if __name__ == "__main__":
    main(*sys.argv[1:])
