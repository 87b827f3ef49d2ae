#!/usr/bin/env bats
# Synthetic gradients: networks with [critic] blocks in training, at restarts, and in what they leave behind.
load program_setup

# A network whose cut is above layer 0, in the mode $1; with keys $2 of the block. Its data are not normalised: weights stay as they are drawn.
cut_cfg() {
    sed -e '/^normalise=/d' -e "s/^mode=.*/mode=$1/" -e '/^target=/d' -e '/^mix=/d' "$tiny/critic.cfg" |
        awk '/^\[critic\]/ { ++n } n == 2 { skip = 1 } !skip { print } skip && /^\[end\]/ { skip = n = 0 }'
}

@test "blocks report how well they predict, for every evaluation" {
    trains "$tiny/critic.cfg" run
    like reports '*critic of layer 1: gradient cosine *, norm ratio *, loss error *
critic of layer 3: gradient cosine *' "$output"
    [ "$(head -n 1 run/critics.csv)" = "step,layer,line,mode,loss_error,cosine,norm_ratio,staleness,most_stale" ]
    [ "$(tail -n 1 run/critics.csv | cut -d , -f 1-4)" = "300,3,40,sobolev" ]
    less_than .7 "$(tail -n 1 run/critics.csv | cut -d , -f 6)"
}

@test "their curves are drawn" {
    command -v gnuplot >/dev/null || skip "gnuplot is not installed"
    run "$darknet" sobolev train "$tiny/critic.cfg" -out run
    equal status 0 "$status"
    [ -s run/critics.png ]
    run "$darknet" sobolev plot run -critics -out blocks.svg
    equal said blocks.svg "$output"
    grep -q '<text>layer 3</text>' blocks.svg
    refuses 2 '-critics: error: one run is wanted, run is a second' plot run run -critics -out no.svg
}

@test "a block that predicts the gradient itself learns it" {
    trains "$tiny/critic_direct.cfg" run
    less_than .8 "$(tail -n 1 run/critics.csv | cut -d , -f 6)"
}

@test "a run with blocks that goes on ends where an uninterrupted one does" {
    for name in critic critic_direct; do
        trains "$tiny/$name.cfg" "whole_$name" -set net.max_batches=60
        trains "$tiny/$name.cfg" "half_$name" -set net.max_batches=30
        trains "$tiny/$name.cfg" "rest_$name" "half_$name/${name}_last.weights" -set net.max_batches=60
        same_file "whole_$name/${name}_final.weights" "rest_$name/${name}_final.weights"
        # the blocks and the optimisers: what lies between the header, which remembers the best errors of each run, and the hash
        cmp <(tail -c +401 "whole_$name/${name}_last.state" | head -c -8) <(tail -c +401 "rest_$name/${name}_last.state" | head -c -8)
    done
    cp half_critic/critic_last.weights alone.weights
    trains "$tiny/critic.cfg" alone alone.weights -set net.max_batches=31
    like note '*note: no alone.state: the optimiser and the networks of \[critic\] blocks start afresh*' "$output"
    refuses 1 "$tiny/critic.cfg:22:8: warning: 'target' means nothing with mode=noprop
$tiny/critic.cfg:24:5: warning: 'mix' means nothing with mode=noprop
half_critic/critic_last.state: error: belongs to a network with other [critic] blocks" train "$tiny/critic.cfg" \
        half_critic/critic_last.weights -set critic[0].mode=noprop -set net.max_batches=60 -out other
}

@test "mode=backprop is the network without the block, bit for bit; mode=noprop leaves what is below alone" {
    cut_cfg backprop >backprop.cfg
    cut_cfg noprop >noprop.cfg
    awk '/^\[critic\]/ { skip = 1 } !skip { print } /^\[end\]/ { skip = 0 }' backprop.cfg >plain.cfg
    trains plain.cfg start -set net.max_batches=1
    cp start/plain_final.weights start.weights
    for name in plain backprop noprop; do
        trains "$name.cfg" "$name" start.weights -set net.decay=.01 -set net.max_batches=50
    done
    same_file plain/plain_final.weights backprop/backprop_final.weights
    # 16 biases and 32 weights of layer 0 follow 20 bytes of header
    cmp <(tail -c +21 start.weights | head -c 192) <(tail -c +21 noprop/noprop_final.weights | head -c 192)
    run ! cmp -s <(tail -c +213 start.weights) <(tail -c +213 noprop/noprop_final.weights)
}

@test "with warm_up true gradients go down" {
    cut_cfg sobolev >warm.cfg
    cut_cfg backprop >backprop.cfg
    trains warm.cfg warm -set critic[0].warm_up=50 -set net.max_batches=50
    trains backprop.cfg backprop -set net.max_batches=50
    same_file warm/warm_final.weights backprop/backprop_final.weights
}

@test "what a block cannot know is refused; baselines without one are not" {
    sed -e 's/^function=.*/domain=-1,1/' -e '/^normalise=/d' "$tiny/critic.cfg" | awk '/^\[connected\]/ && !n++ { print "[teacher]\ncfg=teacher.cfg\n" } 1' >c.cfg
    sed -e '/^\[critic\]/,/^\[end\]/d' -e '/^normalise=/d' "$tiny/critic.cfg" >teacher.cfg
    refuses 2 'c.cfg:15:1: error: [critic] predicts a loss on the labels of the data, and outputs that a teacher'"'"'s are compared with have another: beside [teacher] with cfg= only mode=noprop and mode=backprop' \
        train c.cfg -out no
    trains c.cfg run -set critic[0].mode=noprop -set critic[1].mode=backprop -set net.max_batches=5
    refuses 2 '-set sobolev.output_weights=2: error: [critic] predicts a loss that weighs all outputs alike: beside output_weights only mode=noprop and mode=backprop' \
        train "$tiny/critic.cfg" -out no -set sobolev.output_weights=2
    printf 'x1,x2,y\n%s' "$(yes '1,2,' | head -n 64)" >gaps.csv
    sed -e 's/^function=.*/file=gaps.csv\nmissing=1/' -e '/^points=/d' -e '/^test_points=/d' -e '/^normalise=/d' "$tiny/critic.cfg" >c.cfg
    refuses 2 'c.cfg:12:9: error: [critic] reads every label: beside missing=1 only mode=noprop and mode=backprop' train c.cfg -out no
    refuses_like 2 '*error: mode=direct (line 20) predicts a gradient of 16 x 1 x 1, *' train "$tiny/critic.cfg" -out no -set critic[0].mode=direct
    absent no
}

@test "keys that a mode does not read are named" {
    ends 0 train "$tiny/critic.cfg" -print-cfg -set critic[1].mode=noprop -set critic[1].mix=.5 -set critic[1].updates=3
    equal warnings "-set critic[1].mix=.5: warning: 'mix' means nothing with mode=noprop
-set critic[1].updates=3: warning: 'updates' means nothing with mode=noprop" "$stderr"
    ends 0 train "$tiny/critic.cfg" -print-cfg -set critic[1].mode=critic -set critic[1].mix=.5 -set critic[1].weight_1=2
    equal warnings "-set critic[1].weight_1=2: warning: 'weight_1' means nothing with mode=critic" "$stderr"
}

@test "export leaves blocks out" {
    trains "$tiny/critic.cfg" run -set net.max_batches=20
    ends 0 export "$tiny/critic.cfg" run/critic_final.weights -out exported
    run ! grep -qE 'critic|end\]' exported/critic.cfg
    same_file run/critic_final.weights exported/critic.weights
    printf 'x1,x2\n.1,.2\n-.5,.4\n' >points.csv
    ends 0 predict "$tiny/critic.cfg" run/critic_final.weights points.csv
    local wanted=$output
    ends 0 predict exported/critic.cfg exported/critic.weights points.csv
    [ "$output" = "$wanted" ]
}

@test "check proves the derivatives of blocks" {
    ends 0 check "$tiny/critic.cfg"
    like rows "*synthetic gradient against differences     \[critic\] 1, dm/dh *block's loss against differences *" "$output"
}
