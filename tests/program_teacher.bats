#!/usr/bin/env bats
# Distillation: a teacher is trained, a student learns from it, and nobody else asks for the teacher.
load program_setup

# The student of cfg/tiny/teacher.cfg, and a trained teacher, in this folder.
make_both() {
    trains "$tiny/projections.cfg" teacher -set "net.max_batches=${1:-200}"
    cp "$tiny/projections.cfg" teacher.cfg
    sed 's|^cfg=.*|cfg=teacher.cfg\nweights=teacher/projections_final.weights|' "$tiny/teacher.cfg" >student.cfg
}

# The points have no labels: the student is measured by what the teacher says.
@test "a student learns the values and derivatives of its teacher" {
    make_both
    trains student.cfg run -set net.max_batches=2000
    run ! grep -q note: <<<"$output"
    grep -qF '"teacher": "teacher.cfg",' run/summary.json
    grep -qF '"teacher_weights": "teacher/projections_final.weights",' run/summary.json
    less_than "$(metric test_value_mse run)" .001
    less_than "$(metric test_gradient_mse run)" .01
    ends 0 valid student.cfg run/student_final.weights
    like 'by the teacher' "*value_mse $(metric test_value_mse run)*gradient_mse $(metric test_gradient_mse run)*" "$output"
    printf 'x1,x2,x3\n.1,.2,.3\n-.5,.4,0\n' >points.csv
    ends 0 predict teacher.cfg teacher/projections_final.weights points.csv
    local wanted=$output
    ends 0 predict student.cfg run/student_final.weights points.csv
    paste -d , <(sed 1d <<<"$wanted") <(sed 1d <<<"$output") |
        awk -F , '{ for (i = 4; i <= 6; ++i) if (($i - $(i + 6)) ^ 2 > .02) exit 1 }'
}

@test "along directions of the data, and the tests are measured by the teacher" {
    make_both 20
    awk 'BEGIN { print "x1,x2,x3,v1,v2,v3"; for (i = 0; i < 60; ++i) { for (k = 1; k < 7; ++k) printf "%.6g%s", sin(k * i), k < 6 ? "," : "\n" } }' >points.csv
    sed -e '/^\[data\]/,/^$/d' -e 's/^\[teacher\]/[data]\nfile=points.csv\n\n&/' -e 's/^order=.*/order=1\nlabel_directions=1/' student.cfg >along.cfg
    trains along.cfg run -set net.max_batches=100
    less_than "$(metric test_value_mse run)" "$(metric test_value_mse run 1)"
    less_than "$(metric test_gradient_mse run)" "$(metric test_gradient_mse run 1)"
}

@test "where logits are compared a classifier's are what its [softmax] reads" {
    make_both 20
    sed 's/^\[sobolev\]/[softmax]\n\n&/' teacher.cfg >classifier.cfg
    for teacher in teacher classifier; do
        trains student.cfg "by_$teacher" -set "teacher.cfg=$teacher.cfg" -set sobolev.loss=kl -set net.max_batches=40
    done
    like metrics "$(cut -d , -f 1,2,4- by_teacher/metrics.csv)" "$(cut -d , -f 1,2,4- by_classifier/metrics.csv)"
    refuses_like 2 "-set teacher.hint=0:2: error: hint: 2 names the \[softmax\] of the teacher, whose output is layer 1, the logits, where these are compared: classifier.cfg" \
        train student.cfg -set teacher.cfg=classifier.cfg -set sobolev.loss=kl -set teacher.hint=0:2
    sed -i 's/^\[softmax\]/&\ntemperature=2/' classifier.cfg
    refuses_like 2 "student.cfg:*: error: \[sobolev\] takes outputs for logits, and those of the teacher are probabilities, of a \[softmax\] that is alone or has temperature= or groups=: classifier.cfg:*" \
        train student.cfg -set teacher.cfg=classifier.cfg -set sobolev.loss=kl
    sed 's/^\[sobolev\]/[softmax]\n&/' student.cfg >squashed.cfg
    refuses_like 2 "squashed.cfg:*: error: \[sobolev\] at line * takes the outputs for logits, and this layer makes probabilities of them: leave it out" \
        train squashed.cfg -set sobolev.loss=kl
}

@test "a random teacher is announced" {
    make_both
    sed -i /^weights=/d student.cfg
    trains student.cfg run -set net.max_batches=10
    like note '*note: the teacher has no weights=: its weights are random, from the seed of teacher.cfg*' "$output"
}

# dense NAME HIDDEN DATA SOBOLEV [TEACHER]: two [connected] layers on three inputs of very different sizes.
dense() {
    printf '[net]\ninputs=3\nbatch=20\nmax_batches=200\nadam=1\nlearning_rate=.01\nseed=3\n[data]\n%b\n%b' "$3" "${5:-}" >"$1"
    printf '[connected]\noutput=%d\nactivation=tanh\n[connected]\noutput=2\nactivation=linear\n[sobolev]\n%b\n' "$2" "$4" >>"$1"
}

@test "beside normalise= the teacher reads what its student reads" {
    local taught='[teacher]\ncfg=teacher.cfg\nweights=teacher.weights\n' pieces="-set data.loaders=1" kind where
    awk 'BEGIN { srand(2); print "x1,x2,x3,y1,y2"; for (i = 0; i < 300; ++i) { a = 60 + 80 * rand(); b = rand() - .5; c = .001 * rand();
        printf "%.8g,%.8g,%.8g,%.8g,%.8g\n", a, b, c, 100 * sin(a / 20) + b * b, 1e3 * c + a * b } }' >xy.csv
    "$BUILD_DIR/tests/make_samples" points x.h5
    dense teacher.cfg 16 'file=xy.csv\nnormalise=all' 'order=0'
    trains teacher.cfg taught
    mv taught/teacher_final.weights teacher.weights
    # Who begins as its teacher has nothing to learn.
    dense same.cfg 16 'file=x.h5' 'order=2' "$taught"
    for kind in inputs all; do
        for where in "" "$pieces"; do
            # shellcheck disable=SC2086  # nothing, or two words
            ends 0 train same.cfg teacher.weights -no-chart -force -out same $where -set data.normalise=$kind -set net.max_batches=201 -set net.learning_rate=1e-12
            less_than "$(metric loss same)" 1e-9
            less_than "$(metric test_value_mse same)" 1e-4
        done
    done
    # Others learn, and raw numbers are what is measured.
    dense student.cfg 12 'file=x.h5' 'order=1' "$taught"
    trains student.cfg raw
    trains student.cfg normalised -set data.normalise=all
    # shellcheck disable=SC2086
    trains student.cfg pieces $pieces -set data.normalise=all
    less_than "$(metric test_value_mse normalised)" "$(awk -v raw="$(metric test_value_mse raw)" 'BEGIN { print raw / 100 }')"
    awk -v a="$(metric test_value_mse normalised)" -v b="$(metric test_value_mse pieces)" 'BEGIN { exit !((a / b - 1) ^ 2 < 1e-4) }'
    refuses 2 '-set data.differential_pca=.1: error: differential_pca cannot stand beside [teacher] with cfg=: it needs gradients of labels, and would take inputs from the teacher' \
        train student.cfg -set data.normalise=all -set data.differential_pca=.1
    sed 's/^activation=linear/activation=tanh/' teacher.cfg >bounded.cfg
    refuses_like 2 'bounded.cfg:*: error: normalise=all in \[data\] is folded into the last layer, which must be \[connected\] with activation=linear' \
        train student.cfg -set data.normalise=all -set teacher.cfg=bounded.cfg
}

@test "a run that goes on ends where an uninterrupted one does" {
    make_both 20
    trains student.cfg whole -set net.max_batches=120
    trains student.cfg half -set net.max_batches=70
    trains student.cfg rest half/student_last.weights -set net.max_batches=120
    same_file whole/student_final.weights rest/student_final.weights
    same_file whole/student_last.state rest/student_last.state
}

@test "only training, its checks, and tests without labels need the teacher's files" {
    make_both 20
    trains student.cfg run -set net.max_batches=20
    rm -r teacher teacher.cfg
    printf 'x1,x2,x3,y1,y2,y3\n.1,.2,.3,1,0,0\n-.5,.4,0,0,1,0\n' >points.csv
    ends 0 predict student.cfg run/student_final.weights points.csv
    ends 0 export student.cfg run/student_final.weights -out exported
    sed -e 's/^domain=.*/file=points.csv/' -e '/points=/d' student.cfg >labelled.cfg
    ends 0 valid labelled.cfg run/student_final.weights
    like measures 'points 1
value_mse *' "$output"
    for verb in train check bench; do
        refuses_like 1 "student.cfg:17:5: error: the teacher's cfg: teacher.cfg: *" "$verb" student.cfg
    done
}

@test "the derivatives of students are proven through their teachers" {
    make_both 20
    for keys in order=2 wrt=0 differentiate=log_probabilities target=zero; do
        ends 0 check student.cfg -set "sobolev.$keys" -set connected[0].output=24
    done
}

@test "a function can be the teacher" {
    local box=$BUILD_DIR/tests/libblack_boxes.so:price
    local rest=$'[connected]\noutput=8\nactivation=tanh\n[connected]\noutput=1\nactivation=linear\n[sobolev]\norder=1\n'
    local net=$'[net]\ninputs=3\nbatch=10\nmax_batches=100\nadam=1\nseed=3\n[data]\npoints=60\ntest_points=30\ndomain=60,140,.25,2,.1,.5\nnormalise=all\n'
    printf '%s[teacher]\nfunction=%s\n%s' "$net" "$box" "$rest" >taught.cfg
    printf '%sfunction=%s\n%s' "$net" "$box" "$rest" >told.cfg
    trains taught.cfg taught
    like steps '*first derivative by input 3: central differences of step *' "$output"
    trains told.cfg told
    same_file taught/taught_final.weights told/told_final.weights
    ends 0 valid taught.cfg taught/taught_final.weights
    like 'by the function' "*value_mse $(metric test_value_mse taught)*gradient_mse $(metric test_gradient_mse taught)*" "$output"
    ends 0 check taught.cfg -set data.domain=-1,1
    refuses 2 "-set teacher.function=booth: error: [teacher] function must be ./LIBRARY.so:SYMBOL (built-in functions: [data] function=)" train \
        taught.cfg -set teacher.function=booth
    refuses_like 2 "-set teacher.function=./nowhere.so:f: error: *nowhere.so*" train taught.cfg -set teacher.function=./nowhere.so:f
}

@test "what is wrong with a teacher is said once, with both places" {
    make_both 20
    printf '[net]\ninputs=3\nbacth=4\n[connected]\noutput=3\nactivation=linear\n' >bad.cfg
    refuses 2 "bad.cfg:3:1: error: unknown key 'bacth' in [net], did you mean 'batch'?
-set teacher.cfg=bad.cfg: error: the teacher's cfg: bad.cfg: 1 error" train student.cfg -set teacher.cfg=bad.cfg
    refuses 1 "-set teacher.weights=student.cfg: error: the teacher's weights: student.cfg: not a Darknet weights file (its version makes no sense)" \
        train student.cfg -set teacher.weights=student.cfg
    sed -i /^weights=/d student.cfg
    refuses 2 "student.cfg:3:1: error: input ([net], line 3) has 3 numbers, but the teacher's input ([net], $tiny/values.cfg:2) has 2 numbers
student.cfg:23:1: error: layer 1 ([connected], line 23) has 3 numbers, but the teacher's layer 1 ([connected], $tiny/values.cfg:23) has 1 number" \
        train student.cfg -set "teacher.cfg=$tiny/values.cfg"
    printf '[net]\ninputs=3\n[lstm]\noutput=3\n' >lstm.cfg
    refuses 2 'lstm.cfg:3:1: error: [lstm] cannot be differentiated: its state runs from sample to sample, so that no sample has a derivative of its own' \
        train student.cfg -set teacher.cfg=lstm.cfg
    refuses 2 'student.cfg:12:8: error: [data] the points of a domain have no labels, which hard_weight= and differentiate=loss need' train student.cfg \
        -set teacher.hard_weight=1
    refuses 2 'student.cfg:12:8: error: [data] the points of a domain have no directions: label_directions=2 needs a file that holds v' train student.cfg \
        -set sobolev.label_directions=2
    refuses 2 "-set sobolev.loss=cross_entropy: error: cross_entropy compares with probabilities, and the teacher's outputs are logits: kl_reverse, which differs by a constant, takes those" \
        train student.cfg -set sobolev.loss=cross_entropy
    absent runs
}
