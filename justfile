# Recipes of rerec. `./justw` sets up the locked environment, `just` with it, then runs one of these.
set positional-arguments
bin := justfile_directory() / ".venv/bin"

# lint, then every test
default: lint test

# the whole journey: raw ratings in, a better recommender and an HTML report out
demo *args:
    @"{{bin}}/rerec" demo "$@"

# every test but the long ones, those of vLLM and of other packages, and the benchmarks; or those named
test *args:
    @if [ $# -gt 0 ]; then "{{bin}}/python" -m pytest "$@"; else "{{just_executable()}}" unit && OMP_NUM_THREADS=1 "{{bin}}/python" -m pytest -m journey --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations 30 --durations-min 5; fi

# only the fast tests, two at a time
unit:
    @OMP_NUM_THREADS=1 "{{bin}}/python" -m pytest -m unit --numprocesses 2 --dist loadfile

# what takes many runs of verl: a matrix of methods, two ranks, several machines
long *args:
    @OMP_NUM_THREADS=1 "{{bin}}/python" -m pytest -m long --durations 0 "$@"

# whole runs with vLLM on CPU, in an environment of its own (`.venv-vllm`), or those named
vllm *args:
    @tests/vllm_cpu/install
    @"{{justfile_directory()}}/.venv-vllm/bin/python" -m pytest -m vllm --durations 0 "$@"

# style, types, import directions, documentation (built strictly into site/), side by side
[parallel]
lint: style strict-types types docs

[private]
style:
    @"{{bin}}/ruff" check .
    @"{{bin}}/ruff" format --check --quiet .
    @"{{bin}}/lint-imports"

[private]
strict-types:
    @"{{bin}}/mypy" --strict --no-error-summary data_engine reward_server rerec

[private]
types:
    @"{{bin}}/mypy" --no-error-summary agents train

# the documentation, into site/
docs:
    @NO_MKDOCS_2_WARNING=1 "{{bin}}/python" -m mkdocs build --strict --quiet

# other trainers' packages against the reward server, each in an environment of its own (network)
doors *args:
    @OMP_NUM_THREADS=1 "{{bin}}/python" -m pytest -m doors tests/doors "$@"

# the unit tests that need no torch on Python 3.12 and 3.13, or the versions named (network)
pythons *versions:
    @tests/pythons/run "$@"

# one benchmark, with its arguments; its last line is one JSON object
bench name *args:
    @shift; "{{bin}}/python" -m tests.bench.{{name}} "$@"

# the share of mutants of the pure core that the unit tests kill, or of the files named (`mutants/`)
mutate *paths:
    @"{{bin}}/python" -m tests.bench.mutate "$@"

# any rerec command
rerec *args:
    @"{{bin}}/rerec" "$@"
