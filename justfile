# What is done often, by name. `just` alone lists it.

_list:
    @just --list --unsorted

# Make a small repository in ./director-demo and run a sprint on it
demo:
    cargo run --release -- demo

# What has to pass before a change lands
check:
    .ci/run

# Every test
test:
    cargo test --workspace

# What is measured: a task that does nothing, the engine, replay, a start, memory, commits to the journal, worktrees, commands
bench:
    cargo bench -p director-tests --bench no_op
    cargo bench -p director-tests --bench costs
    cargo run --release -p director-runtime --example journal_rate
    cargo bench -p director-agents --bench worktrees
    cargo bench -p director-agents --bench spawn

# The power is cut on the journal, and its repair is killed, at every instant; needs strace
power:
    cargo test -p director-tests --test recovery_power -- --ignored --nocapture

# Mailbox and supervisor beside ractor alone, in instructions; needs valgrind
instructions:
    cargo run --release -p director-runtime --example beside_ractor

# Sprints a second, beside SimPy (pip install -r tests/benches/requirements.txt)
simulations:
    cargo bench -p director-tests --bench forecast

# The planner beside CP-SAT on a folder of PSPLIB, or of iMOPSE with --imopse, two threads, seconds for each (pip install -r tests/peers/requirements.txt)
peers dir ours="1" theirs="1" *more:
    mkdir -p target/peers
    cargo run --release -p director-tests --bin psplib -- {{dir}} --threads 2 --seconds {{ours}} --list --json {{more}} > target/peers/ours.json
    python3 tests/peers/cpsat.py {{dir}} --workers 2 --seconds {{theirs}} --list --json {{more}} > target/peers/cpsat.json
    python3 tests/peers/beside.py target/peers/ours.json target/peers/cpsat.json

# The engine in a world where all goes wrong, for many seeds
swarm seeds="100000":
    DIRECTOR_SEEDS={{seeds}} cargo test --release -p director-tests --test engine_swarm whatever_goes_wrong -- --nocapture

# The bare driver and the real actors on virtual time, compared record by record over many seeds
drivers seeds="1000":
    DIRECTOR_SEEDS={{seeds}} cargo test --release -p director-tests --test drivers agree -- --nocapture

# The long-lived director beside a bare axum server: reads, a thousand event streams, slow readers, SIGKILL
load *parts:
    cargo run --release -p director-tests --bin load -- {{parts}}

# Deliberate bugs, each of which the swarm has to find
mutants:
    cargo run -p director-tests --bin mutants

# The dashboard in a real browser, with pictures of its pages in a folder; needs Chromium
browser pictures="target/pictures":
    mkdir -p {{pictures}}
    DIRECTOR_PICTURES={{absolute_path(pictures)}} cargo test -p director-tests --test serve -- browser dashboard

# The tools by real clients of their protocol, which are fetched first; needs python3 and npm
clients:
    tests/clients/get.sh
    DIRECTOR_CLIENTS=1 cargo test -p director-tests --test serve clients

# Claude's adapter and Gemini CLI over the Agent Client Protocol with a model that always does the same; fetches 500 MB, needs python3 and npm
agents:
    tests/clients/agents.sh
    cargo test -p director-tests --test story_acp -- --ignored --nocapture

# How long pages of a sprint of 10,000 tasks take in Chromium
board:
    cargo test --release -p director-tests --test serve ten_thousand -- --ignored --nocapture

# `director watch` in a real terminal, with pictures of its screens in a folder
terminal pictures="target/pictures":
    mkdir -p {{pictures}}
    DIRECTOR_PICTURES={{absolute_path(pictures)}} cargo test -p director-tests --test story_watch

# The HTTP API by its own OpenAPI document: schemathesis calls everything, no answer may be one that the document does not name; needs python3
fuzz-api examples="20" seed="1":
    cargo build -p director
    tests/api/fuzz.sh target/debug/director {{examples}} {{seed}}

# The documentation of the code, complete and without a warning
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps
