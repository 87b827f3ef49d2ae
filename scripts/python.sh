# Shared by the scripts that run Python (read with `.`): an environment of their own, because Debian's Python takes no packages from pip.
#     venv      its folder
#     install   yes: what is missing is installed with pip; no: it is asked for
# shellcheck shell=sh disable=SC2154  # variables that the other side sets

fail() { echo "$0: error: $*" >&2; exit 2; }

python_has() { [ -x "$venv/bin/python" ] && "$venv/bin/python" -c "import $1" 2>/dev/null; }

# python_needs PACKAGE…: all of them can be imported by $venv/bin/python afterwards.
python_needs() {
    command -v python3 >/dev/null || fail "this script needs python3"
    for package; do
        python_has "$package" && continue
        [ "$install" = yes ] ||
            fail "$package is not installed in $venv: leave out -no-install to install it with pip, or name an environment with -venv"
        [ -x "$venv/bin/python" ] || python3 -m venv "$venv" || fail "python3 cannot make an environment in $venv (package python3-venv)"
        "$venv/bin/python" -m pip install --quiet "$package" || fail "pip could not install $package into $venv"
    done
}
