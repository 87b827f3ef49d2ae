#!/usr/bin/env bats
# scripts/paper_distillation on 80 frames of noise, and scripts/atari as far as nobody has to play: what they leave behind and what they refuse. What
# needs h5py or the games is skipped where there are none: PEERS_VENV names an environment with them (build/peers).
load program_setup

# records and a teacher of Breakout in data/
make_data() {
    mkdir -p data
    "$venv/bin/python" -c "
import h5py, numpy
r = numpy.random.default_rng(1)
with h5py.File('data/teacher_breakout.h5', 'w') as file:
    file['frames'] = r.integers(0, 256, (80, 84, 84), numpy.uint8)
    file['episode'] = numpy.arange(80, dtype=numpy.int32) // 10
    file['y'] = r.normal(size=(80, 4)).astype(numpy.float32)"
    ends 0 train "$SOURCE_DIR/cfg/atari_teacher_breakout.cfg" -set data.file="$PWD/data/teacher_breakout.h5" -set net.max_batches=2 -no-chart -out t
    cp t/atari_teacher_breakout_final.weights data/teacher_breakout.weights
}

study() {
    run --separate-stderr "$SOURCE_DIR/scripts/paper_distillation" -games breakout -data "$PWD/data" -out "$PWD/study" -venv "$venv" -no-install \
        -darknet "$darknet" -episodes 0 -set net.batch=4 "$@"
}

@test "rates are compared, students trained, tables and pictures made" {
    needs_python h5py
    make_data
    study -fractions "25 50" -seeds "1 2" -updates 4 -fit-updates 2 -fit-fraction 50 -rates "1e-3 1e-4"
    equal "status (it said: $stderr)" 0 "$status"
    equal rates '1e-3 1e-4 1e-3 1e-4 ' "$(cut -d , -f 3 study/rates.csv | tr '\n' ' ')"
    equal runs '9 regular,25,1,4 sobolev,25,1,4 regular,50,1,4 sobolev,50,1,4 ' \
        "$(wc -l <study/runs.csv) $(sed -n 2,5p study/runs.csv | cut -d , -f 2-5 | tr '\n' ' ')"
    equal rows 2 "$(grep -c '^| breakout | \(25\|50\) | ' study/table.md)"
    equal curves 41 "$(wc -l <study/curves.csv)"
    grep -qx weight_1=0 study/breakout/25/1/regular/run.cfg
    grep -qx fraction=.5 study/breakout/25/1/sobolev/run.cfg || grep -qx fraction=0.5 study/breakout/25/1/sobolev/run.cfg
    ! cmp -s study/breakout/25/1/*/distill_breakout_final.weights
    ! command -v gnuplot >/dev/null || [ -s study/figure_breakout.png ]
    rm study/breakout/50/2/sobolev/summary.json
    study -fractions "25 50" -seeds "1 2" -updates 4 -rates 1e-3
    like output '*1 students to train*' "$output"
}

@test "words that are wrong" {
    for words in "-games chess" "-fractions 60" "-fractions some" "-updates 0" "-seeds x" "-seeds" "-darknet /nowhere" "-size 3" ""; do
        # shellcheck disable=SC2086
        study $words
        equal "status of $words" 2 "$status"
        like "message of $words" '*scripts/paper_distillation: error: *' "$stderr"
        absent study
    done
}

@test "players say what is wrong with what they are given" {
    needs_python ale_py cv2 h5py torch
    mkdir agents
    "$venv/bin/python" -c "import torch; torch.save({'conv1.weight': torch.zeros(1)}, 'agents/pong-v4.model.80.tar')"
    echo nothing >agents/breakout-v4.model.80.tar
    for case in \
        "play_agents pong -agents nowhere|nowhere/pong-v4.model.80.tar: no such file" \
        "play_agents breakout -agents agents|agents/breakout-v4.model.80.tar: not a PyTorch checkpoint *" \
        "play_agents pong -agents agents|*'conv1.weight' is [[]1[]] where this game's agent has [[]32, 1, 3, 3[]]" \
        "record_agents chess -agents agents -out x.h5|argument game: invalid choice: 'chess' *" \
        "record_agents pong -agents agents -out nowhere/x.h5|-out nowhere/x.h5: there is no folder *" \
        "record_agents pong -agents agents -out x.h5 -follow x.cfg|-follow and -weights belong together" \
        "play x.cfg x.weights pong -library nowhere.so|the plugin's library cannot be loaded: nowhere.so: *" \
        "play x.cfg x.weights pong|x.cfg: No such file or directory"; do
        local words=${case%%|*} library=
        [[ $words == play\ *-library* || $words != play\ * ]] || library="-library $BUILD_DIR/darknet_ext/libdarknet_ext.so"
        # shellcheck disable=SC2086
        run --separate-stderr "$venv/bin/python" "$SOURCE_DIR/scripts/atari/"$words $library
        equal "status of $words" 2 "$status"
        like "message of $words" "*: error: ${case#*|}" "$stderr"
        equal "lines of $words" 1 "$(wc -l <<<"$stderr")"
        absent x.h5
        absent x.h5.part
    done
}
