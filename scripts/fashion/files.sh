# Fashion-MNIST as HDF5, for the scripts that train on it (read with `.`, after python.sh):
#     data      folder of the IDX files of MNIST's names, gz or not
#     out       where train.h5 and test.h5 go
# fashion_files makes what is missing of them, and says in `images` how many images are for training.
# shellcheck shell=sh disable=SC2154,SC2034  # variables and functions of the other side, and one for it

# idx NAME: its path
idx() {
    for path in "$data/$1" "$data/$1.gz"; do
        [ -e "$path" ] && { echo "$path"; return; }
    done
    fail "no $1[.gz] in $data: install the package dataset-fashion-mnist, or name its folder with -data"
}

# make_file IMAGES LABELS NAME: $out/NAME.h5
make_file() {
    [ -e "$out/$3.h5" ] && return
    python_needs numpy h5py
    mkdir -p "$out"
    "$venv/bin/python" scripts/fashion/idx_to_hdf5.py "$1" "$2" "$out/$3.h5" || exit 1
}

fashion_files() {
    train_images=$(idx train-images-idx3-ubyte)
    train_labels=$(idx train-labels-idx1-ubyte)
    test_images=$(idx t10k-images-idx3-ubyte)
    test_labels=$(idx t10k-labels-idx1-ubyte)
    make_file "$train_images" "$train_labels" train
    make_file "$test_images" "$test_labels" test
    # The second number of an IDX file, four bytes, the highest first.
    images=$(zcat -f "$train_images" | od -A n -t u1 -j 4 -N 4 | awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }')
}
