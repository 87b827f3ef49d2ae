#!/usr/bin/env bats
# valid, check, bench and plot.
load program_setup

# number NAME TEXT: what stands behind the name in lines of "name number".
number() {
    sed -n "s/^$1 //p" <<<"$2"
}

@test "valid measures what training reported" {
    for name in hessians host_layers; do
        trains "$tiny/$name.cfg" $name -seed 5
        ends 0 valid "$tiny/$name.cfg" $name/${name}_final.weights -seed 5
        equal points 64 "$(number points "$output")"
        for measure in value_mse gradient_mse hessian_mse; do
            equal "$name $measure" "$(metric test_$measure $name)" "$(number $measure "$output")"
        done
    done
    ends 0 valid hessians/run.cfg hessians/hessians_final.weights
    equal 'with run.cfg' "$(metric test_value_mse hessians)" "$(number value_mse "$output")"
    ends 0 valid "$tiny/hessians.cfg" hessians/hessians_final.weights -set data.test_points=10 -seed 6
    equal points 10 "$(number points "$output")"
}

@test "valid measures what it should: a network that is 0 everywhere, against the sphere function" {
    sed -e 's/^function=.*/function=sphere/' -e 's/^output=2$/output=1/' -e 's/^test_points=.*/test_points=20000/' \
        "$tiny/hessian_projections.cfg" >zero.cfg
    trains zero.cfg run -set net.max_batches=1
    (printf '\0\0\0\0\2\0\0\0\0\0\0\0' && head -c "$(($(stat -c %s run/zero_final.weights) - 12))" /dev/zero) >zero.weights
    ends 0 valid zero.cfg zero.weights
    # f = sum x^2 over (-1,1)^3: E f^2 = 3/5 + 6/9, E (2x)^2 = 4/3, and of the entries of the Hessian 2I the mean square is 4/3.
    equal hessian_mse 1.33333333 "$(number hessian_mse "$output")"
    less_than 1.30 "$(number gradient_mse "$output")"
    less_than "$(number gradient_mse "$output")" 1.37
    less_than 1.22 "$(number value_mse "$output")"
    less_than "$(number value_mse "$output")" 1.31
}

@test "check passes on every tiny experiment that the engine knows" {
    ln -s "$SOURCE_DIR/cfg" cfg # where those with a teacher look for it
    for cfg in "$tiny"/*.cfg; do
        ends 0 check "$cfg"
        equal "$cfg" 'every derivative check passed' "$(grep -v '^ok ' <<<"$output")"
        [ "$(grep -c '^ok  *double .*loss gradient against differences' <<<"$output")" -ge 4 ]
        # With respect to a hidden layer there is no identity of the network's input.
        [[ $cfg = */flat.cfg || $cfg = */host_layers.cfg ]] || [ "$(grep -c '^ok  *float  *ref ' <<<"$output")" -ge 2 ]
    done
}

stands_in() { # LINE LAYER
    echo "net.cfg:$1:1: note: $2 runs in Darknet alone: a linear layer of its sizes stands in its place, and what it does itself is not checked"
}

@test "check of layers around those that only Darknet has" {
    printf '[net]\nheight=6\nwidth=6\nchannels=2\nbatch=2\n[convolutional]\nfilters=3\nsize=3\nactivation=tanh\nbatch_normalize=1\n' >below.cfg
    (cat below.cfg; printf '[lstm]\noutput=7\n[connected]\noutput=3\nactivation=logistic\n') >net.cfg
    ends 0 check net.cfg
    equal message "$(stands_in 11 '[lstm]')" "$stderr"
    [ "$(grep -c '^ok  *double .*loss gradient .*layer 0 ' <<<"$output")" -ge 3 ]
    [ "$(grep -c '^ok  *double .*loss gradient .*layer 2 ' <<<"$output")" -ge 2 ]
    (cat below.cfg; printf '[convolutional]\nfilters=6\nsize=1\nactivation=linear\n[yolo]\nclasses=1\nmask=0\nanchors=1,1\nnum=1\n') >net.cfg
    ends 0 check net.cfg
    like message "$(stands_in 15 '\[yolo]')"$'\n'"net.cfg:1:1: note: a network of many *" "$stderr"
    sed -i 's/^activation=tanh/&\nxnor=1/' net.cfg
    ends 0 check net.cfg
    like messages "$(stands_in 6 '\[convolutional] with xnor=1'; stands_in 16 '\[yolo]')"$'\n'"*" "$stderr"
    trains "$tiny/host_layers.cfg" run
    refuses_like 2 "*/host_layers.cfg:18:1: error: \[convolutional] with binary=1 runs in Darknet alone, and its weights *" check "$tiny/host_layers.cfg" \
        run/host_layers_final.weights
    # Where [sobolev] differentiates through it, there is nothing to check.
    (cat below.cfg; printf '[gru]\noutput=7\n[connected]\noutput=1\n[sobolev]\ntarget=zero\n') >net.cfg
    refuses_like 2 'net.cfg:11:1: error: \[gru] cannot be differentiated here, but \[sobolev] at line 15 differentiates through it: *' check net.cfg
}

@test "check of derivatives that are 0: biases that a mean removes" {
    printf '[net]\ninputs=4\nbatch=8\n[connected]\noutput=6\nactivation=linear\n[batchnorm]\n[activation]\nactivation=tanh\n[connected]\noutput=1\nactivation=linear\n[sobolev]\n' >bn.cfg
    for order in 0 1 2; do
        ends 0 check bn.cfg -set sobolev.order=$order
        [ "$(grep -c '^ok .* layer 0 connected, biases' <<<"$output")" -ge 1 ]
    done
}

@test "check of a large network without [sobolev]: one direction, fewer step sizes" {
    printf '[net]\nheight=28\nwidth=28\nchannels=8\nbatch=2\n' >net.cfg
    for k in {1..12}; do
        printf '[convolutional]\nfilters=8\nsize=3\npad=1\nstride=1\nactivation=leaky\nbatch_normalize=1\n' >>net.cfg
    done
    printf '[connected]\noutput=50\nactivation=logistic\n' >>net.cfg
    ends 0 check net.cfg -batch 2
    like message 'net.cfg:1:1: note: a network of many derivatives: *' "$stderr"
    equal 'the end' 'every derivative check passed' "$(grep -v '^ok ' <<<"$output")"
}

@test "check of trained weights, of another batch, seed and backend" {
    trains "$tiny/hessians.cfg" run
    ends 0 check "$tiny/hessians.cfg" run/hessians_final.weights -batch 1 -seed 9 -backend ref -threads 1
    [ "$(grep -c '^ok .*onednn' <<<"$output")" = 0 ]
}

@test "bench compares plain and Sobolev steps" {
    for name in hessians gradients; do
        ends 0 bench "$tiny/$name.cfg" -seconds .2 -threads 1
        like "$name" 'backend *, 1 threads, batch 16, matrix product *GF/s'$'\n''plain * ms per step *%*'$'\n''Sobolev * ms per step *%*'$'\n'\
'Sobolev step / plain step: [0-9]*.[0-9]* (median of * alternating rounds)*' "$output"
    done
    ends 0 bench "$tiny/hessians.cfg" -seconds .1 -backend ref -set sobolev.weight=0
    like 'weight=0, a slow backend' 'backend ref, *Sobolev step / plain step: *' "$output"
    ends 0 bench "$tiny/cost.cfg" -seconds .1
    like 'no derivatives' 'backend *'$'\n''plain * ms per step *' "$output"
    run ! grep -q Sobolev <<<"$output"
}

# spins VERB…: how often libgomp was loaded, and with which number of spins.
spins() {
    env -u OMP_WAIT_POLICY OMP_DISPLAY_ENV=verbose "$@" 2>&1 >/dev/null | sed -n "s/.*GOMP_SPINCOUNT = '\(.*\)'.*/\1/p" | xargs
}

@test "threads that wait for each other spin for microseconds, unless the environment has decided" {
    [ "$(nproc)" -gt 1 ] || skip "one processor"
    local bench=("$darknet" sobolev bench "$tiny/gradients.cfg" -seconds .01) default
    default=$(spins "$darknet" sobolev version)
    [ "$default" -gt 2000 ]
    equal 'for long runs' "$default 2000" "$(spins "${bench[@]}")"
    equal 'with one thread' "$default" "$(spins "${bench[@]}" -threads 1)"
    equal 'a count' 50 "$(GOMP_SPINCOUNT=50 spins "${bench[@]}")"
    equal 'a policy' 0 "$(spins env OMP_WAIT_POLICY=passive "${bench[@]}")"
    ends 0 bench "$tiny/gradients.cfg" -seconds .01 # and it does what it was asked for
    like 'output' 'backend *' "$output"
}

@test "plot draws curves of one and of several runs, and surfaces" {
    command -v gnuplot >/dev/null || skip "no gnuplot"
    trains "$tiny/gradients.cfg" one
    trains "$tiny/values.cfg" 'two "runs"; touch x'
    ends 0 plot one
    equal name curves.png "$output"
    equal 'first bytes' 89504e47 "$(head -c 4 curves.png | od -An -tx1 | tr -d ' \n')"
    ends 0 plot one 'two "runs"; touch x/' -column test_gradient_mse -out '$(touch y).svg'
    like svg '*<svg*</svg>*' "$(cat '$(touch y).svg')"
    ends 0 plot one 'two "runs"; touch x' -surface
    equal name surface.png "$output"
    equal 'first bytes' 89504e47 "$(head -c 4 surface.png | od -An -tx1 | tr -d ' \n')"
    absent x y
}

@test "plot says what it cannot draw" {
    command -v gnuplot >/dev/null || skip "no gnuplot"
    mkdir empty
    trains "$tiny/gradients.cfg" one -set net.max_batches=5
    trains "$tiny/projections.cfg" three -set net.max_batches=5
    refuses_like 1 'nosuch/metrics.csv: error: *No such file or directory' plot nosuch
    refuses_like 1 'empty/metrics.csv: error: *No such file or directory' plot one empty
    refuses_like 1 'one/metrics.csv: error: *nosuch*' plot one -column nosuch
    refuses_like 1 'p.jpg: error: *.png or .svg' plot one -out p.jpg
    refuses_like 1 'nosuch/p.png*: error: *No such file or directory' plot one -out nosuch/p.png
    refuses_like 1 'empty/run.cfg:*No such file or directory' plot empty -surface
    refuses 2 'three: error: a surface needs a network with two inputs and one output that can be differentiated' plot three \
        -surface
    rm one/gradients_final.weights
    refuses 1 'one: error: there is no *_final.weights: is it the folder of a finished run?' plot one -surface
    cp one/gradients_best.weights one/a_final.weights
    cp one/gradients_best.weights one/b_final.weights
    refuses 1 'one: error: there are several *_final.weights' plot one -surface
    equal leftovers '' "$(find . -name '*.part' -o -name '*.png')"
}
