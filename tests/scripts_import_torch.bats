#!/usr/bin/env bats
# scripts/import_torch: networks of pytorch/networks.py against PyTorch, and what it refuses. What needs torch is skipped where there is none:
# PEERS_VENV names an environment with torch, numpy and h5py (build/peers).
load program_setup

cfgs=$BATS_TEST_DIRNAME/pytorch
networks=$cfgs/networks.py

# imports STATUS WORD…
imports() {
    local expected=$1
    shift
    run --separate-stderr "$SOURCE_DIR/scripts/import_torch" "$@" -darknet "$darknet" -venv "$venv" -no-install
    equal "status of import_torch $* (it said: $stderr)" "$expected" "$status"
}

# refuses_import STATUS PATTERN WORD…: says that, and leaves no file.
refuses_import() {
    local expected=$1 pattern=$2
    shift 2
    imports "$expected" "$@"
    like "message of import_torch $*" "$pattern" "$stderr"
    absent out.weights
    equal 'files left behind' '' "$(find . -name '.import_torch*')"
}

# state NAME: NAME.pt
state() {
    "$venv/bin/python" "$networks" "$1" "$1.pt"
}

# verifies CFG NAME [WORD…]: out.weights says what the module NAME says.
verifies() {
    local cfg=$1 name=$2
    shift 2
    state "$name"
    imports 0 "$cfg" "$name.pt" out.weights -module "$networks:$name" "$@"
    like "output for $name" 'verified against PyTorch: largest difference *' "$output"
}

# saves EXPRESSION: its value as state.pt
saves() {
    "$venv/bin/python" -c "import torch
torch.save($1, 'state.pt')"
}

@test "connected layers, with batch normalisation of another eps" {
    needs_python torch numpy h5py
    verifies "$cfgs/mlp.cfg" mlp
}

@test "convolutions with biases before batch normalisation, pooling, a flatten, a final softmax" {
    needs_python torch numpy h5py
    verifies "$cfgs/cnn.cfg" cnn
}

map_of_resnext() {
    cat <<'END'
# the projection is named before what is computed before it
0 stem
1 reduce reduce_norm
2 grouped grouped_norm
3 expand expand_norm
5 projection projection_norm
7 plain
9 alone   # its biases go into its means
11 classifier
- unused
END
}

@test "a block with grouped convolutions, a projection and a batch normalisation of its own, by a map" {
    needs_python torch numpy h5py
    map_of_resnext >map
    verifies "$cfgs/resnext.cfg" resnext -map map
}

@test "Darknet's resnet18" {
    needs_python torch numpy h5py
    [ -e /usr/share/darknet/cfg/resnet18.cfg ] || skip "Darknet's package has no cfgs here"
    verifies /usr/share/darknet/cfg/resnet18.cfg darknet18
}

@test "torchvision's resnet18" {
    needs_python torch numpy h5py
    needs_python torchvision
    verifies "$SOURCE_DIR/cfg/resnet18_torchvision.cfg" torchvision18
}

@test "without the module nothing is verified, and it says so" {
    needs_python torch numpy h5py
    state mlp
    imports 0 "$cfgs/mlp.cfg" mlp.pt out.weights
    like output '*not verified against PyTorch*' "$output"
    imports 0 "$cfgs/mlp.cfg" mlp.pt told.weights -eps 1e-3
    imports 0 "$cfgs/mlp.cfg" mlp.pt asked.weights -module "$networks:mlp"
    same_file told.weights asked.weights
    ! cmp -s out.weights asked.weights
}

@test "checkpoints: under a key, of DataParallel and of torch.compile" {
    needs_python torch numpy h5py
    state mlp
    imports 0 "$cfgs/mlp.cfg" mlp.pt plain.weights
    saves "{'epoch': 3, 'state_dict': {'module.' + k: v for k, v in torch.load('mlp.pt').items()}}"
    imports 0 "$cfgs/mlp.cfg" state.pt wrapped.weights
    same_file plain.weights wrapped.weights
    saves "{'_orig_mod.' + k: v.double() for k, v in torch.load('mlp.pt').items()}"
    imports 0 "$cfgs/mlp.cfg" state.pt compiled.weights
    same_file plain.weights compiled.weights
}

@test "a module within DataParallel, and a cfg that is a [variant]" {
    needs_python torch numpy h5py
    printf 'import importlib.util, torch\nspec = importlib.util.spec_from_file_location("n", "%s")\nn = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(n)\n' \
        "$networks" >parallel.py
    printf 'def parallel():\n    return torch.nn.DataParallel(n.mlp())\n' >>parallel.py
    state mlp
    saves "{'module.' + k: v for k, v in torch.load('mlp.pt').items()}"
    printf '[variant]\nof=%s\nnet.batch=4\n' "$cfgs/mlp.cfg" >variant.cfg
    imports 0 variant.cfg state.pt out.weights -module parallel.py:parallel
    like output 'verified against PyTorch: largest difference *' "$output"
}

@test "an activation that is not the module's" {
    needs_python torch numpy h5py
    state cnn_slope
    refuses_import 1 'error: the outputs differ from PyTorch*' "$cfgs/cnn.cfg" cnn_slope.pt out.weights -module "$networks:cnn_slope"
}

@test "what does not fit is named" {
    needs_python torch numpy h5py
    state resnext
    state mlp
    refuses_import 1 \
        "$cfgs/resnext.cfg:12: error: layer 1 \[convolutional\] takes weights \[8, 6, 1, 1\]; resnext.pt has projection.weight \[16, 6, 1, 1\]" \
        "$cfgs/resnext.cfg" resnext.pt out.weights
    saves "{k: v for k, v in torch.load('mlp.pt').items() if not k.startswith('5')}"
    refuses_import 1 "state.pt: error: ends before the cfg does: nothing is left for layer 2 \[connected\]*" "$cfgs/mlp.cfg" state.pt out.weights
    saves "torch.load('mlp.pt') | {'extra.weight': torch.ones(2, 3)}"
    refuses_import 1 'state.pt: error: left over, no layer of the cfg takes them: extra.weight \[2, 3\]' "$cfgs/mlp.cfg" state.pt out.weights
    saves "torch.load('mlp.pt') | {'5.weight_g': torch.ones(2, 3)}"
    refuses_import 1 "state.pt: error: '5.weight_g' is neither weight nor bias *" "$cfgs/mlp.cfg" state.pt out.weights
    saves "torch.load('mlp.pt') | {'5.weight': torch.full((3, 8), float('nan'))}"
    refuses_import 1 "state.pt: error: '5.weight' holds numbers that are not finite" "$cfgs/mlp.cfg" state.pt out.weights
    saves "{k: -v if 'running_var' in k else v for k, v in torch.load('mlp.pt').items()}"
    refuses_import 1 "state.pt: error: '*.running_var' holds a negative variance" "$cfgs/mlp.cfg" state.pt out.weights
    saves "{k: v for k, v in torch.load('mlp.pt').items() if 'running' not in k}"
    refuses_import 1 "*layer 1 \[connected\] has batch_normalize=1, but behind 2 state.pt has *" "$cfgs/mlp.cfg" state.pt out.weights
}

@test "maps that are wrong" {
    needs_python torch numpy h5py
    state resnext
    wrong() { # SED-COMMAND PATTERN
        map_of_resnext | sed "$1" >map
        refuses_import 1 "$2" "$cfgs/resnext.cfg" resnext.pt out.weights -map map
    }
    wrong '/unused/d' 'resnext.pt: error: left over, *: unused.weight \[2, 16\]'
    wrong '/alone/d' 'map: error: names no module for layer 9 \[batchnorm\] *'
    wrong 's/ plain/ plane/' "map: error: resnext.pt has no module 'plane'"
    wrong 's/ grouped_norm//' 'map: error: layer 2 \[convolutional\] takes 2 modules, 1 are named'
    wrong 's/^7/6/' 'map: error: names no module for layer 7 *'
    wrong 's/^11/x/' "map:9: error: neither *"
    wrong 's/^11/9/' 'map:9: error: layer 9 a second time'
}

@test "code in a checkpoint is not run" {
    needs_python torch numpy h5py
    "$venv/bin/python" -c "import os, torch
class Trap:
    def __reduce__(self):
        return os.system, ('touch $PWD/trapped',)
torch.save({'a.weight': Trap()}, 'state.pt')"
    refuses_import 1 'state.pt: error: not a file of tensors alone*' "$cfgs/mlp.cfg" state.pt out.weights
    absent trapped
    echo nothing >state.pt
    refuses_import 1 'state.pt: error: *' "$cfgs/mlp.cfg" state.pt out.weights
    saves 7
    refuses_import 1 'state.pt: error: holds no state_dict*' "$cfgs/mlp.cfg" state.pt out.weights
}

@test "modules that are none" {
    needs_python torch numpy h5py
    state mlp
    printf 'number = 3\ndef other(): return 3\ndef larger():\n    import torch\n    return torch.nn.Linear(2, 2)\n' >own.py
    refuses_import 1 "-module: error: own.py has no function 'number'" "$cfgs/mlp.cfg" mlp.pt out.weights -module own.py:number
    refuses_import 1 "-module: error: other() returns int, *" "$cfgs/mlp.cfg" mlp.pt out.weights -module own.py:other
    refuses_import 1 "-module: error: the module does not take this state dict*" "$cfgs/mlp.cfg" mlp.pt out.weights -module own.py:larger
    refuses_import 1 "-eps: error: 'small' is not a number*" "$cfgs/mlp.cfg" mlp.pt out.weights -eps small
}

# ---------------------------------------------------------------- without torch

@test "words that are wrong" {
    : >state.pt
    : >there.weights
    refuses_import 2 'scripts/import_torch NET.cfg STATE.pt OUT.weights*' "$cfgs/mlp.cfg" state.pt
    refuses_import 2 '*error: unknown flag -mapp' "$cfgs/mlp.cfg" state.pt out.weights -mapp
    refuses_import 2 '*error: one word too many: more' "$cfgs/mlp.cfg" state.pt out.weights more
    refuses_import 2 '*error: no file nowhere.cfg' nowhere.cfg state.pt out.weights
    refuses_import 2 '*error: no file nowhere.pt' "$cfgs/mlp.cfg" nowhere.pt out.weights
    refuses_import 2 '*error: no file nowhere.map' "$cfgs/mlp.cfg" state.pt out.weights -map nowhere.map
    refuses_import 2 "*error: -module: 'networks' is not FILE.py:FUNCTION" "$cfgs/mlp.cfg" state.pt out.weights -module networks
    refuses_import 2 '*error: -module: no file nowhere.py' "$cfgs/mlp.cfg" state.pt out.weights -module nowhere.py:mlp
    refuses_import 2 '*error: there.weights: there is such a file*' "$cfgs/mlp.cfg" state.pt there.weights
    refuses_import 2 '*error: nowhere/out.weights: there is no folder nowhere' "$cfgs/mlp.cfg" state.pt nowhere/out.weights
}

@test "a cfg that is wrong is reported by the program's reader" {
    : >state.pt
    printf '[net]\ninputs=2\n\n[connected]\noutputs=3\n' >wrong.cfg
    refuses_import 2 "wrong.cfg:5:1: error: *" wrong.cfg state.pt out.weights
}

@test "torch is asked for where it may not be installed" {
    : >state.pt
    venv=$PWD/none
    refuses_import 2 '*error: numpy is not installed in *none: leave out -no-install*' "$cfgs/mlp.cfg" state.pt out.weights
}
